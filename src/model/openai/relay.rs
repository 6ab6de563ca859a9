//! The wire as it is: a body that somebody else wrote is sent on unread, and the reply comes back
//! unread, with the same keys, time limits and errors as every other call.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, Url};

use super::direct::Direct;
use super::http_client::http_client;
use super::secrets::Secrets;
use super::service::Exchange;
use super::time_limits::Watch;
use super::{Endpoint, EndpointError};
use crate::model::ModelError;

/// A model that bodies are sent on to; several endpoints take turns.
pub struct Relay {
    model: String,
    places: Vec<Arc<Place>>,
    turn: AtomicUsize,
}

struct Place {
    base: Url,
    exchange: Exchange,
    /// Where nothing stands between here and the server.
    direct: Option<Arc<Direct>>,
}

/// A reply whose head has come with a success status.
pub struct Relayed {
    place: Arc<Place>,
    response: Response,
    watch: Watch,
    read: usize,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Relay")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Relayed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Relayed")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// A way to the one model that these endpoints serve.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when there is no endpoint, or no client can be made for one of them.
    pub fn new(endpoints: &[Endpoint]) -> Result<Self, EndpointError> {
        let first = endpoints.first().ok_or(EndpointError::None)?;
        let places = endpoints.iter().map(|endpoint| {
            let http = http_client(endpoint)?;
            let secrets = Arc::new(Secrets::of(endpoint));
            let mut base = endpoint.base_url.with_credentials().clone();
            // Neither call fails for http and https; the credentials are in a header already.
            let _ = base.set_username("");
            let _ = base.set_password(None);
            Ok(Arc::new(Place {
                base,
                exchange: Exchange::new(endpoint, http, secrets, Arc::default())?,
                direct: Direct::to(endpoint),
            }))
        });
        Ok(Self {
            model: first.model.clone(),
            places: places.collect::<Result<_, EndpointError>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    /// The name that the servers know the model by.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Sends a JSON body to `path` below the base URL, with these headers besides our own. An
    /// endpoint that cannot be connected to is passed over while there is another one.
    ///
    /// # Errors
    ///
    /// When no reply begins in time, or it has a status that is not a success.
    pub async fn post(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Relayed, ModelError> {
        let many = self.places.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % many;
        let mut others = many;
        loop {
            others -= 1;
            let place = &self.places[(first + others) % many];
            match Place::post(place, path, headers, body.clone()).await {
                Err(error) if error.is_not_connected() && others > 0 => {}
                reply => return reply,
            }
        }
    }
}

impl Place {
    async fn post(
        self: &Arc<Self>,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Relayed, ModelError> {
        let mut headers = headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.exchange.identify(&mut headers);
        let mut watch = self.exchange.watch();
        let response = watch
            // On the heap, since it is large, and moved on its way to whoever waits for it.
            .within(Box::pin(self.send(path, headers, body)))
            .await
            .map_err(|expired| self.exchange.too_slow(expired))??;
        if !response.status().is_success() {
            return Err(self.exchange.failure(response, &watch).await);
        }
        self.exchange.in_time(watch.moved())?;
        Ok(Relayed {
            place: Arc::clone(self),
            response,
            watch,
            read: 0,
        })
    }

    async fn send(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, ModelError> {
        let path = format!("{}/{path}", self.base.path().trim_end_matches('/'));
        if let Some(direct) = &self.direct {
            let query = self.base.query().map(|query| format!("?{query}"));
            let address = path + &query.unwrap_or_default();
            let mut request = http::Request::new(body.into());
            *request.method_mut() = Method::POST;
            let parsed = address.parse();
            *request.uri_mut() = parsed.map_err(|error: http::uri::InvalidUri| {
                ModelError::Other(format!("{address:?} is no address: {error}"))
            })?;
            *request.headers_mut() = headers;
            let sent = direct.send(request).await;
            return sent.map_err(|lost| self.exchange.lost(lost));
        }
        let mut url = self.base.clone();
        url.set_path(&path);
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        self.exchange.send(request).await
    }
}

impl Relayed {
    /// A header of the reply.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.response.headers().get(name)
    }

    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or a time limit runs out.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ModelError> {
        poll_fn(|context| self.poll_piece(context)).await
    }

    /// The same, for whoever does something else while nothing has come.
    ///
    /// # Errors
    ///
    /// As [`piece`](Self::piece).
    pub fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, ModelError>> {
        let exchange = &self.place.exchange;
        // Waiting for a piece remembers nothing: it can be begun anew each time.
        let Poll::Ready(piece) = pin!(self.response.chunk()).poll(context) else {
            let expired = ready!(self.watch.poll_expired(context));
            return Poll::Ready(Err(exchange.too_slow(expired)));
        };
        let piece = piece.map_err(|error| exchange.broken_off(self.read, error))?;
        exchange.in_time(self.watch.moved())?;
        self.read += piece.as_ref().map_or(0, Bytes::len);
        Poll::Ready(Ok(piece))
    }

    /// The whole body, without copying it when it comes in one piece.
    ///
    /// # Errors
    ///
    /// As [`piece`](Self::piece), and when it is longer than `most` bytes.
    pub async fn whole(mut self, most: usize) -> Result<Bytes, ModelError> {
        let check = |length: usize| {
            if length <= most {
                return Ok(());
            }
            Err(ModelError::Garbled {
                what: format!("longer than {most} bytes"),
            })
        };
        let Some(first) = self.piece().await? else {
            return Ok(Bytes::new());
        };
        check(first.len())?;
        let Some(second) = self.piece().await? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(&first[..]);
        whole.extend_from_slice(&second);
        check(whole.len())?;
        while let Some(piece) = self.piece().await? {
            check(whole.len() + piece.len())?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}
