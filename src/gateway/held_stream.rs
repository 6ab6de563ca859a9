//! A held answer for a client that asked for a stream: within the grace period a response like any
//! other, and after that a stream that shows signs of life until the answer is there.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, Stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::{sleep, timeout};

use super::Failure;
use super::call::Call;
use super::enforced::Released;
use super::surface::Surface;

/// A line that clients skip.
const SIGN_OF_LIFE: Bytes = Bytes::from_static(b": the answer is being checked\n\n");

type Work = BoxFuture<'static, Result<Released, Failure>>;

impl Call {
    /// Holds the answer, and gives it as a stream.
    pub(super) async fn hold_stream(self) -> Response {
        let (grace, pause) = (self.gateway.options.grace, self.gateway.options.keep_alive);
        // A little sooner, so that on a busy machine, too, no silence is longer.
        let pause = pause.mul_f32(0.95);
        let surface = self.surface;
        let mut work: Work = Box::pin(self.hold());
        match timeout(grace, &mut work).await {
            Ok(Ok(released)) => {
                let mut response = event_stream(Body::from(released.frames()));
                released.head(&mut response);
                response
            }
            Ok(Err(failure)) => failure.into_response(),
            Err(_) => event_stream(Body::from_stream(waiting(work, surface, pause))),
        }
    }
}

fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that gather a response would hold the signs of life back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

enum State {
    Opened(Work),
    Waits(Work),
    Ended,
}

/// Signs of life until the work is done, and then what it gives; dropping this drops the work.
fn waiting(
    work: Work,
    surface: Surface,
    pause: Duration,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    stream::unfold(State::Opened(work), move |state| async move {
        let (bytes, next) = match state {
            State::Opened(work) => (SIGN_OF_LIFE, State::Waits(work)),
            State::Waits(mut work) => tokio::select! {
                done = &mut work => (last(surface, done), State::Ended),
                () = sleep(pause) => (SIGN_OF_LIFE, State::Waits(work)),
            },
            State::Ended => return None,
        };
        Some((Ok(bytes), next))
    })
}

fn last(surface: Surface, done: Result<Released, Failure>) -> Bytes {
    match done {
        Ok(released) => released.frames(),
        Err(failure) => surface.error_frame(&failure),
    }
}
