//! How a gateway behaves, whatever the model.

use std::time::Duration;

use super::Durability;

/// How a gateway behaves, whatever the model.
#[derive(Clone, Copy, Debug)]
pub struct GatewayOptions {
    /// How long a stream may wait for its outcome before it is opened.
    pub grace: Duration,
    /// How often a stream that waits says that it is alive.
    pub keep_alive: Duration,
    /// How long a whole answer may take.
    pub deadline: Duration,
    /// Whether an answer waits until its transcript would survive a crash.
    pub durability: Durability,
    /// How many observed answers may wait for their critique.
    pub observations: usize,
    /// How many observed answers are criticised at once.
    pub observers: usize,
    /// How much is read, and for how long.
    pub limits: Limits,
}

/// How much of a request and of a reply is taken, and for how long it may take to come.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body of a request.
    pub body_bytes: usize,
    /// How long it may take to come.
    pub body_time: Duration,
    /// The longest head of a request.
    pub head_bytes: usize,
    /// How long it may take to come.
    pub head_time: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub write_time: Duration,
    /// The most header fields.
    pub headers: usize,
    /// The most connections at once.
    pub connections: usize,
    /// The longest answer that is held.
    pub held_bytes: usize,
    /// How long a stop waits for what runs.
    pub stop_time: Duration,
    /// For how long the gateway says that it is not ready before it stops to listen.
    pub farewell: Duration,
}

impl Limits {
    /// The least that [`head_bytes`](Self::head_bytes) can be.
    pub const LEAST_HEAD_BYTES: usize = 8 << 10;
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(2),
            keep_alive: Duration::from_secs(10),
            deadline: Duration::from_secs(600),
            durability: Durability::default(),
            observations: 1024,
            observers: 16,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            body_time: Duration::from_secs(60),
            head_bytes: 32 << 10,
            head_time: Duration::from_secs(15),
            write_time: Duration::from_secs(60),
            headers: 100,
            connections: 10_000,
            held_bytes: 8 << 20,
            stop_time: Duration::from_secs(30),
            farewell: Duration::ZERO,
        }
    }
}
