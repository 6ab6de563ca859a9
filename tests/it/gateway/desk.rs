//! A gateway under way, and what a client of it sees.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::upstream::Upstream;
use crate::support::{Place, Running, wait_until};

/// A constitution with checks that mend, and one principle that a model judges.
pub(super) const GATE: &str = "\
constitution: gate
version: \"1.0\"
include: [privacy]
principles:
  - id: be-kind
    text: The answer is kind to whoever reads it.
    severity: high
";

/// A gateway under way, in a folder of its own.
pub(super) struct Desk {
    pub(super) place: Place,
    running: Option<Running>,
    url: String,
    client: reqwest::Client,
}

/// What a client got.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Desk {
    /// With these settings, in which `UPSTREAM` stands for the server's address.
    pub(super) fn with(upstream: &Upstream, settings: &str) -> Self {
        let place = Place::new();
        place.write("gate.yaml", GATE);
        place.write("redraft.yaml", settings.replace("UPSTREAM", upstream.url()));
        let running = place
            .redraft("serve --listen 127.0.0.1:0")
            .env("RUST_LOG", "info")
            .start();
        let mut url = String::new();
        wait_until("the gateway listens", || {
            let said = running.said();
            let mut lines = said.lines();
            match lines.find_map(|line| line.strip_prefix("redraft listens at ")) {
                Some(found) => {
                    found.clone_into(&mut url);
                    said.contains("The transcripts are in")
                }
                None => false,
            }
        });
        // The first one to choose wins, and all choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Self {
            place,
            running: Some(running),
            url,
            client,
        }
    }

    /// One model in a mode, under a constitution of checks and of a principle for the critic.
    pub(super) fn enforcing(upstream: &Upstream, more: &str) -> Self {
        Self::with(upstream, &settings("gate.yaml", "enforce", more))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        self.url
            .trim_start_matches("http://")
            .trim_end_matches("/v1")
    }

    pub(super) fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// Ends it and gives what it said.
    pub(super) fn stop(&mut self) -> crate::support::Ended {
        let running = self.running.take().expect("it runs");
        running.signal("TERM");
        running.end()
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) -> crate::support::Ended {
        self.running.take().expect("it runs").end()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Got {
        self.post_with(path, body.to_string(), &[]).await
    }

    pub(super) async fn post_with(
        &self,
        path: &str,
        body: String,
        headers: &[(&str, &str)],
    ) -> Got {
        let mut request = self
            .client
            .post(format!("{}/{path}", self.url))
            .header("content-type", "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Got::of(request.send().await.expect("a response")).await
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        let root = self.url.trim_end_matches("/v1");
        let mut request = self.client.get(format!("{root}/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Got::of(request.send().await.expect("a response")).await
    }

    /// The transcripts of a request, by choice and kind of text.
    pub(super) fn transcripts(&self, id: &str) -> BTreeMap<(u64, String), Value> {
        let store = self.place.store();
        let mut query = store
            .prepare("SELECT body FROM transcripts WHERE record = ?1 OR record LIKE ?1 || '-%'")
            .expect("the table of transcripts");
        let rows = query
            .query_map([id], |row| row.get::<_, String>(0))
            .expect("transcripts");
        rows.map(|row| {
            let transcript: Value =
                serde_json::from_str(&row.expect("a transcript")).expect("JSON");
            let extra = &transcript["record"]["extra"];
            let kind = extra["part"].as_str().unwrap_or("none").to_owned();
            ((extra["choice"].as_u64().unwrap_or(0), kind), transcript)
        })
        .collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

/// Settings with one model, `open`, that is `served` as the server knows it.
pub(super) fn settings(constitution: &str, mode: &str, further: &str) -> String {
    format!(
        "models: {{ served: {{ model: served, base_url: UPSTREAM }} }}\n\
         gateway:\n  durability: before_reply\n  models:\n    open: {{ upstream: served, \
         constitution: {constitution}, mode: {mode}{further} }}\n"
    )
}

/// A request for the text that the server is to draft.
pub(super) fn ask(path: &str, kind: &str, text: &str, stream: bool) -> Value {
    let mut body = json!({
        "model": "open", "stream": stream, "metadata": { "kind": kind, "text": text },
    });
    match path {
        "chat/completions" => body["messages"] = json!([{ "role": "user", "content": "Hello?" }]),
        "completions" => body["prompt"] = json!("Hello?"),
        _ => body["input"] = json!("Hello?"),
    }
    body
}

impl Got {
    async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a whole body"),
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().expect("text")
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The data of every event.
    pub(super) fn events(&self) -> Vec<String> {
        let lines = self.body.lines();
        lines
            .filter_map(|line| line.strip_prefix("data: "))
            .map(str::to_owned)
            .collect()
    }

    /// Every text by choice and kind, from an answer or from the events of one.
    pub(super) fn texts(&self, path: &str) -> BTreeMap<(u64, String), String> {
        let mut texts = BTreeMap::new();
        if !self.header("content-type").starts_with("text/event-stream") {
            whole(path, &self.json(), &mut texts);
            return texts;
        }
        for data in self.events() {
            if data != "[DONE]" {
                event(
                    path,
                    &serde_json::from_str(&data).expect("JSON"),
                    &mut texts,
                );
            }
        }
        texts
    }
}

type Texts = BTreeMap<(u64, String), String>;

fn add(texts: &mut Texts, choice: u64, kind: &str, text: &Value) {
    if let Some(text) = text.as_str().filter(|text| !text.is_empty()) {
        texts
            .entry((choice, kind.to_owned()))
            .or_default()
            .push_str(text);
    }
}

fn message(texts: &mut Texts, choice: u64, message: &Value) {
    add(texts, choice, "content", &message["content"]);
    add(texts, choice, "refusal", &message["refusal"]);
    add(texts, choice, "reasoning", &message["reasoning_content"]);
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        add(texts, choice, "arguments", &call["function"]["arguments"]);
    }
}

fn whole(path: &str, answer: &Value, texts: &mut Texts) {
    for choice in answer["choices"].as_array().into_iter().flatten() {
        let index = choice["index"].as_u64().expect("an index");
        add(texts, index, "content", &choice["text"]);
        message(texts, index, &choice["message"]);
    }
    if path == "responses" {
        for item in answer["output"].as_array().into_iter().flatten() {
            for piece in item["content"].as_array().into_iter().flatten() {
                add(texts, 0, "content", &piece["text"]);
                add(texts, 0, "refusal", &piece["refusal"]);
            }
            for piece in item["summary"].as_array().into_iter().flatten() {
                add(texts, 0, "reasoning", &piece["text"]);
            }
        }
    }
}

fn event(path: &str, event: &Value, texts: &mut Texts) {
    if path != "responses" {
        for choice in event["choices"].as_array().into_iter().flatten() {
            let index = choice["index"].as_u64().expect("an index");
            add(texts, index, "content", &choice["text"]);
            message(texts, index, &choice["delta"]);
        }
        return;
    }
    let kind = match event["type"].as_str() {
        Some("response.output_text.delta") => "content",
        Some("response.refusal.delta") => "refusal",
        Some("response.reasoning_summary_text.delta") => "reasoning",
        _ => return,
    };
    add(texts, 0, kind, &event["delta"]);
}
