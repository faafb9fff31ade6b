//! HTTPS: with a certificate of the daemon's own, and with files that change.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls::{SupportedProtocolVersion, version};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::daemon::Daemon;
use crate::http;

/// Trusts anybody and remembers whom: what a person does who compares fingerprints.
#[derive(Debug, Default)]
struct Curious(Mutex<Option<Vec<u8>>>);

impl Curious {
    fn seen(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Curious {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen() = Some(end_entity.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Asks for the page over TLS: its status, and the fingerprint of the certificate.
async fn visit(
    address: &str,
    version: &'static SupportedProtocolVersion,
) -> anyhow::Result<(u16, String)> {
    let curious = Arc::new(Curious::default());
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&curious) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("127.0.0.1")?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let answer = http::ask(stream, address, ("GET", "/"), &[]).await?;
    let certificate = curious.seen().take().context("no certificate")?;
    Ok((answer.status, fingerprint(&certificate)))
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = Sha256::digest(certificate);
    let bytes: Vec<String> = digest.iter().map(|it| format!("{it:02X}")).collect();
    bytes.join(":")
}

/// Writes a new certificate and its key: the fingerprint.
fn renew(certificate: &Path, key: &Path) -> anyhow::Result<String> {
    let made = rcgen::generate_simple_self_signed(vec!["mosaic.example".to_owned()])?;
    std::fs::write(certificate, made.cert.pem())?;
    std::fs::write(key, made.signing_key.serialize_pem())?;
    Ok(fingerprint(made.cert.der()))
}

#[tokio::test]
async fn a_certificate_of_its_own_is_the_one_whose_fingerprint_was_told() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--tls", "self-signed"])?;
    let told = daemon.lines_with("fingerprint=", 1).await?;

    for version in [&version::TLS12, &version::TLS13] {
        let (status, seen) = visit(&daemon.address, version).await?;

        assert_eq!(status, 200);
        assert!(told[0].contains(&seen), "{told:?} {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (certificate, key) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    let first = renew(&certificate, &key)?;
    let paths = [&certificate, &key].map(|path| path.display().to_string());
    let daemon = Daemon::start(&["--tls-cert", &paths[0], "--tls-key", &paths[1]])?;
    let seen = || visit(&daemon.address, &version::TLS13);
    assert_eq!(seen().await?.1, first);

    std::fs::write(&certificate, "no certificate")?;
    daemon
        .lines_with("the certificate stays as it was", 1)
        .await?;
    assert_eq!(seen().await?.1, first);

    let second = renew(&certificate, &key)?;
    daemon.lines_with("another certificate", 1).await?;
    assert_eq!(seen().await?.1, second);
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_certificate_is_told_at_the_start() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    renew(&path("a.pem"), &path("a.key"))?;
    renew(&path("b.pem"), &path("b.key"))?;
    let paths = [path("a.pem"), path("b.key")].map(|path| path.display().to_string());

    let started = Daemon::start(&["--tls-cert", &paths[0], "--tls-key", &paths[1]]);

    assert!(started.is_err());
    Ok(())
}

#[tokio::test]
async fn who_speaks_no_tls_is_cut_and_others_are_not_held_up() -> anyhow::Result<()> {
    let limit = ["--limit", "opening-seconds=30"];
    let daemon = Daemon::start(&[&["--tls", "self-signed"][..], &limit].concat())?;
    let silent = TcpStream::connect(&daemon.address).await?;

    let mut plain = TcpStream::connect(&daemon.address).await?;
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n").await?;
    let mut answer = Vec::new();
    // An alert, and the end of it.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let (status, _) = visit(&daemon.address, &version::TLS13).await?;

    assert_eq!(status, 200);
    let heard = silent.try_read(&mut [0]);
    let is_open = heard.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(is_open, "who says nothing has longer");
    Ok(())
}
