//! The critique contract and the ladder of means by which it is asked for.

use serde_json::{Value, json};

use crate::support::{Act, Asked, Part, Place, Server, principles};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml";

fn prompts(count: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        (0..count).map(|n| format!("draft: Row {n}. !be-kind")),
    );
    place
}

/// A server that knows only some of the means.
fn knows(rungs: &'static [&'static str]) -> Server {
    Server::with(move |asked: &Asked| {
        if asked.part != Part::Critic || rungs.contains(&asked.rung()) {
            Act::Answer
        } else {
            Act::Status(400, r#"{"error":{"message":"unsupported"}}"#.to_owned())
        }
    })
}

fn rungs(server: &Server) -> Vec<String> {
    let asked = server.asked(Part::Critic);
    asked.iter().map(|asked| asked.rung().to_owned()).collect()
}

#[test]
fn the_ladder_is_stepped_down_once_and_remembered_across_processes() {
    let ladder = ["json_schema", "tool", "json_object", "text"];
    for place_of in 0..ladder.len() {
        let works: &'static [&'static str] = match place_of {
            0 => &["json_schema"],
            1 => &["tool"],
            2 => &["json_object"],
            _ => &["text"],
        };
        let server = knows(works);
        let place = prompts(6);
        place.redraft(COMMAND).model(&server).run().exits(0);
        let asked = rungs(&server);
        assert_eq!(&asked[..=place_of], &ladder[..=place_of]);
        assert!(
            asked[place_of..].iter().all(|rung| rung == works[0]),
            "{asked:?}"
        );
        assert_eq!(
            asked.len(),
            place_of + 12,
            "only one call finds it out: {asked:?}"
        );
        assert!(
            place
                .json_lines("out.jsonl")
                .iter()
                .all(|row| row["redraft"]["outcome"] == "compliant")
        );
        // Another process, other rows: no probe.
        server.forget();
        place.write_prompts("in.jsonl", ["draft: New. !be-brief"]);
        place
            .redraft(&format!("{COMMAND} --run later"))
            .model(&server)
            .run()
            .exits(0);
        assert_eq!(rungs(&server), [works[0], works[0]]);
    }
}

#[test]
fn a_means_can_be_set() {
    let server = Server::start();
    let place = prompts(1);
    let url = server.url();
    place.write(
        "redraft.yaml",
        format!("models:\n  m: {{ model: stub, base_url: '{url}', structured: tool }}\n"),
    );
    place.redraft(COMMAND).run().exits(0);
    assert_eq!(rungs(&server), ["tool", "tool"]);
    place.write(
        "redraft.yaml",
        format!("models:\n  m: {{ model: stub, base_url: '{url}', structured: yaml }}\n"),
    );
    place.redraft(COMMAND).run().exits(2).says("json_object");
}

/// A critic whose first replies are given, and which behaves after them.
fn critic_says(replies: Vec<Act>) -> Server {
    let said = std::sync::Mutex::new(replies.into_iter());
    Server::with(move |asked| match asked.part {
        Part::Critic => said.lock().expect("replies").next().unwrap_or(Act::Answer),
        _ => Act::Answer,
    })
}

fn one(draft: &str, server: &Server) -> (Place, Value) {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", [format!("draft: {draft}")]);
    place.redraft(COMMAND).model(server).run().exits(0);
    let transcript = place.redraft("show r1 --json").run().exits(0).json();
    (place, transcript)
}

fn lists(violations: &Value, complies: &[&str], not_applicable: &[&str]) -> Act {
    let reply =
        json!({ "violations": violations, "complies": complies, "not_applicable": not_applicable });
    Act::say(reply.to_string())
}

fn asked_about(server: &Server) -> Vec<Vec<String>> {
    server
        .asked(Part::Critic)
        .iter()
        .map(|asked| principles(&asked.body))
        .collect()
}

