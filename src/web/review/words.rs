//! Reviews and standings as pages tell them.

use maud::{Markup, html};

use crate::review::{Decision, JudgedText, PersonVerdict, Review, Standing};
use crate::transcript::Held;
use crate::web::number::moment;
use crate::web::{fold, visible};

/// How a record stands, set apart by its colour.
pub(in crate::web) fn standing(standing: &Standing) -> Markup {
    let class = match standing {
        Standing::Waiting { .. } => "held",
        Standing::Disputed => "unresolved",
        Standing::Decided(Decision::Approve | Decision::Choose { .. }) => "compliant",
        Standing::Decided(Decision::Edit { .. }) => "revised",
        Standing::Decided(Decision::Reject) => "failed",
    };
    html! {
        span class={ "badge " (class) } {
            (standing.as_str())
            @if let Standing::Waiting { have, need } = standing {
                @if *need > 1 { ", " (have) " of " (need) }
            }
        }
    }
}

/// What was decided, to follow on a name.
pub(in crate::web) fn decided(decision: &Decision) -> String {
    match decision {
        Decision::Approve => "approved the final answer".to_owned(),
        Decision::Choose { round: 0 } => "chose the draft".to_owned(),
        Decision::Choose { round } => format!("chose the revision of round {round}"),
        Decision::Edit { .. } => "wrote another answer".to_owned(),
        Decision::Reject => "rejected every text".to_owned(),
    }
}

/// Why a record waits.
pub(in crate::web) fn reasons(held: &Held) -> String {
    let reasons: Vec<String> = held.reasons.iter().map(ToString::to_string).collect();
    reasons.join(", ")
}

/// Which text was judged.
pub(in crate::web) fn text_name(text: JudgedText) -> &'static str {
    match text {
        JudgedText::Draft => "draft",
        JudgedText::Final => "final answer",
    }
}

/// One person's review.
pub(in crate::web) fn review(review: &Review) -> Markup {
    html! {
        article.person {
            div.row-head {
                strong { (visible::text(&review.author)) }
                span { (decided(&review.decision)) }
                @if review.adjudicates { span.badge.revised { "settles it" } }
                span.soft { (visible::text(&moment(&review.at))) }
            }
            @if let Decision::Edit { text } = &review.decision {
                div.text dir="auto" { (fold::text(text)) }
            }
            @if !review.note.is_empty() {
                p.text dir="auto" { (fold::text(&review.note)) }
            }
            @if !review.verdicts.is_empty() { (verdicts(review)) }
        }
    }
}

fn verdicts(review: &Review) -> Markup {
    let blind = if review.blind {
        "judged before the findings were seen"
    } else {
        "judged with the findings in view"
    };
    html! {
        details.quiet {
            summary { (review.verdicts.len()) " verdicts, " (blind) }
            ul {
                @for PersonVerdict { text, principle, violates } in &review.verdicts {
                    li {
                        (visible::text(principle)) " "
                        span.soft {
                            @if *violates { "violated" } @else { "kept" }
                            " by the " (text_name(*text))
                        }
                    }
                }
            }
        }
    }
}
