//! How far a dataset is done without a gap.

use std::collections::VecDeque;

/// Rows are begun in order and end in any; checkpoints between them hold once every row before them
/// has ended.
#[derive(Debug)]
pub(super) struct Frontier<C> {
    waiting: VecDeque<Entry<C>>,
    /// The ticket of the first entry that waits.
    first: u64,
}

#[derive(Debug)]
enum Entry<C> {
    Row { done: bool },
    Checkpoint(C),
}

/// The place of a row in the frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl<C> Frontier<C> {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            first: 0,
        }
    }

    /// Notes that a row was begun.
    pub(super) fn begin(&mut self) -> Ticket {
        self.waiting.push_back(Entry::Row { done: false });
        Ticket(self.first + self.waiting.len() as u64 - 1)
    }

    /// Notes a checkpoint behind every row that was begun.
    pub(super) fn checkpoint(&mut self, checkpoint: C) {
        self.waiting.push_back(Entry::Checkpoint(checkpoint));
    }

    /// Notes that a row has ended.
    pub(super) fn end(&mut self, ticket: Ticket) {
        let place = usize::try_from(ticket.0 - self.first).unwrap_or(usize::MAX);
        if let Some(Entry::Row { done }) = self.waiting.get_mut(place) {
            *done = true;
        }
    }

    /// The furthest checkpoint that holds by now, if there is a new one.
    pub(super) fn advance(&mut self) -> Option<C> {
        let mut furthest = None;
        while let Some(Entry::Row { done: true } | Entry::Checkpoint(_)) = self.waiting.front() {
            if let Some(Entry::Checkpoint(checkpoint)) = self.waiting.pop_front() {
                furthest = Some(checkpoint);
            }
            self.first += 1;
        }
        furthest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy as _};

    use super::*;

    #[test]
    fn a_checkpoint_waits_for_every_row_before_it() {
        let mut frontier = Frontier::new();
        let (a, b) = (frontier.begin(), frontier.begin());
        frontier.checkpoint("after two");
        let c = frontier.begin();
        frontier.checkpoint("after three");
        frontier.end(c);
        frontier.end(b);
        assert_eq!(frontier.advance(), None);
        frontier.end(a);
        assert_eq!(frontier.advance(), Some("after three"));
        assert_eq!(frontier.advance(), None);
    }

    proptest::proptest! {
        #[test]
        fn it_never_passes_a_row_in_flight(
            order in Just((0..50).collect::<Vec<usize>>()).prop_shuffle(),
        ) {
            let mut frontier = Frontier::new();
            let tickets: Vec<Ticket> = (0..50_usize).map(|row| {
                let ticket = frontier.begin();
                frontier.checkpoint(row + 1);
                ticket
            }).collect();
            let mut done = [false; 50];
            let mut passed = 0;
            for row in order {
                done[row] = true;
                frontier.end(tickets[row]);
                passed = frontier.advance().unwrap_or(passed);
                let gapless = done.iter().take_while(|done| **done).count();
                proptest::prop_assert_eq!(passed, gapless);
            }
        }
    }
}
