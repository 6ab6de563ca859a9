//! What is counted, as Prometheus reads it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answered, CONTENT_TYPE, Metrics, MetricsListener, RowEnd};
use crate::constitution::Constitution;
use crate::message::Conversation;
use crate::model::scripted::Scripted;
use crate::model::traffic::Traffic;
use crate::model::{Completion, ModelError, Price, TokenUsage};
use crate::pipeline::Pipeline;
use crate::record::Record;
use crate::round::{Assigned, Cast};

const CONSTITUTION: &str = "constitution: short\nprinciples:\n  \
    - { id: no-promises, text: Promise nothing. }\n  \
    - { id: no-mail, text: No addresses., checks: [{ pattern: { name: email }, rewrite: '-' }] }\n";

fn constitution() -> Constitution {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("short.yaml");
    std::fs::write(&file, CONSTITUTION).expect("a file");
    Constitution::load(file.to_str().expect("a path")).expect("a constitution")
}

fn reply(text: &str) -> Completion {
    Completion {
        usage: Some(TokenUsage {
            input: 100,
            cached: 40,
            output: 10,
        }),
        ..Completion::from_text(text)
    }
}

async fn counted(
    replies: impl IntoIterator<Item = Result<Completion, ModelError>>,
) -> Arc<Metrics> {
    let metrics = Metrics::new();
    let mut assigned = Assigned::new(Arc::new(Scripted::new(replies)));
    assigned.price = Some(Price {
        input: 1_000_000.0,
        output: 0.0,
        cached: None,
    });
    let pipeline = Pipeline::builder(constitution())
        .cast(Cast::of_one(&assigned))
        .listener(metrics.clone())
        .build()
        .expect("a pipeline");
    let record = Record::new(Conversation::from_prompt("When?"))
        .with_answer("Tomorrow, I promise; ask a@example.com.");
    pipeline.revise(&record).await.expect("a transcript");
    metrics
}

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            text.lines().any(|has| has == *line),
            "no line {line:?} in\n{text}"
        );
    }
}

/// A critique that is none, one that finds something, the revision, and one that finds nothing.
fn mended() -> [Result<Completion, ModelError>; 4] {
    let violated = r#"{"violations":[{"principle":"no-promises","evidence":"I promise","explanation":"x","severity":"high","fix":"y"}],"complies":[],"not_applicable":[]}"#;
    let kept = r#"{"violations":[],"complies":["no-promises"],"not_applicable":[]}"#;
    [
        Ok(reply("not a critique")),
        Ok(reply(violated)),
        Ok(reply("Soon.")),
        Ok(reply(kept)),
    ]
}

#[tokio::test]
async fn a_record_is_counted_with_its_calls_and_findings() {
    let text = counted(mended()).await.render();
    assert_lines(
        &text,
        &[
            r#"redraft_records_total{outcome="compliant"} 1"#,
            "redraft_records_changed_total 1",
            "redraft_record_rounds_count 1",
            "redraft_record_rounds_sum 2.0",
            r#"redraft_violations_total{principle="no-promises"} 1"#,
            r#"redraft_violations_total{principle="no-mail"} 1"#,
            r#"redraft_findings_total{verdict="complies"} 2"#,
            r#"redraft_critic_errors_total{kind="reply"} 1"#,
            r#"redraft_calls_total{role="critic",model="scripted",end="answered"} 3"#,
            r#"redraft_calls_total{role="reviser",model="scripted",end="answered"} 1"#,
            r#"redraft_calls_asked_again_total{role="critic"} 1"#,
            r#"redraft_tokens_total{role="critic",kind="input"} 300"#,
            r#"redraft_tokens_total{role="critic",kind="cached"} 120"#,
            r#"redraft_tokens_total{role="reviser",kind="output"} 10"#,
            r#"redraft_cost_total{role="reviser"} 100.0"#,
            "redraft_record_own_seconds_count 1",
            "# EOF",
        ],
    );
}

#[tokio::test]
async fn a_critic_that_fails_is_counted_apart() {
    let text = counted([Err(ModelError::Other("no".to_owned()))])
        .await
        .render();
    assert_lines(
        &text,
        &[
            r#"redraft_records_total{outcome="failed"} 1"#,
            r#"redraft_critic_errors_total{kind="call"} 1"#,
            r#"redraft_calls_total{role="critic",model="scripted",end="failed"} 1"#,
        ],
    );
}

fn answered(model: Option<&str>, status: u16) -> Answered<'_> {
    Answered {
        model,
        mode: "enforce",
        status,
        upstream: Duration::from_secs(1),
        own: Duration::from_millis(4),
    }
}

#[test]
fn own_time_and_that_of_models_are_apart() {
    let metrics = Metrics::new();
    let flight = metrics.begin_request();
    assert_lines(&metrics.render(), &["redraft_requests_in_flight 1"]);
    drop(flight);
    metrics.count_request(&answered(Some("support"), 200));
    metrics.count_request(&answered(None, 404));
    assert_lines(
        &metrics.render(),
        &[
            "redraft_requests_in_flight 0",
            r#"redraft_requests_total{model="support",status="200"} 1"#,
            r#"redraft_requests_total{model="",status="404"} 1"#,
            r#"redraft_request_own_seconds_bucket{le="0.003",mode="enforce"} 0"#,
            r#"redraft_request_own_seconds_bucket{le="0.005",mode="enforce"} 1"#,
            r#"redraft_request_upstream_seconds_sum{mode="enforce"} 1.0"#,
        ],
    );
}

#[tokio::test]
async fn names_are_those_that_are_read() {
    let metrics = counted(mended()).await;
    metrics.watch(&Traffic::new());
    metrics.count_row(RowEnd::Sealed);
    metrics.count_request(&answered(Some("support"), 200));
    let text = metrics.render();
    let mut described: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next())
        .collect();
    let mut names: Vec<&str> = metrics
        .names()
        .iter()
        .map(|name| name.strip_suffix("_total").unwrap_or(name))
        .collect();
    described.sort_unstable();
    names.sort_unstable();
    assert_eq!(described, names);
}

#[tokio::test]
async fn a_listener_gives_them_out_and_nothing_else() {
    let nowhere = "127.0.0.1:0".parse().expect("an address");
    let listener = MetricsListener::bind(nowhere, Metrics::new())
        .await
        .expect("a listener");
    let get = async |path: &str| {
        let mut stream = TcpStream::connect(listener.address())
            .await
            .expect("a listener");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("a reply");
        reply
    };
    let reply = get("/metrics").await;
    let head = format!("content-type: {CONTENT_TYPE}");
    assert_lines(&reply, &["HTTP/1.1 200 OK", &head, "# EOF"]);
    assert_lines(&get("/").await, &["HTTP/1.1 404 Not Found"]);
}
