//! What every page has around its content, and the small pieces that several pages show.

use maud::{DOCTYPE, Markup, html};

use super::follower::Standing;
use super::number::{counted, thousands};
use super::visible;
use crate::transcript::Outcome;

/// The pages that every page leads to.
const NAVIGATION: [(&str, &str); 4] = [
    ("Runs", "/"),
    ("Transcripts", "/transcripts"),
    ("Compare", "/compare"),
    ("Review", REVIEW),
];
/// Where people decide; there is no such page over a store that is only read.
const REVIEW: &str = "/review";

/// What keys do on every page; the script reads none of it, a person does.
const KEYS: [(&str, &str); 5] = [
    ("j k", "the next row, the one before"),
    ("n p", "the next page or transcript, the one before"),
    ("/", "the search"),
    ("?", "this list"),
    ("Esc", "close it, leave a text"),
];

/// What stands around a page's content.
#[derive(Debug, Default)]
pub(super) struct Head {
    title: String,
    here: &'static str,
    way: Vec<(String, String)>,
    standing: Option<Standing>,
    takes_reviews: bool,
    keys: &'static [(&'static str, &'static str)],
}

impl Head {
    /// A page of that title, which may hold text from outside.
    pub(super) fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Under one of the pages that every page leads to.
    pub(super) fn at(mut self, address: &'static str) -> Self {
        self.here = address;
        self
    }

    /// Below another page.
    pub(super) fn below(mut self, title: impl Into<String>, address: impl Into<String>) -> Self {
        self.way.push((title.into(), address.into()));
        self
    }

    /// Over a store in which people decide, or not.
    pub(super) fn taking_reviews(mut self, takes_reviews: bool) -> Self {
        self.takes_reviews = takes_reviews;
        self
    }

    /// With keys of its own, and what they do.
    pub(super) fn keys(mut self, keys: &'static [(&'static str, &'static str)]) -> Self {
        self.keys = keys;
        self
    }

    /// With a word on how the index stands, where there is something to say.
    pub(super) fn standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }
}

/// A whole page.
pub(super) fn page(head: &Head, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible::plain(&head.title)) " · redraft" }
                link rel="icon" href="/icon.svg";
                link rel="stylesheet" href="/style.css";
                script src="/keys.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    a.brand href="/" { "redraft" }
                    nav aria-label="Pages" {
                        @for (name, address) in navigation(head) {
                            a href=(address) aria-current=[(address == head.here).then_some("page")] { (name) }
                        }
                    }
                    a.you href="/account" aria-current=[("/account" == head.here).then_some("page")] { "You" }
                }
                @if let Some(standing) = &head.standing { (notice(standing)) }
                @if !head.way.is_empty() {
                    nav.way aria-label="Where this page is" {
                        @for (place, (title, address)) in head.way.iter().enumerate() {
                            @if place > 0 { span aria-hidden="true" { "›" } }
                            a href=(address) { (visible::text(title)) }
                        }
                    }
                }
                main #content tabindex="-1" { (content) }
                footer { p { "Keys: " kbd { "?" } " lists them." } }
                (keys(head))
            }
        }
    }
}

/// The list of keys, which one of them opens.
fn keys(head: &Head) -> Markup {
    let is_new = |(key, _): &&(&str, &str)| head.keys.iter().all(|(known, _)| known != key);
    let everywhere = KEYS.iter().filter(is_new);
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl {
                @for (key, words) in head.keys.iter().chain(everywhere) {
                    dt { @for key in key.split(' ') { kbd { (key) } " " } }
                    dd { (words) }
                }
            }
            form method="dialog" { button type="submit" { "Close" } }
        }
    }
}

fn navigation(head: &Head) -> impl Iterator<Item = (&'static str, &'static str)> {
    let takes_reviews = head.takes_reviews;
    NAVIGATION
        .into_iter()
        .filter(move |(_, address)| takes_reviews || *address != REVIEW)
}

fn notice(standing: &Standing) -> Markup {
    let progress = standing.progress;
    html! {
        @if let Some(failure) = &standing.failure {
            p.notice role="status" { "The index could not catch up with the store: " (visible::text(failure)) }
        } @else if standing.is_behind {
            p.notice role="status" {
                "The index is catching up"
                @if progress.total > 0 {
                    ": " (thousands(progress.done)) " of " (counted(progress.total, "transcript"))
                }
                ". What is not in it yet is missing here; "
                "load the page again."
            }
        }
    }
}

/// The class that gives an outcome its colour.
pub(super) fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Compliant => "compliant",
        Outcome::Revised => "revised",
        Outcome::Unresolved => "unresolved",
        Outcome::Held => "held",
        Outcome::Failed => "failed",
    }
}

/// How a record ended.
pub(super) fn outcome(outcome: Option<Outcome>) -> Markup {
    html! {
        @if let Some(outcome) = outcome {
            span class={ "badge " (outcome_class(outcome)) } { (outcome) }
        } @else {
            span.badge.failed { "unreadable" }
        }
    }
}

/// A severity, 1 to 4.
pub(super) fn severity(severity: u8) -> Markup {
    let name = severity_name(severity);
    html! { @if severity > 0 { span class={ "severity " (name) } { (name) } } }
}

/// The name of a severity, 1 to 4.
pub(super) fn severity_name(severity: u8) -> &'static str {
    match severity {
        0 => "none",
        1 => "low",
        2 => "medium",
        3 => "high",
        _ => "critical",
    }
}

/// A figure with what it counts.
pub(super) fn figure(value: &str, label: &str) -> Markup {
    html! { div.figure { strong { (value) } span { (label) } } }
}
