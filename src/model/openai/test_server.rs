//! Servers for tests, on a free port of this machine: one that answers properly, one that sends
//! whatever bytes it is told to.

use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
