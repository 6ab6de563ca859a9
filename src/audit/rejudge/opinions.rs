//! Two critics on the same texts: agreement, and who finds more.

use indexmap::IndexMap;
use serde::Serialize;

use super::exact_mcnemar;
use crate::audit::{Agreement, AgreementTable};

/// What two critics said of the same texts and principles.
#[derive(Clone, Debug, Default)]
pub struct Opinions {
    all: AgreementTable,
    principles: IndexMap<String, AgreementTable>,
    unread: u64,
}

/// What two critics said, added up.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    /// How often both find a violation.
    pub both: u64,
    /// How often only the critic inside the loop does.
    pub inside_only: u64,
    /// How often only the critic outside does.
    pub outside_only: u64,
    /// How often neither does.
    pub neither: u64,
    /// The share of findings on which they agree, and Cohen's κ.
    pub agreement: Agreement,
    /// The probability of so uneven a share of differing findings, if both find equally much.
    pub mcnemar: f64,
}

impl Opinions {
    /// Counts a finding of both critics: whether each says that the principle is violated.
    pub(super) fn add(&mut self, principle: &str, inside: bool, outside: bool) {
        self.all.add(inside, outside);
        if !self.principles.contains_key(principle) {
            let table = AgreementTable::default();
            self.principles.insert(principle.to_owned(), table);
        }
        self.principles[principle].add(inside, outside);
    }

    /// Counts a finding that one of the critics could not make.
    pub(super) fn add_unread(&mut self) {
        self.unread += 1;
    }

    /// Over all principles.
    #[must_use]
    pub fn all(&self) -> Pair {
        Pair::of(&self.all)
    }

    /// Per principle, in the order in which they first spoke.
    pub fn principles(&self) -> impl Iterator<Item = (&str, Pair)> {
        let principles = self.principles.iter();
        principles.map(|(id, table)| (id.as_str(), Pair::of(table)))
    }

    /// How many findings could not be compared, because one of the critics gave no verdict.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.unread
    }
}

impl Pair {
    fn of(table: &AgreementTable) -> Self {
        Self {
            both: table.both_first,
            inside_only: table.first_second,
            outside_only: table.second_first,
            neither: table.both_second,
            agreement: table.agreement(),
            mcnemar: exact_mcnemar(table.first_second, table.second_first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_more_is_told_per_principle() {
        let mut opinions = Opinions::default();
        for _ in 0..6 {
            opinions.add("kind", false, true);
            opinions.add("brief", true, true);
        }
        opinions.add("kind", true, false);
        opinions.add_unread();
        let all = opinions.all();
        assert_eq!((all.inside_only, all.outside_only, all.both), (1, 6, 6));
        assert_eq!(opinions.unread(), 1);
        let (id, kind) = opinions.principles().next().expect("a principle");
        assert_eq!((id, kind.both, kind.outside_only), ("kind", 0, 6));
        // 2 · (1 + 7) / 128
        assert!((kind.mcnemar - 0.125).abs() < 1e-12);
    }
}
