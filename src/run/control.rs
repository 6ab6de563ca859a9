//! Steering a run under way: what may be asked of it, how that is written, and what comes of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::StopHandle;
use crate::model::Concurrency;
use crate::model::budget::BudgetLimits;
use crate::model::traffic::Traffic;

/// The most calls at once that a run can be limited to.
pub const MOST_CALLS_AT_ONCE: usize = 1 << 16;

/// What may be asked of a run under way. It is written as `redraft ctl` takes it: `pause`,
/// `limit 12`, `budget cost=2.5 tokens=off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// No further call begins; those in flight go on.
    Pause,
    /// Calls begin again.
    Resume,
    /// No further record begins; those in flight run to their end, and the run stops there.
    Drain,
    /// The run stops, and what is in flight has a few seconds.
    Stop,
    /// So many calls to each endpoint at once, or as many as it turns out to be good for.
    Limit(Concurrency),
    /// Another budget.
    Budget(BudgetChange),
}

/// What changes of a budget: absent stays as it is, `Some(None)` takes the limit away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BudgetChange {
    /// The most money that the run may cost.
    pub cost: Option<Option<f64>>,
    /// The most tokens that the run may take.
    pub tokens: Option<Option<u64>>,
}

/// Text that is no [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no command to a run; there are pause, resume, drain, stop, limit N, auto, \
     and budget with cost=X, tokens=N"
)]
pub struct NoCommand(String);

/// Why a [`Command`] was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// A budget of money, where nothing costs any.
    #[error(
        "no model has a price, so a budget of money could never act; give the models prices in the \
         settings, or use a budget of tokens"
    )]
    NoPrice,
    /// A number of calls at once, where calls go in batches.
    #[error("no call is sent by itself, so there is no limit to set")]
    NoConcurrency,
}

impl FromStr for Command {
    type Err = NoCommand;

    fn from_str(text: &str) -> Result<Self, NoCommand> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let command = match words[..] {
            ["pause"] => Some(Self::Pause),
            ["resume"] => Some(Self::Resume),
            ["drain"] => Some(Self::Drain),
            ["stop"] => Some(Self::Stop),
            ["auto"] => Some(Self::Limit(Concurrency::Auto)),
            ["limit", number] => limit(number).map(Self::Limit),
            ["budget", ref parts @ ..] => BudgetChange::of(parts).map(Self::Budget),
            _ => None,
        };
        command.ok_or_else(|| NoCommand(text.to_owned()))
    }
}

impl BudgetChange {
    fn of(parts: &[&str]) -> Option<Self> {
        let mut change = Self::default();
        for part in parts {
            match part.split_once('=')? {
                ("cost", "off") => change.cost = Some(None),
                ("cost", amount) => change.cost = Some(Some(money(amount)?)),
                ("tokens", "off") => change.tokens = Some(None),
                ("tokens", count) => change.tokens = Some(Some(count.parse().ok()?)),
                _ => return None,
            }
        }
        (change != Self::default()).then_some(change)
    }

    /// The limits after the change.
    #[must_use]
    pub fn applied_to(self, limits: BudgetLimits) -> BudgetLimits {
        BudgetLimits {
            cost: self.cost.unwrap_or(limits.cost),
            tokens: self.tokens.unwrap_or(limits.tokens),
        }
    }
}

fn limit(text: &str) -> Option<Concurrency> {
    let limit = text.parse().ok()?;
    match limit {
        Concurrency::Fixed(number) if number > MOST_CALLS_AT_ONCE => None,
        limit => Some(limit),
    }
}

