//! Seats that are taken and given up by single requests, without a session: WHIP (RFC 9725) and
//! WHEP.
//!
//! One request brings an offer and gets the answer; what came of it, a [`Resource`], is known by a
//! secret name from then on, and changed or ended by whoever knows that. Media goes one way: into
//! the room, or out of it. What the room has to say is heard only for the end it may bring.
//!
//! A resource holds a seat, so there are no more of them than seats. It ends by [`Resources::end`],
//! or with its seat: when nothing has come over its transport for as long as seats are held, or when
//! the room says so.

mod fragment;
mod ice;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use tokio::task::AbortHandle;
use tracing::{Instrument, info, info_span};

pub(crate) use fragment::Fragment;
use ice::Ice;
pub(crate) use ice::{Condition, IceError, IceTag};

use super::Venue;
use super::line::{LineEnd, line};
use super::message::{ErrorCode, IceServer, ServerMessage};
use super::names::{DisplayName, RoomName};
use super::refusal::{Refusal, refusal};
use super::session::SeatedSession;
use crate::access::Capabilities;
use crate::limits::{Allowance, Caller};
use crate::room::{Entry, JoinRequest, Part, RoomHandle, SeatId, StatusChange};
use crate::rtc::{Offer, OneWay};

/// What is asked of a room in one request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) way: OneWay,
    pub(crate) room: &'a str,
    /// What the others are to see, unless the credential says it.
    pub(crate) name: &'a str,
    pub(crate) caller: Caller,
    pub(crate) sdp: String,
}

/// What one gets for it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The resource's name: a secret of whoever asked.
    pub(crate) id: String,
    /// Of its ICE session.
    pub(crate) tag: IceTag,
    /// With all of our candidates.
    pub(crate) answer: String,
    pub(crate) ice_servers: Vec<IceServer>,
}

/// All resources of the process, by their names.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    known: Mutex<HashMap<String, Arc<Resource>>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Resource {
    way: OneWay,
    room_name: RoomName,
    room: RoomHandle,
    seat: SeatId,
    ice: Ice,
    /// The task that hears what the room says.
    ears: OnceLock<AbortHandle>,
}

impl Resources {
    /// Takes a seat, and answers the offer.
    ///
    /// # Errors
    ///
    /// What a `join` or an `offer` of a session is refused for; there is no seat then.
    pub(crate) async fn open(
        self: &Arc<Self>,
        venue: &Venue,
        request: Request<'_>,
    ) -> Result<Answered, Refusal> {
        let Request {
            way,
            room,
            name,
            caller,
            sdp,
        } = request;
        let room_name = RoomName::parse(room).ok_or_else(bad_room)?;
        let name = DisplayName::parse(name).ok_or_else(bad_name)?;
        let credential = caller.credential.as_deref();
        let grant = venue.access.admit(credential, &room_name)?;
        allowed(way, grant.can)?;
        let now = Instant::now();
        // Only who may come in: a stranger is not to use up what others at the same address have.
        if let Some(address) = caller.address {
            venue.limiter.offer(address, now)?;
        }
        // What comes of it has as many restarts of its own.
        let mut allowance = Allowance::new(Arc::clone(&venue.limiter), now);
        allowance.offer(&sdp, now)?;
        let offer = Offer::parse(sdp)?.only(way)?;

        let (said, mut end) = line();
        let join = JoinRequest {
            id: None,
            name,
            grant,
            part: match way {
                OneWay::ToUs => Part::Publishing,
                OneWay::FromUs => Part::Watching,
            },
            token: None,
            permit: venue.seat_permit(caller.address)?,
            line: said,
        };
        let (room, entry) = venue.rooms.join(&room_name, join).await?;
        let seated = match entry {
            Entry::Seated(seated) => seated,
            Entry::Waiting { ticket, .. } => {
                room.withdraw(ticket).await;
                return Err(refusal(ErrorCode::MustWait, "nobody can wait here"));
            }
        };
        let mut seated = SeatedSession {
            room,
            seat: seated.seat,
            room_start: seated.room_start,
            transport: None,
            can: seated.can,
        };
        let span =
            info_span!("resource", room = %room_name, participant = %seated.seat.participant);
        let connected = connect(&mut seated, venue, &offer, allowance).instrument(span.clone());
        let (ice, answer) = match connected.await {
            Ok(connected) => connected,
            Err(refusal) => {
                seated.room.leave(seated.seat).await;
                return Err(refusal);
            }
        };

        let ice_servers = greeted(&mut end);
        let id = format!("{:032x}", rand::random::<u128>());
        let tag = ice.tag().await;
        let resource = Arc::new(Resource {
            way,
            room_name,
            room: seated.room,
            seat: seated.seat,
            ice,
            ears: OnceLock::new(),
        });
        self.known().insert(id.clone(), Arc::clone(&resource));
        let listening = self.listen(id.clone(), end).instrument(span);
        resource
            .ears
            .get_or_init(|| tokio::spawn(listening).abort_handle());
        Ok(Answered {
            id,
            tag,
            answer,
            ice_servers,
        })
    }

