//! `constitution test`: examples through checks and critic, and what is said of them.

use std::collections::BTreeMap;

use redraft::constitution::{Constitution, ExampleVerdict, shipped_names};
use serde_json::{Value, json};

use crate::support::{Act, Asked, Place, Server, material, principles};

/// One principle for a model and one for checks, with three and two examples.
const TESTED: &str = "\
constitution: tested
principles:
  - id: be-kind
    text: The answer is kind.
    examples:
      - { prompt: Hi?, answer: 'Go away, you fool.', verdict: violates, evidence: fool, revision: Hello. }
      - { prompt: Hi?, answer: 'Hello, friend.', verdict: complies }
      - { prompt: 2 + 2?, answer: '4', verdict: not_applicable }
  - id: no-mail
    text: No mail address.
    checks: [{ pattern: { name: email } }]
    examples:
      - { prompt: Who?, answer: ann@example.com, verdict: violates, evidence: ann@example.com }
      - { prompt: Who?, answer: Ann, verdict: complies }
";

fn place() -> Place {
    let place = Place::new();
    place.write("tested.yaml", TESTED);
    place
}

/// A critic's reply: one verdict about the one principle that is asked about.
fn verdict(asked: &Asked, verdict: &str, evidence: &str) -> Act {
    let id = &principles(&asked.body)[0];
    let mut reply = json!({ "violations": [], "complies": [], "not_applicable": [] });
    match verdict {
        "violates" => {
            reply["violations"] = json!([{
                "principle": id, "evidence": evidence, "explanation": "It hurts.", "severity": "low", "fix": "",
            }]);
        }
        other => reply[other] = json!([id]),
    }
    Act::say(reply.to_string())
}

fn answer(asked: &Asked) -> String {
    material(&asked.body)["answer"]
        .as_str()
        .expect("an answer")
        .to_owned()
}

/// A critic that finds what the examples show.
fn knowing() -> Server {
    Server::with(|asked| match answer(asked).as_str() {
        "4" => verdict(asked, "not_applicable", ""),
        friendly if friendly.starts_with("Hello") => verdict(asked, "complies", ""),
        _ => verdict(asked, "violates", "you fool"),
    })
}

#[test]
fn the_default_needs_no_model_and_leaves_nothing_behind() {
    let place = Place::new();
    place
        .redraft("constitution test privacy")
        .run()
        .exits(0)
        .prints("22 examples of 9 principles, judged by checks alone")
        .prints("All as expected: 22 examples.");
    place
        .redraft("constitution test")
        .run()
        .exits(0)
        .prints("privacy 1.0");
    assert!(place.names().is_empty());
}

#[test]
fn every_shipped_constitution_passes_before_a_critic_that_knows_it() {
    let mut shown: BTreeMap<(String, String), (&str, String)> = BTreeMap::new();
    for name in shipped_names() {
        let constitution = Constitution::load(name).expect("a shipped constitution");
        for principle in constitution.principles() {
            for example in &principle.examples {
                let verdict = match example.verdict {
                    ExampleVerdict::Complies => "complies",
                    ExampleVerdict::Violates => "violates",
                    ExampleVerdict::NotApplicable => "not_applicable",
                };
                let evidence = example.evidence.clone().unwrap_or_default();
                let key = (principle.id.clone(), example.answer.clone());
                shown.insert(key, (verdict, evidence));
            }
        }
    }
    let server = Server::with(move |asked| {
        let key = (principles(&asked.body)[0].clone(), answer(asked));
        let (found, evidence) = shown.get(&key).expect("an example of that principle");
        verdict(asked, found, evidence)
    });
    for name in shipped_names() {
        let place = Place::new();
        place
            .redraft(&format!("constitution test {name} --strict"))
            .model(&server)
            .run()
            .exits(0)
            .prints("All as expected");
    }
    let mut with_examples = 0;
    for asked in server.requests() {
        let tested = asked.message(0).lines().nth(1).expect("a line of material");
        assert!(
            !asked.message(1).contains(tested),
            "shown the answer to {tested}"
        );
        with_examples += usize::from(asked.message(1).contains("\nEXAMPLES\n"));
    }
    assert!(
        with_examples > 20,
        "the other examples are shown: {with_examples}"
    );
}

