//! `mosaicd token` and `mosaicd keys`: their flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::parse_duration;
use super::wrong;
use crate::access::token::{KeyKind, KeysConfig, TokenConfig};
use crate::access::{Capability, Role};

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The keys file, as `serve` has it
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Which key signs [default: the last one in the file that can]
    #[arg(long, value_name = "NAME")]
    kid: Option<String>,
    /// The room it lets into; * is any
    #[arg(long, value_name = "ROOM")]
    room: String,
    /// Who it is for, to whoever makes it (sub)
    #[arg(long, value_name = "TEXT")]
    identity: Option<String>,
    /// What the others see [default: what the participant says]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What the participant is in the room [default: for the room to say]
    #[arg(long, value_enum)]
    role: Option<RoleArg>,
    /// What the participant may do, with commas between [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    can: Option<Vec<CapabilityArg>>,
    /// How long it lets in; who is in by then stays
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = parse_duration)]
    valid: Duration,
    /// Who makes it (iss), where the server asks for that
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Which server it is for (aud), where that one asks for it
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    /// The keys file to add a key to, made if it is not there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// HS256, one secret that signs and checks, or EdDSA, a pair of which one half only checks
    #[arg(long, value_enum, default_value_t = AlgorithmArg::Hs256)]
    algorithm: AlgorithmArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    Participant,
    Moderator,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum CapabilityArg {
    PublishAudio,
    PublishVideo,
    Subscribe,
    Chat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AlgorithmArg {
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "EdDSA")]
    EdDsa,
}

impl TokenArgs {
    /// Whether the server would take what the token is to say.
    ///
    /// # Errors
    ///
    /// As clap says it.
    pub(super) fn check(self) -> Result<TokenConfig, clap::Error> {
        let config = TokenConfig {
            keys: self.keys,
            kid: self.kid,
            room: self.room,
            identity: self.identity,
            name: self.name,
            role: self.role.map(Into::into),
            can: self
                .can
                .map(|can| can.into_iter().map(Into::into).collect()),
            valid: self.valid,
            issuer: self.issuer,
            audience: self.audience,
        };
        config.check().map_err(|error| wrong("token", error))?;
        Ok(config)
    }
}

impl From<KeysArgs> for KeysConfig {
    fn from(args: KeysArgs) -> Self {
        Self {
            file: args.file,
            kind: match args.algorithm {
                AlgorithmArg::Hs256 => KeyKind::Secret,
                AlgorithmArg::EdDsa => KeyKind::Pair,
            },
        }
    }
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Participant => Self::Participant,
            RoleArg::Moderator => Self::Moderator,
        }
    }
}

impl From<CapabilityArg> for Capability {
    fn from(capability: CapabilityArg) -> Self {
        match capability {
            CapabilityArg::PublishAudio => Self::PublishAudio,
            CapabilityArg::PublishVideo => Self::PublishVideo,
            CapabilityArg::Subscribe => Self::Subscribe,
            CapabilityArg::Chat => Self::Chat,
        }
    }
}
