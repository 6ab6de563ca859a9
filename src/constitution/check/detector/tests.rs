//! Runs every detector over its tables of cases, and over arbitrary text.
//!
//! A table has one case a line. In a positive case every match stands in `⟦…⟧`, and nothing else may
//! be found; in a negative one nothing may be found at all. `⏎` stands for a line end, `¦` for
//! nothing (it keeps scanners from taking made-up secrets for real ones), `;;` begins a comment.

use proptest::prelude::*;

use super::*;

/// The fewest cases of either kind.
const FEWEST: usize = 30;

macro_rules! tables {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            let positive = include_str!(concat!("cases/", $name, ".positive.txt"));
            let negative = include_str!(concat!("cases/", $name, ".negative.txt"));
            check_tables($name, positive, negative);
        })*

        #[test]
        fn every_detector_has_tables() {
            assert_eq!([$($name),*], *names());
        }
    };
}

tables! {
    api_keys: "api-key",
    credit_cards: "credit-card",
    emails: "email",
    ibans: "iban",
    ipv4_addresses: "ipv4",
    ipv6_addresses: "ipv6",
    json_web_tokens: "jwt",
    mac_addresses: "mac-address",
    phones: "phone",
    private_keys: "private-key",
    urls: "url",
    social_security_numbers: "us-ssn",
}

fn check_tables(name: &str, positive: &str, negative: &str) {
    let detector = named(name).expect("the detector exists");
    let mut wrong = Vec::new();
    for (table, sign) in [(positive, '+'), (negative, '-')] {
        let cases = cases(table);
        assert!(cases.len() >= FEWEST, "only {} cases {sign}", cases.len());
        for (line, case) in cases {
            let (text, expected) = unmarked(&case);
            assert_eq!(expected.is_empty(), sign == '-', "{sign}{line}: {case}");
            let found = detector.find(&text);
            if found != expected {
                let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
                wrong.push(format!("{sign}{line}: {case}\n    found {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}\n{}", wrong.join("\n"));
}

/// The cases of a table, with their line numbers.
fn cases(table: &str) -> Vec<(usize, String)> {
    let lines = (1..).zip(table.lines());
    let cases = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(";;"));
    cases
        .map(|(number, line)| (number, line.replace('⏎', "\n").replace('¦', "")))
        .collect()
}

/// The text without its marks, and what they marked.
fn unmarked(case: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for (place, part) in case.split('⟦').enumerate() {
        let (inside, outside) = match place {
            0 => ("", part),
            _ => part.split_once('⟧').expect("a mark is closed"),
        };
        if place > 0 {
            ranges.push(text.len()..text.len() + inside.len());
        }
        text.push_str(inside);
        text.push_str(outside);
    }
    (text, ranges)
}

#[test]
fn names_are_sorted_and_found() {
    assert!(names().is_sorted());
    for name in names() {
        assert!(named(name).is_some_and(|detector| !detector.what().is_empty()));
    }
    assert!(named("telepathy").is_none());
    for (wrong, right) in [
        ("e-mail", Some("email")),
        ("API_KEY", Some("api-key")),
        ("creditcard", Some("credit-card")),
        ("ssn", Some("us-ssn")),
        ("telepathy", None),
    ] {
        assert_eq!(nearest(wrong), right, "{wrong}");
    }
}

/// Pieces of which detectors are fond, in any order, among anything else.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[0-9]{1,6}",
        3 => "[-+.:/@#() ,_\u{a0}\u{2011}]{1,2}",
        1 => "[a-zA-Z]{1,8}",
        1 => "\\PC{0,4}",
        1 => prop::sample::select(vec![
            "call", "SSN", "order", "no.", "DE", "GB29", "eyJ", "sk-", "://", "http", "www.", "::",
            "fe80", "token:", "-----BEGIN ", "PRIVATE KEY-----", "-----END ", "ext", "@", "版", "é",
            "ada@example.org", "4111 1111 1111 1111", "192.168.0.1", "415-555-0134", "\n",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn ranges_are_sorted_apart_and_whole(text in text()) {
        for name in names() {
            let found = named(name).expect("the detector exists").find(&text);
            let mut end = 0;
            for range in found {
                prop_assert!(range.start >= end && range.start < range.end, "{name}: {text}");
                prop_assert!(text.get(range.clone()).is_some(), "{name}: {text}");
                end = range.end;
            }
        }
    }
}

#[test]
fn a_number_that_reaches_into_the_next_one_is_no_surprise() {
    for text in [
        "415-555-0134x 4111 1111 1111 1111",
        "415-555-0134 x 415-555-0134 x 9",
    ] {
        for name in names() {
            let ranges = named(name).expect("the detector exists").find(text);
            assert!(ranges.iter().all(|range| text.get(range.clone()).is_some()));
        }
    }
}

/// What detectors begin or end with, or look around for.
const PIECES: [&str; 40] = [
    "@",
    "a@b.cc",
    ".",
    "-",
    "0",
    "1:",
    " ",
    "12 ",
    "123 ",
    "1234 ",
    "(1",
    ")",
    "/",
    "://",
    "https://a",
    "www.",
    "_key_",
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "password=",
    "token: ",
    "sk-",
    "+1 ",
    "é",
    "0f",
    "DE12 ",
    "ssn ",
    "\n",
    "\"",
    "a",
    "A",
    "1.2.3.4",
    "::1",
    "fe80::",
    "%",
    "fe80::1%",
    "=",
    "4111 1111 1111 1111 ",
    "415-555-0134",
    " ext 415",
];

#[test]
fn what_stands_close_together_is_found_apart() {
    for (one, other) in PIECES
        .iter()
        .flat_map(|one| PIECES.map(|other| (one, other)))
    {
        let text = format!("{one}{other}").repeat(6);
        for name in names() {
            let mut end = 0;
            for range in named(name).expect("the detector exists").find(&text) {
                assert!(range.start >= end, "{name}: {text:?} {range:?}");
                end = range.end;
            }
        }
    }
}
