//! How a run stands at one moment, and how that reads: as lines of a terminal, or in one line of words.

use std::time::Duration;

use console::{measure_text_width, truncate_str};
use serde::{Deserialize, Serialize};

use super::total::Total;
use crate::cli::terminal::{Paint, brief_duration, counted, money, one_line, thousands};
use crate::model::budget::{BudgetLimits, Spent};
use crate::model::traffic::{CallCounts, EndpointState, EndpointStatus};

/// How many endpoints have a line of their own.
const ENDPOINTS: usize = 8;
/// The widest bar.
const BAR: usize = 24;
/// The narrowest terminal with a bar.
const BAR_FROM: usize = 60;
/// The narrowest terminal that says of an endpoint's figures what they are.
const WORDS_FROM: usize = 80;
/// What stands between two figures.
const BETWEEN: &str = " · ";

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Phase {
    /// Rows are worked on.
    #[default]
    Running,
    /// No call begins.
    Paused,
    /// What is in flight runs to its end.
    Draining,
    /// What is in flight has a few seconds.
    Stopping,
    /// The output is being written.
    Writing,
}

/// What records of this process add up to, beside their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Tally {
    /// Violations found in critiques.
    pub(in crate::cli) violations: u64,
    /// Replies that broke their contract and were asked for again.
    pub(in crate::cli) contract_retries: u64,
    /// Revisions beyond a record's first.
    pub(in crate::cli) policy_retries: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.violations += other.violations;
        self.contract_retries += other.contract_retries;
        self.policy_retries += other.policy_retries;
    }
}

/// What the run has spent over all its processes, and may spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Money {
    pub(in crate::cli) cost: f64,
    pub(in crate::cli) tokens: u64,
    pub(in crate::cli) unpriced_calls: u64,
    /// Whether any model has a price.
    #[serde(default)]
    pub(in crate::cli) is_priced: bool,
    pub(in crate::cli) max_cost: Option<f64>,
    pub(in crate::cli) max_tokens: Option<u64>,
}

impl Money {
    pub(in crate::cli) fn of(spent: &Spent, limits: BudgetLimits, is_priced: bool) -> Self {
        Self {
            cost: spent.cost,
            tokens: spent.tokens(),
            unpriced_calls: spent.unpriced_calls,
            is_priced,
            max_cost: limits.cost,
            max_tokens: limits.tokens,
        }
    }

    /// The limits there are.
    pub(in crate::cli) fn limits(&self) -> BudgetLimits {
        BudgetLimits {
            cost: self.max_cost,
            tokens: self.max_tokens,
        }
    }

    /// Whether more may have been spent than what is known. Where no model has a price, nothing is.
    pub(in crate::cli) fn has_unknown_cost(&self) -> bool {
        self.unpriced_calls > 0 && self.is_priced
    }

    /// The options that set the limits there are.
    pub(in crate::cli) fn options(&self) -> &'static str {
        match (self.max_cost, self.max_tokens) {
            (Some(_), None) => "--max-cost",
            (None, Some(_)) => "--max-total-tokens",
            _ => "--max-cost or --max-total-tokens",
        }
    }
}

/// How a run stands at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct View {
    pub(in crate::cli) run: String,
    pub(in crate::cli) process: u32,
    pub(in crate::cli) phase: Phase,
    pub(in crate::cli) seconds: f64,
    pub(in crate::cli) rows: u64,
    /// Whether each row has several transcripts, which are what is counted then.
    #[serde(default)]
    pub(in crate::cli) sampled: bool,
    pub(in crate::cli) total: Option<Total>,
    pub(in crate::cli) rows_per_second: f64,
    pub(in crate::cli) seconds_left: Option<f64>,
    pub(in crate::cli) changed: u64,
    pub(in crate::cli) failed: u64,
    pub(in crate::cli) rejected: u64,
    pub(in crate::cli) tally: Tally,
    pub(in crate::cli) calls: CallCounts,
    pub(in crate::cli) tokens_per_second: f64,
    pub(in crate::cli) money: Money,
    pub(in crate::cli) endpoints: Vec<EndpointStatus>,
}

