//! Whether a replica answers at all: one that only fails is set aside and asked now and then.

use std::time::Duration;

/// So many failures in a row set a replica aside.
const FAILURES: u32 = 5;
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LAST_PROBE: Duration = Duration::from_secs(30);

/// How a replica did lately. Time is told from outside.
#[derive(Debug, Default)]
pub(super) struct Health {
    in_a_row: u32,
    aside: Option<Aside>,
}

#[derive(Debug)]
struct Aside {
    since: Duration,
    why: String,
    probes: u32,
    probe: Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    Waits,
    Due,
    Out,
}

impl Health {
    /// Since when the replica is set aside, and why.
    pub(super) fn aside(&self) -> Option<(Duration, &str)> {
        let aside = self.aside.as_ref()?;
        Some((aside.since, &aside.why))
    }

    pub(super) fn is_aside(&self) -> bool {
        self.aside.is_some()
    }

    /// Whether a call may be sent although the replica is set aside.
    pub(super) fn wants_probe(&self) -> bool {
        self.aside
            .as_ref()
            .is_some_and(|aside| aside.probe == Probe::Due)
    }

    /// A call is sent as the probe.
    pub(super) fn probe_sent(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.probe = Probe::Out;
        }
    }

    /// The probe came to nothing: it was cancelled.
    pub(super) fn probe_lost(&mut self) {
        if let Some(aside) = &mut self.aside
            && aside.probe == Probe::Out
        {
            aside.probe = Probe::Due;
        }
    }

    /// The time for a probe has come; returns how long to wait for the next.
    pub(super) fn probe_due(&mut self) -> Option<Duration> {
        let aside = self.aside.as_mut()?;
        if aside.probe == Probe::Waits {
            aside.probe = Probe::Due;
            aside.probes += 1;
        }
        Some((FIRST_PROBE * (1 << aside.probes.min(5))).min(LAST_PROBE))
    }

    /// A reply came, whatever it says. True when this takes the replica back.
    pub(super) fn answered(&mut self) -> bool {
        self.in_a_row = 0;
        self.aside.take().is_some()
    }

    /// A call failed as it does where nothing works. True when this sets the replica aside, which
    /// happens only where `may_set_aside`.
    pub(super) fn failed(&mut self, now: Duration, may_set_aside: bool, why: &str) -> bool {
        self.in_a_row = self.in_a_row.saturating_add(1);
        if let Some(aside) = &mut self.aside {
            why.clone_into(&mut aside.why);
            if aside.probe == Probe::Out {
                aside.probe = Probe::Waits;
            }
            return false;
        }
        if !may_set_aside || self.in_a_row < FAILURES {
            return false;
        }
        self.aside = Some(Aside {
            since: now,
            why: why.to_owned(),
            probes: 0,
            probe: Probe::Waits,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_set_aside_and_one_reply_takes_back() {
        let now = Duration::from_secs(9);
        let mut health = Health::default();
        for _ in 0..4 {
            assert!(!health.failed(now, true, "reset"));
        }
        assert!(!health.answered());
        for _ in 0..4 {
            assert!(!health.failed(now, true, "reset"));
        }
        assert!(health.failed(now, true, "refused"));
        assert_eq!(health.aside(), Some((now, "refused")));
        assert!(health.answered() && !health.is_aside());
    }

    #[test]
    fn nothing_is_set_aside_before_it_may() {
        let mut health = Health::default();
        for _ in 0..9 {
            assert!(!health.failed(Duration::ZERO, false, "refused"));
        }
    }

    #[test]
    fn one_probe_at_a_time_and_ever_more_rarely() {
        let mut health = Health::default();
        for _ in 0..5 {
            health.failed(Duration::ZERO, true, "refused");
        }
        assert!(!health.wants_probe());
        let mut waits = Vec::new();
        for _ in 0..7 {
            waits.push(health.probe_due().expect("set aside").as_secs());
            assert!(health.wants_probe());
            health.probe_sent();
            assert!(!health.wants_probe());
            health.failed(Duration::ZERO, true, "refused");
        }
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
    }
}
