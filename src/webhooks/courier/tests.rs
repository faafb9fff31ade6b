//! Couriers in virtual time, with an endpoint that does as it is told.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::advance;

use super::super::secrets::Secrets;
use super::super::{Endpoint, Plain};
use super::*;
use crate::room::{Events, Happening};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const KEEP: Duration = Duration::from_secs(3_600);

/// What an endpoint does with a letter.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answer(u16),
    AnswerAndAskFor(u16, Duration),
    Fail,
    Hang,
}

/// An endpoint that does what is next in its script, and takes everything once that is over.
#[derive(Clone, Debug, Default)]
struct Script {
    next: Arc<Mutex<VecDeque<Does>>>,
    got: Arc<Mutex<Vec<(Duration, Letter)>>>,
    began: Option<Instant>,
}

impl Post for Script {
    async fn post(&mut self, letter: Letter) -> Result<Answer, String> {
        let began = self.began.unwrap_or_else(Instant::now);
        self.got.lock().unwrap().push((began.elapsed(), letter));
        let next = self.next.lock().unwrap().pop_front();
        let (status, retry_after) = match next.unwrap_or(Does::Answer(204)) {
            Does::Answer(status) => (status, None),
            Does::AnswerAndAskFor(status, wait) => (status, Some(wait)),
            Does::Fail => return Err("nobody is there".to_owned()),
            Does::Hang => std::future::pending().await,
        };
        Ok(Answer {
            status,
            retry_after,
        })
    }
}

struct Scene {
    events: Events,
    script: Script,
    ledger: Arc<Ledger>,
    orders: watch::Sender<Orders>,
    courier: JoinHandle<()>,
}

/// A courier to an endpoint that does this first, in a log of nine events.
fn scene(script: &[Does]) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let secrets = SecretsFile::new("secrets", &file, Secrets::read).unwrap();
    let endpoint = Endpoint::parse("https://app.example/hook", Plain::AtHome).unwrap();
    let events = Events::new(9);
    let script = Script {
        next: Arc::new(Mutex::new(script.iter().copied().collect())),
        got: Arc::default(),
        began: Some(Instant::now()),
    };
    let ledger = Arc::new(Ledger::new(&endpoint, events.clone()));
    let orders = watch::Sender::new(Orders::default());
    let courier = Courier {
        post: script.clone(),
        events: events.reader(),
        secrets: Arc::new(secrets),
        answer_within: Duration::from_secs(10),
        persistence: Persistence::new(KEEP),
        ledger: Arc::clone(&ledger),
        orders: orders.subscribe(),
        woken: 0,
    };
    let courier = tokio::spawn(courier.run());
    Scene {
        events,
        script,
        ledger,
        orders,
        courier,
    }
}

impl Scene {
    fn say(&self, rooms: &[&str]) {
        for room in rooms {
            self.events.say(Some(room), Happening::Opened);
        }
    }

    /// Has the courier do all that it does without waiting.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets as much time pass, second by second.
    async fn pass(&self, seconds: u64) {
        self.settle().await;
        for _ in 0..seconds {
            advance(Duration::from_secs(1)).await;
            self.settle().await;
        }
    }

    /// The rooms of the events that were posted, in order.
    fn rooms(&self) -> Vec<String> {
        let got = self
            .script
            .got
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let room = |letter: &Letter| {
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            body["room"].as_str().unwrap().to_owned()
        };
        got.iter().map(|(_, letter)| room(letter)).collect()
    }

    fn status(&self) -> Value {
        serde_json::to_value(self.ledger.status()).unwrap()
    }

