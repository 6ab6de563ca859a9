//! The recipe `cai`: the paper's conversation, turn by turn, and its draws.

use serde_json::{Value, json};

use crate::support::{Part, Place, Server};

const RULES: &str = "\
constitution: rules
principles:
  - id: be-kind
    text: The answer is kind.
    critique: Say what is unkind in the last answer.
    revision: Make the answer kind.
";

fn settings(place: &Place, server: &Server, recipe: &str) {
    let url = server.url();
    place.write(
        "redraft.yaml",
        format!(
            "recipe: {recipe}\nmodels:\n  d: {{ model: drafter, base_url: '{url}' }}\n  \
             c: {{ model: critic, base_url: '{url}' }}\n  r: {{ model: reviser, base_url: '{url}' }}\n\
             roles: {{ drafter: d, critic: c, reviser: r }}\n"
        ),
    );
}

fn turns(messages: &[(&str, &str)]) -> Value {
    messages
        .iter()
        .map(|(role, content)| json!({ "role": role, "content": content }))
        .collect()
}

fn conversations(server: &Server) -> Vec<(Part, Value)> {
    server
        .requests()
        .into_iter()
        .map(|asked| (asked.part, asked.body["messages"].clone()))
        .collect()
}

#[test]
fn two_rounds_are_the_papers_conversation() {
    let (place, server) = (Place::new(), Server::start());
    settings(&place, &server, "{ preset: cai, rounds: 2 }");
    place.write("rules.yaml", RULES);
    let row = json!({ "id": "a", "messages": [
        { "role": "system", "content": "You are a shop." },
        { "role": "user", "content": "draft: Go away." },
    ] });
    place.write("in.jsonl", format!("{row}\n"));
    place
        .redraft("run in.jsonl -o out.jsonl -c rules.yaml")
        .run()
        .exits(0);
    let transcript = place.redraft("show a --json").run().exits(0).json();
    let text = |pointer: &str| {
        let value = transcript.pointer(pointer).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("no {pointer} in {transcript:#}"))
            .to_owned()
    };
    let critiques = [text("/rounds/0/critique"), text("/rounds/1/critique")];
    let revisions = [
        text("/rounds/0/revision/text"),
        text("/rounds/1/revision/text"),
    ];
    let system = ("system", "You are a shop.");
    let prompt = ("user", "draft: Go away.");
    let ask = ("user", "Say what is unkind in the last answer.");
    let mend = (
        "user",
        "Make the answer kind.\n\nReply with the rewritten answer only.",
    );
    let round = |answer: &str, critique: &str| {
        let so_far = [system, prompt, ("assistant", answer), ask];
        let mut whole = so_far.to_vec();
        whole.extend([("assistant", critique), mend]);
        [
            (Part::ChatCritic, turns(&so_far)),
            (Part::ChatReviser, turns(&whole)),
        ]
    };
    let mut expected = vec![(Part::Drafter, turns(&[system, prompt]))];
    expected.extend(round("Go away.", &critiques[0]));
    // The second round restarts from prompt and revision.
    expected.extend(round(&revisions[0], &critiques[1]));
    assert_eq!(conversations(&server), expected);
    let row = &place.json_lines("out.jsonl")[0];
    assert_eq!(
        row["messages"][2],
        json!({ "role": "assistant", "content": revisions[1] })
    );
    assert_eq!(row["redraft"]["outcome"], "revised");
    assert_eq!(row["redraft"]["rounds"], 2);
}

#[test]
fn without_a_critique_the_revision_is_asked_for_directly() {
    let (place, server) = (Place::new(), Server::start());
    settings(
        &place,
        &server,
        "{ preset: cai, rounds: 1, critique: false }",
    );
    place.write("rules.yaml", RULES);
    place.write_prompts("in.jsonl", ["draft: Go away."]);
    place.redraft("run in.jsonl -c rules.yaml").run().exits(0);
    let expected = [
        (Part::Drafter, turns(&[("user", "draft: Go away.")])),
        (
            Part::ChatReviser,
            turns(&[
                ("user", "draft: Go away."),
                ("assistant", "Go away."),
                (
                    "user",
                    "Make the answer kind.\n\nReply with the rewritten answer only.",
                ),
            ]),
        ),
    ];
    assert_eq!(conversations(&server), expected);
}

#[test]
fn a_principle_without_requests_of_its_own_and_with_an_example() {
    let (place, server) = (Place::new(), Server::start());
    settings(&place, &server, "{ preset: cai, rounds: 1 }");
    place.write(
        "rules.yaml",
        "constitution: rules\nprinciples:\n  - id: be-kind\n    text: The answer is kind.\n    examples:\n      \
         - { prompt: Hi?, answer: Shut up., verdict: violates, critique: It is rude., revision: Hello. }\n",
    );
    place.write_prompts("in.jsonl", ["draft: Go away."]);
    place.redraft("run in.jsonl -c rules.yaml").run().exits(0);
    let critic = &server.asked(Part::ChatCritic)[0].body["messages"];
    let ask = "Consider this principle: The answer is kind. Say where and how your last answer goes against it, \
               quoting the words that do. If nothing in the answer goes against it, say that no change is needed.";
    let mend = "Rewrite your last answer so that it keeps this principle: The answer is kind. Keep everything else \
                about the answer as it is.\n\nReply with the rewritten answer only.";
    assert_eq!(
        *critic,
        turns(&[
            ("user", "Hi?"),
            ("assistant", "Shut up."),
            ("user", ask),
            ("assistant", "It is rude."),
            ("user", mend),
            ("assistant", "Hello."),
            ("user", "draft: Go away."),
            ("assistant", "Go away."),
            ("user", ask),
        ])
    );
}

/// The principles that each record's rounds are about, by record.
fn draws(place: &Place) -> Vec<Value> {
    let transcripts = place.transcripts();
    let bodies = transcripts.iter().map(|(_, body)| {
        let body: Value = serde_json::from_str(body).expect("a transcript");
        body["rounds"]
            .as_array()
            .expect("rounds")
            .iter()
            .map(|round| round["principles"].clone())
            .collect()
    });
    bodies.collect()
}

#[test]
fn draws_follow_the_seed() {
    let run = |options: &str| {
        let (place, server) = (Place::new(), Server::start());
        settings(&place, &server, "{ preset: cai }");
        place.write_prompts("in.jsonl", (0..10).map(|n| format!("draft: Row {n}.")));
        place
            .redraft(&format!(
                "run in.jsonl -o out.jsonl -c harmlessness {options}"
            ))
            .run()
            .exits(0);
        (draws(&place), place.read("out.jsonl"))
    };
    let (first, again, other) = (
        run("--seed 4"),
        run("--seed 4 --concurrency 2"),
        run("--seed 5"),
    );
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    assert_eq!(first.0.len(), 10);
    assert!(
        first
            .0
            .iter()
            .all(|rounds| rounds.as_array().is_some_and(|rounds| rounds.len() == 4))
    );
    let drawn: std::collections::BTreeSet<String> = first
        .0
        .iter()
        .flat_map(|rounds| rounds.as_array().expect("rounds"))
        .map(Value::to_string)
        .collect();
    assert!(
        drawn.len() > 6,
        "40 draws of 16 principles gave only {drawn:?}"
    );
}
