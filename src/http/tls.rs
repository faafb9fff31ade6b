//! TLS 1.2 and 1.3 by rustls, with a certificate from files or one of its own.
//!
//! Files are looked at every [`LOOK_INTERVAL`] and read again when they have changed, so that
//! whoever renews certificates need not tell. New ones that are no good are told, and change
//! nothing; connections that are open keep what they have.
//!
//! A certificate of its own is made anew at each start, and kept nowhere. No authority knows it: to
//! know that it is this server's, one compares the fingerprint that is told at the start.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{info, warn};

/// How often to look whether the files are others.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsConfig {
    /// PEM files.
    Files {
        /// The server's own certificate first, then those that lead to an authority.
        certificate: PathBuf,
        /// Its private key: PKCS #8, PKCS #1 or SEC 1.
        key: PathBuf,
    },
    /// Made at the start.
    SelfSigned,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("{file}: {source}")]
    File {
        file: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{0}: no certificate in it")]
    Empty(PathBuf),
    /// Certificate and key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// The key belongs to another certificate.
    #[error("{key} is not the key of {certificate}")]
    Apart { certificate: PathBuf, key: PathBuf },
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    SelfSigned(#[from] rcgen::Error),
}

/// Speaks TLS.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    config: TlsConfig,
}

/// The certificate at the moment.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

/// What a file is known by, without reading it.
type Look = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads the certificate, or makes one for `names`: host names and addresses.
    ///
    /// # Errors
    ///
    /// Any [`TlsError`].
    pub(crate) fn new(config: TlsConfig, names: Vec<String>) -> Result<Self, TlsError> {
        let certified = match &config {
            TlsConfig::Files { certificate, key } => read(certificate, key)?,
            TlsConfig::SelfSigned => make(names)?,
        };
        let current = Arc::new(Current(RwLock::new(Arc::new(certified))));
        let provider = Arc::new(default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            current,
            config,
        })
    }

    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// If the other side does not speak TLS, or none of ours.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub(crate) fn fingerprint(&self) -> String {
        let current = self.current.get();
        let certificate = current.cert.first().map(AsRef::as_ref);
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate.unwrap_or_default());
        let bytes: Vec<String> = digest
            .as_ref()
            .iter()
            .map(|it| format!("{it:02X}"))
            .collect();
        bytes.join(":")
    }

    /// Follows the files for as long as it is polled.
    pub(crate) async fn follow_files(&self) {
        let TlsConfig::Files { certificate, key } = &self.config else {
            return;
        };
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = look(certificate, key);
        loop {
            looks.tick().await;
            let seen = look(certificate, key);
            if seen != known {
                known = seen;
                self.read_again();
            }
        }
    }

    /// Reads the files again, whether they have changed or not.
    pub(crate) fn read_again(&self) {
        let TlsConfig::Files { certificate, key } = &self.config else {
            return;
        };
        match read(certificate, key) {
            Ok(certified) => {
                self.current.set(certified);
                info!(fingerprint = %self.fingerprint(), "another certificate");
            }
            // A renewal writes one file after the other: usually the next look finds both.
            Err(error) => warn!(%error, "the certificate stays as it was"),
        }
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, certified: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let failed = |file: &Path| {
        let file = file.to_owned();
        |source| TlsError::File { file, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(failed(certificate))?
        .collect::<Result<_, _>>()
        .map_err(failed(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    certified(chain, private).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Apart {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        },
        error => TlsError::Unusable(error),
    })
}

fn make(names: Vec<String>) -> Result<CertifiedKey, TlsError> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "mosaicd, self-signed");
    let made = params.self_signed(&pair)?;
    let private = PrivatePkcs8KeyDer::from(pair.serialize_der());
    Ok(certified(vec![made.der().clone()], private.into())?)
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    CertifiedKey::from_der(chain, key, &default_provider())
}

/// What there is to see of both files. One that is not there is not there, which is a change, too.
fn look(certificate: &Path, key: &Path) -> Look {
    [certificate, key].map(|file| {
        let seen = std::fs::metadata(file).ok()?;
        Some((seen.modified().ok()?, seen.len()))
    })
}
