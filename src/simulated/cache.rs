//! The prefix cache: which blocks of a conversation's beginning were seen lately.

use std::collections::{HashMap, VecDeque};

use super::mix::hash;

/// How many characters make a block.
const BLOCK: usize = 256;

/// The blocks seen last, each named by all that came before it, too.
#[derive(Debug, Default)]
pub(super) struct PrefixCache {
    size: usize,
    clock: u64,
    last_use: HashMap<u64, u64>,
    uses: VecDeque<(u64, u64)>,
}

impl PrefixCache {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// How many characters at the beginning of `text` are known; from now on all its blocks are.
    pub(super) fn look_up(&mut self, text: &[u8]) -> usize {
        if self.size == 0 {
            return 0;
        }
        let (mut name, mut known, mut hits) = (0, true, 0);
        for block in text.chunks_exact(BLOCK) {
            name = hash(name, block);
            known = known && self.last_use.contains_key(&name);
            hits += usize::from(known);
            self.note(name);
        }
        self.shrink();
        hits * BLOCK
    }

    fn note(&mut self, name: u64) {
        self.clock += 1;
        self.last_use.insert(name, self.clock);
        self.uses.push_back((name, self.clock));
    }

    /// Forgets what was used longest ago; a use that a later one has overtaken says nothing.
    fn shrink(&mut self) {
        while self.last_use.len() > self.size || self.uses.len() > 4 * self.size {
            let Some((name, when)) = self.uses.pop_front() else {
                return;
            };
            if self.last_use.get(&name) != Some(&when) {
                continue;
            }
            if self.last_use.len() > self.size {
                self.last_use.remove(&name);
            } else {
                self.uses.push_back((name, when));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(blocks: &str) -> Vec<u8> {
        blocks.bytes().flat_map(|letter| [letter; BLOCK]).collect()
    }

    #[test]
    fn a_beginning_is_known_up_to_where_it_differs() {
        let mut cache = PrefixCache::new(16);
        assert_eq!(cache.look_up(&text("abcd")), 0);
        assert_eq!(cache.look_up(&text("abxd")), 2 * BLOCK);
        assert_eq!(cache.look_up(&text("bcd")), 0);
    }

    #[test]
    fn what_was_used_longest_ago_is_forgotten() {
        let mut cache = PrefixCache::new(2);
        cache.look_up(&text("a"));
        cache.look_up(&text("b"));
        assert_eq!(cache.look_up(&text("a")), BLOCK);
        cache.look_up(&text("c"));
        assert_eq!(cache.look_up(&text("a")), BLOCK);
        assert_eq!(cache.look_up(&text("b")), 0);
    }

    #[test]
    fn many_uses_of_a_few_blocks_take_no_room() {
        let mut cache = PrefixCache::new(4);
        for _ in 0..1_000 {
            cache.look_up(&text("abc"));
        }
        assert!(cache.uses.len() <= 16, "{}", cache.uses.len());
        assert_eq!(cache.look_up(&text("abc")), 3 * BLOCK);
    }
}
