//! What an address asks for: filters, order, place.

use serde::Deserialize;

use super::links::link;
use crate::store::index::{Cursor, Filter, Sort};
use crate::transcript::{Outcome, Verdict};

/// The query of an address. What is empty asks for nothing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) run: String,
    pub(super) record: String,
    pub(super) q: String,
    pub(super) principle: String,
    pub(super) verdict: String,
    pub(super) severity: String,
    pub(super) outcome: String,
    pub(super) changed: String,
    pub(super) reviewed: String,
    pub(super) tag: String,
    pub(super) constitution: String,
    pub(super) sort: String,
    pub(super) after: String,
    pub(super) before: String,
}

/// The verdicts, by the names that addresses and transcripts have for them.
pub(super) const VERDICTS: [(&str, &str, Verdict); 4] = [
    ("violates", "violates", Verdict::Violates),
    ("complies", "complies", Verdict::Complies),
    ("not_applicable", "not applicable", Verdict::NotApplicable),
    ("error", "error", Verdict::Error),
];

/// The severities, the gravest first, with their numbers.
pub(super) const SEVERITIES: [(&str, u8); 4] =
    [("critical", 4), ("high", 3), ("medium", 2), ("low", 1)];

impl Asked {
    /// Of a run.
    pub(super) fn of_run(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            ..Self::default()
        }
    }

    /// Which transcripts.
    pub(super) fn filter(&self) -> Filter {
        let given = |value: &String| (!value.is_empty()).then(|| value.clone());
        Filter {
            run: given(&self.run),
            constitution: given(&self.constitution),
            text: self.q.clone(),
            principle: given(&self.principle),
            verdict: VERDICTS
                .iter()
                .find(|(name, _, _)| *name == self.verdict)
                .map(|(_, _, verdict)| *verdict),
            severity: SEVERITIES
                .iter()
                .find(|(name, _)| *name == self.severity)
                .map(|(_, number)| *number),
            outcome: Outcome::from_name(&self.outcome),
            changed: yes_or_no(&self.changed),
            reviewed: yes_or_no(&self.reviewed),
            tag: given(&self.tag),
        }
    }

    /// Whether it asks for less than all transcripts of its run.
    pub(super) fn is_narrow(&self) -> bool {
        let whole = Filter {
            run: self.filter().run,
            ..Filter::default()
        };
        self.filter() != whole
    }

    pub(super) fn sort(&self) -> Sort {
        Sort::from_name(&self.sort).unwrap_or_default()
    }

    /// The place to begin at, and whether to go backward from there.
    pub(super) fn place(&self) -> (Option<Cursor>, bool) {
        match (self.after.parse(), self.before.parse()) {
            (Ok(after), _) => (Some(after), false),
            (_, Ok(before)) => (Some(before), true),
            _ => (None, false),
        }
    }

    /// The address of a list, without its place.
    pub(super) fn list(&self) -> String {
        link("/transcripts", &self.parts())
    }

    /// The address of the list after a row, or before it.
    pub(super) fn list_at(&self, direction: &str, cursor: Cursor) -> String {
        let cursor = cursor.to_string();
        let mut parts = self.parts();
        parts.push((direction, &cursor));
        link("/transcripts", &parts)
    }

    /// The address of a transcript that knows the list it was found in.
    pub(super) fn transcript(&self, run: &str, record: &str) -> String {
        let mut parts: Vec<(&str, &str)> = vec![("run", run), ("record", record)];
        parts.extend(self.parts().into_iter().filter(|(name, _)| *name != "run"));
        // A list over all runs leads on into other runs; within one, the run says so already.
        if self.run.is_empty() {
            parts.push(("list", "all"));
        }
        link("/transcript", &parts)
    }

    fn parts(&self) -> Vec<(&str, &str)> {
        let sort = if self.sort() == Sort::default() {
            ""
        } else {
            self.sort.as_str()
        };
        vec![
            ("run", &self.run),
            ("q", &self.q),
            ("principle", &self.principle),
            ("verdict", &self.verdict),
            ("severity", &self.severity),
            ("outcome", &self.outcome),
            ("changed", &self.changed),
            ("reviewed", &self.reviewed),
            ("tag", &self.tag),
            ("constitution", &self.constitution),
            ("sort", sort),
        ]
    }
}

fn yes_or_no(asked: &str) -> Option<bool> {
    match asked {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_or_empty_asks_for_nothing() {
        let asked = Asked {
            run: "a".to_owned(),
            verdict: "maybe".to_owned(),
            severity: "9".to_owned(),
            outcome: "'; DROP TABLE".to_owned(),
            changed: "perhaps".to_owned(),
            after: "x.y".to_owned(),
            ..Asked::default()
        };
        assert!(!asked.is_narrow());
        assert_eq!(asked.place(), (None, false));
        assert_eq!(asked.sort(), Sort::Newest);
    }

    #[test]
    fn a_list_is_carried_from_page_to_page() {
        let asked = Asked {
            run: "a b".to_owned(),
            q: "\"was late\"".to_owned(),
            verdict: "violates".to_owned(),
            sort: "severity".to_owned(),
            ..Asked::default()
        };
        let cursor = Cursor {
            step: 3,
            position: 17,
        };
        assert_eq!(
            asked.list_at("after", cursor),
            "/transcripts?run=a%20b&q=%22was%20late%22&verdict=violates&sort=severity&after=3.17"
        );
        assert!(asked.is_narrow());
        assert_eq!(
            asked.transcript("a b", "r/1"),
            "/transcript?run=a%20b&record=r%2F1&q=%22was%20late%22&verdict=violates&sort=severity"
        );
    }
}
