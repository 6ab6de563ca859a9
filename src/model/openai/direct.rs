//! Connections without TLS or proxy, each driven by whoever waits for its reply: no task runs beside
//! it, which would need a turn for each of many pieces.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use reqwest::{Body, Response};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout};

use super::Endpoint;
use super::http_client::{AGENT, KEEPALIVE, LONGEST_IDLE};

/// How often connections that nobody uses are looked at.
const SWEEP: Duration = Duration::from_secs(5);
/// How long the next of a host's addresses waits for one before it.
const NEXT_ADDRESS: Duration = Duration::from_millis(300);
/// How long and how often a server that has not answered to keepalive is asked again.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 3;
/// Where Unix programs are told of proxies, in small letters.
const PROXIES: [&str; 2] = ["http_proxy", "all_proxy"];

/// The connections to one server.
pub(super) struct Direct {
    host: String,
    port: u16,
    headers: HeaderMap,
    connect_timeout: Duration,
    idle: Mutex<Idle>,
}

/// Connections that nobody uses, the last used at the end.
#[derive(Default)]
struct Idle {
    lines: Vec<(Line, Instant)>,
    is_swept: bool,
}

/// One connection.
struct Line {
    sender: SendRequest<Body>,
    /// On the heap, since it is handed from one to the other; gone when it has ended.
    connection: Option<Driven>,
}

type Driven = Box<Connection<TokioIo<TcpStream>, Body>>;

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Lost {
    /// There was no connection in time.
    TooSlow,
    /// There is no connection.
    NotConnected(io::Error),
    /// The connection broke.
    Broken(hyper::Error),
}

impl Direct {
    /// The way to an endpoint that needs neither TLS nor a proxy; nothing for another one.
    pub(super) fn to(endpoint: &Endpoint) -> Option<Arc<Self>> {
        let url = endpoint.base_url.with_credentials();
        if endpoint.base_url.is_encrypted() || !is_direct(endpoint) {
            return None;
        }
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let headers = HeaderMap::from_iter([
            (HOST, HeaderValue::try_from(authority).ok()?),
            (USER_AGENT, HeaderValue::from_static(AGENT)),
            (ACCEPT, HeaderValue::from_static("*/*")),
        ]);
        Some(Arc::new(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            headers,
            connect_timeout: endpoint.connect_timeout,
            idle: Mutex::default(),
        }))
    }

    /// Sends a request, whose address is a path, and waits for the head of the reply.
    ///
    /// # Errors
    ///
    /// When no reply begins. A request that a connection did not take, because the server had closed
    /// it, goes over another one.
    pub(super) async fn send(self: &Arc<Self>, request: Request<Body>) -> Result<Response, Lost> {
        let mut request = request;
        for (name, value) in &self.headers {
            let entry = request.headers_mut().entry(name);
            entry.or_insert_with(|| value.clone());
        }
        loop {
            let idle = self.idle_line();
            let was_idle = idle.is_some();
            let mut line = match idle {
                Some(line) => line,
                None => self.open().await?,
            };
            match line.ask(request).await {
                Ok(reply) => {
                    let reply = reply.map(|incoming| {
                        Body::wrap(Reply {
                            incoming,
                            line: Mutex::new(Some(line)),
                            direct: Arc::clone(self),
                        })
                    });
                    return Ok(reply.into());
                }
                Err(mut lost) => match lost.take_message().filter(|_| was_idle) {
                    Some(untaken) => request = untaken,
                    None => return Err(Lost::Broken(lost.into_error())),
                },
            }
        }
    }

    async fn open(&self) -> Result<Line, Lost> {
        let connected = timeout(self.connect_timeout, self.connect()).await;
        let stream = connected.map_err(|_| Lost::TooSlow)??;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Lost::Broken)?;
        Ok(Line {
            sender,
            connection: Some(Box::new(connection)),
        })
    }

    /// A connection to the first of the host's addresses that takes one. Where a host has several, one
    /// that does not answer, as where a network lacks IPv6, must not cost much; the last has all the
    /// time that is left.
    async fn connect(&self) -> Result<TcpStream, Lost> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let mut addresses = found.map_err(Lost::NotConnected)?.peekable();
        let mut lost = Lost::NotConnected(io::ErrorKind::NotFound.into());
        while let Some(address) = addresses.next() {
            let patience = match addresses.peek() {
                Some(_) => NEXT_ADDRESS.min(self.connect_timeout),
                None => self.connect_timeout,
            };
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    set_up(&stream);
                    return Ok(stream);
                }
                Ok(Err(error)) => lost = Lost::NotConnected(error),
                Err(_) => lost = Lost::TooSlow,
            }
        }
        Err(lost)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, of those that are still open.
    fn idle_line(&self) -> Option<Line> {
        loop {
            let (mut line, since) = self.idle().lines.pop()?;
            if since.elapsed() < LONGEST_IDLE && line.is_open() {
                return Some(line);
            }
        }
    }

    /// Keeps a connection whose reply has come whole for the next request.
    fn give_back(self: &Arc<Self>, mut line: Line) {
        if !line.is_open() {
            return;
        }
        let mut idle = self.idle();
        idle.lines.push((line, Instant::now()));
        if std::mem::replace(&mut idle.is_swept, true) {
            return;
        }
        let direct = Arc::downgrade(self);
        // It ends when no connection is left that nobody uses.
        tokio::spawn(async move {
            loop {
                sleep(SWEEP).await;
                let Some(direct) = direct.upgrade() else {
                    break;
                };
                if !direct.sweep() {
                    break;
                }
            }
        });
    }

    /// Closes what is closed already or has not been used for long; says whether anything is left.
    fn sweep(&self) -> bool {
        let mut idle = self.idle();
        idle.lines
            .retain_mut(|(line, since)| since.elapsed() < LONGEST_IDLE && line.is_open());
        idle.is_swept = !idle.lines.is_empty();
        idle.is_swept
    }
}

