//! The page of a run as one file that needs nothing else.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::number::moment;
use super::pages::Pages;
use super::problem::Problem;
use super::router::STYLE;
use super::run::{self, Medium};
use super::visible;

/// The page of a run, frozen at a time given as RFC 3339 in UTC: its style is within it, and it has no
/// script and no link.
///
/// # Errors
///
/// When there is no such run, or store or index cannot be read.
pub async fn report(pages: &Pages, run: &str, at: &str) -> Result<String, Problem> {
    let told = run::gather(pages, run).await?;
    Ok(file(run, at, &run::whole(&told, Medium::File)).into_string())
}

fn file(run: &str, at: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible::plain(run)) " · redraft" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top { span.brand { "redraft" } span.soft { "report of " (moment(at)) " (UTC)" } }
                main { (content) }
                footer { p { "Made by redraft " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    }
}
