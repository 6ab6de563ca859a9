//! Bytes as servers of files send them: whole, in ranges, and badly.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

/// What a server does about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answers it.
    None,
    /// Sends this status, and where a client looks for it this code.
    Status(u16, &'static str),
    /// Begins an answer, and breaks the connection after so many bytes of it.
    CutAfter(usize),
    /// Sends the whole where a range is asked for.
    Whole,
    /// Answers as if it were another file by now.
    Changed,
    /// Says neither how long the answer is nor what names it, and sends the whole.
    Unsaid,
}

/// A file, or the range of it that is asked for.
pub(super) fn file(bytes: &Bytes, etag: &str, asked: &HeaderMap, fault: &Fault) -> Response<Body> {
    let size = bytes.len();
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let range = range.filter(|_| !matches!(fault, Fault::Whole | Fault::Unsaid));
    let mut response =
        Response::builder().header(header::LAST_MODIFIED, "Tue, 01 Jan 2030 00:00:00 GMT");
    if *fault == Fault::Unsaid {
        let whole = stream::iter([Ok::<_, std::io::Error>(bytes.clone())]);
        return Response::new(Body::from_stream(whole));
    }
    let etag = if *fault == Fault::Changed {
        "\"other\""
    } else {
        etag
    };
    response = response.header(header::ETAG, etag);
    let (from, to) = match range.map(|range| bounds(range, size)) {
        None => (0, size),
        Some(Some((from, to))) => {
            let said = format!("bytes {from}-{}/{size}", to - 1);
            response = response.status(206).header(header::CONTENT_RANGE, said);
            (from, to)
        }
        Some(None) => {
            return response
                .status(416)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"))
                .body(Body::empty())
                .expect("a response");
        }
    };
    response = response.header(header::CONTENT_LENGTH, to - from);
    let part = bytes.slice(from..to);
    let body = match fault {
        Fault::CutAfter(count) if *count < part.len() => {
            let begun = part.slice(..*count);
            let begun = stream::once(async { Ok(begun) });
            let broken = stream::once(async {
                // What was begun is to arrive.
                tokio::time::sleep(Duration::from_millis(30)).await;
                Err(std::io::Error::other("the connection breaks"))
            });
            Body::from_stream(begun.chain(broken))
        }
        _ => Body::from(part),
    };
    response.body(body).expect("a response")
}

fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let to = to.parse().map_or(size, |to: usize| (to + 1).min(size));
    (from < to).then_some((from, to))
}
