//! Reading a request's body: no longer than the limit, and no slower.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::time::timeout;

use super::{Failure, Limits};

/// The whole body.
///
/// # Errors
///
/// When it is too long, does not come in time, or breaks off.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Failure> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes) {
        return Err(Failure::too_large(limits.body_bytes));
    }
    timeout(limits.body_time, gather(body, limits.body_bytes))
        .await
        .map_err(|_| Failure::too_slow(limits.body_time))?
}

async fn gather(body: Body, most: usize) -> Result<Bytes, Failure> {
    let mut pieces = body.into_data_stream();
    let mut next = async || {
        let piece = pieces.next().await.transpose();
        piece.map_err(|_| Failure::bad_request("The request's body broke off."))
    };
    let Some(first) = next().await? else {
        return Ok(Bytes::new());
    };
    let Some(second) = next().await? else {
        return if first.len() <= most {
            Ok(first)
        } else {
            Err(Failure::too_large(most))
        };
    };
    let mut whole = BytesMut::from(&first[..]);
    whole.extend_from_slice(&second);
    while let Some(piece) = next().await? {
        if whole.len() + piece.len() > most {
            return Err(Failure::too_large(most));
        }
        whole.extend_from_slice(&piece);
    }
    if whole.len() > most {
        return Err(Failure::too_large(most));
    }
    Ok(whole.freeze())
}