impl View {
    /// The lines that show it on a terminal, none wider than `width`; `hint` is the last one.
    pub(in crate::cli) fn lines(&self, paint: Paint, width: usize, hint: &str) -> Vec<String> {
        let bar = self.bar(width);
        let indent = bar.as_ref().map_or(0, |(full, rest)| {
            measure_text_width(full) + measure_text_width(rest) + 1
        });
        let mut lines = flow(&self.how_far(), width - indent);
        if let Some(((full, rest), first)) = bar.zip(lines.first_mut()) {
            *first = format!("{}{} {first}", paint.good(full), paint.dim(rest));
        }
        lines.extend(flow(&self.calls(), width));
        lines.extend(flow(&self.records(), width));
        lines.extend(
            self.endpoint_lines(width)
                .iter()
                .map(|line| truncate_str(line, width, "…").into_owned()),
        );
        let hint: Vec<String> = hint.split(BETWEEN).map(str::to_owned).collect();
        lines.extend(
            flow(&hint, width)
                .iter()
                .filter(|line| !line.is_empty())
                .map(|line| paint.dim(line).to_string()),
        );
        lines
    }

    /// The same in one line of words, without the endpoints that do well.
    pub(in crate::cli) fn words(&self) -> String {
        let mut words = [self.how_far(), self.calls(), self.records()].concat();
        for endpoint in &self.endpoints {
            match endpoint.state {
                EndpointState::Starting | EndpointState::Steady => {}
                EndpointState::Paced
                | EndpointState::Failing { .. }
                | EndpointState::SetAside { .. } => {
                    words.push(format!("{} {}", place(endpoint), state(endpoint)));
                }
            }
        }
        words.join(BETWEEN)
    }

    /// The full and the empty part of the bar, where there is room and a total.
    fn bar(&self, width: usize) -> Option<(String, String)> {
        let twice = self
            .share_of(2 * BAR as u64)
            .filter(|_| width >= BAR_FROM)?;
        let full = usize::try_from(twice.div_ceil(2)).map_or(BAR, |full| full.min(BAR));
        Some(("━".repeat(full), "─".repeat(BAR - full)))
    }

    /// The part of `whole` that is done, rounded down: only what is done is 100 %.
    fn share_of(&self, whole: u64) -> Option<u64> {
        let total = self.total.filter(|total| total.rows > 0)?;
        let share = u128::from(self.rows) * u128::from(whole) / u128::from(total.rows);
        u64::try_from(share).ok()
    }

    /// That so many rows are done, and of how many.
    pub(in crate::cli) fn done(&self, done: u64) -> String {
        let what = self.unit();
        match self.total {
            None => counted(done, what),
            Some(Total { rows, exact: true }) => {
                format!("{} of {}", thousands(done), counted(rows, what))
            }
            Some(Total { rows, exact: false }) => {
                format!("{} of about {}", thousands(done), counted(rows, what))
            }
        }
    }

    /// What is counted.
    fn unit(&self) -> &'static str {
        if self.sampled { "transcript" } else { "row" }
    }

    fn how_far(&self) -> Vec<String> {
        let mut words = Vec::new();
        match self.phase {
            Phase::Running => {}
            Phase::Paused => words.push("paused".to_owned()),
            Phase::Draining => words.push("draining".to_owned()),
            Phase::Stopping => words.push("stopping".to_owned()),
            Phase::Writing => words.push("writing the output".to_owned()),
        }
        words.push(self.done(self.rows));
        if let Some(percent) = self.share_of(100) {
            words.push(format!("{percent} %"));
        }
        let rate = figure(self.rows_per_second);
        words.push(format!("{rate} {}s/s", self.unit()));
        if let Some(left) = self.seconds_left {
            let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
            words.push(format!("{} left", brief_duration(left)));
        }
        words
    }

    fn calls(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.calls.asked > 0 {
            words.push(format!(
                "{} in flight",
                counted(self.calls.in_flight, "call")
            ));
        }
        if self.tokens_per_second > 0.0 {
            words.push(format!("{} tokens/s", figure(self.tokens_per_second)));
        }
        let Money {
            cost,
            tokens,
            unpriced_calls,
            max_cost,
            max_tokens,
            ..
        } = self.money;
        match max_cost {
            Some(most) => words.push(format!("cost {} of {}", money(cost), money(most))),
            None if cost > 0.0 => words.push(format!("cost {}", money(cost))),
            None => {}
        }
        if self.money.has_unknown_cost() {
            words.push(format!(
                "{} of unknown cost",
                counted(unpriced_calls, "request")
            ));
        }
        if let Some(most) = max_tokens {
            words.push(format!(
                "{} of {} tokens",
                thousands(tokens),
                thousands(most)
            ));
        }
        words
    }

    fn records(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (count, what) in [(self.changed, "changed"), (self.failed, "failed")] {
            if count > 0 {
                words.push(format!("{} {what}", thousands(count)));
            }
        }
        if self.rejected > 0 {
            words.push(format!("{} rejected", thousands(self.rejected)));
        }
        if self.tally.violations > 0 {
            words.push(counted(self.tally.violations, "violation"));
        }
        for (count, kind) in [
            (self.calls.retries, "transport"),
            (self.tally.contract_retries, "contract"),
            (self.tally.policy_retries, "policy"),
        ] {
            match count {
                0 => {}
                1 => words.push(format!("1 {kind} retry")),
                many => words.push(format!("{} {kind} retries", thousands(many))),
            }
        }
        words
    }

    fn endpoint_lines(&self, width: usize) -> Vec<String> {
        let mut lines: Vec<String> = self
            .endpoints
            .iter()
            .take(ENDPOINTS)
            .map(|endpoint| endpoint_line(endpoint, width))
            .collect();
        if let Some(more @ 1..) = self.endpoints.len().checked_sub(ENDPOINTS) {
            lines.push(format!("  and {}", counted_more(more)));
        }
        lines
    }
}

