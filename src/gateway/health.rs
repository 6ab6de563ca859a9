//! What can be asked without a key: whether the process lives, whether it takes requests, and what the
//! routes are.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Gateway;

const OPENAPI: &str = include_str!("openapi.json");

/// `GET /healthz`: the process lives.
pub(super) async fn healthz() -> Response {
    respond(StatusCode::OK, json!({ "status": "ok" }).to_string())
}

/// `GET /readyz`: new requests may come.
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    if gateway.is_ready() || gateway.recovers().await {
        return respond(StatusCode::OK, json!({ "status": "ready" }).to_string());
    }
    let body = json!({ "status": "not ready" }).to_string();
    respond(StatusCode::SERVICE_UNAVAILABLE, body)
}

/// `GET /openapi.json`: what the routes are.
pub(super) async fn openapi() -> Response {
    respond(StatusCode::OK, OPENAPI.to_owned())
}

/// `GET /v1/models`: which models are offered.
pub(super) async fn models(State(gateway): State<Arc<Gateway>>) -> Response {
    let models = gateway.models();
    let list: Vec<Value> = models.keys().map(|name| entry(name)).collect();
    let body = json!({ "object": "list", "data": list }).to_string();
    respond(StatusCode::OK, body)
}

pub(super) fn entry(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": 0, "owned_by": "redraft" })
}

pub(super) fn respond(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
