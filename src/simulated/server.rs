//! The thread, the connections, and a request's way from its arrival to its reply.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use super::asked::Asked;
use super::fault::Fault;
use super::http::{self, Connection, Request};
use super::reply::{Said, Speaker, failure};
use super::slots::Place;
use super::state::{Entry, State};
use super::{MODEL, SimulatedOptions, SimulatedStatistics};

/// In how many pieces a slow reply comes, and how long there is between two.
const DRIPS: usize = 20;
const DRIP_PAUSE: Duration = Duration::from_millis(50);

/// A simulated server under way, on a thread of its own; it ends when this is dropped.
///
/// Besides `POST /v1/chat/completions` it knows `GET /v1/models`, and `GET /v1/statistics`, which
/// gives its [`SimulatedStatistics`].
///
/// # Examples
///
/// ```
/// use redraft::simulated::{SimulatedOptions, SimulatedServer};
///
/// let server = SimulatedServer::start(SimulatedOptions::default())?;
/// assert!(server.base_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(server.statistics().requests, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SimulatedServer {
    address: SocketAddr,
    inner: Arc<Inner>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    options: SimulatedOptions,
    speaker: Speaker,
    began: OnceLock<Instant>,
    state: Mutex<State>,
}

impl SimulatedServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When it cannot listen on its address, or no thread can be started.
    pub fn start(options: SimulatedOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            speaker: Speaker::new(options.reply_characters),
            began: OnceLock::new(),
            state: Mutex::new(State::new(options.clone())),
            options,
        });
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&inner);
        let thread = thread::Builder::new()
            .name("simulated-server".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = accept(listener, served) => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            inner,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it is, as a client is told.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> SimulatedStatistics {
        self.inner.state().statistics()
    }
}

impl Drop for SimulatedServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let inner = Arc::clone(&inner);
                // A connection that breaks concerns nobody but its client.
                tokio::spawn(async move { inner.serve(Connection::new(stream)).await });
            }
            // Out of file handles: some connection will end.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// How the reply to a request is sent.
enum Sending {
    Whole(Vec<u8>),
    Slowly(Vec<u8>),
    ThenReset(Vec<u8>),
    Not,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request after the other until the client goes away.
    async fn serve(self: Arc<Self>, mut connection: Connection) -> io::Result<()> {
        while let Some(request) = connection.next().await? {
            match self.handle(&request).await {
                Sending::Whole(bytes) => connection.write(&bytes).await?,
                Sending::Slowly(bytes) => {
                    for piece in bytes.chunks(bytes.len().div_ceil(DRIPS).max(1)) {
                        connection.write(piece).await?;
                        sleep(DRIP_PAUSE).await;
                    }
                }
                Sending::ThenReset(bytes) => {
                    connection.write(&bytes).await?;
                    return connection.reset();
                }
                Sending::Not => return Ok(()),
            }
        }
        Ok(())
    }

    async fn handle(self: &Arc<Self>, request: &Request) -> Sending {
        let mut words = request.line.split(' ');
        let (method, path) = (words.next(), words.next().unwrap_or_default());
        let last = path.rsplit('/').next().unwrap_or_default();
        let (status, body) = match (method, last) {
            (Some("POST"), "completions") => return self.complete(&request.body).await,
            (Some("GET"), "models") => {
                let model = json!({ "id": MODEL, "object": "model", "owned_by": MODEL });
                (
                    200,
                    json!({ "object": "list", "data": [model] }).to_string(),
                )
            }
            (Some("GET"), "statistics") => {
                let statistics = self.state().statistics();
                let body = serde_json::to_string(&statistics);
                (200, body.unwrap_or_default())
            }
            _ => (404, failure("the simulated server does not know this path")),
        };
        Sending::Whole(http::json(status, "", &body))
    }

    async fn complete(self: &Arc<Self>, body: &[u8]) -> Sending {
        let asked = match Asked::read(body, self.options.seed) {
            Ok(asked) => asked,
            Err(error) => {
                return Sending::Whole(http::json(400, "", &failure(&error.to_string())));
            }
        };
        let now = self.now();
        let entry = self.state().enter(&asked, now);
        let fault = match entry {
            Entry::Refused(wait, why) => return self.refuse(wait, why),
            Entry::Fails(fault) => return Self::fail(fault),
            Entry::Let(place, fault) => {
                if let Place::Later(place) = place {
                    // It is told, or the server ends.
                    let _ = place.await;
                }
                fault
            }
        };
        let (latency, cached) = self.state().decode(&asked);
        // Even the shortest sleep goes through the timer.
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let said = self.speaker.reply(&asked, cached);
        let fails = fault.is_some_and(|fault| fault != Fault::SlowDrip);
        let now = self.now();
        let headers = {
            let mut state = self.state();
            state.leave(&said, fails, now);
            state.rate_headers(now)
        };
        send(&said, fault, &headers)
    }

    fn refuse(self: &Arc<Self>, wait: Duration, why: &str) -> Sending {
        let now = self.now();
        let rate = self.state().rate_headers(now);
        let seconds = wait.as_secs_f64().ceil();
        let headers = format!("{rate}retry-after: {seconds}\r\n");
        Sending::Whole(http::json(429, &headers, &failure(why)))
    }

    fn fail(fault: Fault) -> Sending {
        let (status, headers) = match fault {
            Fault::TooMany => (429, "retry-after-ms: 100\r\n"),
            Fault::Unavailable => (503, ""),
            _ => (500, ""),
        };
        Sending::Whole(http::json(
            status,
            headers,
            &failure("this attempt was to fail"),
        ))
    }

    /// How long it is since the first request; with that one, the schedule begins.
    fn now(self: &Arc<Self>) -> Duration {
        let began = self.began.get_or_init(|| {
            let began = Instant::now();
            for turn in self.options.turns() {
                let inner = Arc::clone(self);
                tokio::spawn(async move {
                    sleep_until(began + turn).await;
                    inner.state().turn(began.elapsed());
                });
            }
            began
        });
        began.elapsed()
    }
}

/// A decoded request's reply, or what its failure makes of it.
fn send(said: &Said, fault: Option<Fault>, headers: &str) -> Sending {
    let half = &said.body[..said.body.len() / 2];
    match fault {
        None => Sending::Whole(http::json(200, headers, &said.body)),
        Some(Fault::SlowDrip) => Sending::Slowly(http::json(200, headers, &said.body)),
        Some(Fault::Truncated) => Sending::Whole(http::json(200, headers, half)),
        Some(Fault::Html) => {
            let page = "<!doctype html><title>Simulated proxy</title><p>Bad gateway.</p>";
            Sending::Whole(http::response(200, headers, "text/html", page))
        }
        Some(Fault::Reset) => {
            let mut bytes = http::json(200, headers, &said.body);
            bytes.truncate(bytes.len() / 2);
            Sending::ThenReset(bytes)
        }
        Some(_) => Sending::Not,
    }
}