fn counted_more(more: usize) -> String {
    format!("{} more", thousands(more as u64))
}

fn endpoint_line(endpoint: &EndpointStatus, width: usize) -> String {
    let EndpointStatus {
        limit,
        in_flight,
        waiting,
        latency_ms,
        ..
    } = endpoint;
    let (place, state) = (place(endpoint), state(endpoint));
    let latency = match latency_ms {
        0 => "no reply yet".to_owned(),
        0..10_000 => format!("{latency_ms} ms"),
        _ => brief_duration(Duration::from_millis(*latency_ms)),
    };
    if width < WORDS_FROM {
        return format!("  {place} {in_flight}/{limit}+{waiting} {state}");
    }
    format!(
        "  {place} {in_flight}/{limit} in flight, {waiting} waiting{BETWEEN}{latency}{BETWEEN}{state}"
    )
}

fn state(endpoint: &EndpointStatus) -> String {
    match &endpoint.state {
        EndpointState::Starting => "starting".to_owned(),
        EndpointState::Steady => "steady".to_owned(),
        EndpointState::Paced => "paced".to_owned(),
        EndpointState::Failing { why } => format!("failing: {}", one_line(why, 200)),
        EndpointState::SetAside { why } => format!("set aside: {}", one_line(why, 200)),
    }
}

/// An address without what they all have.
fn place(endpoint: &EndpointStatus) -> String {
    let address = endpoint.address.as_str();
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let bare = bare.trim_end_matches('/').trim_end_matches("/v1");
    one_line(bare, 200)
}

/// A rate with as many places as help.
fn figure(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are no less than zero, and saturate"
    )]
    if rate >= 10.0 {
        thousands(rate.round() as u64)
    } else {
        format!("{rate:.1}")
    }
}

