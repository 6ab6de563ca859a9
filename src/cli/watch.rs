//! Whoever watches a run: its progress for people, and its events for programs.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::error;
use super::events::Events;
use super::progress::{Progress, Shown, View};
use crate::run::{RunEnd, RunError, RunEvent, RunObserver, RunReport};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::RowEnd;

/// Everybody who is told what happens in a run.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) progress: Progress,
    pub(super) events: Option<Events>,
    metrics: Option<Arc<Metrics>>,
}

impl Watch {
    /// Shows how a run stands, and adds what happens to the file of events, where there is one.
    pub(super) fn begin(
        events: Option<&Path>,
        shown: Shown,
        metrics: Option<Arc<Metrics>>,
    ) -> anyhow::Result<Self> {
        let events = events.map(Events::open).transpose()?;
        if let Some(events) = events.clone() {
            shown.traffic.listen(move |event| events.traffic(event));
        }
        Ok(Self {
            progress: Progress::new(shown),
            events,
            metrics,
        })
    }

    /// Says, once, that events can no longer be written.
    pub(super) fn report_broken_events(&self) {
        if let Some(failure) = self.events.as_ref().and_then(Events::failure) {
            self.progress.say(&failure);
        }
    }

    /// Takes the lines off the terminal, and waits until the events are written.
    pub(super) fn finish(&self, ended: Result<&RunReport, &RunError>) {
        self.progress.finish();
        if let Some(events) = &self.events {
            events.ended(&figures(ended, &self.progress));
            events.finish();
            self.report_broken_events();
        }
    }
}

fn figures(ended: Result<&RunReport, &RunError>, progress: &Progress) -> Value {
    let how = match ended {
        Ok(report) => match report.end {
            RunEnd::Finished => "finished",
            RunEnd::Picked => "picked",
            RunEnd::Interrupted => "interrupted",
            RunEnd::OnlyFailures => "only_failures",
            RunEnd::BudgetReached => "budget_reached",
        },
        Err(_) => "failed",
    };
    let why = match ended {
        Ok(report) => report.stopped_by.clone(),
        Err(error) => Some(error::whole(error)),
    };
    let View {
        run,
        seconds,
        rows,
        changed,
        failed,
        rejected,
        calls,
        money,
        ..
    } = progress.view();
    json!({
        "run": run,
        "how": how,
        "why": why,
        "rows": rows,
        "changed": changed,
        "failed": failed,
        "rejected": rejected,
        "calls": calls.asked,
        "cost": money.cost,
        "tokens": money.tokens,
        "seconds": seconds,
    })
}

/// How a row ended, where the event says that one did.
fn row_end(event: &RunEvent<'_>) -> Option<RowEnd> {
    match event {
        RunEvent::Sealed { .. } => Some(RowEnd::Sealed),
        RunEvent::Labelled { .. } => Some(RowEnd::Labelled),
        RunEvent::Known { .. } => Some(RowEnd::Known),
        RunEvent::Rejected { .. } => Some(RowEnd::Rejected),
        RunEvent::Started { .. } | RunEvent::Stopping { .. } | RunEvent::Writing => None,
    }
}

impl RunObserver for Watch {
    fn event(&self, event: &RunEvent<'_>) {
        self.progress.event(event);
        if let Some(events) = &self.events {
            events.run(event);
        }
        if let Some((metrics, end)) = self.metrics.as_ref().zip(row_end(event)) {
            metrics.count_row(end);
        }
    }
}
