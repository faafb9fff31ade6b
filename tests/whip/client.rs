//! What one sends as a publisher or a viewer, and how one reads a refusal.

use crate::daemon::Daemon;
use crate::http::{Answer, ask};
use crate::publishing::PUBLISHING;

/// The header of an offer.
pub(crate) const SDP: (&str, &str) = ("content-type", "application/sdp");

/// The header of a fragment.
pub(crate) const FRAGMENT: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");

/// A fragment with one candidate.
pub(crate) const CANDIDATE: &str =
    "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n";

/// The offer of a viewer.
pub(crate) fn receiving() -> String {
    PUBLISHING.replace("sendonly", "recvonly")
}

/// Posts an offer.
pub(crate) fn post(daemon: &Daemon, path: &str, sdp: &str) -> anyhow::Result<Answer> {
    ask(&daemon.address, ("POST", path), &[SDP], sdp)
}

/// The status and the code of a problem.
pub(crate) fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.status, answer.code().unwrap_or_default())
}