/// Puts words into lines of at most `width` columns, and breaks only between them.
fn flow(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = truncate_str(word, width, "…");
        match lines.last_mut() {
            Some(line)
                if measure_text_width(line)
                    + measure_text_width(&word)
                    + BETWEEN.chars().count()
                    <= width =>
            {
                line.push_str(BETWEEN);
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::keyboard::HINT;

    fn endpoint(number: usize, state: EndpointState) -> EndpointStatus {
        EndpointStatus {
            model: "small".to_owned(),
            address: format!("http://gpu-{number}.example:8000/v1/"),
            limit: 64,
            in_flight: 60,
            waiting: 4,
            state,
            answered: 1000,
            failed: 2,
            latency_ms: 210,
        }
    }

    fn view() -> View {
        View {
            run: "desk-1".to_owned(),
            process: 4711,
            phase: Phase::Running,
            seconds: 125.0,
            rows: 4312,
            sampled: false,
            total: Some(Total {
                rows: 10_000,
                exact: false,
            }),
            rows_per_second: 35.4,
            seconds_left: Some(160.0),
            changed: 812,
            failed: 1,
            rejected: 2,
            tally: Tally {
                violations: 950,
                contract_retries: 7,
                policy_retries: 31,
            },
            calls: CallCounts {
                asked: 9000,
                in_flight: 120,
                retries: 12,
                ..CallCounts::default()
            },
            tokens_per_second: 3412.0,
            money: Money {
                cost: 1.234_56,
                tokens: 1_500_000,
                unpriced_calls: 0,
                is_priced: true,
                max_cost: Some(5.0),
                max_tokens: None,
            },
            endpoints: vec![
                endpoint(1, EndpointState::Steady),
                endpoint(
                    2,
                    EndpointState::SetAside {
                        why: "connection refused".to_owned(),
                    },
                ),
            ],
        }
    }

    fn shown(view: &View, width: usize) -> String {
        console::set_colors_enabled_stderr(false);
        view.lines(Paint::STDERR, width, HINT).join("\n")
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        insta::assert_snapshot!(shown(&view(), 100), @r"
        ━━━━━━━━━━────────────── 4,312 of about 10,000 rows · 43 % · 35 rows/s · 2 min 40 s left
        120 calls in flight · 3,412 tokens/s · cost 1.2346 of 5.0000
        812 changed · 1 failed · 2 rejected · 950 violations · 12 transport retries · 7 contract retries
        31 policy retries
          gpu-1.example:8000 60/64 in flight, 4 waiting · 210 ms · steady
          gpu-2.example:8000 60/64 in flight, 4 waiting · 210 ms · set aside: connection refused
        p pause · r resume · d drain · + - calls at once · a auto · q stop · ? help
        ");
    }

    #[test]
    fn a_narrow_terminal_breaks_between_figures() {
        insta::assert_snapshot!(shown(&view(), 40), @r"
        4,312 of about 10,000 rows · 43 %
        35 rows/s · 2 min 40 s left
        120 calls in flight · 3,412 tokens/s
        cost 1.2346 of 5.0000
        812 changed · 1 failed · 2 rejected
        950 violations · 12 transport retries
        7 contract retries · 31 policy retries
          gpu-1.example:8000 60/64+4 steady
          gpu-2.example:8000 60/64+4 set aside:…
        p pause · r resume · d drain
        + - calls at once · a auto · q stop
        ? help
        ");
    }

    #[test]
    fn without_a_terminal_it_is_one_line_of_words() {
        insta::assert_snapshot!(view().words(), @"4,312 of about 10,000 rows · 43 % · 35 rows/s · 2 min 40 s left · 120 calls in flight · 3,412 tokens/s · cost 1.2346 of 5.0000 · 812 changed · 1 failed · 2 rejected · 950 violations · 12 transport retries · 7 contract retries · 31 policy retries · gpu-2.example:8000 set aside: connection refused");
    }

    #[test]
    fn what_hinders_an_endpoint_is_said_in_words_too() {
        let view = View {
            endpoints: vec![
                endpoint(1, EndpointState::Steady),
                endpoint(2, EndpointState::Paced),
                endpoint(
                    3,
                    EndpointState::Failing {
                        why: "HTTP 500".to_owned(),
                    },
                ),
            ],
            ..View::default()
        };
        assert_eq!(
            view.words(),
            "0 rows · 0.0 rows/s · gpu-2.example:8000 paced · gpu-3.example:8000 failing: HTTP 500"
        );
    }

    #[test]
    fn requests_of_unknown_cost_count_where_there_is_a_price() {
        let words = |is_priced| {
            let money = Money {
                unpriced_calls: 3,
                is_priced,
                ..Money::default()
            };
            let view = View {
                money,
                ..View::default()
            };
            view.words()
        };
        assert!(words(true).ends_with("3 requests of unknown cost"));
        assert!(!words(false).contains("cost"));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let start = View {
            rows: 1,
            ..View::default()
        };
        insta::assert_snapshot!(shown(&start, 80), @r"
        1 row · 0.0 rows/s
        p pause · r resume · d drain · + - calls at once · a auto · q stop · ? help
        ");
    }

    #[test]
    fn a_share_is_not_a_percent_less_than_it_is() {
        let words = |rows, sampled| {
            let total = Some(Total {
                rows: 100,
                exact: true,
            });
            let view = View {
                rows,
                sampled,
                total,
                ..View::default()
            };
            view.words()
        };
        assert_eq!(words(57, false), "57 of 100 rows · 57 % · 0.0 rows/s");
        assert_eq!(
            words(29, true),
            "29 of 100 transcripts · 29 % · 0.0 transcripts/s"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut view = view();
        view.endpoints[0].address = "http://ein-sehr-langer-name-über-alles.example:8000".repeat(5);
        view.endpoints[1].state = EndpointState::SetAside {
            why: "no\nreply\u{1b}[2J ".repeat(40),
        };
        for width in 1..120 {
            for line in view.lines(Paint::STDERR, width, HINT) {
                assert!(measure_text_width(&line) <= width, "{width}: {line:?}");
                assert!(!line.contains(['\n', '\u{1b}']), "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn eight_endpoints_have_a_line_and_the_others_are_counted() {
        let mut view = view();
        view.endpoints = (1..=11)
            .map(|number| endpoint(number, EndpointState::Paced))
            .collect();
        let lines = view.endpoint_lines(100);
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[8], "  and 3 more");
    }

    #[test]
    fn a_view_comes_back_from_json() {
        let text = serde_json::to_string(&view()).expect("JSON");
        let back: View = serde_json::from_str(&text).expect("a view");
        assert_eq!(back, view());
    }
}
