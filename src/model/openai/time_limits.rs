//! The time limits of one call, all kept by one timer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::Endpoint;
use super::durations::LONGEST;
use crate::model::TimeLimit;

/// How long the parts of a call may take once there is a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimits {
    first_byte: Option<Duration>,
    idle: Duration,
    total: Duration,
}

impl TimeLimits {
    /// Those that `endpoint` sets.
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self {
            first_byte: endpoint.first_byte_timeout,
            idle: endpoint.idle_timeout,
            total: endpoint.timeout,
        }
    }
}

fn later(moment: Instant, by: Duration) -> Instant {
    moment + by.min(LONGEST)
}

/// The limit that ran out, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expired {
    pub(super) which: TimeLimit,
    pub(super) limit: Duration,
}

/// Follows one call from its beginning.
///
/// A piece of the reply only moves a moment in memory; the timer is set anew when it has run out
/// too early, which is once in an idle limit's time at most.
#[derive(Debug)]
pub(super) struct Watch {
    limits: TimeLimits,
    ends: Instant,
    due: Instant,
    waits_for: Expired,
    /// Absent until something is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    /// Begins a call that waits for its first byte.
    pub(super) fn new(limits: TimeLimits) -> Self {
        let now = Instant::now();
        let waits_for = match limits.first_byte {
            Some(limit) => Expired {
                which: TimeLimit::FirstByte,
                limit,
            },
            None => limits.whole(),
        };
        Self {
            limits,
            ends: later(now, limits.total),
            due: later(now, waits_for.limit),
            waits_for,
            timer: None,
        }
    }

    /// What is left of the time for the whole call.
    pub(super) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Notes that something of the reply has come.
    ///
    /// # Errors
    ///
    /// When the time for the whole call has run out, however steadily the reply comes.
    pub(super) fn moved(&mut self) -> Result<(), Expired> {
        let now = Instant::now();
        if now >= self.ends {
            return Err(self.limits.whole());
        }
        self.due = later(now, self.limits.idle);
        self.waits_for = Expired {
            which: TimeLimit::Idle,
            limit: self.limits.idle,
        };
        Ok(())
    }

    /// Waits for `work`, as long as the limits allow.
    ///
    /// # Errors
    ///
    /// The limit that ran out first.
    pub(super) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Expired> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.poll_expired(context).map(Err),
        })
        .await
    }

    /// Ready with the limit that has run out, once one has.
    pub(super) fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<Expired> {
        loop {
            let (due, expired) = if self.ends <= self.due {
                (self.ends, self.limits.whole())
            } else {
                (self.due, self.waits_for)
            };
            let timer = (self.timer).get_or_insert_with(|| Box::pin(sleep_until(due)));
            if due < timer.deadline() {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= due {
                return Poll::Ready(expired);
            }
            timer.as_mut().reset(due);
        }
    }
}

impl TimeLimits {
    fn whole(self) -> Expired {
        Expired {
            which: TimeLimit::Total,
            limit: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(first_byte: Option<u32>, idle: u32, total: u32) -> TimeLimits {
        TimeLimits {
            first_byte: first_byte.map(|seconds| SECOND * seconds),
            idle: SECOND * idle,
            total: SECOND * total,
        }
    }

    /// A reply whose head and pieces take so many seconds each: how it ends, and when.
    async fn reply(limits: TimeLimits, parts: &[u32]) -> (Result<(), TimeLimit>, u64) {
        let began = Instant::now();
        let mut watch = Watch::new(limits);
        let mut ended = Ok(());
        for seconds in parts {
            let part = watch.within(sleep(SECOND * *seconds)).await;
            ended = part.and_then(|()| watch.moved());
            if ended.is_err() {
                break;
            }
        }
        let ended = ended.map_err(|expired| expired.which);
        (ended, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn each_limit_runs_out_in_its_own_time() {
        let all = limits(Some(20), 5, 60);
        assert_eq!(reply(all, &[19, 4, 4, 4]).await, (Ok(()), 31));
        assert_eq!(reply(all, &[90]).await, (Err(TimeLimit::FirstByte), 20));
        assert_eq!(
            reply(all, &[19, 4, 90]).await,
            (Err(TimeLimit::Idle), 19 + 4 + 5)
        );
        assert_eq!(reply(all, &[4; 40]).await, (Err(TimeLimit::Total), 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_idle_limit_counts_though_the_timer_was_set_for_longer() {
        let patient = limits(None, 5, 600);
        assert_eq!(
            reply(patient, &[300, 90]).await,
            (Err(TimeLimit::Idle), 305)
        );
        assert_eq!(reply(patient, &[900]).await, (Err(TimeLimit::Total), 600));
        let short = limits(None, 60, 10);
        assert_eq!(reply(short, &[1, 90]).await, (Err(TimeLimit::Total), 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_is_always_ready_still_ends() {
        let limits = limits(None, 60, 10);
        let mut watch = Watch::new(limits);
        assert_eq!(watch.within(async { 1 }).await, Ok(1));
        sleep(SECOND * 10).await;
        assert_eq!(watch.within(async { 2 }).await, Ok(2));
        assert_eq!(watch.moved(), Err(limits.whole()));
        assert_eq!(watch.left(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_limit_is_no_reason_to_panic() {
        let limits = TimeLimits {
            first_byte: Some(Duration::MAX),
            idle: Duration::MAX,
            total: Duration::MAX,
        };
        assert_eq!(reply(limits, &[1000, 1000]).await, (Ok(()), 2000));
    }
}
