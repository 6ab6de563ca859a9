//! The addresses of the pages.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;

use super::access::{Doors, Form, Visitor, account, enter, sign_in, sign_in_page, sign_out};
use super::asked::Asked;
use super::guard::{HostRule, guard};
use super::pages::Pages;
use super::problem::Problem;
use super::review::Sent;
use super::{compare, constitution, review, run, runs, transcript, transcripts};

/// How pages look; a report has it within itself.
pub(super) const STYLE: &str = include_str!("assets/style.css");
const ICON: &str = include_str!("assets/icon.svg");
const KEYS: &str = include_str!("assets/keys.js");
/// The most that somebody may send: an answer of a megabyte, each byte of it written as three.
const MOST_SENT: usize = 4 << 20;

/// The same for those who have not come in: a key, and where they wanted to go.
const MOST_SENT_OUTSIDE: usize = 16 << 10;

type Answer = Result<Response, Problem>;
type Of = State<Arc<Pages>>;

/// The pages over a store, for those who come in by these doors, and a page for every other address.
pub fn router(pages: Pages, hosts: HostRule, doors: Doors) -> Router {
    guarded(routes(pages, &doors).fallback(unknown), hosts, doors)
}

/// The same without a page for other addresses, to stand beside what answers those.
pub fn pages_beside(pages: Pages, hosts: HostRule, doors: Doors) -> Router {
    guarded(routes(pages, &doors), hosts, doors)
}

fn guarded(routes: Router, hosts: HostRule, doors: Doors) -> Router {
    routes
        .layer(middleware::from_fn_with_state(doors.clone(), enter))
        .layer(DefaultBodyLimit::max(MOST_SENT))
        .layer(middleware::from_fn_with_state((hosts, doors), guard))
}

fn routes(pages: Pages, doors: &Doors) -> Router {
    let at_the_door = Router::new()
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .layer(DefaultBodyLimit::max(MOST_SENT_OUTSIDE))
        .route("/sign-out", post(sign_out))
        .with_state(doors.clone());
    Router::new()
        .route("/", get(runs))
        .route("/run", get(run))
        .route("/transcripts", get(transcripts))
        .route("/transcript", get(transcript))
        .route("/transcript.json", get(transcript_json))
        .route("/constitution", get(constitution))
        .route("/compare", get(compare))
        .route("/review", get(queue))
        .route("/review/item", get(item))
        .route("/review/next", post(next))
        .route("/review/claim", post(claim))
        .route("/review/blind", post(blind))
        .route("/review/decide", post(decide))
        .route("/review/release", post(release))
        .route("/account", get(you))
        .route("/style.css", get(style))
        .route("/keys.js", get(keys))
        .route("/icon.svg", get(icon))
        .with_state(Arc::new(pages))
        .merge(at_the_door)
}

async fn runs(State(pages): Of) -> Answer {
    shown(runs::show(&pages).await)
}

async fn run(State(pages): Of, Query(asked): Query<Asked>) -> Answer {
    shown(run::show(&pages, &asked.run).await)
}

async fn transcripts(State(pages): Of, Query(asked): Query<Asked>) -> Answer {
    shown(transcripts::show(&pages, asked).await)
}

async fn transcript(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<transcript::Place>,
) -> Answer {
    shown(transcript::show(&pages, &visitor, asked).await)
}

async fn constitution(State(pages): Of, Query(asked): Query<constitution::Of>) -> Answer {
    shown(constitution::show(&pages, &asked).await)
}

async fn compare(State(pages): Of, Query(asked): Query<compare::Pair>) -> Answer {
    shown(compare::show(&pages, asked).await)
}

async fn you(State(pages): Of, visitor: Visitor) -> Answer {
    shown(Ok(account(&pages, &visitor)))
}

async fn queue(State(pages): Of, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    shown(review::show_queue(&pages, &visitor, &asked).await)
}

async fn item(State(pages): Of, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    shown(review::show_item(&pages, &visitor, &asked).await)
}

async fn next(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Form(_): Form<Sent>,
) -> Answer {
    led(review::next(&pages, &visitor, &asked).await)
}

async fn claim(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Form(_): Form<Sent>,
) -> Answer {
    led(review::claim(&pages, &visitor, &asked).await)
}

async fn blind(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Form(sent): Form<Sent>,
) -> Answer {
    led(review::judge(&pages, &visitor, &asked, &sent).await)
}

async fn decide(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Form(sent): Form<Sent>,
) -> Answer {
    led(review::decide(&pages, &visitor, &asked, &sent).await)
}

async fn release(
    State(pages): Of,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Form(_): Form<Sent>,
) -> Answer {
    led(review::release(&pages, &visitor, &asked).await)
}

/// Leads on to another page of ours.
fn led(address: Result<String, Problem>) -> Answer {
    address.map(|address| Redirect::to(&address).into_response())
}

fn shown(page: Result<Markup, Problem>) -> Answer {
    page.map(|page| Html(page.into_string()).into_response())
}

/// The sealed bytes, of which the digest is.
async fn transcript_json(State(pages): Of, Query(asked): Query<Asked>) -> Answer {
    let stored = pages.transcript(&asked.run, &asked.record).await?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"transcript.json\"",
        ),
    ];
    Ok((headers, stored.row.sealed.body).into_response())
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn keys() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], KEYS)
}

async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], ICON)
}

async fn unknown() -> Problem {
    Problem::Absent("There is no such page.".to_owned())
}
