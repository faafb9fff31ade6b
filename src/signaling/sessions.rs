//! All sessions of the process: how they begin, and how a client finds its own again.
//!
//! A session is known by its id: 128 random bits, so that looking one up gives nothing away.
//!
//! At most a set number of sessions at a time, of everybody and of the address where each began,
//! those included whose client is away.

#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Venue;
use super::handle::{Attachment, SessionHandle, Turn, session_handle};
use super::life::Life;
use super::line::line;
use super::message::{
    ClientMessage, ErrorCode, ErrorMessage, RequestId, Resume, Resumed, ServerMessage, VERSION,
};
use super::presence::Carrier;
use super::reading::parse;
use super::refusal::{Refusal, draining, no_session, refusal};
use super::session::Session;
use crate::limits::{Caller, Excess, Permit, Refusal as Refused};

/// When to try again where there are too many sessions: some have gone by then.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Names a session in addresses: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(String);

/// All sessions. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    venue: Venue,
    /// Becomes true when the server is about to stop.
    draining: watch::Receiver<bool>,
    directory: Directory,
}

/// What a carrier's first message led to.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) id: SessionId,
    pub(crate) attachment: Attachment,
    /// What the carrier has to say before all events, if it continues a session.
    pub(crate) resumed: Option<ServerMessage>,
}

impl Sessions {
    /// All held in one venue.
    pub(crate) fn new(venue: Venue, draining: watch::Receiver<bool>) -> Self {
        Self {
            venue,
            draining,
            directory: Directory::default(),
        }
    }

    /// Begins with the first message of a carrier: continues the session that it names, or begins
    /// one that hears it, for the caller.
    ///
    /// # Errors
    ///
    /// What to tell the client, which may try another message over the same carrier. It is counted.
    pub(crate) async fn open(
        &self,
        first: String,
        caller: Caller,
        carrier: Carrier,
    ) -> Result<Opened, ErrorMessage> {
        let opened = self.open_uncounted(first, caller, carrier).await;
        opened.inspect_err(|error| self.venue.limiter.counters().count_code(error.code))
    }

    async fn open_uncounted(
        &self,
        first: String,
        caller: Caller,
        carrier: Carrier,
    ) -> Result<Opened, ErrorMessage> {
        let request = match parse(&first) {
            Ok(ClientMessage::Resume(resume)) => return self.resume(resume, carrier),
            Ok(message) => message.id().cloned(),
            Err((id, _)) => id,
        };
        // A request has a status to say it by; a session over a socket is told by its `bye`.
        if carrier == Carrier::Request && *self.draining.borrow() {
            return Err(draining().answer(request));
        }
        let id = SessionId::random();
        let begun = self.begin(&id, caller, carrier);
        let attachment = begun.map_err(|refused| refused.answer(request))?;
        // If the server is about to stop, it may not be heard any more: then there is a `bye`.
        let _ = attachment.request(first).await;
        Ok(Opened {
            id,
            attachment,
            resumed: None,
        })
    }

    /// The session of this id, if there is one.
    pub(crate) fn find(&self, id: &SessionId) -> Option<SessionHandle> {
        let entries = self.directory.lock();
        entries.get(id).map(|entry| entry.session.clone())
    }

    /// A turn for one of its client's requests to say something to the session of this id.
    ///
    /// # Errors
    ///
    /// `no_session`, and `rate_limited` where as many requests of it are under way as may be.
    pub(crate) fn turn(&self, id: &SessionId) -> Result<Turn, Refusal> {
        let session = self.find(id).ok_or_else(no_session)?;
        session.turn().ok_or_else(|| {
            let limiter = &self.venue.limiter;
            limiter.counters().count(Refused::Post);
            let max = limiter.limits().posts_per_session;
            Excess::Posts { max }.into()
        })
    }

    /// Ends a session that its client has no use for, without a word.
    pub(crate) fn dismiss(&self, id: &SessionId) {
        let dismissed = self.directory.lock().remove(id);
        if let Some(Entry { session, .. }) = dismissed {
            session.dismiss();
        }
    }

    /// Resolves when there is no session any more.
    pub(crate) async fn emptied(&self) {
        loop {
            let gone = self.directory.gone.notified();
            tokio::pin!(gone);
            // From here on none is missed.
            gone.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            gone.await;
        }
    }

