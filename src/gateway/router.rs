//! The routes, and a request's way from its bytes to whoever answers it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Request, StatusCode};
use tracing::Instrument as _;

use super::access::{Access, guard};
use super::call::Call;
use super::enforced::Released;
use super::errand::Errand;
use super::fields::Fields;
use super::requested::{OWN, Requested};
use super::surface::Surface;
use super::{Facts, Failure, Gateway, Mode, Served, body, headers, health};
use crate::telemetry::{Metrics, RequestNotes};
use crate::transcript::UsageByRole;

/// The routes of a gateway: its models and its metrics for those who are admitted, and the rest for
/// everybody.
pub fn router(gateway: &Arc<Gateway>, access: &Arc<Access>, metrics: &Arc<Metrics>) -> Router {
    let routes = guarded(gateway).merge(metrics.routes());
    guard(routes, gateway, access)
        .merge(open(gateway))
        .fallback(unknown)
}

/// The routes for those who may use the models. A layer around them sees a request before its body
/// is read.
pub fn guarded(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v1/responses", post(responses))
        .route("/v1/models", get(health::models))
        .route("/v1/models/{*name}", get(model))
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(gateway))
}

/// The routes for everybody.
pub fn open(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/openapi.json", get(health::openapi))
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(gateway))
}

async fn unknown() -> Failure {
    let message = "There is no such path here.";
    Failure::new(StatusCode::NOT_FOUND, "invalid_request_error", message).with_code("unknown_url")
}

async fn wrong_method() -> Failure {
    let message = "This path does not take that method.";
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        message,
    )
    .with_code("method_not_allowed")
}

async fn model(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>) -> Response {
    match gateway.find(&name) {
        Ok(served) => health::respond(StatusCode::OK, health::entry(&served.name).to_string()),
        Err(failure) => failure.into_response(),
    }
}

async fn chat(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response {
    answer(gateway, Surface::Chat, request).await
}

async fn completions(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response {
    answer(gateway, Surface::Completions, request).await
}

async fn responses(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response {
    answer(gateway, Surface::Responses, request).await
}

async fn answer(gateway: Arc<Gateway>, surface: Surface, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let errand = Errand::new(&head.headers).begun(
        &head.extensions,
        surface.route(),
        gateway.reporter.as_ref(),
    );
    let read = body::read(&head.headers, body, &gateway.options.limits).await;
    // What is left of the head keeps the connection's buffer from being used again.
    drop(head);
    let prepared = read.and_then(|bytes| prepare(&gateway, surface, &bytes, errand.clone()));
    let mut response = match prepared {
        Ok(call) => {
            errand.note(&RequestNotes {
                model: Some(&call.served.name),
                mode: Some(call.served.mode.as_str()),
                ..RequestNotes::default()
            });
            let mut response = call.respond().instrument(errand.span.clone()).await;
            headers::transcript(response.headers_mut(), &errand);
            response
        }
        Err(failure) => {
            errand.log(&failure);
            turned_away(&gateway, surface.path(), &errand, &failure);
            failure.into_response()
        }
    };
    errand.note(&RequestNotes {
        status: Some(response.status().as_u16()),
        ..RequestNotes::default()
    });
    headers::identify(response.headers_mut(), &errand);
    response
}

/// Reads a request as far as it must be.
fn prepare(
    gateway: &Arc<Gateway>,
    surface: Surface,
    bytes: &[u8],
    errand: Errand,
) -> Result<Call, Failure> {
    let fields = Fields::read(bytes)?;
    let requested = surface.read(&fields)?;
    let served = gateway.find(&requested.model)?;
    allowed(&served, &requested)?;
    let mut left_out = vec![OWN];
    if served.mode == Mode::Enforce {
        surface.can_be_judged(&fields)?;
        left_out.extend(["stream", "stream_options"]);
    }
    Ok(Call {
        body: fields.rewritten(served.relay.model(), &left_out),
        gateway: Arc::clone(gateway),
        served,
        surface,
        requested,
        errand,
        draft: None,
        tokens: (0, 0),
    })
}

/// Whether the operator lets clients turn the knobs that this one turns.
fn allowed(served: &Served, requested: &Requested) -> Result<(), Failure> {
    let Some(rounds) = requested.own.recipe.rounds else {
        return Ok(());
    };
    if (rounds as usize) < served.panels_by_rounds.len() {
        return Ok(());
    }
    let message = match served.panels_by_rounds.len().checked_sub(1) {
        Some(most) => format!("`redraft.recipe.rounds` is at most {most} for this model."),
        None => "`redraft.recipe.rounds` is not for clients to choose for this model.".to_owned(),
    };
    Err(Failure::bad_field("redraft.recipe.rounds", message))
}

impl Call {
    /// Each way on the heap: a request waits in one of them alone, and the others' room would be held
    /// with it.
    async fn respond(self) -> Response {
        let given = match self.served.mode {
            Mode::Enforce if self.requested.stream => return Box::pin(self.hold_stream()).await,
            Mode::Enforce => Box::pin(self.hold()).await.map(Released::into_response),
            Mode::Observe | Mode::Off => Box::pin(self.pass()).await,
        };
        given.unwrap_or_else(IntoResponse::into_response)
    }
}

/// Tells of a request that reached no model.
pub(super) fn turned_away(
    gateway: &Gateway,
    endpoint: &'static str,
    errand: &Errand,
    failure: &Failure,
) {
    gateway.reporter.answered(&Facts {
        endpoint,
        model: "",
        mode: None,
        is_stream: false,
        status: failure.status.as_u16(),
        outcome: None,
        delivered: None,
        rounds: 0,
        violated: &[],
        usage: &UsageByRole::new(),
        upstream_tokens: (0, 0),
        critic_failed: false,
        upstream: errand.upstream,
        revision: errand.revision,
        own: errand.own(),
        admitted: errand.admitted.as_deref(),
    });
}
