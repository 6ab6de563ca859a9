//! A stream on its way through: what has come of it goes on in one piece, and what it says is gathered on
//! the side.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use futures::future::BoxFuture;
use tokio::time::sleep;

use super::Failure;
use super::call::Call;
use super::gathered::Gathered;
use crate::model::ModelError;
use crate::model::openai::Relayed;

/// So many bytes wait for no others.
const MOST_AT_ONCE: usize = 16 << 10;
/// How long a connection that is to break has to send what came before.
const BEFORE_BREAKING: Duration = Duration::from_millis(200);

/// A stream on its way through; when it is dropped before its end, the client has hung up.
///
/// A server that sends many events at once must not cost a write for each: what is there goes on
/// together. Nothing waits for what is not there yet.
pub(super) struct Flow {
    reply: Relayed,
    call: Option<Call>,
    gathered: Option<Gathered>,
    held: Held,
    /// What is done with the whole before the end is told.
    ending: Option<BoxFuture<'static, ()>>,
    /// What is told last, where something is.
    last: Option<Result<Bytes, ModelError>>,
}

/// Pieces that go on together.
#[derive(Debug, Default)]
struct Held {
    first: Bytes,
    all: BytesMut,
}

impl Held {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn add(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&piece);
    }

    fn take(&mut self) -> Bytes {
        if self.all.is_empty() {
            std::mem::take(&mut self.first)
        } else {
            self.all.split().freeze()
        }
    }
}

impl Flow {
    /// The reply to a call, on its way.
    pub(super) fn new(call: Call, reply: Relayed) -> Self {
        let most = call.gateway.options.limits.held_bytes;
        Self {
            reply,
            gathered: Some(Gathered::new(call.surface, most)),
            call: Some(call),
            held: Held::default(),
            ending: None,
            last: None,
        }
    }

    /// Takes what is there already, so that it leaves together with the head of the response.
    pub(super) async fn begin(&mut self) {
        poll_fn(|context| {
            let _ = self.poll_gathered(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Ready when something goes on, or the stream is over.
    fn poll_gathered(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.call.is_some() && self.held.len() < MOST_AT_ONCE {
            match self.reply.poll_piece(context) {
                Poll::Ready(Ok(Some(piece))) => self.take(piece),
                Poll::Ready(Ok(None)) => self.over(None),
                Poll::Ready(Err(error)) => self.over(Some(error)),
                Poll::Pending if self.held.len() == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(())
    }

    fn take(&mut self, piece: Bytes) {
        if let Some(gathered) = &mut self.gathered {
            gathered.push(&piece);
        }
        self.held.add(piece);
    }

    /// The stream has ended, or broken off.
    fn over(&mut self, broken: Option<ModelError>) {
        let (Some(mut call), Some(gathered)) = (self.call.take(), self.gathered.take()) else {
            return;
        };
        let mut fault = gathered.fault();
        let unfinished = gathered.unfinished().map(str::to_owned);
        let error = broken.or(unfinished.map(|what| ModelError::Garbled { what }));
        if let Some(error) = error {
            let failure = Failure::upstream(&error);
            call.errand.log(&failure);
            fault = Some("the stream of the model's server broke off");
            // An error, where one can be read, and else a broken connection.
            self.last = Some(if gathered.is_between_events() {
                Ok(call.surface.error_frame(&failure))
            } else {
                Err(error)
            });
        }
        call.tell_streamed(&gathered);
        let will_break = matches!(self.last, Some(Err(_)));
        self.ending = Some(Box::pin(async move {
            // A failure is logged where it happens, and the answer has left.
            let _ = call.observe(gathered.into_parts(), fault).await;
            if will_break {
                sleep(BEFORE_BREAKING).await;
            }
        }));
    }
}

impl Stream for Flow {
    type Item = Result<Bytes, ModelError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let flow = self.get_mut();
        ready!(flow.poll_gathered(context));
        if flow.held.len() > 0 {
            return Poll::Ready(Some(Ok(flow.held.take())));
        }
        if let Some(ending) = &mut flow.ending {
            ready!(ending.as_mut().poll(context));
            flow.ending = None;
        }
        Poll::Ready(flow.last.take())
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        // It had come whole, and the client did not wait for its last bytes.
        if let Some(ending) = self.ending.take() {
            runtime.spawn(ending);
            return;
        }
        let (Some(mut call), Some(gathered)) = (self.call.take(), self.gathered.take()) else {
            return;
        };
        call.tell_streamed(&gathered);
        let fault = "the client hung up before the stream had ended";
        // The store's own bound holds: it is as long as the other work on the store.
        runtime.spawn(async move {
            let _ = call.observe(gathered.into_parts(), Some(fault)).await;
        });
    }
}
