//! How bad the paths of one direction are, and the settings that change it.
//!
//! A setting is `[up.|down.]NAME=VALUE`, without a direction for both:
//!
//! - `loss`: percent of the packets, each by itself
//! - `bursts`: `SHARE:LENGTH`, percent of the packets and the mean length of a burst in packets,
//!   or `TO_BAD:TO_GOOD:GOOD:BAD`, the Gilbert-Elliott model's own four, in percent. Takes the place
//!   of `loss`, and `loss` that of `bursts`
//! - `delay`: ms
//! - `jitter`: ms, uniform, either way; `exp:MS` is exponential with that mean
//! - `reorder`: 1 lets packets overtake, 0 keeps them in order
//! - `duplication`: percent of the packets
//! - `kbps`: what passes, 0 for everything; before it waits at most a `queue` of so many bytes, or of
//!   so much time as in `300ms`

use std::time::Duration;

use link::{Bandwidth, Delivery, Jitter, LinkConfig, Loss};

/// What waits before a narrow place unless told otherwise: 64 full packets.
const DEFAULT_QUEUE: Queue = Queue::Bytes(64 * 1_200);

/// A direction as seen by the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// How bad the paths of one direction are, outages excepted.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    link: LinkConfig,
    bits_per_second: Option<u64>,
    queue: Queue,
}

/// What may wait before a narrow place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    Bytes(usize),
    Time(Duration),
}

/// One property of the paths of one or both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setting {
    direction: Option<Direction>,
    property: Property,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Property {
    Loss(Loss),
    Duplication(f64),
    Delay(Duration),
    Jitter(Jitter),
    Delivery(Delivery),
    BitsPerSecond(u64),
    Queue(Queue),
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            link: LinkConfig::default(),
            bits_per_second: None,
            queue: DEFAULT_QUEUE,
        }
    }
}

impl Conditions {
    /// Takes a setting over, if it is meant for this direction.
    pub(crate) fn apply(&mut self, direction: Direction, setting: Setting) {
        if setting.direction.is_some_and(|meant| meant != direction) {
            return;
        }
        match setting.property {
            Property::Loss(loss) => self.link.loss = loss,
            Property::Duplication(share) => self.link.duplication = share,
            Property::Delay(delay) => self.link.delay = delay,
            Property::Jitter(jitter) => self.link.jitter = jitter,
            Property::Delivery(delivery) => self.link.delivery = delivery,
            Property::BitsPerSecond(rate) => self.bits_per_second = (rate > 0).then_some(rate),
            Property::Queue(queue) => self.queue = queue,
        }
    }

    /// The link that is so.
    pub(crate) fn link(&self) -> LinkConfig {
        LinkConfig {
            bandwidth: self.bits_per_second.map(|bits_per_second| Bandwidth {
                bits_per_second,
                queue_bytes: self.queue.bytes(bits_per_second),
            }),
            ..self.link.clone()
        }
    }
}

impl Queue {
    fn bytes(self, bits_per_second: u64) -> usize {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Time(time) => {
                let bytes = u128::from(bits_per_second) * time.as_nanos() / 8_000_000_000;
                usize::try_from(bytes).unwrap_or(usize::MAX)
            }
        }
    }
}

impl Setting {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text}: expected NAME=VALUE"))?;
        let (direction, name) = match name.split_once('.') {
            Some(("up", name)) => (Some(Direction::Up), name),
            Some(("down", name)) => (Some(Direction::Down), name),
            Some(_) => return Err(format!("{text}: expected up. or down.")),
            None => (None, name),
        };
        let property = match name {
            "loss" => Property::Loss(Loss::Random {
                share: percent(value)?,
            }),
            "bursts" => Property::Loss(bursts(value)?),
            "duplication" => Property::Duplication(percent(value)?),
            "delay" => Property::Delay(milliseconds(value)?),
            "jitter" => Property::Jitter(match value.strip_prefix("exp:") {
                Some(mean) => Jitter::Exponential(milliseconds(mean)?),
                None => Jitter::Uniform(milliseconds(value)?),
            }),
            "reorder" => Property::Delivery(match value {
                "0" => Delivery::InOrder,
                "1" => Delivery::Reordered,
                _ => return Err(format!("{text}: expected 0 or 1")),
            }),
            "kbps" => Property::BitsPerSecond(number::<u64>(value)?.saturating_mul(1_000)),
            "queue" => Property::Queue(match value.strip_suffix("ms") {
                Some(time) => Queue::Time(milliseconds(time)?),
                None => Queue::Bytes(number(value)?),
            }),
            _ => return Err(format!("{text}: no such setting")),
        };
        Ok(Self {
            direction,
            property,
        })
    }
}

