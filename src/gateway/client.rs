//! Where a request comes from, as far as that can be believed.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address that asked first, as far as trusted proxies tell it.
    pub address: IpAddr,
    /// Whether it asked by HTTPS.
    pub is_encrypted: bool,
}

/// Addresses whose `x-forwarded-for` and `x-forwarded-proto` are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// One address, or all that begin like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// How many bits, from the first, an address has in common with it.
    bits: u32,
}

/// A text is no address and no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network: write it as 10.0.0.7, 10.0.0.0/8 or fd00::/8")]
pub struct NoNetwork(String);

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let wrong = || NoNetwork(text.to_owned());
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = width(address);
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(|_| wrong())?
            }
            Some(_) => return Err(wrong()),
        };
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address as a number whose first bit is the highest.
fn as_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let differ = as_number(self.address) ^ as_number(address);
        width(self.address) == width(address) && differ.leading_zeros() >= self.bits
    }
}

impl TrustedProxies {
    /// The proxies at these addresses and in these networks.
    ///
    /// # Errors
    ///
    /// When a text is none of either.
    pub fn parse(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, NoNetwork> {
        let networks = texts.into_iter().map(|text| text.as_ref().parse());
        networks.collect::<Result<_, _>>().map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// Where a request comes from that arrived from `peer`.
    ///
    /// Only what a trusted address has written is believed: the list is read from its end, and the
    /// first address that is not trusted is the client. What stands before it anybody may have
    /// written. An entry that is no address ends the list.
    #[must_use]
    pub fn client(&self, peer: IpAddr, is_encrypted: bool, headers: &HeaderMap) -> Client {
        let mut client = Client {
            address: peer.to_canonical(),
            is_encrypted,
        };
        if !self.trusts(peer) {
            return client;
        }
        if let Some(scheme) = last(headers, "x-forwarded-proto") {
            client.is_encrypted = scheme.eq_ignore_ascii_case("https");
        }
        for address in forwarded_for(headers) {
            let Some(address) = address else { break };
            client.address = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The addresses of `x-forwarded-for`, the last first, over however many headers.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(','))
        .map(|entry| address(entry.trim()))
}

/// An address, maybe with brackets or a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = match entry.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match entry.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            _ => entry,
        },
    };
    let address: IpAddr = bare.parse().ok()?;
    Some(address.to_canonical())
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let trusted = TrustedProxies::parse(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a value"));
        }
        let peer = peer.parse().expect("an address");
        let client = trusted.expect("networks").client(peer, false, &headers);
        (client.address.to_string(), client.is_encrypted)
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";

    #[test]
    fn only_trusted_addresses_are_believed() {
        let lines = [(FOR, "203.0.113.9"), (PROTO, "https")];
        for (peer, expected) in [
            ("10.1.2.3", ("203.0.113.9", true)),
            ("192.0.2.7", ("203.0.113.9", true)),
            ("fd12::1", ("203.0.113.9", true)),
            ("::ffff:10.1.2.3", ("203.0.113.9", true)),
            ("192.0.2.8", ("192.0.2.8", false)),
            ("11.0.0.1", ("11.0.0.1", false)),
            ("fe80::1", ("fe80::1", false)),
        ] {
            let (address, is_encrypted) = client(peer, &lines);
            assert_eq!((address.as_str(), is_encrypted), expected, "{peer}");
        }
    }

    #[test]
    fn a_client_cannot_write_its_own_address() {
        for (lines, expected) in [
            (&[(FOR, "1.1.1.1, 203.0.113.9")][..], "203.0.113.9"),
            (&[(FOR, "1.1.1.1, 203.0.113.9, 10.9.9.9")], "203.0.113.9"),
            (&[(FOR, "1.1.1.1"), (FOR, "203.0.113.9")], "203.0.113.9"),
            (&[(FOR, "10.0.0.5, 10.0.0.6")], "10.0.0.5"),
            (&[(FOR, "1.1.1.1, nonsense, 10.0.0.6")], "10.0.0.6"),
            (&[(FOR, "nonsense")], "10.1.1.1"),
            (&[(FOR, "")], "10.1.1.1"),
            (&[], "10.1.1.1"),
            (&[(FOR, "203.0.113.9:4711")], "203.0.113.9"),
            (&[(FOR, "[2001:db8::1]:4711")], "2001:db8::1"),
            (&[(FOR, "2001:db8::1")], "2001:db8::1"),
        ] {
            assert_eq!(client("10.1.1.1", lines).0, expected, "{lines:?}");
        }
        assert!(!client("10.1.1.1", &[(PROTO, "https, http")]).1);
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::/129",
            "10.0.0.0/+8",
            "proxy",
            "10/8",
        ] {
            let error = TrustedProxies::parse([wrong]).expect_err("no network");
            assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
        }
        let all = TrustedProxies::parse(["0.0.0.0/0"]).expect("a network");
        assert!(all.trusts("203.0.113.9".parse().expect("an address")));
        assert!(!all.trusts("::1".parse().expect("an address")));
    }
}
