//! Spans and findings at an OpenTelemetry collector: what goes out, and what never does.

use crate::support::{Act, Attribute, Attributes, Collector, Place, Redraft, Server, Span, text};

const CONSTITUTION: &str = "constitution: desk\nprinciples:\n  \
    - { id: no-mail, text: No addresses., checks: [{ pattern: { name: email }, rewrite: '[mail]' }] }\n";
const SECRET: &str = "ann.secret@example.com";
const KEY: &str = "sk-a-key-that-nobody-may-see";

fn place() -> Place {
    let place = Place::with_manners();
    place.write("desk.yaml", CONSTITUTION);
    let row = format!("{{\"id\":\"one\",\"prompt\":\"Who?\",\"answer\":\"Ask {SECRET}.\"}}\n");
    place.write("in.jsonl", row);
    place
}

fn command(place: &Place, collector: &Collector, command: &str) -> Redraft {
    place
        .redraft(command)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven")
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|part| part == needle.as_bytes())
}

#[test]
fn a_record_is_a_trace_and_each_finding_an_event_without_texts() {
    let collector = Collector::start();
    let place = place();
    command(&place, &collector, "run in.jsonl -c desk.yaml --run desk")
        .run()
        .exits(0);
    let taken = collector.taken();
    assert_eq!(taken.headers[0]["content-type"], "application/x-protobuf");
    assert_eq!(taken.headers[0]["x-tenant"], "seven");
    for body in &taken.bodies {
        assert!(!contains(body, SECRET));
        assert!(
            !contains(body, "an e-mail address"),
            "explanations are texts"
        );
    }

    let record = named(&taken.spans, "redraft.record");
    let [record] = record[..] else {
        panic!("one record: {:?}", taken.spans);
    };
    assert_eq!(text(&record.resource, "service.name"), "redraft");
    assert_eq!(record.text("redraft.record"), "one");
    assert_eq!(record.text("redraft.run"), "desk");
    assert_eq!(record.text("redraft.constitution"), "desk");
    assert_eq!(record.text("redraft.outcome"), "compliant");
    assert_eq!(record.attributes["redraft.rounds"], Attribute::Int(2));
    assert!(record.parent.is_empty());

    let rounds = named(&taken.spans, "redraft.round");
    assert_eq!(rounds.len(), 2);
    assert!(rounds.iter().all(|round| round.parent == record.id));
    assert!(rounds.iter().all(|round| round.trace == record.trace));
    let findings: Vec<&(String, Attributes)> =
        rounds.iter().flat_map(|round| &round.events).collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for (name, finding) in &findings {
        assert_eq!(name, "gen_ai.evaluation.result");
        assert_eq!(text(finding, "gen_ai.evaluation.name"), "no-mail");
        assert_eq!(text(finding, "redraft.assessor"), "checks");
    }
    let verdict = |n: usize| {
        let finding = &findings[n].1;
        let label = text(finding, "gen_ai.evaluation.score.label").to_owned();
        (label, finding["gen_ai.evaluation.score.value"].clone())
    };
    assert_eq!(verdict(0), ("violates".to_owned(), Attribute::Double(0.0)));
    assert_eq!(verdict(1), ("complies".to_owned(), Attribute::Double(1.0)));
}

#[test]
fn a_call_has_the_attributes_of_the_conventions_and_no_key() {
    let collector = Collector::start();
    let server = Server::start();
    let place = place();
    place.write_prompts("in.jsonl", ["draft: One."]);
    command(&place, &collector, "run in.jsonl -c manners.yaml")
        .model(&server)
        .env("OPENAI_API_KEY", KEY)
        .run()
        .exits(0);
    let taken = collector.taken();
    assert!(taken.bodies.iter().all(|body| !contains(body, KEY)));
    assert!(
        taken
            .bodies
            .iter()
            .all(|body| !contains(body, "draft: One."))
    );
    let calls = named(&taken.spans, "chat stub");
    let of_role = |role: &str| {
        calls
            .iter()
            .find(|call| call.text("redraft.role") == role)
            .unwrap_or_else(|| panic!("no call of the {role}: {calls:?}"))
    };
    for (role, output) in [("drafter", "text"), ("critic", "json")] {
        let call = of_role(role);
        assert_eq!(call.kind, 3, "a client's");
        assert_eq!(call.text("gen_ai.operation.name"), "chat");
        assert_eq!(call.text("gen_ai.request.model"), "stub");
        assert_eq!(call.text("gen_ai.provider.name"), "openai");
        assert_eq!(call.text("gen_ai.output.type"), output);
        assert!(matches!(
            call.attributes["gen_ai.usage.input_tokens"],
            Attribute::Int(1..)
        ));
        assert_eq!(
            call.attributes["redraft.journalled"],
            Attribute::Bool(false)
        );
        assert!(!call.failed);
    }
    let record = named(&taken.spans, "redraft.record")[0];
    assert_eq!(of_role("drafter").parent, record.id);
    assert_eq!(of_role("critic").trace, record.trace);
}

#[test]
fn a_call_that_fails_says_why_in_one_word() {
    let collector = Collector::start();
    let server = Server::with(|_| Act::Status(400, "no".to_owned()));
    let place = place();
    place.write_prompts("in.jsonl", ["draft: One."]);
    command(&place, &collector, "run in.jsonl -c manners.yaml")
        .model(&server)
        .run();
    let taken = collector.taken();
    let calls = named(&taken.spans, "chat stub");
    assert!(!calls.is_empty());
    for call in calls {
        assert!(call.failed);
        assert_eq!(call.text("error.type"), "400");
    }
}

#[test]
fn texts_go_out_where_somebody_asks_for_them() {
    let collector = Collector::start();
    let server = Server::start();
    let place = place();
    place.write_prompts("in.jsonl", ["draft: One."]);
    command(&place, &collector, "run in.jsonl -c manners.yaml")
        .model(&server)
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        .env("RUST_LOG", "trace")
        .run()
        .exits(0)
        .does_not_say("gen_ai.input.messages");
    let taken = collector.taken();
    let calls = named(&taken.spans, "chat stub");
    let details: Vec<&Attributes> = calls
        .iter()
        .flat_map(|call| &call.events)
        .filter(|(name, _)| name == "gen_ai.client.inference.operation.details")
        .map(|(_, attributes)| attributes)
        .collect();
    assert_eq!(details.len(), calls.len());
    assert!(details.iter().any(|detail| {
        text(detail, "gen_ai.input.messages").contains("draft: One.")
            && text(detail, "gen_ai.output.messages").contains("\"finish_reason\":\"stop\"")
    }));
}

#[test]
fn a_collector_that_is_not_there_changes_nothing_and_is_said_once() {
    let place = place();
    let ended = place
        .redraft("run in.jsonl -c desk.yaml -o out.jsonl")
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://127.0.0.1:1/?key=hidden",
        )
        .run()
        .exits(0)
        .does_not_say("hidden");
    let said = ended
        .err
        .matches("spans do not reach the collector")
        .count();
    assert_eq!(said, 1, "{ended}");
    assert_eq!(place.json_lines("out.jsonl").len(), 1);
    place
        .redraft("run in.jsonl -c desk.yaml")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .run()
        .exits(0)
        .says("the protocol grpc is not spoken here");
}
