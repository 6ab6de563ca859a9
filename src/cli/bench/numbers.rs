//! Numbers that a measurement can be made with.

use std::str::FromStr;

/// A whole number from 1.
pub(super) fn from_one<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    match text.parse::<N>() {
        Ok(number) if number >= N::from(1) => Ok(number),
        _ => Err("it is a whole number from 1".to_owned()),
    }
}

/// A number from 0.
pub(super) fn from_zero(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("it is a number from 0".to_owned()),
    }
}

/// A number from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("it is a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(from_one::<usize>("1"), Ok(1));
        assert_eq!(from_zero("2.5"), Ok(2.5));
        assert_eq!((share("0"), share("1")), (Ok(0.0), Ok(1.0)));
        for wrong in ["0", "-1", "1.5", "", "many"] {
            assert!(from_one::<u32>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["-1", "nan", "inf", "", "2x"] {
            assert!(from_zero(wrong).is_err(), "{wrong}");
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert!(share("2").is_err());
    }
}
