//! The page that says who one is here.

use axum::extract::State;
use axum::response::Html;
use maud::html;

use super::{Doors, Role, Visitor};
use crate::web::layout::{self, Head};
use crate::web::visible;

/// Who the visitor is, and how to be it no longer.
pub(in crate::web) async fn account(State(doors): State<Doors>, visitor: Visitor) -> Html<String> {
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
        @if doors.are_locked() {
            form method="post" action="/sign-out" {
                (visitor.form_field())
                button { "Sign out" }
            }
        } @else {
            p.soft { "There is no key: everybody on this machine comes in so." }
        }
    };
    Html(layout::page(&Head::titled("You").at("/account"), &content).into_string())
}
