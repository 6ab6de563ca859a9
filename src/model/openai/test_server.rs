//! Servers for tests, on a free port of this machine: one that answers properly, one that sends
//! whatever bytes it is told to.

use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Endpoint;

/// Serves `handler` at `/v1/chat/completions`.
pub(crate) async fn serve<H, T>(handler: H) -> Endpoint
where
    H: Handler<T, ()>,
    T: 'static,
{
    let app = Router::new().route("/v1/chat/completions", post(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = endpoint(&listener);
    tokio::spawn(async move {
        axum::serve(
            listener,
            app.into_make_service_with_connect_info::<std::net::SocketAddr>(),
        )
        .await
    });
    endpoint
}

/// Answers every request with these bytes, then closes the connection; with `hold`, it keeps it
/// open that long before.
pub(crate) async fn serve_bytes(bytes: impl Into<Vec<u8>>, hold: Duration) -> Endpoint {
    let bytes = bytes.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = endpoint(&listener);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(hold).await;
        }
    });
    endpoint
}

/// What a connection comes to when all bytes are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// It is reset, as by a server that crashed.
    Reset,
    /// It stays open, and nothing more comes.
    Hold,
}

/// Answers every request with these pieces, each after a pause, and then ends it so.
pub(crate) async fn serve_pieces(pieces: Vec<String>, pause: Duration, end: End) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = endpoint(&listener);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            for piece in &pieces {
                tokio::time::sleep(pause).await;
                let _ = stream.write_all(piece.as_bytes()).await;
            }
            tokio::time::sleep(pause).await;
            match end {
                End::Reset => stream.set_zero_linger().expect("a socket"),
                End::Hold => held.push(stream),
            }
        }
    });
    endpoint
}

/// An address that takes no connection and refuses none: its queue is full.
pub(crate) async fn full_queue() -> (Endpoint, impl Sized) {
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }
    (endpoint(&listener), (listener, waiting))
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// An address at which nothing listens.
pub(crate) async fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    endpoint(&listener)
}

fn endpoint(listener: &TcpListener) -> Endpoint {
    let address = listener.local_addr().expect("an address");
    let url = format!("http://{address}/v1").parse().expect("a URL");
    Endpoint::new("qwen", url)
}

/// Reads headers and body, so that closing the connection does not reset it.
async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok());
    body.len() >= length.unwrap_or(0)
}
