//! Whether every run has all that it ought to have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::facts::{Facts, RunFacts};
use super::report::{Check, Problem, RunReport, State};
use super::scan::Tally;
use crate::store::{EventEntry, RunRow, RunState, Store, StoreError, rejected_root};

/// Compares every run, or the one that is named, with what the log says of it.
pub(super) async fn check(
    store: &dyn Store,
    facts: &Facts,
    tallies: &BTreeMap<String, Tally>,
    only: Option<&str>,
) -> Result<(Check, Vec<RunReport>), StoreError> {
    let rows = store.runs().await?;
    let names = rows.iter().map(|row| row.run.name.as_str());
    let logged = facts.runs.keys().chain(tallies.keys()).map(String::as_str);
    let names: BTreeSet<&str> = names.chain(logged).chain(only).collect();
    let (mut check, mut reports) = (Check::holds(""), Vec::new());
    let (no_facts, no_tally) = (RunFacts::default(), Tally::default());
    for name in names {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let row = rows.iter().find(|row| row.run.name == name);
        let run = Run {
            name,
            row,
            facts: facts.runs.get(name).unwrap_or(&no_facts),
            tally: tallies.get(name).unwrap_or(&no_tally),
            rejected: rejected_root(store, name)
                .await
                .map(|(count, root)| json!({ "rows": count, "root": root }))?,
        };
        let (state, what, problems) = run.judge(facts.adopted.is_some());
        for problem in problems {
            check.add(Problem::of_run(name, problem));
        }
        reports.push(run.report(state, what));
    }
    let complete = reports.iter().filter(|run| run.state == State::Holds);
    let (complete, all) = (complete.count(), reports.len());
    check.what = format!("{complete} of {all} runs finished and complete");
    if check.bad == 0 && complete == 0 {
        check.state = State::NotChecked;
    }
    Ok((check, reports))
}

/// One run as everything says that it is.
struct Run<'a> {
    name: &'a str,
    row: Option<&'a RunRow>,
    facts: &'a RunFacts,
    tally: &'a Tally,
    rejected: Value,
}

impl Run<'_> {
    /// How it came out, in which words, and what is wrong.
    fn judge(&self, has_adopted: bool) -> (State, String, Vec<String>) {
        let mut problems = Vec::new();
        let Some(row) = self.row else {
            let what = "there is no such run".to_owned();
            return (State::Fails, what.clone(), vec![what]);
        };
        match &self.facts.began {
            Some(began) => problems.extend(changed_since(began, row)),
            None if has_adopted => {}
            None => problems.push("no event says that it began".to_owned()),
        }
        if row.sealed != self.tally.transcripts {
            problems.push(format!(
                "it counts {} transcripts, and {} are there",
                row.sealed, self.tally.transcripts
            ));
        }
        let unfinished = match &self.facts.ended {
            Some((at, ended)) if self.is_last(*at) => {
                problems.extend(self.missing(ended, row));
                None
            }
            Some(_) => Some("it went on after it had ended"),
            None if row.state == RunState::Finished => {
                Some("it ended without saying how many rows it had")
            }
            None => Some("it has not ended"),
        };
        if let Some(first) = problems.first() {
            return (State::Fails, first.clone(), problems);
        }
        if let Some(what) = unfinished {
            return (State::NotChecked, what.to_owned(), problems);
        }
        let what = "every row has its transcript, or is a double, or is rejected";
        (State::Holds, what.to_owned(), problems)
    }

    /// Whether nothing was sealed or taken out since the run ended at a leaf.
    fn is_last(&self, ended: u64) -> bool {
        self.tally.last < ended && self.facts.last_withdrawal.is_none_or(|leaf| leaf < ended)
    }

    /// What is missing of that which the end of the run names.
    fn missing(&self, ended: &EventEntry, row: &RunRow) -> Vec<String> {
        let mut problems = Vec::new();
        let number = |name: &str| ended.more.get(name).and_then(Value::as_u64);
        let transcripts = number("transcripts");
        if transcripts != Some(self.tally.transcripts) {
            problems.push(format!(
                "it ended with {} transcripts, and has {}",
                transcripts.unwrap_or(0),
                self.tally.transcripts
            ));
        }
        let is_settled = row.state == RunState::Finished;
        if is_settled && ended.more.get("rejected") != Some(&self.rejected) {
            problems.push("its rejected rows are not those that it ended with".to_owned());
        }
        let (rows, doubled) = (number("rows"), number("doubled"));
        let rejected = ended
            .more
            .get("rejected")
            .and_then(|found| found["rows"].as_u64());
        let records = rows
            .unwrap_or(0)
            .checked_sub(doubled.unwrap_or(0) + rejected.unwrap_or(0));
        let samples = number("samples").unwrap_or(1);
        // Rows that have left the dataset since leave more than its rows ask for.
        let wanted = records.map(|records| records.saturating_mul(samples));
        if wanted.is_none_or(|wanted| Some(wanted) > transcripts) {
            problems.push(format!(
                "of {} rows {} are doubles and {} rejected, which does not leave {} transcripts",
                rows.unwrap_or(0),
                doubled.unwrap_or(0),
                rejected.unwrap_or(0),
                transcripts.unwrap_or(0)
            ));
        }
        problems
    }

    fn report(&self, state: State, what: String) -> RunReport {
        let ended = self.facts.ended.as_ref().map(|(_, ended)| ended);
        let number = |name: &str| ended.and_then(|ended| ended.more.get(name)?.as_u64());
        RunReport {
            run: self.name.to_owned(),
            state,
            what,
            rows: number("rows"),
            doubled: number("doubled"),
            rejected: self.rejected["rows"].as_u64().unwrap_or(0),
            transcripts: self.tally.transcripts,
            erased: self.tally.erased,
            withdrawn: self.facts.withdrawn,
            outcomes: self.tally.outcomes.clone(),
        }
    }
}

/// What the run's row says otherwise than the event that it began with.
fn changed_since(began: &EventEntry, row: &RunRow) -> Option<String> {
    let run = &row.run;
    let now = [
        ("dataset", json!(run.dataset)),
        ("decided_by", run.decided_by.clone()),
        ("scope", json!(run.scope)),
    ];
    let said = |name: &str| began.more.get(name).cloned().unwrap_or_default();
    let changed = now.iter().find(|(name, value)| said(name) != *value);
    let changed = changed.map(|(name, _)| *name);
    let changed = changed.or((began.at != run.started).then_some("started"));
    changed.map(|name| format!("its `{name}` was edited: it began with something else"))
}