fn bursts(text: &str) -> Result<Loss, String> {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [share, length] => {
            let (share, length): (f64, f64) = (percent(share)?, number(length)?);
            if share >= 1.0 || length.is_nan() || length < 1.0 {
                return Err(format!(
                    "{text}: expected below 100, in bursts of 1 or more"
                ));
            }
            // The chance to turn good sets the length; that to turn bad, given that, the share.
            let to_good = 1.0 / length;
            Ok(Loss::Bursts {
                to_bad: (to_good * share / (1.0 - share)).min(1.0),
                to_good,
                good: 0.0,
                bad: 1.0,
            })
        }
        [to_bad, to_good, good, bad] => Ok(Loss::Bursts {
            to_bad: percent(to_bad)?,
            to_good: percent(to_good)?,
            good: percent(good)?,
            bad: percent(bad)?,
        }),
        _ => Err(format!(
            "{text}: expected SHARE:LENGTH or TO_BAD:TO_GOOD:GOOD:BAD"
        )),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("{text}: expected a number"))
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = number(text)?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(format!("{text}: expected 0 to 100"))
    }
}

pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    number(text).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The link of one direction after some settings.
    fn link(direction: Direction, settings: &[&str]) -> LinkConfig {
        let mut conditions = Conditions::default();
        for text in settings {
            conditions.apply(direction, Setting::parse(text).unwrap());
        }
        conditions.link()
    }

    #[test]
    fn settings_change_their_direction_only_and_the_later_one_counts() {
        let settings = [
            "loss=5",
            "up.loss=10",
            "down.delay=50",
            "delay=30",
            "reorder=1",
        ];

        let (up, down) = (
            link(Direction::Up, &settings),
            link(Direction::Down, &settings),
        );

        assert_eq!(up.loss, Loss::Random { share: 0.1 });
        assert_eq!(down.loss, Loss::Random { share: 0.05 });
        assert_eq!(down.delay, Duration::from_millis(30));
        assert_eq!(down.delivery, Delivery::Reordered);
    }

    #[test]
    fn bursts_have_the_share_and_length_asked_for_and_loss_takes_their_place() {
        let bursts = link(Direction::Up, &["loss=1", "bursts=10:4"]).loss;

        assert!((bursts.long_run() - 0.1).abs() < 1e-9, "{bursts:?}");
        let Loss::Bursts { to_good, .. } = bursts else {
            panic!("{bursts:?}")
        };
        assert!((to_good - 0.25).abs() < 1e-9);
        let own = link(Direction::Up, &["bursts=1:20:0.5:80"]).loss;
        let expected = Loss::Bursts {
            to_bad: 0.01,
            to_good: 0.2,
            good: 0.005,
            bad: 0.8,
        };
        assert_eq!(own, expected);
        let loss = link(Direction::Up, &["bursts=10:4", "loss=0"]).loss;
        assert_eq!(loss, Loss::Random { share: 0.0 });
    }

    #[test]
    fn a_queue_in_time_follows_the_bandwidth_whatever_is_said_first() {
        for settings in [["kbps=800", "queue=300ms"], ["queue=300ms", "kbps=800"]] {
            let bandwidth = link(Direction::Down, &settings).bandwidth.unwrap();
            assert_eq!(bandwidth.queue_bytes, 30_000);
        }
        let halved = link(Direction::Down, &["kbps=800", "queue=300ms", "kbps=400"]);
        assert_eq!(halved.bandwidth.unwrap().queue_bytes, 15_000);
        let bytes = link(Direction::Down, &["queue=5000", "kbps=400"]);
        assert_eq!(bytes.bandwidth.unwrap().queue_bytes, 5_000);
        let wide = link(Direction::Down, &["kbps=400", "kbps=0"]);
        assert_eq!(wide.bandwidth, None);
    }

    #[test]
    fn jitter_is_uniform_or_exponential() {
        let ms = Duration::from_millis(20);

        let uniform = link(Direction::Up, &["jitter=20"]).jitter;
        let exponential = link(Direction::Up, &["jitter=exp:20"]).jitter;

        assert_eq!(uniform, Jitter::Uniform(ms));
        assert_eq!(exponential, Jitter::Exponential(ms));
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for text in [
            "loss",
            "loss=101",
            "loss=-1",
            "loss=NaN",
            "left.loss=1",
            "speed=1",
            "reorder=yes",
            "queue=300s",
            "jitter=exp:",
            "bursts=5",
            "bursts=5:0.5",
            "bursts=100:4",
            "bursts=5:NaN",
            "bursts=1:2:3",
            "delay=-5",
        ] {
            assert!(Setting::parse(text).is_err(), "{text}");
        }
    }
}
