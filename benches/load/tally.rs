//! What a target's clients saw, counted.

use std::time::Duration;

use serde_json::json;

use super::connection::Reply;

#[derive(Default)]
pub(super) struct Tally {
    latencies: Vec<u64>,
    failed: u64,
    /// Requests that were sent late, because no connection was free.
    pub(super) late: u64,
    silence: Duration,
    pub(super) took: Duration,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.late += other.late;
        self.silence = self.silence.max(other.silence);
        self.took += other.took;
    }

    /// Counts a reply; a failure has no latency.
    pub(super) fn note(&mut self, latency: Duration, reply: &Reply, stream: bool) {
        self.silence = self.silence.max(reply.silence);
        let ended = !stream || reply.body.ends_with(b"data: [DONE]\n\n");
        if reply.status == 200 && reply.is_whole && ended && reply.is_stream == stream {
            self.latencies
                .push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        } else {
            self.failed += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn into_json(mut self, name: &str) -> String {
        self.latencies.sort_unstable();
        let count = self.latencies.len();
        let micros = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place in a list"
            )]
            let place = (count as f64 * share) as usize;
            let latency = self.latencies.get(place.min(count.saturating_sub(1)));
            latency.map(|nanos| *nanos as f64 / 1e3)
        };
        json!({
            "target": name, "answered": count, "failed": self.failed, "late": self.late,
            "seconds": self.took.as_secs_f64(),
            "p50": micros(0.5), "p99": micros(0.99), "most": micros(1.0),
            "silence": self.silence.as_secs_f64(),
        })
        .to_string()
    }
}
