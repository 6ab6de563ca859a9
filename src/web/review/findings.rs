//! The second step of a review: what was found and changed, and the decision.

use maud::{Markup, html};

use super::item::Item;
use super::words;
use super::words::text_name;
use crate::review::{PersonVerdict, Standing, finding_on};
use crate::transcript::{Assessor, Finding, Transcript, Verdict};
use crate::web::access::Visitor;
use crate::web::{fold, transcript, visible};

/// The texts with their findings, what this person said before they saw them, and the decision.
pub(super) fn page(item: &Item, visitor: &Visitor, verdicts: &[PersonVerdict]) -> Markup {
    let told = &item.waiting.transcript;
    let is_disputed = item.waiting.standing == Standing::Disputed;
    html! {
        p.lead {
            "Step 2 of 2: what was found and changed, and "
            a href="#decision" { "your decision" } "."
            @if let Some(held) = &told.held {
                " It was left to people: " (words::reasons(held)) "."
            }
        }
        (transcript::story(told))
        @if !verdicts.is_empty() { (compared(told, verdicts)) }
        @if is_disputed {
            section {
                h2 { "What others decided" }
                @for review in &item.others { (words::review(review)) }
            }
        }
        section #decision {
            h2 { "Your decision" }
            form method="post" action=(item.act("decide")) {
                (item.fields(visitor))
                @if is_disputed { input type="hidden" name="adjudicate" value="yes"; }
                @if verdicts.is_empty() && !item.questions.is_empty() {
                    details.quiet {
                        summary { "Say of each principle what you find (it counts as judged with the findings in view)" }
                        (item.questions.fields())
                    }
                }
                (decisions(told))
                div.field {
                    label for="note" { "Note " kbd { "m" } }
                    textarea #note name="note" rows="2" data-key="m" {}
                }
                p.actions {
                    button type="submit" data-send {
                        @if is_disputed { "Settle it, and take the next" }
                        @else { "Decide, and take the next" }
                        " " kbd { "Enter" }
                    }
                }
            }
        }
        (item.give_back(visitor))
    }
}

/// What a person said, beside what was found on the same text.
fn compared(told: &Transcript, verdicts: &[PersonVerdict]) -> Markup {
    html! {
        section {
            h2 { "You and the critic" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "principle" }
                            th scope="col" { "text" }
                            th scope="col" { "you" }
                            th scope="col" { "found" }
                            th scope="col" { "" }
                        }
                    }
                    tbody { @for verdict in verdicts { (row(told, verdict)) } }
                }
            }
        }
    }
}

fn row(told: &Transcript, verdict: &PersonVerdict) -> Markup {
    let found = finding_on(told, verdict.text, &verdict.principle, |_| true);
    html! {
        tr {
            th scope="row" { (visible::text(&verdict.principle)) }
            td { (text_name(verdict.text)) }
            td { @if verdict.violates { "violates" } @else { "keeps" } }
            td {
                @if let Some(found) = found {
                    (found.verdict)
                    span.soft { @if found.by == Assessor::Checks { " by checks" } @else { " by the critic" } }
                } @else { "nothing" }
            }
            td { (agreement(found, verdict.violates)) }
        }
    }
}

fn agreement(found: Option<&Finding>, violates: bool) -> Markup {
    let critic = found.and_then(|found| match found.verdict {
        Verdict::Violates => Some(true),
        Verdict::Complies | Verdict::NotApplicable => Some(false),
        Verdict::Error => None,
    });
    html! {
        @match critic {
            Some(critic) if critic == violates => span.badge.compliant { "agree" },
            Some(_) => span.badge.unresolved { "differ" },
            None => {},
        }
    }
}

/// A text that can be chosen: its round, and what it is.
fn choices(told: &Transcript) -> Vec<(u32, String, &str)> {
    let last = told.final_answer.as_ref().map(|last| last.round);
    let draft = told.draft.iter();
    let draft = draft.map(|draft| (0, "the draft".to_owned(), draft.text.as_str()));
    let revisions = told.rounds.iter().filter_map(|round| {
        let name = format!("the revision of round {}", round.n);
        Some((round.n, name, round.revision.as_ref()?.text.as_str()))
    });
    draft
        .chain(revisions)
        .filter(|(round, ..)| Some(*round) != last)
        .collect()
}

fn decisions(told: &Transcript) -> Markup {
    let last = told.final_answer.as_ref();
    let prefilled = last.map(|last| last.text.as_str());
    let prefilled = prefilled.or(told.draft.as_ref().map(|draft| draft.text.as_str()));
    html! {
        fieldset.decisions {
            legend { "What becomes of this record" }
            @if last.is_some() {
                (choice("approve", "a", "Approve the final answer", None))
            }
            @for (round, name, text) in choices(told) {
                @let key = if round < 10 { round.to_string() } else { String::new() };
                (choice(&format!("choose-{round}"), &key, &format!("Choose {name}"), None))
                details.quiet { summary { "Read it" } div.text dir="auto" { (fold::text(text)) } }
            }
            (choice("edit", "e", "Write another answer", Some("text")))
            (editor(prefilled.unwrap_or_default()))
            (choice("reject", "x", "Reject every text", None))
        }
    }
}

fn choice(value: &str, key: &str, words: &str, leads_to: Option<&str>) -> Markup {
    html! {
        label.decision {
            input type="radio" name="decision" value=(value) required
                data-key=[(!key.is_empty()).then_some(key)] data-leads-to=[leads_to];
            (words)
            @if !key.is_empty() { " " kbd { (key) } }
        }
    }
}

/// Where another answer is written. Browsers take a first line that is empty for none.
fn editor(prefilled: &str) -> Markup {
    let has_hidden = visible::plain(prefilled) != prefilled;
    html! {
        div.field {
            label for="text" { "Your answer, if you write one" }
            textarea #text name="text" rows="6" dir="auto" { "\n" (visible::attribute(prefilled)) }
            @if has_hidden {
                p.soft { "It holds characters that show nothing of themselves; they are spelled out above." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{mended, worse};
    use crate::review::JudgedText;

    #[test]
    fn the_final_answer_is_approved_and_others_are_chosen() {
        let rounds = |told: &Transcript| -> Vec<u32> {
            choices(told).into_iter().map(|(round, ..)| round).collect()
        };
        assert_eq!(rounds(&mended()), [0]);
        assert_eq!(rounds(&worse()), [1], "the draft is the final answer");
        let mut none = worse();
        none.final_answer = None;
        assert_eq!(rounds(&none), [0, 1]);
        let page = decisions(&none).into_string();
        assert!(!page.contains("value=\"approve\""), "{page}");
    }

    #[test]
    fn an_editor_holds_the_text_and_no_markup_of_it() {
        let page = editor("\n</textarea><b>\u{202e}").into_string();
        assert!(
            page.contains(">\n\n&lt;/textarea&gt;&lt;b&gt;&#x202E;</textarea>"),
            "{page}"
        );
        assert!(page.contains("spelled out above"), "{page}");
    }

    #[test]
    fn a_person_and_the_critic_agree_or_differ() {
        let verdict = |text, violates| PersonVerdict {
            text,
            principle: "be-kind".to_owned(),
            violates,
        };
        let said = |text, violates| row(&mended(), &verdict(text, violates)).into_string();
        assert!(said(JudgedText::Draft, true).contains("agree"));
        assert!(said(JudgedText::Draft, false).contains("differ"));
        assert!(said(JudgedText::Final, false).contains("agree"));
    }
}
