//! The wire as it is: a body that somebody else wrote is sent on unread, and the reply comes back
//! unread, with the same keys, time limits and errors as every other call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, Url};
use tokio::time::{Instant, timeout};

use super::durations::LONGEST;
use super::http_client::http_client;
use super::secrets::Secrets;
use super::service::Exchange;
use super::time_limits::Expired;
use super::{Endpoint, EndpointError};
use crate::model::{ModelError, TimeLimit};

/// A model that bodies are sent on to; several endpoints take turns.
pub struct Relay {
    model: String,
    places: Vec<Arc<Place>>,
    turn: AtomicUsize,
}

struct Place {
    base: Url,
    exchange: Exchange,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Limits {
    first_byte: Option<Duration>,
    idle: Duration,
    total: Duration,
}

/// A reply whose head has come with a success status.
pub struct Relayed {
    place: Arc<Place>,
    response: Response,
    ends: Instant,
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
                limits: Limits {
                    first_byte: endpoint.first_byte_timeout,
                    idle: endpoint.idle_timeout.min(LONGEST),
                    total: endpoint.timeout.min(LONGEST),
                },
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
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = headers.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        *request.body_mut() = Some(body.into());
        let ends = Instant::now() + self.limits.total;
        let (which, limit) = match self.limits.first_byte {
            Some(limit) => (TimeLimit::FirstByte, limit.min(self.limits.total)),
            None => (TimeLimit::Total, self.limits.total),
        };
        let response = timeout(limit, self.exchange.execute(request))
            .await
            .map_err(|_| self.exchange.too_slow(Expired { which, limit }))??;
        if !response.status().is_success() {
            let left = ends.saturating_duration_since(Instant::now());
            return Err(self.exchange.failed(response, left).await);
        }
        Ok(Relayed {
            place: Arc::clone(self),
            response,
            ends,
            read: 0,
        })
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
        let Limits { idle, total, .. } = self.place.limits;
        let left = self.ends.saturating_duration_since(Instant::now());
        let (which, limit, patience) = if left <= idle {
            (TimeLimit::Total, total, left)
        } else {
            (TimeLimit::Idle, idle, idle)
        };
        let exchange = &self.place.exchange;
        let piece = timeout(patience, self.response.chunk())
            .await
            .map_err(|_| exchange.too_slow(Expired { which, limit }))?
            .map_err(|error| exchange.broken_off(self.read, error))?;
        self.read += piece.as_ref().map_or(0, Bytes::len);
        Ok(piece)
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
