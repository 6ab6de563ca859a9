//! What became of the answers of a run: rounds, lengths, distances, refusals.

use maud::{Markup, html};

use crate::audit::REFUSAL_RULE;
use crate::store::index::{Kind, Tallies};
use crate::transcript::Outcome;
use crate::web::chart;
use crate::web::number::{percent, thousands};

/// Rounds to compliance, change of length, distance, refusals.
pub(super) fn section(tallies: &Tallies) -> Markup {
    html! {
        section {
            h2 { "Rounds to compliance" }
            (rounds(tallies))
        }
        section.pair {
            div {
                h2 { "Change of length" }
                (length(tallies))
            }
            div {
                h2 { "Distance from the draft" }
                (distance(tallies))
            }
        }
        section {
            h2 { "Refusals" }
            (refusals(tallies))
        }
    }
}

fn rounds(tallies: &Tallies) -> Markup {
    let total = tallies.transcripts();
    let compliant = tallies.ended(Outcome::Compliant);
    let mut rows: Vec<(String, u64)> = tallies
        .all(Kind::Settled)
        .map(|(round, count)| {
            let name = match round {
                0 => "the draft was".to_owned(),
                1 => "after 1 revision".to_owned(),
                _ => format!("after revision {round}"),
            };
            (name, count)
        })
        .collect();
    rows.push(("not known to be".to_owned(), total - compliant));
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    html! {
        p.soft { "Which text of a record was the first that no principle objected to." }
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "compliant" }
                    th scope="col" { "records" }
                    th.number scope="col" { "share" }
                } }
                tbody {
                    @for (place, (name, count)) in rows.iter().enumerate() {
                        @let class = if place + 1 == rows.len() { "unresolved" } else { "compliant" };
                        tr {
                            th scope="row" { (name) }
                            td.with-bar {
                                (chart::count_bar(class, *count, most))
                                span { strong { (thousands(*count)) } }
                            }
                            td.number { (percent(*count, total)) }
                        }
                    }
                }
            }
        }
    }
}

fn length(tallies: &Tallies) -> Markup {
    let counts: Vec<(String, u64)> = (-10..=10)
        .map(|step: i64| (length_name(step), tallies.count(Kind::Length, step)))
        .collect();
    let measured: u64 = counts.iter().map(|(_, count)| count).sum();
    html! {
        p.soft { "How much longer the final answer is than the draft, in characters." }
        @if measured == 0 { p { "There is no answer to measure." } }
        @else {
            (without_the_unchanged(&counts, 10, "kept their length"))
            (chart::numbers("longer by", &counts))
        }
    }
}

fn length_name(step: i64) -> String {
    match step {
        0 => "same length".to_owned(),
        10 => "over +90 %".to_owned(),
        1.. => format!("+{} to +{} %", step * 10 - 10, step * 10),
        -10 => "under −90 %".to_owned(),
        _ => format!("−{} to −{} %", -step * 10, -step * 10 - 10),
    }
}

fn distance(tallies: &Tallies) -> Markup {
    let counts: Vec<(String, u64)> = (0..=20)
        .map(|step: i64| {
            let name = match step {
                0 => "unchanged".to_owned(),
                _ => format!("{} to {} %", step * 5 - 5, step * 5),
            };
            (name, tallies.count(Kind::Distance, step))
        })
        .collect();
    let measured: u64 = counts.iter().map(|(_, count)| count).sum();
    html! {
        p.soft { "Of the words of draft and final answer, how many only one of them has." }
        @if measured == 0 { p { "There is no answer to measure." } }
        @else {
            (without_the_unchanged(&counts, 0, "are unchanged"))
            (chart::numbers("words changed", &counts))
        }
    }
}

/// Columns for the answers that changed; those that did not would dwarf them, and are told in words.
fn without_the_unchanged(counts: &[(String, u64)], unchanged: usize, words: &str) -> Markup {
    let shown: Vec<(String, u64)> = counts
        .iter()
        .enumerate()
        .map(|(place, (name, count))| (name.clone(), if place == unchanged { 0 } else { *count }))
        .collect();
    // Without its step of nothing, a scale that begins there begins with the next.
    let shown = if unchanged == 0 {
        &shown[1..]
    } else {
        &shown[..]
    };
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    html! {
        p { strong { (thousands(counts[unchanged].1)) } " of " (thousands(all)) " " (words) "." }
        @if shown.iter().any(|(_, count)| *count > 0) { (chart::columns(shown)) }
    }
}

fn refusals(tallies: &Tallies) -> Markup {
    let count = |before: bool, after: bool| {
        tallies.count(Kind::Refused, i64::from(before) * 2 + i64::from(after))
    };
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "draft ↓ final answer →" }
                    th.number scope="col" { "refuses" }
                    th.number scope="col" { "answers" }
                } }
                tbody {
                    @for (name, before) in [("refuses", true), ("answers", false)] {
                        tr {
                            th scope="row" { (name) }
                            td.number { (thousands(count(before, true))) }
                            td.number { (thousands(count(before, false))) }
                        }
                    }
                }
            }
        }
        p.soft { (REFUSAL_RULE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_length_have_names() {
        let told: Vec<String> = [-10, -9, -1, 0, 1, 9, 10].map(length_name).into();
        assert_eq!(
            told,
            [
                "under −90 %",
                "−90 to −80 %",
                "−10 to −0 %",
                "same length",
                "+0 to +10 %",
                "+80 to +90 %",
                "over +90 %"
            ]
        );
    }
}
