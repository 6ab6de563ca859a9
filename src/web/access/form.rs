//! What somebody sends, from one of our own pages.

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use tokio::time::timeout;

use super::Visitor;
use crate::gateway::access::KeyDigest;
use crate::web::Problem;

/// The fields of a form that one of our pages gave to this visitor. Another form is refused, so that
/// no page elsewhere can act in a visitor's name.
#[derive(Debug)]
pub(in crate::web) struct Form<T>(pub(in crate::web) T);

/// How long a form may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    form_token: String,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Problem> {
        let visitor: Visitor = request.extract_parts().await?;
        let bytes = body(request).await?;
        let token: Token = read(&bytes)?;
        if KeyDigest::of(&token.form_token) != visitor.form_token().digest() {
            return Err(Problem::Forbidden(
                "This form is not one of this session's. Go back, load its page again, and send it from there."
                    .to_owned(),
            ));
        }
        Ok(Self(read(&bytes)?))
    }
}

/// What a request brings, within the limits of its route.
pub(super) async fn body(request: Request) -> Result<Bytes, Problem> {
    let bytes = timeout(PATIENCE, Bytes::from_request(request, &())).await;
    let bytes = bytes.map_err(|_| Problem::TooSlow)?;
    bytes.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => Problem::Unfit(error.body_text()),
    })
}

pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| Problem::Unfit(error.to_string()))
}
