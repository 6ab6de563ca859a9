//! Signing in and out.

use axum::extract::{Query, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::doors::Doors;
use super::form::{body, read};
use super::{Form, cookie};
use crate::web::layout::{self, Head};
use crate::web::links::link;
use crate::web::{Problem, visible};

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    to: String,
    /// `yes`: a session was given just now.
    given: String,
}

/// What is sent to sign in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Sent {
    key: String,
    to: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Nothing {}

/// The page to sign in at; leads on when that is done.
pub(in crate::web) async fn sign_in_page(
    State(doors): State<Doors>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if doors.visitor(&headers).is_some() {
        return Redirect::to(ours(&wanted.to)).into_response();
    }
    let said = (wanted.given == "yes").then_some(
        "Your browser has kept no session: from other machines it keeps one over encrypted \
         connections alone. Come by https.",
    );
    page(&wanted.to, said).into_response()
}

/// Signs somebody in.
pub(in crate::web) async fn sign_in(
    State(doors): State<Doors>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let sent: Sent = read(&body(request).await?)?;
    let Some(session) = doors.sign_in(sent.key.trim()) else {
        let said = "This key opens no page here: it is unknown, revoked, or an application's.";
        return Ok((StatusCode::UNAUTHORIZED, page(&sent.to, Some(said))).into_response());
    };
    let cookie = cookie::written(&headers, session.reveal());
    let on = link("/sign-in", &[("to", ours(&sent.to)), ("given", "yes")]);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(&on)).into_response())
}

/// Signs somebody out.
pub(in crate::web) async fn sign_out(
    State(doors): State<Doors>,
    headers: HeaderMap,
    Form(Nothing {}): Form<Nothing>,
) -> Response {
    doors.sign_out(&headers);
    let cookie = cookie::written(&headers, "");
    ([(SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response()
}

fn page(to: &str, said: Option<&str>) -> Html<String> {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(said) = said { p.notice role="alert" { (said) } }
        form.sign-in method="post" action="/sign-in" {
            label for="key" { "Your key" }
            input #key name="key" type="password" autocomplete="current-password" required autofocus;
            input type="hidden" name="to" value=(visible::attribute(to));
            button { "Sign in" }
        }
        p.soft {
            "Whoever runs this makes keys with "
            code { "redraft keys create NAME --role viewer" }
            ", or reviewer, or admin."
        }
    };
    Html(layout::page(&Head::titled("Sign in"), &content).into_string())
}

/// An address of a page of ours; the first page where it is another.
fn ours(wanted: &str) -> &str {
    let leads_away = |rest: &str| rest.starts_with(['/', '\\']) || rest.contains(char::is_control);
    match wanted.strip_prefix('/') {
        Some(rest) if !leads_away(rest) => wanted,
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn nobody_is_led_away() {
        for kept in ["/", "/run?run=a%20b", "/transcripts?q=//"] {
            assert_eq!(ours(kept), kept);
        }
        for away in [
            "",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "https://elsewhere.example",
            "javascript:alert(1)",
            "/\t/elsewhere.example",
        ] {
            assert_eq!(ours(away), "/", "{away:?}");
        }
    }
}