    async fn finish(self) {
        self.orders.send_modify(|orders| orders.finish = true);
        self.courier.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_told_in_order_signed_and_under_their_own_ids() {
    let scene = scene(&[]);

    scene.say(&["a", "b", "c"]);
    scene.settle().await;

    assert_eq!(scene.rooms(), ["a", "b", "c"]);
    let got = scene.script.got.lock().unwrap();
    let secrets = Secrets::parse(SECRET).unwrap();
    for (_, letter) in &*got {
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!(body["id"], letter.id);
        let signature = secrets.sign(&letter.id, letter.timestamp, &letter.body);
        assert_eq!(letter.signature, signature);
    }
    assert_eq!(scene.status()["delivered"], 3);
    assert_eq!(scene.status()["waiting"], 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_is_told_again_before_those_behind_it() {
    let scene = scene(&[Does::Fail, Does::Answer(500), Does::Answer(503)]);

    scene.say(&["a", "b"]);
    scene.pass(0).await;
    assert_eq!(scene.status()["state"], "failing");
    assert_eq!(scene.status()["waiting"], 2);
    scene.pass(7).await;

    assert_eq!(scene.rooms(), ["a", "a", "a", "a", "b"]);
    let got = scene.script.got.lock().unwrap();
    let same = got[..4]
        .iter()
        .all(|(_, it)| it.id == got[0].1.id && it.body == got[0].1.body);
    assert!(same, "whoever gets it twice can tell");
    let expected = json!({
        "url": "https://app.example/hook", "state": "working", "waiting": 0, "delivered": 2,
        "failed_tries": 3, "last_failure": "it answered 503",
        "dropped": {"refused": 0, "failed": 0, "too_old": 0, "overflowed": 0},
    });
    assert_eq!(scene.status(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_in_time_is_tried_again() {
    let scene = scene(&[Does::Hang]);

    scene.say(&["a"]);
    scene.pass(9).await;
    assert_eq!(scene.rooms(), ["a"]);
    scene.pass(2).await;

    assert_eq!(scene.rooms(), ["a", "a"]);
    assert_eq!(scene.status()["last_failure"], "it did not answer in time");
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_does_not_want_is_dropped_and_the_next_told_at_once() {
    let scene = scene(&[Does::Answer(302), Does::Answer(404)]);

    scene.say(&["a", "b", "c"]);
    scene.settle().await;

    assert_eq!(scene.rooms(), ["a", "b", "c"]);
    assert_eq!(scene.status()["dropped"]["refused"], 2);
    assert_eq!(scene.status()["delivered"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_breaks_the_endpoint_is_given_up_for_those_behind_it() {
    let scene = scene(&[Does::Answer(500); 8]);

    scene.say(&["a", "b"]);
    // 1 + 2 + 4 + ... + 64 s between the eight, and 128 s before the next.
    scene.pass(127 + 128).await;

    assert_eq!(scene.rooms(), [&["a"; 8][..], &["b"]].concat());
    assert_eq!(scene.status()["dropped"]["failed"], 1);
    assert_eq!(scene.status()["delivered"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_says_when_to_come_back() {
    let wait = Duration::from_secs(40);
    let scene = scene(&[Does::AnswerAndAskFor(429, wait)]);

    scene.say(&["a", "b"]);
    scene.pass(39).await;
    assert_eq!(scene.rooms(), ["a"]);
    scene.pass(1).await;

    assert_eq!(scene.rooms(), ["a", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_given_up_without_another_try() {
    let scene = scene(&[Does::Fail; 1_000]);

    scene.say(&["a"]);
    // The longest wait between tries beyond the longest that an event is kept.
    scene.pass(KEEP.as_secs() + 300).await;

    let tries = scene.rooms().len();
    assert!((12..=60).contains(&tries), "{tries}");
    assert_eq!(scene.status()["dropped"]["too_old"], 1);
    assert_eq!(scene.status()["waiting"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_lost_oldest_first_and_counted() {
    let scene = scene(&[Does::Fail]);

    scene.say(&["held"]);
    scene.settle().await;
    scene.say(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    scene.pass(1).await;

    let told = [
        "held", "held", "3", "4", "5", "6", "7", "8", "9", "10", "11",
    ];
    assert_eq!(scene.rooms(), told);
    assert_eq!(scene.status()["dropped"]["overflowed"], 2);
    assert_eq!(scene.status()["waiting"], 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_is_left_alone_until_the_operator_says_so() {
    let scene = scene(&[Does::Answer(410)]);

    scene.say(&["a", "b"]);
    scene.pass(600).await;
    assert_eq!(scene.rooms(), ["a"]);
    assert_eq!(scene.status()["state"], "gone");
    scene.orders.send_modify(|orders| orders.woken += 1);
    scene.settle().await;

    assert_eq!(scene.rooms(), ["a", "a", "b"]);
    assert_eq!(scene.status()["state"], "working");
}

#[tokio::test(start_paused = true)]
async fn in_the_end_what_is_left_is_told_without_waiting() {
    let scene = scene(&[Does::Fail]);
    scene.say(&["a", "b"]);
    scene.settle().await;
    let script = scene.script.clone();

    scene.finish().await;

    let got = script.got.lock().unwrap();
    assert_eq!(got.len(), 3, "one that failed, and one for each");
    assert_eq!(got[2].0, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn in_the_end_an_endpoint_that_fails_once_more_is_left_alone() {
    let scene = scene(&[Does::Fail, Does::Fail]);
    scene.say(&["a", "b"]);
    scene.settle().await;
    let (script, ledger) = (scene.script.clone(), Arc::clone(&scene.ledger));

    scene.finish().await;

    assert_eq!(script.got.lock().unwrap().len(), 2);
    assert_eq!(ledger.status().waiting(), 2);
}

#[tokio::test(start_paused = true)]
async fn in_the_end_who_is_gone_is_not_asked() {
    let scene = scene(&[Does::Answer(410)]);
    scene.say(&["a"]);
    scene.settle().await;
    let script = scene.script.clone();

    scene.finish().await;

    assert_eq!(script.got.lock().unwrap().len(), 1);
}
