//! What somebody sends, from one of our own pages.

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Visitor;
use crate::gateway::access::KeyDigest;
use crate::web::Problem;

/// The fields of a form that one of our pages gave to this visitor. Another form is refused, so that
/// no page elsewhere can act in a visitor's name.
#[derive(Debug)]
pub(in crate::web) struct Form<T>(pub(in crate::web) T);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    form_token: String,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Problem> {
        let visitor: Visitor = request.extract_parts().await?;
        let bytes = Bytes::from_request(request, &()).await;
        let bytes = bytes.map_err(|error| Problem::Unfit(error.body_text()))?;
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

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| Problem::Unfit(error.to_string()))
}