    /// How many there are, those included whose client is away.
    pub(crate) fn count(&self) -> usize {
        self.directory.lock().len()
    }

    /// What was refused to anybody, by kind.
    #[cfg(test)]
    pub(super) fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.venue.limiter.counters().snapshot()
    }

    fn resume(&self, resume: Resume, carrier: Carrier) -> Result<Opened, ErrorMessage> {
        let Resume {
            id: request,
            version,
            session,
            after,
        } = resume;
        if version != VERSION {
            let message = format!("version is {version}, expected {VERSION}");
            return Err(failure(request, ErrorCode::BadVersion, message));
        }
        let id = SessionId::from_address(&session);
        let Some(handle) = self.find(&id) else {
            return Err(no_session().answer(request));
        };
        let attachment = match handle.attach(after, carrier) {
            Ok(attachment) => attachment,
            Err(gap) => return Err(failure(request, ErrorCode::BadResume, gap.to_string())),
        };
        let resumed = Resumed {
            id: request,
            after,
            last: handle.last(),
        };
        Ok(Opened {
            id,
            attachment,
            resumed: Some(ServerMessage::Resumed(resumed)),
        })
    }

    fn begin(
        &self,
        id: &SessionId,
        caller: Caller,
        carrier: Carrier,
    ) -> Result<Attachment, Refusal> {
        let permit = self.permit(&caller)?;
        let hold = self.venue.rooms.seat_hold();
        let turns = self.venue.limiter.limits().posts_per_session;
        let turns = usize::try_from(turns).unwrap_or(usize::MAX);
        let (handle, end, requests) = session_handle(hold, turns, Instant::now());
        let enrolled = self.enroll(id, &handle, permit)?;
        let attachment = handle.attach(0, carrier);
        let attachment = attachment.map_err(|gap| refusal(ErrorCode::Internal, gap.to_string()))?;
        let (said, told) = line();
        let life = Life {
            session: Session::new(self.venue.clone(), caller, said),
            told,
            requests,
            end,
            enrolled,
        };
        tokio::spawn(life.run(self.draining.clone()));
        Ok(attachment)
    }

    /// What the caller's address is to hold for the session.
    fn permit(&self, caller: &Caller) -> Result<Option<Permit>, Excess> {
        let now = std::time::Instant::now();
        let begin = |address| self.venue.limiter.begin_session(address, now);
        caller.address.map(begin).transpose()
    }

    fn enroll(
        &self,
        id: &SessionId,
        handle: &SessionHandle,
        permit: Option<Permit>,
    ) -> Result<Enrolled, Refusal> {
        let max = self.venue.limiter.limits().sessions;
        let mut entries = self.directory.lock();
        if entries.len() >= usize::try_from(max).unwrap_or(usize::MAX) {
            self.venue.limiter.counters().count(Refused::Session);
            let message = format!("the server takes no more than {max} sessions");
            return Err(Refusal {
                retry_after: Some(RETRY_AFTER),
                ..refusal(ErrorCode::TooManySessions, message)
            });
        }
        let entry = Entry {
            session: handle.clone(),
            _permit: permit,
        };
        entries.insert(id.clone(), entry);
        Ok(Enrolled {
            directory: self.directory.clone(),
            id: id.clone(),
        })
    }
}

impl SessionId {
    fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// As it stands in an address. Whether there is such a session is another question.
    pub(crate) fn from_address(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it stands in an address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which session has which id.
#[derive(Clone, Debug, Default)]
struct Directory {
    entries: Arc<Mutex<HashMap<SessionId, Entry>>>,
    /// Told whenever a session is gone.
    gone: Arc<Notify>,
}

#[derive(Debug)]
struct Entry {
    session: SessionHandle,
    /// Given back to the address where the session began.
    _permit: Option<Permit>,
}

/// A session's entry, gone when this is dropped.
#[derive(Debug)]
pub(super) struct Enrolled {
    directory: Directory,
    id: SessionId,
}

impl Directory {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
        let entries = self.entries.lock();
        entries.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Enrolled {
    pub(super) const fn id(&self) -> &SessionId {
        &self.id
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.directory.lock().remove(&self.id);
        self.directory.gone.notify_waiters();
    }
}

fn failure(id: Option<RequestId>, code: ErrorCode, message: impl Into<String>) -> ErrorMessage {
    ErrorMessage {
        id,
        code,
        message: message.into(),
        retry_after_ms: None,
    }
}
