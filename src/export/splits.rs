//! Which file a record goes to, by the digest of its content alone.

use std::str::FromStr;

use crate::digest::Digest;

/// How far from 1 the sum of the shares may be.
const TOLERANCE: f64 = 1e-6;

/// Named shares of the records. A record's share depends on its content alone: every run and every
/// format puts it into the same one.
#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    names: Vec<String>,
    /// Where each share ends, from 0 to 1.
    ends: Vec<f64>,
}

/// The shares cannot be read.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SplitsError {
    /// A part is not `NAME=SHARE`.
    #[error("{part:?} is no split; write NAME=SHARE, as in train=0.9,test=0.1")]
    Form {
        /// What was given.
        part: String,
    },
    /// A name does not do as the name of a file.
    #[error("{name:?} cannot name a split; use letters, digits, - and _")]
    Name {
        /// What was given.
        name: String,
    },
    /// A name is there twice.
    #[error("the split {name:?} is there twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// The shares are not 1 together.
    #[error("the shares of the splits are {sum} together; they must be 1")]
    Sum {
        /// What they are.
        sum: f64,
    },
}

impl Splits {
    /// All records in one split of that name.
    #[must_use]
    pub fn one(name: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            ends: vec![1.0],
        }
    }

    /// The names, in the order in which they were given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Which split a record with this content goes to.
    #[must_use]
    pub fn place(&self, content: Digest) -> usize {
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are plenty to spread records by"
        )]
        let at = (content.number() >> 11) as f64 / (1_u64 << 53) as f64;
        let place = self.ends.iter().position(|end| at < *end);
        place.unwrap_or(self.ends.len() - 1)
    }
}

impl FromStr for Splits {
    type Err = SplitsError;

    fn from_str(text: &str) -> Result<Self, SplitsError> {
        let (mut names, mut ends, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for part in text.split(',') {
            let (name, share) = read(part)?;
            if names.contains(&name) {
                return Err(SplitsError::Twice { name });
            }
            sum += share;
            names.push(name);
            ends.push(sum);
        }
        if (sum - 1.0).abs() > TOLERANCE {
            return Err(SplitsError::Sum { sum });
        }
        Ok(Self { names, ends })
    }
}

fn read(part: &str) -> Result<(String, f64), SplitsError> {
    let form = || SplitsError::Form {
        part: part.to_owned(),
    };
    let (name, share) = part.split_once('=').ok_or_else(form)?;
    let name = name.trim();
    let share: f64 = share.trim().parse().map_err(|_| form())?;
    if !(share > 0.0 && share <= 1.0) {
        return Err(form());
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        let name = name.to_owned();
        return Err(SplitsError::Name { name });
    }
    Ok((name.to_owned(), share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_split_for_good_and_shares_are_kept() {
        let splits: Splits = "train=0.8, dev=0.1,test=0.1".parse().unwrap();
        assert_eq!(splits.names(), ["train", "dev", "test"]);
        let mut counts = [0_u32; 3];
        for number in 0..10_000 {
            let content = Digest::of(format!("record {number}").as_bytes());
            assert_eq!(splits.place(content), splits.place(content));
            counts[splits.place(content)] += 1;
        }
        assert!((7_850..8_150).contains(&counts[0]), "{counts:?}");
        assert!((880..1_120).contains(&counts[1]), "{counts:?}");
        assert!((880..1_120).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn the_ends_of_the_digests_have_a_place() {
        let splits: Splits = "a=0.5,b=0.5".parse().unwrap();
        assert_eq!(splits.place(Digest::from_bytes([0; 16])), 0);
        assert_eq!(splits.place(Digest::from_bytes([0xff; 16])), 1);
    }

    #[test]
    fn wrong_shares_are_named() {
        let error = |text: &str| text.parse::<Splits>().unwrap_err();
        assert_eq!(
            error("train"),
            SplitsError::Form {
                part: "train".to_owned()
            }
        );
        for part in ["a=0", "a=-1", "a=2", "a=x", "a=nan"] {
            let part = part.to_owned();
            assert_eq!(error(&part), SplitsError::Form { part });
        }
        let name = "../x".to_owned();
        assert_eq!(error("../x=1"), SplitsError::Name { name });
        let name = "a".to_owned();
        assert_eq!(error("a=0.5,a=0.5"), SplitsError::Twice { name });
        assert!(matches!(error("a=0.5,b=0.4"), SplitsError::Sum { .. }));
    }
}
