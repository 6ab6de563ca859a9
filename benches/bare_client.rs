//! The least that a call can cost: reqwest and serde, a few tasks, and nothing kept.
//!
//!     cargo bench --bench bare_client -- http://127.0.0.1:8099/v1 CALLS BYTES
//!
//! BYTES is the size of the prompt. Measure it as a whole process, for example with /usr/bin/time.

#![expect(
    clippy::unwrap_used,
    reason = "a tool for developers, which may end with a panic"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Calls at once, as `redraft run` makes when nobody says otherwise.
const CONCURRENCY: usize = 16;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Answer,
}

#[derive(Deserialize)]
struct Answer {
    content: String,
}

#[tokio::main]
async fn main() {
    // Cargo adds a flag of its own.
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|given| !given.starts_with("--"))
        .collect();
    let [base_url, calls, bytes, ..] = &given[..] else {
        println!("usage: cargo bench --bench bare_client -- BASE_URL CALLS BYTES");
        return;
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    let (calls, bytes): (u64, usize) = (calls.parse().unwrap(), bytes.parse().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url: Arc<str> = format!("{base_url}/chat/completions").into();
    let prompt: Arc<str> = "word ".repeat(bytes / 5).into();
    let begun = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..CONCURRENCY)
        .map(|_| {
            let (client, url) = (client.clone(), Arc::clone(&url));
            let (prompt, begun) = (Arc::clone(&prompt), Arc::clone(&begun));
            tokio::spawn(async move {
                while begun.fetch_add(1, Ordering::Relaxed) < calls {
                    let message = Message {
                        role: "user",
                        content: &prompt,
                    };
                    let request = Request {
                        model: "zero",
                        messages: [message],
                    };
                    let response = client.post(&*url).json(&request).send().await.unwrap();
                    let reply: Reply = response.json().await.unwrap();
                    assert!(!reply.choices[0].message.content.is_empty());
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    println!("{calls} calls");
}
