//! The page that says who one is here.

use maud::{Markup, html};

use super::{Role, Visitor};
use crate::web::pages::Pages;
use crate::web::{layout, visible};

/// Who the visitor is, and how to be it no longer.
pub(in crate::web) fn account(pages: &Pages, visitor: &Visitor) -> Markup {
    let may = match visitor.role() {
        Role::Caller | Role::Viewer => "read every page",
        Role::Reviewer => "read every page, and decide about held records",
        Role::Admin => {
            "read every page, decide about held records, and settle what reviewers disagree on"
        }
    };
    let content = html! {
        h1 { "You" }
        p {
            "You are " strong { (visible::text(visitor.name())) } ", "
            (visitor.role().as_str()) ": you may " (may) "."
        }
        @if visitor.has_signed_in() {
            form method="post" action="/sign-out" {
                (visitor.form_field())
                button { "Sign out" }
            }
        } @else {
            p.soft { "There is no key: everybody who comes here does so as this." }
        }
        @if !pages.takes_reviews() {
            p.soft { "These pages are only read: decisions are for " code { "redraft view --review" } " and " code { "redraft serve" } "." }
        }
    };
    layout::page(&pages.head("You").at("/account"), &content)
}
