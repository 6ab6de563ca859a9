//! How many calls run at once: found out, or pinned.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// How many calls to one endpoint run at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as the server turns out to be good for.
    #[default]
    Auto,
    /// So many.
    Fixed(usize),
}

/// Text that is no [`Concurrency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the concurrency is `auto` or a whole number from 1")]
pub struct NoConcurrency;

impl FromStr for Concurrency {
    type Err = NoConcurrency;

    fn from_str(text: &str) -> Result<Self, NoConcurrency> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            number => match number.parse() {
                Ok(0) | Err(_) => Err(NoConcurrency),
                Ok(number) => Ok(Self::Fixed(number)),
            },
        }
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Fixed(number) => number.fmt(formatter),
        }
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Concurrency;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`auto` or a whole number from 1")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Concurrency, E> {
                match usize::try_from(number) {
                    Ok(0) | Err(_) => Err(E::custom(NoConcurrency)),
                    Ok(number) => Ok(Concurrency::Fixed(number)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Concurrency, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_pins_it_and_nothing_else_is_taken() {
        assert_eq!("auto".parse(), Ok(Concurrency::Auto));
        assert_eq!("12".parse(), Ok(Concurrency::Fixed(12)));
        for wrong in ["", "0", "-1", "many", "1.5"] {
            assert_eq!(wrong.parse::<Concurrency>(), Err(NoConcurrency), "{wrong}");
        }
        let read = |text| serde_yaml::from_str::<Concurrency>(text);
        assert_eq!(read("auto").ok(), Some(Concurrency::Auto));
        assert_eq!(read("8").ok(), Some(Concurrency::Fixed(8)));
        assert!(read("0").is_err() && read("[1]").is_err());
    }
}