/// Has a server that is silent because it is gone noticed within a minute or so. A connection that
/// cannot be set up so still is one.
fn set_up(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE_AGAIN)
        .with_retries(KEEPALIVE_RETRIES);
    let _ = socket.set_tcp_keepalive(&keepalive);
    // Sent bytes that nobody confirms are no reason for keepalive.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(KEEPALIVE));
}

/// Whether nothing stands between here and the endpoint.
fn is_direct(endpoint: &Endpoint) -> bool {
    let is_told = |name: &str| {
        [name.to_owned(), name.to_uppercase()]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    };
    // Other systems keep their proxies elsewhere.
    let is_unix = cfg!(unix) && !cfg!(target_vendor = "apple");
    endpoint.base_url.is_loopback() || is_unix && !PROXIES.into_iter().any(is_told)
}

impl Line {
    /// Sends a request, and drives the connection until the head of the reply is there.
    async fn ask(
        &mut self,
        request: Request<Body>,
    ) -> Result<http::Response<Incoming>, TrySendError<Request<Body>>> {
        let mut reply = pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        poll_fn(|context| {
            drive(connection, context);
            reply.as_mut().poll(context)
        })
        .await
    }

    /// Whether it can take a request now, as far as is known.
    fn is_open(&mut self) -> bool {
        drive(
            &mut self.connection,
            &mut Context::from_waker(Waker::noop()),
        );
        self.connection.is_some() && self.sender.is_ready()
    }
}

/// Does what can be done; a connection that has ended is dropped, and who waits for it told.
fn drive(connection: &mut Option<Driven>, context: &mut Context<'_>) {
    if let Some(open) = connection
        && Pin::new(open.as_mut()).poll(context).is_ready()
    {
        *connection = None;
    }
}

/// The body of a reply, with the connection that it comes over.
struct Reply {
    incoming: Incoming,
    /// Never locked: the lock only lets the body be shared, as its reader asks.
    line: Mutex<Option<Line>>,
    direct: Arc<Direct>,
}

