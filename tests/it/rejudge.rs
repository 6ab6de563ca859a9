//! `redraft audit rejudge`: another critic on a run that is sealed.

use serde_json::{Value, json};

use crate::support::{Act, Part, Place, Server, principles};

const RUN: &str = "run in.jsonl -c manners.yaml --run first";
const REJUDGE: &str = "audit rejudge first -c manners.yaml --critic other";

/// A server whose critic finds nothing, whatever it reads.
fn content_critic() -> Server {
    Server::with(|asked| match asked.part {
        Part::Critic => Act::say(
            json!({ "violations": [], "complies": principles(&asked.body), "not_applicable": [] })
                .to_string(),
        ),
        _ => Act::Answer,
    })
}

/// A run of forty records, half of which were unkind and were mended.
fn sealed() -> (Place, Server) {
    let (place, server) = (Place::with_manners(), Server::start());
    let prompts = (0..40).map(|number| match number % 2 {
        0 => format!("draft: Kind {number}."),
        _ => format!("draft: Unkind {number}. !be-kind"),
    });
    place.write_prompts("in.jsonl", prompts);
    place.redraft(RUN).model(&server).run().exits(0);
    (place, server)
}

#[test]
fn a_critic_that_sees_nothing_disagrees_and_the_gain_is_the_own_critics_alone() {
    let (place, _) = sealed();
    let before = place.transcripts();
    let other = content_critic();
    let command = format!("{REJUDGE} --json -o differing.jsonl");
    let report = place.redraft(&command).model(&other).run().exits(0).json();
    // Forty drafts and twenty revisions, each under two principles.
    assert_eq!(
        (&report["transcripts"], &report["texts"]),
        (&json!(40), &json!(60))
    );
    assert_eq!(report["all"]["agreement"]["judged"], 120);
    let kind = &report["principles"]["be-kind"];
    let counts = |name: &str| kind[name].as_u64().expect("a count");
    assert_eq!((counts("inside_only"), counts("outside_only")), (20, 0));
    assert_eq!((counts("both"), counts("neither")), (0, 40));
    // 2 · 0.5^20
    let p = kind["mcnemar"].as_f64().expect("a probability");
    assert!((p - 2.0_f64.powi(-19)).abs() < 1e-9, "{p}");
    assert_eq!(report["principles"]["be-brief"]["agreement"]["agreed"], 60);
    assert_eq!(report["same_constitution"], true);

    let differing = place.json_lines("differing.jsonl");
    assert_eq!(differing.len(), 20);
    for one in &differing {
        assert_eq!(
            (&one["text"], &one["principle"]),
            (&json!("draft"), &json!("be-kind"))
        );
        assert_eq!(one["inside"]["verdict"], "violates");
        assert_eq!(one["inside"]["evidence"], json!(["!be-kind"]));
        assert_eq!(one["outside"]["verdict"], "complies");
    }
    assert_eq!(report["disagreements"], 20);
    assert_eq!(report["optimises_its_critic_in"], json!([null, 1]));
    assert_eq!(place.transcripts(), before, "nothing sealed is changed");

    let told = place.redraft(REJUDGE).model(&other).run().exits(0);
    told.prints("the loop is optimising its critic")
        .prints("the run's own critic flags 20 findings that the other does not");
}

#[test]
fn the_same_critic_is_served_by_the_journal_or_asked_afresh_and_agrees() {
    let (place, server) = sealed();
    server.forget();
    let same = "audit rejudge first -c manners.yaml --json";
    let report = place.redraft(same).model(&server).run().exits(0).json();
    assert_eq!(server.count(), 0, "the journal holds every critique");
    assert_eq!(report["all"]["agreement"]["accuracy"], 1.0);
    assert_eq!(report["all"]["agreement"]["kappa"], 1.0);
    assert_eq!(report["optimises_its_critic_in"], json!([]));
    let gain = |round: Value, who: &str| {
        let gains = report["gains"].as_array().expect("gains").iter();
        let mut gains = gains.filter(|gain| gain["round"] == round);
        gains.next().expect("the round")[who]["mean"].as_f64()
    };
    assert_eq!(gain(json!(1), "inside"), gain(json!(1), "outside"));
    assert_eq!(gain(Value::Null, "difference"), Some(0.0));

    let fresh = format!("{same} --fresh");
    place.redraft(&fresh).model(&server).run().exits(0);
    assert_eq!(server.count(), 60);
}

#[test]
fn a_critic_that_fails_is_no_opinion() {
    let (place, _) = sealed();
    let broken = Server::with(|asked| match asked.part {
        Part::Critic => Act::say("I would rather not."),
        _ => Act::Answer,
    });
    let command = format!("{REJUDGE} --json --limit 3");
    let report = place.redraft(&command).model(&broken).run().exits(0).json();
    assert_eq!(report["transcripts"], 3);
    assert_eq!(report["all"]["agreement"]["judged"], 0);
    assert!(report["without_verdict"].as_u64() >= Some(6), "{report}");
    assert_eq!(report["gains"], json!([]));
}

#[test]
fn free_text_rounds_are_seen_by_the_critic_outside_alone() {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write_prompts("in.jsonl", ["draft: One. !be-kind"]);
    let run = format!("{RUN} --recipe cai --rounds 2");
    place.redraft(&run).model(&server).run().exits(0);
    let other = content_critic();
    let command = format!("{REJUDGE} --json");
    let report = place.redraft(&command).model(&other).run().exits(0).json();
    assert_eq!(report["all"]["agreement"]["judged"], 0);
    for gain in report["gains"].as_array().expect("gains") {
        assert!(gain["inside"].is_null() && !gain["outside"].is_null());
    }
    let told = place.redraft(REJUDGE).model(&other).run().exits(0);
    told.prints("gave no verdicts to compare with");
}

#[test]
fn what_no_critic_can_judge_is_refused_before_any_call() {
    let (place, server) = sealed();
    server.forget();
    let refused = |command: &str, why: &str| {
        let ended = place.redraft(command).model(&server).run();
        ended.exits(2).says(why);
    };
    refused(
        "audit rejudge first",
        "choose the run's, or another, with -c",
    );
    refused(
        "audit rejudge first -c privacy",
        "checks settle every principle",
    );
    place
        .redraft("audit rejudge nothing -c manners.yaml")
        .model(&server)
        .run()
        .exits(1)
        .says("there is no run");
    assert_eq!(server.count(), 0);
}