#[test]
fn verdicts_are_counted_by_principle_and_failing_examples_shown_whole() {
    let place = place();
    let server = Server::with(|asked| verdict(asked, "complies", ""));
    let ended = place
        .redraft("constitution test tested.yaml --junit results.xml")
        .model(&server)
        .run()
        .exits(1)
        .prints("✗ be-kind, example 1")
        .prints("    Go away, you fool.")
        .prints("  evidence “fool”")
        .prints("  expected violates, found complies")
        .prints("  expected not applicable, found complies")
        .prints("Not as expected: 2 of 5 examples.");
    assert!(
        !ended.out.contains("Hello, friend."),
        "what passes is not shown; {ended}"
    );
    let xml = place.read("results.xml");
    assert!(
        xml.contains("<testsuites name=\"tested 1.0\" tests=\"5\" failures=\"2\" errors=\"0\">"),
        "{xml}"
    );
    assert!(
        xml.contains("<testsuite name=\"no-mail\" tests=\"2\" failures=\"0\" errors=\"0\">"),
        "{xml}"
    );
    assert_eq!(
        xml.matches("<failure message=\"expected ").count(),
        2,
        "{xml}"
    );
    assert!(xml.contains("answer: Go away, you fool.\n"), "{xml}");

    let shown = place
        .redraft("constitution test tested.yaml --json")
        .model(&server)
        .run()
        .exits(1)
        .json();
    assert_eq!(shown["passed"], false);
    assert_eq!(shown["failed"], 2);
    assert_eq!(shown["critic"]["model"], "stub");
    let kind = &shown["principles"]["be-kind"];
    assert_eq!(
        kind["matrix"]["violates"],
        json!({ "violates": 0, "complies": 1, "not_applicable": 0, "error": 0 })
    );
    assert_eq!(
        (&kind["recall"]["hits"], &kind["recall"]["of"]),
        (&0.into(), &1.into())
    );
    assert_eq!(kind["precision"]["of"], 0);
    let mail = &shown["principles"]["no-mail"];
    assert_eq!(
        (&mail["precision"]["hits"], &mail["recall"]["hits"]),
        (&1.into(), &1.into())
    );
    // Wilson 1927 for 1 of 1.
    let low = mail["recall"]["interval"]["low"]
        .as_f64()
        .expect("a number");
    assert!((low - 0.2065).abs() < 1e-4, "{low}");
}

#[test]
fn what_could_not_be_assessed_is_no_verdict() {
    let place = place();
    let server = Server::with(|asked| match answer(asked).as_str() {
        "4" => verdict(asked, "not_applicable", ""),
        friendly if friendly.starts_with("Hello") => verdict(asked, "complies", ""),
        _ => Act::say("I would rather not say."),
    });
    let ended = place
        .redraft("constitution test tested.yaml --json --junit results.xml")
        .model(&server)
        .run()
        .exits(1);
    let kind = &ended.json()["principles"]["be-kind"];
    assert_eq!(
        kind["matrix"]["violates"],
        json!({ "violates": 0, "complies": 0, "not_applicable": 0, "error": 1 })
    );
    assert_eq!(kind["errors"], 1);
    assert_eq!(kind["recall"]["of"], 0, "nothing was assessed");
    assert_eq!(
        kind["recall"]["interval"],
        json!({ "low": 0.0, "high": 1.0 })
    );
    let xml = place.read("results.xml");
    assert!(
        xml.contains("failures=\"0\" errors=\"1\"") && xml.contains("<error message="),
        "{xml}"
    );
}

