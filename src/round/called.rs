//! The calls of one record as they were made, and how long they took: for whoever counts, never for
//! what is decided.

use std::time::Duration;

use tokio::time::Instant;

use super::Assigned;
use crate::model::{Completion, ModelError, ModelRole, TokenUsage};

/// One call of a record.
#[derive(Clone, Debug)]
pub struct Called {
    /// Whose call it was.
    pub role: ModelRole,
    /// The model's name.
    pub model: String,
    /// How it ended.
    pub how: CallEnd,
    /// Whether it asked again because an earlier reply could not be used, or was cut off.
    pub again: bool,
    /// The tokens spent, where the server says so.
    pub usage: Option<TokenUsage>,
    /// What they cost, where the model has a price.
    pub cost: Option<f64>,
    /// When it was asked.
    pub began: Instant,
    /// How long it took: places, repetitions and the waits between them included.
    pub took: Duration,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// A server answered.
    Answered,
    /// The journal had the reply.
    Journalled,
    /// There was no reply.
    Failed,
}

impl CallEnd {
    /// Every way to end.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Journalled, Self::Failed];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Journalled => "journalled",
            Self::Failed => "failed",
        }
    }
}

impl Called {
    /// The call of a role that began then and has just ended so.
    pub(super) fn of(
        role: ModelRole,
        assigned: &Assigned,
        outcome: &Result<Completion, ModelError>,
        began: Instant,
    ) -> Self {
        let completion = outcome.as_ref().ok();
        let usage = completion.and_then(|completion| completion.usage);
        Self {
            role,
            model: assigned.model.name().to_owned(),
            how: match completion {
                None => CallEnd::Failed,
                Some(completion) if completion.journalled => CallEnd::Journalled,
                Some(_) => CallEnd::Answered,
            },
            again: false,
            usage,
            cost: assigned
                .price
                .zip(usage)
                .map(|(price, usage)| price.of(usage)),
            began,
            took: began.elapsed(),
        }
    }
}

/// How long a record took, and its calls.
#[derive(Clone, Debug, Default)]
pub struct Took {
    /// From the record's begin to its outcome.
    pub whole: Duration,
    /// Its calls, in the order in which they ended.
    pub calls: Vec<Called>,
}

impl Took {
    /// How long at least one call was under way; calls side by side count once.
    #[must_use]
    pub fn asking(&self) -> Duration {
        let mut spans: Vec<(Instant, Instant)> = self
            .calls
            .iter()
            .map(|call| (call.began, call.began + call.took))
            .collect();
        spans.sort_unstable();
        let mut asking = Duration::ZERO;
        let mut until: Option<Instant> = None;
        for (began, ended) in spans {
            let from = until.map_or(began, |until| until.max(began));
            asking += ended.saturating_duration_since(from);
            until = Some(until.map_or(ended, |until| until.max(ended)));
        }
        asking
    }

    /// How long it took besides: our own work.
    #[must_use]
    pub fn own(&self) -> Duration {
        self.whole.saturating_sub(self.asking())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_side_by_side_count_once() {
        let start = Instant::now();
        let at = |from: u64, to: u64| Called {
            role: ModelRole::Critic,
            model: "m".to_owned(),
            how: CallEnd::Answered,
            again: false,
            usage: None,
            cost: None,
            began: start + Duration::from_secs(from),
            took: Duration::from_secs(to - from),
        };
        let took = Took {
            whole: Duration::from_secs(20),
            calls: vec![at(1, 4), at(2, 3), at(3, 6), at(10, 12)],
        };
        assert_eq!(took.asking(), Duration::from_secs(7));
        assert_eq!(took.own(), Duration::from_secs(13));
        assert_eq!(Took::default().asking(), Duration::ZERO);
    }
}