#[test]
fn what_is_missing_is_asked_again_and_only_that() {
    let server = critic_says(vec![lists(&json!([]), &["be-kind"], &[])]);
    let (_, transcript) = one("Hi.", &server);
    assert_eq!(
        asked_about(&server),
        [vec!["be-kind", "be-brief"], vec!["be-brief"]]
    );
    assert!(
        server.asked(Part::Critic)[1]
            .message(0)
            .contains("be-brief stands in none of the lists")
    );
    assert_eq!(transcript["outcome"], "compliant");
    assert_eq!(
        transcript["rounds"][0]["critique_calls"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn what_stands_in_two_lists_or_is_unknown_is_asked_again() {
    let server = critic_says(vec![lists(
        &json!([]),
        &["be-kind", "be-brief", "be-rich"],
        &["be-brief"],
    )]);
    let (_, transcript) = one("Hi.", &server);
    assert_eq!(asked_about(&server)[1..], [vec!["be-brief"]]);
    let again = &server.asked(Part::Critic)[1];
    assert!(
        again
            .message(0)
            .contains("be-brief stands in more than one list")
    );
    assert!(
        again
            .message(0)
            .contains("\"be-rich\", which is none of the principles")
    );
    assert_eq!(transcript["outcome"], "compliant");
}

#[test]
fn evidence_must_occur_in_the_answer() {
    let violation = |evidence: &str| json!([{ "principle": "be-kind", "evidence": evidence, "explanation": "Rude.", "severity": "low", "fix": "" }]);
    // Made up: asked again.
    let server = critic_says(vec![lists(&violation("You fool"), &["be-brief"], &[])]);
    let (_, transcript) = one("Go  away\nnow.", &server);
    assert_eq!(asked_about(&server)[1], ["be-kind"]);
    assert_eq!(transcript["outcome"], "compliant");
    // White space is folded, and the transcript quotes the answer itself.
    let server = critic_says(vec![lists(&violation("Go away now"), &["be-brief"], &[])]);
    let (_, transcript) = one("Go  away\nnow.", &server);
    assert_eq!(
        transcript["rounds"][0]["findings"][0]["evidence"],
        json!(["Go  away\nnow"])
    );
    assert_eq!(transcript["rounds"][0]["findings"][0]["severity"], "low");
    // Nothing to quote: an omission.
    let server = critic_says(vec![lists(&violation(""), &["be-brief"], &[])]);
    let (_, transcript) = one("Go.", &server);
    assert_eq!(
        transcript["rounds"][0]["findings"][0]["verdict"],
        "violates"
    );
    assert_eq!(
        transcript["rounds"][0]["findings"][0]["evidence"],
        Value::Null
    );
}

#[test]
fn a_contract_that_is_broken_to_the_last_is_an_error_and_no_verdict() {
    let server = Server::with(|asked| match asked.part {
        Part::Critic => {
            Act::say("{\"violations\": [], \"complies\": [\"be-kind\"], \"not_applicable\": []}")
        }
        _ => Act::Answer,
    });
    let (place, transcript) = one("Hi.", &server);
    assert_eq!(
        server.asked(Part::Critic).len(),
        3,
        "two retries are the most"
    );
    let finding = &transcript["rounds"][0]["findings"][1];
    assert_eq!(
        (&finding["principle"], &finding["verdict"]),
        (&json!("be-brief"), &json!("error"))
    );
    assert_eq!(transcript["outcome"], "unresolved");
    assert!(
        transcript["why"]
            .as_str()
            .is_some_and(|why| why.contains("could not be assessed: be-brief"))
    );
    assert_eq!(place.json_lines("out.jsonl")[0]["answer"], "Hi.");
    place.redraft("stats").run().exits(0).prints("unresolved");
}

#[test]
fn the_number_of_retries_is_a_knob() {
    let server = Server::with(|asked| match asked.part {
        Part::Critic => Act::say("{}"),
        _ => Act::Answer,
    });
    let place = Place::with_manners();
    place.write("redraft.yaml", "recipe: { contract_retries: 0 }\n");
    place.write_prompts("in.jsonl", ["draft: Hi."]);
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(server.asked(Part::Critic).len(), 1);
}

#[test]
fn a_critique_that_was_cut_off_gets_more_room() {
    let cut = Act::Say {
        text: "{\"violations\": [".to_owned(),
        finish: "length",
    };
    let server = critic_says(vec![cut.clone(), cut]);
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Hi."]);
    place
        .redraft(&format!("{COMMAND} --max-tokens 100"))
        .model(&server)
        .run()
        .exits(0);
    let limits: Vec<Value> = server
        .asked(Part::Critic)
        .iter()
        .map(|asked| asked.body["max_tokens"].clone())
        .collect();
    assert_eq!(limits, [100, 200, 400]);
    assert_eq!(
        place.json_lines("out.jsonl")[0]["redraft"]["outcome"],
        "compliant"
    );
}

#[test]
fn odd_replies_have_defined_ends() {
    let drafts = |body: Value| {
        Server::with(move |asked| match asked.part {
            Part::Drafter => Act::Status(200, body.to_string()),
            _ => Act::Answer,
        })
    };
    let reply = |message: Value, finish: &str| json!({ "choices": [{ "message": message, "finish_reason": finish }], "x": 1 });
    // No usage, unknown fields, reasoning beside the answer: an answer like any other.
    let server = drafts(reply(
        json!({ "role": "assistant", "content": "Hi.", "reasoning_content": "Hm. !be-kind" }),
        "stop",
    ));
    assert_eq!(one("?", &server).1["final"]["text"], "Hi.");
    // A refusal is an answer.
    let server = drafts(reply(
        json!({ "role": "assistant", "content": null, "refusal": "I cannot." }),
        "stop",
    ));
    let transcript = one("?", &server).1;
    assert_eq!(
        (&transcript["draft"]["text"], &transcript["draft"]["note"]),
        (&json!("I cannot."), &json!("the model refused"))
    );
    // One that was cut off says so.
    let server = drafts(reply(
        json!({ "role": "assistant", "content": "I ca" }),
        "length",
    ));
    assert_eq!(
        one("?", &server).1["draft"]["note"],
        "cut off by the token limit"
    );
    // Nothing at all is no answer.
    let server = drafts(reply(
        json!({ "role": "assistant", "content": null }),
        "stop",
    ));
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: ?"]);
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(3)
        .says("record r1");
}
