//! Connections: taken within limits, and let go in good order.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::impatient::Impatient;
use super::{Gateway, Limits, Tls, TrustedProxies};
use crate::store::StoreError;

/// How long no connection is taken when the system has no room for one.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(20);

/// The gateway did not end in good order.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Some transcripts could not be kept.
    #[error("the last transcripts could not be kept")]
    Store(#[from] StoreError),
    /// Some requests were cut off.
    #[error("some requests had not ended within {} s of the stop, and were cut off", .0.as_secs_f64())]
    CutOff(Duration),
}

/// How connections are taken.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// What they are encrypted with; absent: nothing.
    pub tls: Option<Arc<Tls>>,
    /// Who is believed about where a request comes from.
    pub trusted: Arc<TrustedProxies>,
}

/// Takes connections until `stop` is ready; then says that the gateway is not ready, listens no more,
/// lets what runs end within the limit, and waits until every transcript is kept.
///
/// # Errors
///
/// When requests had to be cut off, or transcripts could not be kept.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    gateway: Arc<Gateway>,
    front: Front,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let limits = gateway.options.limits;
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    let stopped = async {
        stop.await;
        gateway.stop();
        sleep(limits.farewell).await;
    };
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => break,
            taken = take(&listener, &room) => {
                let Some((stream, peer, place)) = taken else { continue };
                let _ = stream.set_nodelay(true);
                let service = Introducing {
                    inner: TowerToHyperService::new(router.clone()),
                    peer,
                    is_encrypted: front.tls.is_some(),
                    trusted: Arc::clone(&front.trusted),
                };
                let connection = Connection { service, limits, watcher: graceful.watcher(), place };
                match &front.tls {
                    None => connection.follow(stream),
                    Some(tls) => connection.encrypt(stream, tls.acceptor()),
                }
            }
        }
    }
    drop(listener);
    let ended = timeout(limits.stop_time, graceful.shutdown()).await;
    gateway.close().await?;
    ended.map_err(|_| ServeError::CutOff(limits.stop_time))
}

async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), place)),
        Err(error) => {
            // Out of file handles, or a client that is gone already: the next one may do.
            tracing::debug!("a connection was not taken: {error}");
            sleep(NO_ROOM_PAUSE).await;
            None
        }
    }
}

/// A connection that was taken.
struct Connection {
    service: Introducing,
    limits: Limits,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
}

impl Connection {
    /// Serves it, over whatever carries it.
    fn follow(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Self {
            service,
            limits,
            watcher,
            place,
        } = self;
        let stream = Impatient::new(stream, limits.write_time);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_headers(limits.headers)
            .max_buf_size(limits.head_bytes)
            .serve_connection(TokioIo::new(stream), service);
        let connection = watcher.watch(connection);
        // Followed by `graceful`, which the end waits for.
        tokio::spawn(connection.map(|ended| {
            if let Err(error) = ended {
                tracing::debug!("a connection ended: {error}");
            }
            drop(place);
        }));
    }

    /// Serves it once it is encrypted, for which it has as much time as for a head.
    fn encrypt(self, stream: TcpStream, acceptor: TlsAcceptor) {
        tokio::spawn(async move {
            match timeout(self.limits.head_time, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.follow(stream),
                Ok(Err(error)) => tracing::debug!("a connection was not encrypted: {error}"),
                Err(_) => tracing::debug!("a connection was not encrypted in time"),
            }
        });
    }
}

/// Tells every request of a connection where it comes from.
struct Introducing {
    inner: TowerToHyperService<Router>,
    peer: IpAddr,
    is_encrypted: bool,
    trusted: Arc<TrustedProxies>,
}

impl Service<Request<Incoming>> for Introducing {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let client = self
            .trusted
            .client(self.peer, self.is_encrypted, request.headers());
        request.extensions_mut().insert(client);
        self.inner.call(request)
    }
}