    /// The resource of that name, if it is there.
    pub(crate) fn find(&self, way: OneWay, room: &str, id: &str) -> Option<Arc<Resource>> {
        let known = self.known();
        let found = known.get(id)?;
        let is_it = found.way == way && found.room_name.to_string() == room;
        is_it.then(|| Arc::clone(found))
    }

    /// Gives its seat up; false if it is not there.
    pub(crate) async fn end(&self, way: OneWay, room: &str, id: &str) -> bool {
        let Some(resource) = self.find(way, room, id) else {
            return false;
        };
        self.known().remove(id);
        if let Some(ears) = resource.ears.get() {
            ears.abort();
        }
        resource.room.leave(resource.seat).await;
        true
    }

    /// Forgets a resource when its room has nothing more to say.
    fn listen(self: &Arc<Self>, id: String, mut end: LineEnd) -> impl Future<Output = ()> + use<> {
        let resources = Arc::clone(self);
        async move {
            while !matches!(end.next().await, ServerMessage::Bye { .. }) {}
            info!("the room has ended it");
            resources.known().remove(&id);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Resource>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resource {
    /// Takes in what the other side says of its ICE session: further candidates, or its restart,
    /// which is answered.
    ///
    /// # Errors
    ///
    /// See [`IceError`]; the ICE session goes on as it was, with candidates before a wrong one.
    pub(crate) async fn change_ice(
        &self,
        condition: &Condition,
        fragment: Fragment,
    ) -> Result<Option<(IceTag, String)>, IceError> {
        self.ice.change(condition, fragment).await
    }
}

/// Makes the transport, and says what of the usual is missing.
async fn connect(
    seated: &mut SeatedSession,
    venue: &Venue,
    offer: &Offer,
    allowance: Allowance,
) -> Result<(Ice, String), Refusal> {
    let (_, events) = seated.connect(&venue.rtc, offer.clone()).await?;
    seated.follow(events);
    let transport = seated
        .transport
        .clone()
        .ok_or_else(|| refusal(ErrorCode::Internal, "no transport"))?;
    let answer = transport.whole_answer().await?;
    let (audio, video) = offer.sends();
    let change = StatusChange {
        muted: (!audio).then_some(true),
        camera: (!video).then_some(false),
        hand: None,
    };
    seated.room.status(seated.seat, change).await?;
    Ok((Ice::new(transport, offer.clone(), allowance), answer))
}

/// What the room has said by now of ICE servers, in its first words.
fn greeted(end: &mut LineEnd) -> Vec<IceServer> {
    match end.next().now_or_never() {
        Some(ServerMessage::Joined(joined)) => joined.ice_servers,
        _ => Vec::new(),
    }
}

/// Whether a credential is good for anything that way. What else it withholds, the room does.
fn allowed(way: OneWay, can: Capabilities) -> Result<(), Refusal> {
    let (allowed, what) = match way {
        OneWay::ToUs => (can.publish_audio || can.publish_video, "sending anything"),
        OneWay::FromUs => (can.subscribe, "receiving"),
    };
    let message = format!("the credential that was shown does not allow {what}");
    let withheld = || refusal(ErrorCode::NotAllowed, message);
    allowed.then_some(()).ok_or_else(withheld)
}

fn bad_room() -> Refusal {
    let expected = "a room's name is 1 to 64 of A-Z a-z 0-9 . _ -";
    refusal(ErrorCode::BadRoom, expected)
}

fn bad_name() -> Refusal {
    let expected = "a name is at most 64 characters, none of them control";
    refusal(ErrorCode::BadName, expected)
}
