//! The simulated server: its options, and how it is started alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::numbers::{from_one, from_zero, share};
use crate::bench;
use crate::cli::Exit;
use crate::simulated::{CapacityChange, RateLimit, SimulatedOptions, SimulatedServer, WhenFull};

/// A free port of this machine.
pub(super) const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// What the simulated server is like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulated server")]
pub(super) struct ServerArgs {
    /// Requests decoded at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = from_one::<usize>)]
    slots: usize,
    /// How long a request is decoded, such as 200ms or 1.5s
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = duration)]
    latency: Duration,
    /// Log-normal spread of the latency: the standard deviation of its logarithm
    #[arg(long, value_name = "S", default_value_t = 0.0, value_parser = from_zero)]
    spread: f64,
    /// By what share of itself the latency grows until all slots are busy
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = from_zero)]
    growth: f64,
    /// Refuse with 429 when every slot is busy, instead of queueing
    #[arg(long)]
    refuse: bool,
    /// Requests per minute that are let in
    #[arg(long, value_name = "N", value_parser = from_one::<u32>)]
    rate: Option<u32>,
    /// Requests that may come at once under --rate
    #[arg(long, value_name = "N", default_value_t = 20, requires = "rate", value_parser = from_one::<u32>)]
    burst: u32,
    /// Keep the rate limit without telling it in headers
    #[arg(long, requires = "rate")]
    untold: bool,
    /// Blocks of 256 characters that the prefix cache holds
    #[arg(long, value_name = "N", default_value_t = 0)]
    cache_blocks: usize,
    /// Another capacity for a while, such as 0.5@10s-40s; may be given again
    #[arg(long, value_name = "FACTOR@FROM-UNTIL", value_parser = capacity)]
    capacity: Vec<CapacityChange>,
    /// How long answers are, about
    #[arg(long, value_name = "N", default_value_t = 800)]
    reply_characters: usize,
    /// The share of first attempts that fail, in every way that there is
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    faults: f64,
    /// The seed of latencies and faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl ServerArgs {
    pub(super) fn options(&self, address: SocketAddr) -> SimulatedOptions {
        SimulatedOptions {
            address,
            slots: self.slots,
            latency: self.latency,
            spread: self.spread,
            growth: self.growth,
            when_full: if self.refuse {
                WhenFull::Refuse
            } else {
                WhenFull::Queue
            },
            rate: self.rate.map(|per_minute| RateLimit {
                per_minute,
                burst: self.burst,
                headers: !self.untold,
            }),
            cache_blocks: self.cache_blocks,
            capacity_schedule: self.capacity.clone(),
            reply_characters: self.reply_characters,
            faults: self.faults,
            seed: self.seed,
        }
    }
}

/// Serves until Ctrl-C, and prints what was done.
pub(super) async fn alone(options: SimulatedOptions) -> anyhow::Result<Exit> {
    let address = options.address;
    let server = SimulatedServer::start(options)
        .with_context(|| format!("cannot serve at {address}; is the port taken?"))?;
    outln!("SIMULATED server at {}", server.base_url());
    eprintln!("It answers without any model, until Ctrl-C.");
    tokio::signal::ctrl_c().await?;
    outln!("{}", serde_json::to_string(&server.statistics())?);
    Ok(Exit::Done)
}

/// Serves until standard input ends.
pub(super) fn on_a_leash() -> anyhow::Result<Exit> {
    bench::serve(io::stdin().lock(), |line| outln!("{line}"))
        .context("the simulated server cannot be started")?;
    Ok(Exit::Done)
}

/// A time such as `200ms`, `1.5s` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 200ms, 1.5s or 2m");
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let (number, seconds) = units
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

/// A change of capacity such as `0.5@10s-40s`.
fn capacity(text: &str) -> Result<CapacityChange, String> {
    let wrong = || format!("{text:?} is no change such as 0.5@10s-40s");
    let (factor, span) = text.split_once('@').ok_or_else(wrong)?;
    let (from, until) = span.split_once('-').ok_or_else(wrong)?;
    let change = CapacityChange {
        factor: factor.parse().map_err(|_| wrong())?,
        from: duration(from)?,
        until: duration(until)?,
    };
    if change.from < change.until && change.factor >= 0.0 {
        Ok(change)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "200", "ms", "-1s", "1h", "infs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn changes_of_capacity_have_a_factor_a_begin_and_an_end() {
        let change = capacity("0.5@10s-1m").expect("a change");
        assert!((change.factor - 0.5).abs() < 1e-9);
        assert_eq!((change.from.as_secs(), change.until.as_secs()), (10, 60));
        for wrong in ["", "0.5", "0.5@10s", "0.5@10s-5s", "half@1s-2s", "-1@1s-2s"] {
            assert!(capacity(wrong).is_err(), "{wrong}");
        }
    }
}
