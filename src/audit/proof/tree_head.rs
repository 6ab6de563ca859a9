//! The text of a checkpoint (C2SP tlog-checkpoint): which tree, how large, with which root.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::merkle::Hash;

/// What stands before the time in its line.
const TIME: &str = "time ";

/// What the origin of every tree of ours begins with.
const ORIGIN: &str = "redraft-store/";

/// The text is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no checkpoint: {0}")]
pub struct TreeHeadError(&'static str);

/// A tree at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TreeHead {
    /// Which tree.
    pub origin: String,
    /// How many leaves it had.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// When, as its maker's clock said; RFC 3339 in UTC.
    pub time: Option<String>,
}

impl TreeHead {
    /// The origin of the tree of the store with that id.
    #[must_use]
    pub fn origin_of(id: &str) -> String {
        format!("{ORIGIN}{id}")
    }
}

impl fmt::Display for TreeHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.as_bytes());
        write!(formatter, "{}\n{}\n{root}\n", self.origin, self.size)?;
        match &self.time {
            Some(time) => writeln!(formatter, "{TIME}{time}"),
            None => Ok(()),
        }
    }
}

impl FromStr for TreeHead {
    type Err = TreeHeadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut lines = text.lines();
        let origin = lines.next().filter(|origin| !origin.is_empty());
        let size = lines.next().filter(|size| {
            size.bytes().all(|byte| byte.is_ascii_digit())
                && (*size == "0" || !size.starts_with('0'))
        });
        let root = lines.next().and_then(|root| STANDARD.decode(root).ok());
        Ok(Self {
            origin: origin.ok_or(TreeHeadError("it has no origin"))?.to_owned(),
            size: size
                .and_then(|size| size.parse().ok())
                .ok_or(TreeHeadError("its second line is no size"))?,
            root: root
                .and_then(|root| root.try_into().ok())
                .map(Hash::from_bytes)
                .ok_or(TreeHeadError("its third line is no root in base64"))?,
            time: lines
                .find_map(|line| line.strip_prefix(TIME))
                .map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_survives_its_text_form() {
        for time in [None, Some("2026-01-02T03:04:05Z".to_owned())] {
            let head = TreeHead {
                origin: TreeHead::origin_of("0a"),
                size: 20_852_163,
                root: Hash::of_nothing(),
                time,
            };
            assert_eq!(head.to_string().parse(), Ok(head));
        }
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text = "example.com/behind-the-sofa\n20852163\n\
                    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let head: TreeHead = text.parse().unwrap();
        assert_eq!(
            (head.origin.as_str(), head.size),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(head.to_string(), text);
        for bad in ["", "o\n", "o\n01\n", "o\n1\nAAAA\n", "\n1\nx\n"] {
            assert!(bad.parse::<TreeHead>().is_err(), "{bad:?}");
        }
    }
}
