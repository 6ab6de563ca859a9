//! TLS for the gateway's own connections, by rustls: certificate and key come from files, and new ones
//! serve the next connection.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, in PEM, its own first.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM", path.display())]
    Holds {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The two do not work together.
    #[error("the certificate in {} cannot be used with the key in {}", certificate.display(), key.display())]
    Together {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// What connections are encrypted with, which may change while the gateway runs.
pub struct Tls(RwLock<Arc<ServerConfig>>);

impl TlsFiles {
    /// What the files hold, ready to serve.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else, or the two do not fit.
    pub fn load(&self) -> Result<ServerConfig, TlsError> {
        let holds = |path: &Path, what| TlsError::Holds {
            path: path.to_owned(),
            what,
        };
        let chain = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| holds(&self.certificate, "certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| holds(&self.key, "private key"))?;
        let together = |source| TlsError::Together {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(together)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(together)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

impl Tls {
    /// Encrypts by this.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    /// Encrypts by this from the next connection on; those there are go on as they are.
    pub fn replace(&self, config: ServerConfig) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// What takes the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&config).into()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let (mine, other) = (
            make().expect("a certificate"),
            make().expect("a certificate"),
        );
        let certificate = written(folder.path(), "cert.pem", &mine.cert.pem());
        let key = written(folder.path(), "key.pem", &mine.signing_key.serialize_pem());
        let others = written(
            folder.path(),
            "other.pem",
            &other.signing_key.serialize_pem(),
        );
        let load = |certificate: &Path, key: &Path| {
            let files = TlsFiles {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            };
            files.load().map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(load(&certificate, &key), Ok(()));
        let missing = load(&folder.path().join("none.pem"), &key).expect_err("no file");
        assert!(missing.contains("none.pem"), "{missing}");
        let swapped = load(&key, &certificate).expect_err("swapped");
        assert!(swapped.contains("holds no certificate"), "{swapped}");
        let no_key = load(&certificate, &certificate).expect_err("no key");
        assert!(no_key.contains("holds no private key"), "{no_key}");
        let apart = load(&certificate, &others).expect_err("they do not fit");
        assert!(apart.contains("cannot be used with"), "{apart}");
    }
}
