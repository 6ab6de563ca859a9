//! The country codes in use.

/// Second digits of the codes of three digits, by their first.
const LONG: [(u8, &[u8]); 8] = [
    (b'2', b"1234569"),
    (b'3', b"578"),
    (b'4', b"2"),
    (b'5', b"09"),
    (b'6', b"789"),
    (b'8', b"0578"),
    (b'9', b"679"),
    (b'7', b""),
];

/// Second digits of the codes of two digits, by their first.
const SHORT: [(u8, &[u8]); 7] = [
    (b'2', b"07"),
    (b'3', b"0123469"),
    (b'4', b"013456789"),
    (b'5', b"12345678"),
    (b'6', b"0123456"),
    (b'8', b"1246"),
    (b'9', b"0123458"),
];

/// The length of the country code that these digits begin with.
pub(super) fn code_length(digits: &[u8]) -> Option<usize> {
    let (&first, rest) = digits.split_first()?;
    let second = rest.first()?;
    let knows = |list: &[(u8, &[u8])]| {
        list.iter()
            .any(|(digit, seconds)| *digit == first && seconds.contains(second))
    };
    match first {
        b'1' | b'7' => Some(1),
        _ if knows(&SHORT) => Some(2),
        _ if knows(&LONG) && rest.len() > 1 => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_lengths() {
        for (digits, length) in [
            ("14155550134", 1),
            ("4930123", 2),
            ("353861", 3),
            ("7912", 1),
        ] {
            assert_eq!(code_length(digits.as_bytes()), Some(length), "{digits}");
        }
        for digits in ["", "4", "0030", "28123", "999"] {
            let known = code_length(digits.as_bytes());
            assert_eq!(known, (digits == "999").then_some(3), "{digits}");
        }
    }
}
