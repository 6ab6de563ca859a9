//! Connections: taken within limits, and let go in good order.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::{Gateway, Limits};
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
                let Some((stream, place)) = taken else { continue };
                let _ = stream.set_nodelay(true);
                connect(stream, router.clone(), &limits, &graceful, place);
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
) -> Option<(tokio::net::TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // Out of file handles, or a client that is gone already: the next one may do.
            tracing::debug!("a connection was not taken: {error}");
            sleep(NO_ROOM_PAUSE).await;
            None
        }
    }
}

/// Serves one connection, over whatever carries it.
fn connect(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    limits: &Limits,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    // Followed by `graceful`, which the end waits for.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended: {error}");
        }
        drop(place);
    });
}
