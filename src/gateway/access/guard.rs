//! The layer that asks for a key before anything of a request is read but its head.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::{Access, Refusal};
use crate::gateway::errand::Errand;
use crate::gateway::router::turned_away;
use crate::gateway::{Failure, Gateway, headers};

/// Puts a guard around routes: who is not admitted does not reach them.
pub fn guard(routes: Router, gateway: &Arc<Gateway>, access: &Arc<Access>) -> Router {
    let state = (Arc::clone(gateway), Arc::clone(access));
    routes.layer(from_fn_with_state(state, check))
}

async fn check(
    State((gateway, access)): State<(Arc<Gateway>, Arc<Access>)>,
    mut request: Request,
    next: Next,
) -> Response {
    // From here on nobody needs it: no log, no error and no server behind can hold it.
    let authorization = request.headers_mut().remove(AUTHORIZATION);
    let admitted = access.admit(authorization.as_ref().map(HeaderValue::as_bytes));
    drop(authorization);
    let refusal = match admitted {
        Ok(admitted) => {
            request.extensions_mut().insert(Arc::new(admitted));
            return next.run(request).await;
        }
        Err(refusal) => refusal,
    };
    let errand = Errand::new(request.headers());
    let failure = told(&refusal);
    errand.log(&failure);
    turned_away(&gateway, "", &errand, &failure);
    let is_unauthorized = failure.status == StatusCode::UNAUTHORIZED;
    let mut response = failure.into_response();
    if is_unauthorized {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    headers::identify(response.headers_mut(), &errand);
    response
}

/// What the client is told.
fn told(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::NoKey => {
            unauthorized("This gateway needs a key: send one as `Authorization: Bearer KEY`.")
        }
        Refusal::WrongKey => unauthorized("This key is not known here."),
        Refusal::Requests { wait } => {
            too_many("This key's requests of the minute are used up.", *wait)
        }
        Refusal::Tokens { wait } => too_many("This key's tokens of the minute are used up.", *wait),
        Refusal::Concurrency { wait } => {
            too_many("This key has as many requests under way as it may.", *wait)
        }
    }
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
        .with_code("invalid_api_key")
}

fn too_many(message: &str, wait: std::time::Duration) -> Failure {
    let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message);
    Failure {
        retry_after: Some(wait),
        ..failure.with_code("rate_limit_exceeded")
    }
}
