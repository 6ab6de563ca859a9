//! The part of a process that listens while a run is under way: it takes commands from the store and
//! from the keys, says how the run stands, and keeps what was spent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::keyboard::{HELP, Keys, Press};
use super::progress::Begun;
use super::watch::Watch;
use crate::model::budget::Spent;
use crate::model::traffic::Traffic;
use crate::run::{Command, Controls};
use crate::store::{RunStatus, Store, StoreError};
use crate::telemetry;

/// How often commands are looked for, and what was spent is kept.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is said how the run stands.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What the answer to a command begins with when nothing came of it.
pub(super) const NOT_DONE: &str = "not done: ";

/// Listens while a run is under way.
pub(super) struct Steering<'a> {
    pub(super) store: Arc<dyn Store>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) controls: Controls,
    pub(super) watch: &'a Watch,
    pub(super) keys: Option<Keys>,
    /// What the store has of what was spent.
    pub(super) kept: Spent,
}

impl Steering<'_> {
    /// Listens until nobody wants it any more.
    pub(super) async fn keep_listening(&mut self) -> Infallible {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said = None;
        loop {
            let press = tokio::select! {
                _ = look.tick() => None,
                press = pressed(&mut self.keys) => Some(press),
            };
            if let Some(press) = press {
                self.press(press);
                continue;
            }
            self.watch.report_broken_events();
            // Before, another process may be at work on the run, and the commands are its own.
            let Some(begun) = self.watch.progress.begun().cloned() else {
                continue;
            };
            // A store that fails ends the run where the run needs it.
            let _ = self.take_commands(&begun).await;
            let _ = self.keep_spent().await;
            if said.is_none_or(|said: Instant| said.elapsed() >= SAY_EVERY) {
                let _ = self.say_how_it_stands(&begun.name).await;
                said = Some(Instant::now());
            }
        }
    }

    /// Keeps the last of what was spent, and gives the terminal back.
    pub(super) async fn finish(mut self) -> Result<(), StoreError> {
        self.keys = None;
        self.keep_spent().await
    }

    /// Keeps what was spent since it was last kept.
    async fn keep_spent(&mut self) -> Result<(), StoreError> {
        let Some(Begun { name, .. }) = self.watch.progress.begun() else {
            return Ok(());
        };
        let spent = self.traffic.budget().spent();
        if spent != self.kept {
            let more = since(spent, self.kept);
            self.kept = spent;
            self.store.add_spent(name, more).await?;
        }
        Ok(())
    }

    async fn take_commands(&self, begun: &Begun) -> Result<(), StoreError> {
        for sent in self
            .store
            .take_commands(&begun.name, &telemetry::now())
            .await?
        {
            let answer = match sent.text.parse() {
                // Sent to a process that ended before it took it.
                Ok(_) if sent.at < begun.at => {
                    format!("{NOT_DONE}the process that it was sent to has ended")
                }
                Ok(command) => self.apply(command),
                Err(error) => format!("{NOT_DONE}{error}"),
            };
            self.store
                .answer_command(&begun.name, sent.number, &answer)
                .await?;
        }
        Ok(())
    }

    fn press(&self, press: Press) {
        match press {
            Press::Help => self.watch.progress.say(HELP),
            Press::Command(command) => {
                let answer = self.apply(command);
                self.watch.progress.say(&answer);
            }
        }
    }

    fn apply(&self, command: Command) -> String {
        match self.controls.apply(command) {
            Ok(answer) => {
                if let Some(events) = &self.watch.events {
                    events.command(command);
                }
                answer
            }
            Err(error) => format!("{NOT_DONE}{error}"),
        }
    }

    async fn say_how_it_stands(&self, run: &str) -> Result<(), StoreError> {
        // A view is made of plain values.
        let Ok(text) = serde_json::to_string(&self.watch.progress.view()) else {
            return Ok(());
        };
        let at = telemetry::now();
        self.store.set_status(run, RunStatus { at, text }).await
    }
}

async fn pressed(keys: &mut Option<Keys>) -> Press {
    if let Some(Keys { presses, .. }) = keys
        && let Some(press) = presses.recv().await
    {
        return press;
    }
    std::future::pending().await
}

fn since(now: Spent, before: Spent) -> Spent {
    Spent {
        input: now.input.saturating_sub(before.input),
        cached: now.cached.saturating_sub(before.cached),
        output: now.output.saturating_sub(before.output),
        cost: (now.cost - before.cost).max(0.0),
        unpriced_calls: now.unpriced_calls.saturating_sub(before.unpriced_calls),
    }
}