impl hyper::body::Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = Pin::new(&mut self.incoming).poll_frame(context);
        let line = self.line.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Poll::Pending, Some(line)) = (&frame, line) {
            drive(&mut line.connection, context);
            frame = Pin::new(&mut self.incoming).poll_frame(context);
        }
        if let Poll::Ready(None) = frame {
            let line = self.line.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = line.take() {
                self.direct.give_back(line);
            }
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use http::Method;

    use super::*;
    use crate::model::openai::test_server::{nobody, ok, serve, serve_bytes};

    fn way(endpoint: &Endpoint) -> Arc<Direct> {
        Direct::to(endpoint).expect("nothing stands between")
    }

    async fn ask(direct: &Arc<Direct>) -> Result<Response, Lost> {
        let mut request = Request::new(Body::from("{}"));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "/v1/chat/completions".parse().expect("an address");
        direct.send(request).await
    }

    async fn text(direct: &Arc<Direct>) -> String {
        let reply = ask(direct).await.expect("a reply");
        reply.text().await.expect("a body")
    }

    #[tokio::test]
    async fn one_request_after_the_other_needs_one_connection() {
        let port =
            |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.port().to_string() };
        let direct = way(&serve(port).await);
        let first = text(&direct).await;
        assert_eq!(text(&direct).await, first);
        let (one, other) = tokio::join!(text(&direct), text(&direct));
        assert_ne!(one, other, "a connection has one request at a time");
        assert!([one, other].contains(&first));
        assert!(direct.sweep(), "they are kept");
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_not_asked_again() {
        let direct = way(&serve_bytes(ok("{}"), Duration::ZERO).await);
        for _ in 0..3 {
            assert_eq!(text(&direct).await, "{}");
            while direct.sweep() {
                sleep(Duration::from_millis(1)).await;
            }
        }
    }

    #[tokio::test]
    async fn what_has_come_in_many_pieces_is_there_at_once() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let bytes = format!("{head}{}0\r\n\r\n", "3\r\nabc\r\n".repeat(200));
        let direct = way(&serve_bytes(bytes, Duration::from_secs(60)).await);
        let mut reply = ask(&direct).await.expect("a reply");
        assert!(reply.chunk().await.expect("a piece").is_some());
        let mut without_waiting = 1;
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Ok(Some(_))) = pin!(reply.chunk()).poll(&mut context) {
            without_waiting += 1;
        }
        assert_eq!(without_waiting, 200);
    }

    #[tokio::test]
    async fn nobody_there_is_told_from_a_broken_connection() {
        let lost = ask(&way(&nobody().await)).await.expect_err("nobody");
        assert!(matches!(lost, Lost::NotConnected(_)), "{lost:?}");
        let broken = way(&serve_bytes("HTTP/1.1 2", Duration::ZERO).await);
        let lost = ask(&broken).await.expect_err("half a head");
        assert!(matches!(lost, Lost::Broken(_)), "{lost:?}");
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_server_that_is_gone_is_noticed() {
        let direct = way(&serve_bytes(ok("{}"), Duration::from_secs(60)).await);
        let stream = direct.connect().await.expect("a connection");
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().expect("an option"));
        assert_eq!(
            socket.tcp_keepalive_interval().expect("an option"),
            KEEPALIVE_AGAIN
        );
        assert_eq!(
            socket.tcp_keepalive_retries().expect("an option"),
            KEEPALIVE_RETRIES
        );
        assert_eq!(
            socket.tcp_user_timeout().expect("an option"),
            Some(KEEPALIVE)
        );
    }

    #[test]
    fn what_is_encrypted_goes_another_way() {
        let endpoint = |url: &str| Endpoint::new("m", url.parse().expect("a URL"));
        assert!(Direct::to(&endpoint("https://127.0.0.1/v1")).is_none());
        assert!(Direct::to(&endpoint("http://127.0.0.1/v1")).is_some());
        let headers = &way(&endpoint("http://[::1]:8000/v1")).headers;
        assert_eq!(headers[HOST], "[::1]:8000");
    }
}
