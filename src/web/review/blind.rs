//! The first step of a review: the texts, and nothing of what anybody said about them.

use maud::{Markup, html};

use super::item::Item;
use super::questions::texts;
use super::words::text_name;
use crate::web::access::Visitor;
use crate::web::{fold, transcript};

/// The conversation, the texts to judge, and what is asked about them.
pub(super) fn page(item: &Item, visitor: &Visitor) -> Markup {
    let told = &item.waiting.transcript;
    let texts = texts(told);
    html! {
        p.lead {
            "Step 1 of 2: judge what was answered, before you see what the critic found in it."
        }
        (transcript::conversation(told))
        section.texts {
            @for (text, said) in &texts {
                div {
                    h2 { "The " (text_name(*text)) }
                    div.text.final dir="auto" { (fold::text(said)) }
                }
            }
            @if texts.is_empty() { p { "There is no answer." } }
        }
        form method="post" action=(item.act("blind")) {
            (item.fields(visitor))
            @if !item.questions.is_empty() {
                section {
                    h2 { "What you find" }
                    (item.questions.fields())
                }
            }
            p.actions {
                button type="submit" name="do" value="judge" data-key="s" data-send {
                    "Judge and see the findings " kbd { "s" }
                }
                button.plain type="submit" name="do" value="skip" { "See the findings without judging" }
            }
        }
        (item.give_back(visitor))
    }
}
