//! Pictures of counts: SVG without text, so that it can be as wide as there is room, beside or above
//! numbers in HTML.

use maud::{Markup, html};

use super::number::{share, thousands};
use crate::audit::wilson;
use crate::transcript::Outcome;

use super::layout::outcome_class;

/// A coordinate.
fn at(value: f64) -> String {
    format!("{value:.2}")
}

/// A share as a bar, with the 95 % interval as a whisker across its end.
pub(super) fn share_bar(class: &str, part: u64, whole: u64) -> Markup {
    let bar = 100.0 * share(part, whole);
    let interval = wilson(part, whole);
    let (low, high) = (100.0 * interval.low, 100.0 * interval.high);
    html! {
        svg.bar viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track x="0" y="0" width="100" height="12" {}
            rect class=(class) x="0" y="0" width=(at(bar)) height="12" {}
            @if whole > 0 {
                rect.whisker x=(at(low)) y="5" width=(at((high - low).max(0.3))) height="2" {}
            }
        }
    }
}

/// A count as a bar beside others, of which `most` is the longest.
pub(super) fn count_bar(class: &str, count: u64, most: u64) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track x="0" y="0" width="100" height="12" {}
            rect class=(class) x="0" y="0" width=(at(100.0 * share(count, most))) height="12" {}
        }
    }
}

/// Outcomes as parts of one bar.
pub(super) fn outcomes(counts: &[(Outcome, u64)]) -> Markup {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut parts = Vec::new();
    let mut x = 0.0;
    for (outcome, count) in counts.iter().filter(|(_, count)| *count > 0) {
        let width = 100.0 * share(*count, total);
        parts.push((*outcome, *count, x, width));
        x += width;
    }
    html! {
        svg.outcomes viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track x="0" y="0" width="100" height="12" {}
            @for (outcome, count, x, width) in parts {
                rect class=(outcome_class(outcome)) x=(at(x)) y="0" width=(at(width)) height="12" {
                    title { (outcome) ": " (thousands(count)) }
                }
            }
        }
    }
}

/// Counts of neighbouring steps as columns, above the names of the first, the middle and the last.
pub(super) fn columns(counts: &[(String, u64)]) -> Markup {
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let middle = counts.len() / 2;
    let name = |place: usize| counts.get(place).map_or("", |(name, _)| name.as_str());
    html! {
        div.columns {
            span.most { (thousands(most)) }
            svg viewBox={ "0 0 " (counts.len() * 10) " 100" } preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                @for (place, (name, count)) in counts.iter().enumerate() {
                    @let height = 100.0 * share(*count, most);
                    // Something is to be seen of what there is one of.
                    @let height = if *count > 0 { height.max(1.5) } else { 0.0 };
                    rect.column x=(place * 10 + 1) y=(at(100.0 - height)) width="8" height=(at(height)) {
                        title { (name) ": " (thousands(*count)) }
                    }
                }
            }
            div.axis {
                span { (name(0)) }
                @if counts.len() > 2 { span { (name(middle)) } }
                @if counts.len() > 1 { span { (name(counts.len() - 1)) } }
            }
        }
    }
}

/// A table of counts that stands below their picture, folded away.
pub(super) fn numbers(heading: &str, counts: &[(String, u64)]) -> Markup {
    html! {
        details.numbers {
            summary { "The numbers" }
            table {
                thead { tr { th scope="col" { (heading) } th.number scope="col" { "records" } } }
                tbody {
                    @for (name, count) in counts {
                        tr { th scope="row" { (name) } td.number { (thousands(*count)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        let bar = share_bar("violated", 1, 4).into_string();
        assert!(
            bar.contains("class=\"violated\" x=\"0\" y=\"0\" width=\"25.00\""),
            "{bar}"
        );
        // Wilson's interval of 1 in 4 is 4.6 % to 69.9 %.
        assert!(bar.contains("x=\"4.56\" y=\"5\" width=\"65.38\""), "{bar}");
        assert!(
            !share_bar("violated", 0, 0)
                .into_string()
                .contains("whisker")
        );
        let parts = outcomes(&[(Outcome::Compliant, 3), (Outcome::Failed, 1)]).into_string();
        assert!(
            parts.contains("class=\"failed\" x=\"75.00\" y=\"0\" width=\"25.00\""),
            "{parts}"
        );
    }

    #[test]
    fn columns_are_as_high_as_their_count() {
        let counts = [("a", 10), ("b", 5), ("c", 0)].map(|(name, count)| (name.to_owned(), count));
        let picture = columns(&counts).into_string();
        assert!(
            picture.contains("x=\"11\" y=\"50.00\" width=\"8\" height=\"50.00\""),
            "{picture}"
        );
        assert!(picture.contains("height=\"0.00\""));
    }
}