#[test]
fn a_server_that_refuses_one_answer_is_an_error_there_alone() {
    let place = place();
    let server = Server::with(|asked| match answer(asked).as_str() {
        "4" => Act::Status(400, r#"{"error":{"message":"flagged"}}"#.to_owned()),
        friendly if friendly.starts_with("Hello") => verdict(asked, "complies", ""),
        _ => verdict(asked, "violates", "fool"),
    });
    place
        .redraft("constitution test tested.yaml --concurrency 1")
        .model(&server)
        .run()
        .exits(1)
        .prints("expected not applicable, found error")
        .prints("flagged")
        .prints("Not as expected: 1 of 5 examples.");
}

#[test]
fn a_critic_that_cannot_be_asked_at_all_is_a_failure_and_no_result() {
    let place = place();
    let server = Server::with(|_| Act::Status(401, r#"{"error":{"message":"no key"}}"#.to_owned()));
    place
        .redraft("constitution test tested.yaml --junit results.xml")
        .model(&server)
        .run()
        .exits(1)
        .prints_nothing()
        .says("error: ");
    assert!(!place.has("results.xml"));
}

#[test]
fn a_second_run_asks_nothing_and_a_fresh_one_everything() {
    let (place, server) = (place(), knowing());
    let test = |options: &str| {
        let command = format!("constitution test tested.yaml {options}");
        let ended = place.redraft(&command).model(&server).run().exits(0);
        let count = server.count();
        server.forget();
        (count, ended)
    };
    assert_eq!(test("").0, 3);
    let (count, ended) = test("");
    assert_eq!(count, 0);
    ended.says("3 calls from the store");
    assert_eq!(test("--fresh").0, 3);
    assert_eq!(test("--principle be-kind").0, 0);
    assert_eq!(test("--checks-only").0, 0);
    assert_eq!(test("--store other.db").0, 3);
}

#[test]
fn verdicts_that_change_from_one_time_to_the_next_are_counted() {
    let place = place();
    let server = Server::with(|asked| match (answer(asked).as_str(), asked.before) {
        ("4", _) => verdict(asked, "not_applicable", ""),
        (friendly, 1) if friendly.starts_with("Hello") => verdict(asked, "violates", ""),
        (friendly, _) if friendly.starts_with("Hello") => verdict(asked, "complies", ""),
        _ => verdict(asked, "violates", "fool"),
    });
    let test = || {
        let command = "constitution test tested.yaml --repeat 3 --json";
        place.redraft(command).model(&server).run().exits(1).json()
    };
    let shown = test();
    assert_eq!(server.count(), 9, "three times each, checks apart");
    let kind = &shown["principles"]["be-kind"];
    assert_eq!(
        (&kind["flips"]["hits"], &kind["flips"]["of"]),
        (&1.into(), &3.into())
    );
    assert_eq!(kind["matrix"]["complies"]["violates"], 1);
    assert_eq!(kind["matrix"]["complies"]["complies"], 2);
    assert_eq!(
        shown["principles"]["no-mail"]["flips"]["of"], 0,
        "checks never change their mind"
    );
    assert_eq!(shown["failed"], 1);
    let again = test();
    assert_eq!(server.count(), 9, "each time is in the store");
    assert_eq!(again["principles"], shown["principles"]);
    place
        .redraft("constitution test tested.yaml --repeat 3")
        .model(&server)
        .run()
        .exits(1)
        .prints("found violates (time ");
}

#[test]
fn evidence_counts_where_it_is_asked_for() {
    let place = place();
    let server = Server::with(|asked| match answer(asked).as_str() {
        "4" => verdict(asked, "not_applicable", ""),
        friendly if friendly.starts_with("Hello") => verdict(asked, "complies", ""),
        _ => verdict(asked, "violates", "Go away"),
    });
    let test = |options: &str| {
        let command = format!("constitution test tested.yaml {options}");
        place.redraft(&command).model(&server).run()
    };
    let shown = test("--json").exits(0).json();
    let evidence = &shown["principles"]["be-kind"]["evidence"];
    assert_eq!((&evidence["hits"], &evidence["of"]), (&0.into(), &1.into()));
    test("--strict")
        .exits(1)
        .prints("the evidence was not found")
        .prints("“Go away”");
}

#[test]
fn quietly_only_what_failed_is_said() {
    let (place, server) = (place(), knowing());
    let ended = place
        .redraft("constitution test tested.yaml -q")
        .model(&server)
        .run()
        .exits(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
}

#[test]
fn calls_keep_to_the_limit() {
    let (place, server) = (place(), knowing());
    let command = "constitution test tested.yaml --repeat 4 --concurrency 1 --quiet";
    place.redraft(command).model(&server).run().exits(0);
    assert_eq!((server.count(), server.most_in_flight()), (12, 1));
}

#[test]
fn a_wrong_command_is_no_failing_test() {
    let place = place();
    let bare = "constitution: bare\nprinciples:\n  - { id: a, text: Be kind. }\n";
    place.write("bare.yaml", bare);
    for (command, says) in [
        ("tested.yaml", "need a model"),
        ("bare.yaml", "has examples"),
        ("tested.yaml --principle be-knd", "did you mean `be-kind`?"),
        (
            "tested.yaml --principle be-kind --checks-only",
            "has examples",
        ),
        (
            "tested.yaml --checks-only --junit gone/results.xml",
            "cannot be written",
        ),
        ("tested.yaml -c privacy", "cannot be used with"),
        ("tested.yaml --repeat 0", "--repeat"),
        ("gone.yaml", "there is no constitution"),
    ] {
        place
            .redraft(&format!("constitution test {command}"))
            .run()
            .exits(2)
            .says(says);
    }
    assert_eq!(
        place.names(),
        ["bare.yaml", "tested.yaml"],
        "nothing is left behind"
    );
    place
        .redraft("constitution test tested.yaml --principle no-mail")
        .run()
        .exits(0);
}

/// Text of an example is data in the XML, too.
#[test]
fn results_are_well_formed_whatever_the_examples_hold() {
    let place = Place::new();
    place.write(
        "odd.yaml",
        "constitution: odd\nprinciples:\n  - id: a\n    text: T\n    examples:\n      \
         - { prompt: \"<b>&\\e[31m]]>\", answer: \"</testcase>\\\"\", verdict: violates }\n",
    );
    let server = Server::with(|asked| verdict(asked, "complies", ""));
    place
        .redraft("constitution test odd.yaml --junit r.xml")
        .model(&server)
        .run()
        .exits(1);
    let xml = place.read("r.xml");
    assert!(xml.contains("&lt;b&gt;&amp;\\u{1b}[31m]]&gt;"), "{xml}");
    assert!(xml.contains("answer: &lt;/testcase&gt;&quot;"), "{xml}");
    let shown: Value = place
        .redraft("constitution test odd.yaml --json")
        .model(&server)
        .run()
        .exits(1)
        .json();
    assert_eq!(shown["cases"][0]["expected"]["answer"], "</testcase>\"");
}