/// An amount of money: finite, and not below nothing.
fn money(text: &str) -> Option<f64> {
    let amount: f64 = text.parse().ok()?;
    (amount.is_finite() && amount >= 0.0).then_some(amount)
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => formatter.write_str("pause"),
            Self::Resume => formatter.write_str("resume"),
            Self::Drain => formatter.write_str("drain"),
            Self::Stop => formatter.write_str("stop"),
            Self::Limit(Concurrency::Auto) => formatter.write_str("auto"),
            Self::Limit(Concurrency::Fixed(number)) => write!(formatter, "limit {number}"),
            Self::Budget(change) => {
                formatter.write_str("budget")?;
                match change.cost {
                    Some(Some(cost)) => write!(formatter, " cost={cost}")?,
                    Some(None) => formatter.write_str(" cost=off")?,
                    None => {}
                }
                match change.tokens {
                    Some(Some(tokens)) => write!(formatter, " tokens={tokens}"),
                    Some(None) => formatter.write_str(" tokens=off"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The handles by which a run under way is steered.
#[derive(Clone, Debug)]
pub struct Controls {
    traffic: Arc<Traffic>,
    stop: StopHandle,
    draining: Arc<AtomicBool>,
}

impl Controls {
    /// The handles of the run that follows this traffic and this stop.
    #[must_use]
    pub fn new(traffic: Arc<Traffic>, stop: StopHandle) -> Self {
        Self {
            traffic,
            stop,
            draining: Arc::default(),
        }
    }

    /// Whether the run was asked to drain.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether the run was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }

    /// Does what is asked, and says in a sentence what came of it.
    ///
    /// # Errors
    ///
    /// [`NotDone`] when it is refused, and nothing has changed.
    pub fn apply(&self, command: Command) -> Result<String, NotDone> {
        Ok(match command {
            Command::Pause => self.pause(),
            Command::Resume => self.resume(),
            Command::Drain => {
                self.draining.store(true, Ordering::Relaxed);
                // What is in flight can end only while calls may begin.
                self.traffic.resume();
                self.stop.drain();
                "Draining: nothing new begins, and what is in flight may end.".to_owned()
            }
            Command::Stop => {
                self.stop.stop();
                "Stopping: what is in flight has a few seconds to end.".to_owned()
            }
            Command::Limit(concurrency) => self.set_concurrency(concurrency)?,
            Command::Budget(change) => self.set_budget(change)?,
        })
    }

    fn pause(&self) -> String {
        if self.traffic.is_paused() {
            return "It is paused already.".to_owned();
        }
        self.traffic.pause();
        match self.traffic.counts().in_flight {
            0 => "Paused.".to_owned(),
            1 => "Paused: no further call begins; 1 in flight goes on.".to_owned(),
            calls => format!("Paused: no further call begins; {calls} in flight go on."),
        }
    }

    fn resume(&self) -> String {
        if !self.traffic.is_paused() {
            return "It is not paused.".to_owned();
        }
        self.traffic.resume();
        "It goes on.".to_owned()
    }

    fn set_concurrency(&self, concurrency: Concurrency) -> Result<String, NotDone> {
        if !self.traffic.has_concurrency() {
            return Err(NotDone::NoConcurrency);
        }
        self.traffic.set_concurrency(concurrency);
        Ok(match concurrency {
            Concurrency::Auto => "The limits find themselves.".to_owned(),
            Concurrency::Fixed(1) => "At most 1 call to each endpoint at once.".to_owned(),
            Concurrency::Fixed(number) => {
                format!("At most {number} calls to each endpoint at once.")
            }
        })
    }

    fn set_budget(&self, change: BudgetChange) -> Result<String, NotDone> {
        let budget = self.traffic.budget();
        if matches!(change.cost, Some(Some(_))) && !budget.has_price() {
            return Err(NotDone::NoPrice);
        }
        let limits = change.applied_to(budget.limits());
        budget.set_limits(limits);
        let spent = budget.spent();
        let cost = limits
            .cost
            .map(|most| format!("{most} for money, {:.4} spent", spent.cost));
        let tokens = limits
            .tokens
            .map(|most| format!("{most} tokens, {} taken", spent.tokens()));
        let parts: Vec<String> = cost.into_iter().chain(tokens).collect();
        if parts.is_empty() {
            return Ok("There is no budget any more.".to_owned());
        }
        let is_reached = limits.cost.is_some_and(|most| spent.cost >= most)
            || limits.tokens.is_some_and(|most| spent.tokens() >= most);
        let end = if is_reached {
            ": it is reached, so the run stops."
        } else {
            "."
        };
        Ok(format!("The budget is now {}{end}", parts.join(", and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Stop;

    #[test]
    fn a_command_reads_as_it_is_written() {
        for text in [
            "pause",
            "resume",
            "drain",
            "stop",
            "auto",
            "limit 12",
            "limit 65536",
            "budget cost=2.5",
            "budget tokens=off",
            "budget cost=off tokens=1000",
        ] {
            let command: Command = text.parse().unwrap();
            assert_eq!(command.to_string(), text);
        }
        assert_eq!("limit auto".parse(), Ok(Command::Limit(Concurrency::Auto)));
    }

    #[test]
    fn nothing_else_is_a_command() {
        for text in [
            "",
            "halt",
            "pause now",
            "limit",
            "limit 0",
            "limit -3",
            "limit 65537",
            "budget",
            "budget cost",
            "budget cost=-1",
            "budget cost=NaN",
            "budget cost=inf",
            "budget tokens=1.5",
            "budget time=3",
        ] {
            assert!(text.parse::<Command>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn pausing_and_going_on_reach_the_traffic() {
        let traffic = Traffic::new();
        let (stop, _stop) = Stop::new();
        let controls = Controls::new(Arc::clone(&traffic), stop);
        let said = |command| controls.apply(command).expect("it is done");
        assert_eq!(said(Command::Pause), "Paused.");
        assert!(traffic.is_paused());
        assert_eq!(said(Command::Pause), "It is paused already.");
        assert_eq!(said(Command::Resume), "It goes on.");
        assert!(!traffic.is_paused());
        assert_eq!(said(Command::Resume), "It is not paused.");
    }

    #[tokio::test]
    async fn draining_goes_on_with_what_was_paused_and_stops_the_run() {
        let traffic = Traffic::new();
        let (handle, mut stop) = Stop::new();
        let controls = Controls::new(Arc::clone(&traffic), handle);
        let _ = controls.apply(Command::Pause);
        let _ = controls.apply(Command::Drain);
        assert!(!traffic.is_paused() && controls.is_draining());
        stop.asked().await;
    }

    #[test]
    fn a_budget_changes_in_the_part_that_is_named() {
        let traffic = Traffic::new();
        let (stop, _stop) = Stop::new();
        let controls = Controls::new(Arc::clone(&traffic), stop);
        let said = controls.apply("budget cost=2 tokens=100".parse().unwrap());
        assert_eq!(said, Err(NotDone::NoPrice));
        assert_eq!(traffic.budget().limits(), BudgetLimits::default());

        traffic.budget().tell_of_price();
        for (text, cost, tokens) in [
            ("budget cost=2 tokens=100", Some(2.0), Some(100)),
            ("budget tokens=200", Some(2.0), Some(200)),
            ("budget cost=off", None, Some(200)),
        ] {
            let _ = controls.apply(text.parse().unwrap());
            assert_eq!(traffic.budget().limits(), BudgetLimits { cost, tokens });
        }
        let said = |text: &str| controls.apply(text.parse().unwrap()).expect("it is done");
        assert_eq!(
            said("budget tokens=0"),
            "The budget is now 0 tokens, 0 taken: it is reached, so the run stops."
        );
        assert_eq!(said("budget tokens=off"), "There is no budget any more.");
    }
}
