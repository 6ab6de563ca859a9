//! What this process has used of the machine, as Linux tells it; elsewhere nothing is told.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The processor time of this process so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// All of it, ended threads included.
    pub(super) total: Duration,
    /// By the name of threads that still run.
    pub(super) threads: BTreeMap<String, Duration>,
}

/// Linux counts in hundredths of a second, whatever its clock.
const TICK: Duration = Duration::from_millis(10);

impl Used {
    /// What has been used up to now; nothing where the system does not tell.
    pub(super) fn so_far() -> Option<Self> {
        let total = total(&fs::read_to_string("/proc/self/stat").ok()?)?;
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir("/proc/self/task").ok()?.flatten() {
            let read = |name: &str| fs::read_to_string(entry.path().join(name)).ok();
            // A thread may have ended since.
            let (Some(name), Some(times)) = (read("comm"), read("schedstat")) else {
                continue;
            };
            let nanoseconds = times.split(' ').next()?.parse().ok()?;
            *threads.entry(name.trim().to_owned()).or_default() +=
                Duration::from_nanos(nanoseconds);
        }
        Some(Self { total, threads })
    }

    /// What has been used since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let threads = self.threads.iter().map(|(name, used)| {
            let before = before.threads.get(name).copied().unwrap_or_default();
            (name.clone(), used.saturating_sub(before))
        });
        Self {
            total: self.total.saturating_sub(before.total),
            threads: threads.collect(),
        }
    }
}

/// User and system time in the text of `stat`, whose second field may hold spaces.
fn total(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

/// The most memory that this process has had resident, in bytes.
pub(super) fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_stand_after_a_name_that_may_hold_anything() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 500 0 0 0 250 150 0 0 20 0 5 0 1 2 3";
        assert_eq!(total(stat), Some(Duration::from_secs(4)));
        assert_eq!(total("nothing"), None);
    }

    #[test]
    fn what_was_there_before_is_not_counted() {
        let used = |seconds| Used {
            total: Duration::from_secs(seconds),
            threads: BTreeMap::from([("worker".to_owned(), Duration::from_secs(seconds))]),
        };
        assert_eq!(used(5).since(&used(3)), used(2));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells() {
        assert!(Used::so_far().is_some_and(|used| !used.threads.is_empty()));
        assert!(peak_memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
