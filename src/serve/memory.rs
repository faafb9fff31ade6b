//! Has memory given back to the system after a crowd has left.
//!
//! The allocator keeps what thousands of sessions needed, for the next ones. A crowd is seen in the
//! tasks of the runtime: each connection, session, room and transport has some.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

/// How often to look. Crowds come and go within seconds.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Looks after which memory may be given back again.
const REST: u32 = 10;

/// So many tasks fewer than there were are a crowd that has left.
const CROWD: usize = 200;

/// How many tasks there are, and were.
#[derive(Debug, Default)]
struct Tide {
    /// Since memory was given back.
    most: usize,
    last: usize,
    /// Looks until it may be given back again.
    rest: u32,
}

/// Looks for as long as it is polled.
pub(super) async fn give_back() {
    let (mut looks, mut tide) = (interval(LOOK_INTERVAL), Tide::default());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let tasks = Handle::current().metrics().num_alive_tasks();
        if tide.has_turned(tasks) {
            // Beside the runtime, whose threads would have to wait; if it fails, it is not needed.
            let _ = spawn_blocking(give_back_what_is_free).await;
        }
    }
}

/// Says how long it took as well: threads that need the same heap have waited meanwhile.
fn give_back_what_is_free() {
    let (held, begun) = (resident_kb(), Instant::now());
    codecs::allocator::give_back();
    let took_us = begun.elapsed().as_micros();
    // What others have taken meanwhile is not told apart.
    let given_back = held.zip(resident_kb());
    let given_back_kb = given_back.map(|(before, after)| before.saturating_sub(after));
    debug!(took_us, given_back_kb, "memory given back after a crowd");
}

/// What of the process is in memory (proc(5)); `None` where the system does not say so.
fn resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let resident = lines.find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().strip_suffix(" kB")?.parse().ok()
}

impl Tide {
    /// Whether a crowd has left since this was last so, and nobody else is just leaving.
    fn has_turned(&mut self, tasks: usize) -> bool {
        let is_falling = tasks < self.last;
        self.last = tasks;
        self.most = self.most.max(tasks);
        self.rest = self.rest.saturating_sub(1);
        let turned = !is_falling && self.rest == 0 && self.most - tasks >= CROWD;
        if turned {
            (self.most, self.rest) = (tasks, REST);
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The looks at which memory is given back.
    fn turns(looks: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut tide = Tide::default();
        let looks = looks.into_iter().map(|tasks| tide.has_turned(tasks));
        let turned: Vec<bool> = looks.collect();
        (0..turned.len()).filter(|&n| turned[n]).collect()
    }

    #[test]
    fn memory_is_given_back_once_when_a_crowd_has_left_and_not_while_it_leaves() {
        assert_eq!(turns([10, 3_000, 1_500, 20, 20, 20, 20]), [4]);
        assert_eq!(turns([10, 209, 10, 10, 10]), [0; 0], "no crowd");
        assert_eq!(turns([3_000, 2_000, 2_500, 20, 20]), [2], "some come anew");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_process_holds_is_known_where_the_system_says_so() {
        assert!(resident_kb().is_some_and(|held| held > 1_000));
    }

    #[test]
    fn crowds_that_come_and_go_all_the_time_have_it_given_back_now_and_then() {
        let looks = [3_000, 10, 10].into_iter().cycle().take(50);

        assert_eq!(turns(looks), [2, 14, 26, 38]);
    }
}
