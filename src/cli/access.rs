//! Who may come in to `serve`, and how: flags.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::values::parse_duration;
use super::wrong;
use crate::access::AccessConfig;
use crate::ice_servers::{IceServers, ServerKind, ServerUrl, Turn, TurnSecretFile, read_secret};
use crate::limits::Limits;
use crate::serve::{AllowedOrigin, Openness, TlsConfig, parse_network};

#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    /// Let in only who has a token signed with one of these keys, a JSON Web Key Set (`mosaicd keys`
    /// makes one); SIGHUP has it read again
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Let everybody in, though there are no keys and not only this machine is served
    #[arg(long, conflicts_with = "keys")]
    open: bool,
    /// Who must have signed a token (iss)
    #[arg(long, value_name = "TEXT", requires = "keys")]
    issuer: Option<String>,
    /// Whom a token must be meant for (aud)
    #[arg(long, value_name = "TEXT", requires = "keys")]
    audience: Option<String>,
    /// Pages that may connect beside the server's own, such as https://app.example; * is any
    #[arg(long, value_name = "ORIGIN", value_parser = AllowedOrigin::parse)]
    origin: Vec<AllowedOrigin>,
    /// Addresses of proxies that are believed who asks (X-Forwarded-For, Forwarded), such as
    /// 127.0.0.1 or 10.0.0.0/8
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    trusted_proxy: Vec<IpNet>,
    /// Another limit than usual, such as sessions-per-address=100; README.md lists them
    #[arg(long, value_name = "NAME=N")]
    limit: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// Serve HTTPS with a certificate made at the start, whose fingerprint is told
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["tls_cert", "tls_key"])]
    tls: Option<TlsArg>,
    /// Serve HTTPS with this certificate, PEM with those that lead to an authority; read again when
    /// it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key to it, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TlsArg {
    SelfSigned,
}

#[derive(Debug, Args)]
pub(super) struct IceArgs {
    /// A STUN server that participants are told of, such as stun:192.0.2.7:3478
    #[arg(long, value_name = "URL",
          value_parser = |text: &str| ServerUrl::parse(text, ServerKind::Stun))]
    stun: Vec<ServerUrl>,
    /// A TURN server that participants are told of, such as turn:192.0.2.7:3478?transport=udp
    #[arg(long, value_name = "URL", requires = "turn_secret_file",
          value_parser = |text: &str| ServerUrl::parse(text, ServerKind::Turn))]
    turn: Vec<ServerUrl>,
    /// The secret shared with it, what coturn has as static-auth-secret; SIGHUP has it read again
    #[arg(long, value_name = "FILE", requires = "turn")]
    turn_secret_file: Option<PathBuf>,
    /// How long a credential for it is good, as long as a call may last
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    turn_lifetime: Duration,
}

/// What is asked of whoever comes.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) access: AccessConfig,
    pub(super) openness: Openness,
    pub(super) origins: Vec<AllowedOrigin>,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) limits: Limits,
}

impl AccessArgs {
    /// # Errors
    ///
    /// If everybody would be let in on an address of a network and nobody said that this is meant,
    /// and if limits make no sense. As clap says it.
    pub(super) fn check(self, listen: IpAddr) -> Result<Checked, clap::Error> {
        let limits = limits(&self.limit).map_err(|error| wrong("serve", error))?;
        let openness = match (&self.keys, self.open) {
            (Some(_), _) | (None, true) => Openness::Everybody,
            (None, false) if listen.is_loopback() => Openness::Loopback,
            (None, false) => {
                let message = "--listen serves a network, and anybody on it would be let in: give \
                               --keys to ask for tokens, or --open if that is meant";
                return Err(wrong("serve", message));
            }
        };
        Ok(Checked {
            access: AccessConfig {
                keys: self.keys,
                issuer: self.issuer,
                audience: self.audience,
            },
            openness,
            origins: self.origin,
            trusted_proxies: self.trusted_proxy,
            limits,
        })
    }
}

/// The limits with some of them changed; of one that is there twice, the later counts.
fn limits(changes: &[String]) -> Result<Limits, String> {
    let mut table = toml::Table::new();
    for change in changes {
        let expected = || format!("--limit {change}: expected NAME=N, N a whole number");
        let (name, number) = change.split_once('=').ok_or_else(expected)?;
        let number: i64 = number.trim().parse().map_err(|_| expected())?;
        table.insert(name.trim().to_owned(), number.into());
    }
    let limits: Limits = table
        .try_into()
        .map_err(|error: toml::de::Error| format!("--limit: {}", error.message()))?;
    limits
        .check()
        .map_err(|error| format!("--limit: {error}"))?;
    Ok(limits)
}

impl From<TlsArgs> for Option<TlsConfig> {
    fn from(args: TlsArgs) -> Self {
        match (args.tls, args.tls_cert, args.tls_key) {
            (Some(TlsArg::SelfSigned), _, _) => Some(TlsConfig::SelfSigned),
            (None, Some(certificate), Some(key)) => Some(TlsConfig::Files { certificate, key }),
            (None, _, _) => None,
        }
    }
}

impl IceArgs {
    /// # Errors
    ///
    /// If the secret cannot be read, as clap says it.
    pub(super) fn check(self) -> Result<IceServers, clap::Error> {
        let turn = match self.turn_secret_file {
            None => None,
            Some(file) => Some(Turn {
                urls: self.turn,
                secret: Arc::new(
                    TurnSecretFile::new("TURN secrets", &file, read_secret).map_err(|error| {
                        let file = file.display();
                        wrong("serve", format!("--turn-secret-file {file}: {error}"))
                    })?,
                ),
                lifetime: self.turn_lifetime,
            }),
        };
        Ok(IceServers {
            stun: self.stun,
            turn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_known_by_name_and_the_later_counts() {
        let changed =
            |changes: &[&str]| limits(&changes.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());

        let found = changed(&["connections=5", "message-burst=7", "connections=6"]).unwrap();
        assert_eq!((found.connections, found.message_burst), (6, 7));
        assert_eq!(found.message_bytes, Limits::default().message_bytes);
        for (bad, word) in [
            ("wishes=3", "unknown field"),
            ("connections", "NAME=N"),
            ("connections=many", "NAME=N"),
            ("connections=0", "connections is 0"),
            ("connections=-1", "--limit"),
            ("connections=4294967296", "--limit"),
        ] {
            let error = changed(&[bad]).unwrap_err();
            assert!(error.contains(word) && !error.contains('\n'), "{error}");
        }
    }
}
