//! A text with the quotes of its findings highlighted in place.

use std::ops::Range;

use maud::{Markup, html};

use super::findings::number;
use crate::round::locate_quote;
use crate::transcript::{Finding, Verdict};
use crate::web::{fold, visible};

/// So many quotes are looked for in one text.
const QUOTES: usize = 400;
/// A text longer than this is folded.
const LONGEST: usize = 6_000;
/// So much of a folded text is shown before the fold.
const SHOWN: usize = 2_500;
/// A fold is open when it holds quotes, unless it is longer than this.
const OPEN: usize = 100_000;

/// A quote of a finding: the finding's number in its round, and where the quote stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) finding: usize,
    pub(super) place: Range<usize>,
}

/// Where the evidence of the violations among the findings stands in the text. A quote that is given
/// twice is found twice, if it is there twice.
pub(super) fn quotes(text: &str, findings: &[Finding]) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    for (finding, found) in findings.iter().enumerate() {
        if found.verdict != Verdict::Violates {
            continue;
        }
        let mut said: Vec<(&str, usize)> = Vec::new();
        for evidence in &found.evidence {
            if quotes.len() == QUOTES {
                return quotes;
            }
            let from = said
                .iter()
                .rev()
                .find(|(quote, _)| quote == evidence)
                .map_or(0, |(_, end)| *end);
            let place = locate_quote(&text[from..], evidence)
                .map(|place| from + place.start..from + place.end);
            if let Some(place) = place {
                said.push((evidence, place.end));
                quotes.push(Quote { finding, place });
            }
        }
    }
    quotes
}

/// The text with its quotes, each with the number of its finding, which it leads to.
pub(super) fn text(round: u32, text: &str, quotes: &[Quote], findings: &[Finding]) -> Markup {
    let (head, rest) = fold::split(text, LONGEST, SHOWN);
    let has_quotes = quotes.iter().any(|quote| quote.place.end > head.len());
    let pieces = |range: Range<usize>| {
        html! { @for piece in pieces(quotes, range) { (show(round, text, &piece, findings)) } }
    };
    html! {
        (pieces(0..head.len()))
        @if !rest.is_empty() {
            (fold::folded(rest, has_quotes && rest.len() <= OPEN, &pieces(head.len()..text.len())))
        }
    }
}

/// A part of the text that the same findings quote.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    place: Range<usize>,
    findings: Vec<usize>,
    /// The findings whose quote ends here.
    ends: Vec<usize>,
}

fn pieces(quotes: &[Quote], range: Range<usize>) -> Vec<Piece> {
    let mut edges: Vec<usize> = quotes
        .iter()
        .flat_map(|quote| [quote.place.start, quote.place.end])
        .filter(|edge| range.contains(edge))
        .chain([range.start, range.end])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
        .windows(2)
        .map(|edge| {
            let place = edge[0]..edge[1];
            let over =
                |quote: &&Quote| quote.place.start <= place.start && quote.place.end >= place.end;
            let numbers = |ends: bool| {
                let mut numbers: Vec<usize> = quotes
                    .iter()
                    .filter(over)
                    .filter(|quote| !ends || quote.place.end == place.end)
                    .map(|quote| quote.finding)
                    .collect();
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            };
            Piece {
                findings: numbers(false),
                ends: numbers(true),
                place,
            }
        })
        .collect()
}

fn show(round: u32, text: &str, piece: &Piece, findings: &[Finding]) -> Markup {
    let shown = visible::text(&text[piece.place.clone()]);
    let gravest = piece
        .findings
        .iter()
        .filter_map(|finding| findings.get(*finding)?.severity)
        .max();
    let class = gravest.map_or("medium", |severity| severity.as_str());
    html! {
        @if piece.findings.is_empty() { (shown) }
        @else {
            mark class=(class) { (shown) }
            @for finding in &piece.ends {
                @let number = number(findings, *finding);
                a.note href={ "#r" (round) "-f" (number) } aria-label={ "finding " (number) } { (number) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::Severity;
    use crate::transcript::Assessor;

    fn finding(evidence: &[&str]) -> Finding {
        Finding {
            principle: "p".to_owned(),
            verdict: Verdict::Violates,
            evidence: evidence.iter().map(|quote| (*quote).to_owned()).collect(),
            explanation: String::new(),
            severity: Some(Severity::High),
            fix: None,
            by: Assessor::Checks,
        }
    }

    fn told(said: &str, findings: &[Finding]) -> String {
        text(1, said, &quotes(said, findings), findings).into_string()
    }

    #[test]
    fn quotes_are_marked_where_they_stand() {
        let findings = [
            finding(&["ann@x.org", "ann@x.org"]),
            finding(&["gone", "to ann@x.org or"]),
        ];
        let said = "Write to ann@x.org or ann@x.org <b>.";
        let quotes = quotes(said, &findings);
        let places: Vec<(usize, &str)> = quotes
            .iter()
            .map(|quote| (quote.finding, &said[quote.place.clone()]))
            .collect();
        assert_eq!(
            places,
            [(0, "ann@x.org"), (0, "ann@x.org"), (1, "to ann@x.org or")]
        );
        assert_eq!(quotes[1].place.start, 22);
        let page = told(said, &findings);
        assert_eq!(page.matches("<mark").count(), 4, "{page}");
        assert_eq!(page.matches("href=\"#r1-f1\"").count(), 2);
        assert_eq!(page.matches("href=\"#r1-f2\"").count(), 1);
        assert!(page.contains("&lt;b&gt;"));
    }

    #[test]
    fn no_text_is_lost_between_quotes() {
        let findings = [finding(&["b c", "c d", "é"])];
        let page = told("a b c d é\u{202e}e", &findings);
        let mut bare = String::new();
        let mut in_tag = false;
        for c in page.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                c if !in_tag => bare.push(c),
                _ => {}
            }
        }
        assert_eq!(bare, "a b c1 d1 é1U+202Ee");
    }

    #[test]
    fn a_fold_with_a_quote_is_open() {
        let long = format!("{} secret", "word ".repeat(2000));
        assert!(told(&long, &[finding(&["secret"])]).contains("open"));
        assert!(!told(&long, &[finding(&["absent"])]).contains("open"));
    }
}
