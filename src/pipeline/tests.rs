//! Both recipes, played by scripted models.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CritiqueStyle, Pipeline, PipelineError, Preset, Recipe};
use crate::constitution::Constitution;
use crate::message::{Conversation, Message};
use crate::model::scripted::Scripted;
use crate::model::{ChatModel, ChatRequest, Completion, Finish, ModelError, ReplyFormat, Sampling};
use crate::record::Record;
use crate::round::{Assigned, Cast};
use crate::transcript::{DraftSource, Outcome, RevisionAuthor, Transcript, Verdict};

const TWO_RULES: &str = "
constitution: two
principles:
  - { id: kind, text: 'Be kind to whoever asks.', severity: high }
  - { id: brief, text: 'Say it in as few words as it takes.', severity: low }
";

const MIXED: &str = "
constitution: mixed
principles:
  - id: no-mail
    text: No address of a person is given away.
    checks: [{ pattern: { name: email }, rewrite: '[address]' }]
  - { id: kind, text: 'Be kind to whoever asks.' }
";

/// A critique that names the violated principles, each with its quote, and keeps the rest.
fn verdicts(request: &ChatRequest, violated: &[(&str, &str)]) -> Completion {
    let ReplyFormat::Structured(schema) = &request.format else {
        panic!("a critique is asked for under its schema");
    };
    let schema: Value = serde_json::from_str(schema.schema.as_str()).unwrap();
    let ids = schema["properties"]["complies"]["items"]["enum"]
        .as_array()
        .unwrap();
    let complies: Vec<&Value> = ids
        .iter()
        .filter(|id| !violated.iter().any(|(other, _)| *id == other))
        .collect();
    let violations: Vec<Value> = violated
        .iter()
        .filter(|(id, _)| ids.contains(&json!(id)))
        .map(|(id, quote)| {
            json!({
                "principle": id, "evidence": quote, "explanation": "It does.",
                "severity": if *id == "kind" { "high" } else { "low" }, "fix": "Do not.",
            })
        })
        .collect();
    let reply = json!({ "violations": violations, "complies": complies, "not_applicable": [] });
    Completion::from_text(reply.to_string())
}

fn is_critique(request: &ChatRequest) -> bool {
    matches!(request.format, ReplyFormat::Structured(_))
}

/// The answer that a critique or revision request is about.
fn judged(request: &ChatRequest) -> String {
    let text = &request.messages.last().unwrap().content;
    let line = text.lines().nth(1).unwrap();
    let material: Value = serde_json::from_str(line).unwrap();
    material["answer"].as_str().unwrap().to_owned()
}

fn pipeline(constitution: &str, recipe: Recipe, model: &Arc<Scripted>) -> Pipeline {
    let constitution = Constitution::from_yaml("test", constitution).unwrap();
    let assigned = Assigned {
        sampling: Sampling {
            max_tokens: Some(100),
            ..Sampling::default()
        },
        ..Assigned::new(Arc::clone(model) as Arc<dyn ChatModel>)
    };
    Pipeline::builder(constitution)
        .recipe(recipe)
        .cast(Cast::of_one(&assigned))
        .build()
        .unwrap()
}

fn question() -> Record {
    Record::new(Conversation::from_prompt("Where is my parcel?"))
}

async fn audit(
    record: &Record,
    answering: impl Fn(&ChatRequest) -> Result<Completion, ModelError> + Send + Sync + 'static,
) -> (Transcript, Arc<Scripted>) {
    let model = Arc::new(Scripted::answering(answering));
    let transcript = pipeline(TWO_RULES, Recipe::default(), &model)
        .revise(record)
        .await
        .unwrap();
    (transcript, model)
}

fn final_text(transcript: &Transcript) -> &str {
    &transcript.final_answer.as_ref().unwrap().text
}

#[tokio::test]
async fn a_clean_draft_takes_two_calls() {
    let (transcript, model) = audit(&question(), |request| {
        Ok(if is_critique(request) {
            verdicts(request, &[])
        } else {
            Completion::from_text("On its way.")
        })
    })
    .await;
    assert_eq!(model.requests().len(), 2);
    assert_eq!(transcript.outcome, Outcome::Compliant);
    assert_eq!(
        transcript.draft.as_ref().unwrap().source,
        DraftSource::Model
    );
    assert!(!transcript.changed());
}

#[tokio::test]
async fn a_revision_that_mends_takes_four_calls() {
    let (transcript, model) = audit(&question(), |request| {
        Ok(match is_critique(request) {
            true if judged(request).contains("fool") => verdicts(request, &[("kind", "fool")]),
            true => verdicts(request, &[]),
            false if request.messages.len() == 1 => Completion::from_text("Wait, fool."),
            false => Completion::from_text("It comes on Friday.\n"),
        })
    })
    .await;
    assert_eq!(model.requests().len(), 4);
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Compliant, "It comes on Friday.")
    );
    assert_eq!(transcript.rounds[0].findings[0].evidence, ["fool"]);
    assert!(transcript.rounds[0].kept);
    assert!(transcript.rounds[1].revision.is_none());
}

#[tokio::test]
async fn the_author_never_sees_the_critics_prompt_nor_the_critic_the_authors() {
    let (_, model) = audit(&question().with_answer("Wait, fool."), |request| {
        Ok(match is_critique(request) {
            true if judged(request).contains("fool") => verdicts(request, &[("kind", "fool")]),
            true => verdicts(request, &[]),
            false => Completion::from_text("It comes on Friday."),
        })
    })
    .await;
    let requests = model.requests();
    let system = |n: usize| requests[n].messages[0].content.clone();
    assert!(system(0).contains("[brief]") && !system(1).contains("[brief]"));
    let findings = &requests[1].messages[1].content;
    assert!(
        findings.contains("Be kind to whoever asks.") && !findings.contains("fewest"),
        "{findings}"
    );
    assert!(
        !requests[2].messages[1].content.contains("It does."),
        "the critic sees no old findings"
    );
    assert_eq!(
        system(0),
        system(2),
        "what is constant comes first, and is constant"
    );
}

#[tokio::test]
async fn it_ends_when_the_rounds_are_spent_and_keeps_the_best_text() {
    let (transcript, model) = audit(&question(), |request| {
        Ok(match is_critique(request) {
            true => match judged(request).as_str() {
                "worst" => verdicts(request, &[("kind", "worst"), ("brief", "worst")]),
                "better" => verdicts(request, &[("brief", "better")]),
                _ => verdicts(request, &[("kind", "worse")]),
            },
            false if request.messages.len() == 1 => Completion::from_text("worst"),
            false if judged(request) == "worst" => Completion::from_text("better"),
            false => Completion::from_text("worse"),
        })
    })
    .await;
    assert_eq!(model.requests().len(), 6, "at most 2 + 2 × rounds");
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Unresolved, "better")
    );
    assert_eq!(transcript.final_answer.as_ref().unwrap().round, 1);
    let kept: Vec<bool> = transcript.rounds.iter().map(|round| round.kept).collect();
    assert_eq!(kept, [true, false, false]);
    assert!(
        transcript.why.starts_with("still violated: brief"),
        "{}",
        transcript.why
    );
}

#[tokio::test]
async fn an_answer_that_comes_back_unchanged_ends_the_record() {
    let (transcript, model) = audit(&question().with_answer("Wait, fool."), |request| {
        Ok(if is_critique(request) {
            verdicts(request, &[("kind", "fool")])
        } else {
            Completion::from_text("Wait, fool.")
        })
    })
    .await;
    assert_eq!(model.requests().len(), 2);
    assert_eq!(transcript.outcome, Outcome::Unresolved);
    assert!(transcript.why.contains("unchanged"), "{}", transcript.why);
}

#[tokio::test]
async fn what_cannot_be_assessed_is_an_error_and_never_compliant() {
    let (transcript, model) = audit(&question().with_answer("Soon."), |_| {
        Ok(Completion::from_text("It looks fine to me."))
    })
    .await;
    assert_eq!(model.requests().len(), 3, "asked once, and twice again");
    assert_eq!(transcript.outcome, Outcome::Unresolved);
    let verdicts: Vec<Verdict> = transcript.rounds[0]
        .findings
        .iter()
        .map(|finding| finding.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Error, Verdict::Error]);
    assert!(
        transcript
            .why
            .contains("could not be assessed: kind, brief"),
        "{}",
        transcript.why
    );
}

#[tokio::test]
async fn only_what_a_reply_leaves_open_is_asked_again() {
    let model = Arc::new(Scripted::answering(|request: &ChatRequest| {
        let first = request.sample == 0;
        Ok(Completion::from_text(if first {
            r#"{"violations":[],"complies":["kind"],"not_applicable":[]}"#
        } else {
            r#"{"violations":[],"complies":["brief"],"not_applicable":[]}"#
        }))
    }));
    let record = question().with_answer("Soon.");
    let transcript = pipeline(TWO_RULES, Recipe::default(), &model)
        .revise(&record)
        .await
        .unwrap();
    assert_eq!(transcript.outcome, Outcome::Compliant);
    let again = &model.requests()[1].messages[1].content;
    assert!(
        again.contains("Assess these principles: brief\n"),
        "{again}"
    );
    assert!(
        again.contains("brief stands in none of the lists"),
        "{again}"
    );
    assert_eq!(transcript.rounds[0].faults.len(), 1);
}

#[tokio::test]
async fn a_revision_that_is_cut_off_is_asked_again_with_more_room_and_then_dropped() {
    let (transcript, model) = audit(&question().with_answer("Wait, fool."), |request| {
        Ok(if is_critique(request) {
            verdicts(request, &[("kind", "fool")])
        } else {
            Completion {
                finish: Finish::Length,
                ..Completion::from_text("It comes")
            }
        })
    })
    .await;
    let limits: Vec<_> = model.requests()[1..]
        .iter()
        .map(|request| request.sampling.max_tokens)
        .collect();
    assert_eq!(limits, [Some(100), Some(200), Some(400)]);
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Unresolved, "Wait, fool.")
    );
    assert!(transcript.why.contains("cut off"), "{}", transcript.why);
}

#[tokio::test]
async fn a_call_that_fails_for_good_fails_its_record_and_no_other() {
    let (transcript, _) = audit(&question().with_answer("Soon."), |_| {
        Err(ModelError::ContextLength {
            message: "too long".to_owned(),
        })
    })
    .await;
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Failed, "Soon.")
    );
    assert!(transcript.why.contains("too long"), "{}", transcript.why);
}

#[tokio::test]
async fn a_failure_that_reaches_every_record_makes_no_transcript() {
    let model = Arc::new(Scripted::answering(|_: &ChatRequest| {
        Err(ModelError::Unusable {
            model: "m".to_owned(),
            hint: "give a key".to_owned(),
            source: Box::new(ModelError::Other("401".to_owned())),
        })
    }));
    let ended = pipeline(TWO_RULES, Recipe::default(), &model)
        .revise(&question())
        .await;
    assert!(matches!(ended, Err(PipelineError::Stopped(_))));
}

#[tokio::test]
async fn checks_mend_first_and_the_model_does_the_rest() {
    let model = Arc::new(Scripted::answering(|request: &ChatRequest| {
        Ok(match is_critique(request) {
            true if judged(request).contains("fool") => verdicts(request, &[("kind", "fool")]),
            true => verdicts(request, &[]),
            false => Completion::from_text(judged(request).replace("fool", "friend")),
        })
    }));
    let record = question().with_answer("Ask ann@example.com, fool.");
    let transcript = pipeline(MIXED, Recipe::default(), &model)
        .revise(&record)
        .await
        .unwrap();
    assert_eq!(final_text(&transcript), "Ask [address], friend.");
    assert_eq!(transcript.outcome, Outcome::Compliant);
    assert_eq!(
        transcript.rounds[0].revision.as_ref().unwrap().by,
        RevisionAuthor::ChecksAndModel
    );
    assert_eq!(
        judged(&model.requests()[1]),
        "Ask [address], fool.",
        "the checks came first"
    );
}

#[tokio::test]
async fn what_checks_settle_is_never_asked() {
    let model = Arc::new(Scripted::answering(|request: &ChatRequest| {
        Ok(verdicts(request, &[]))
    }));
    let record = question().with_answer("Soon.");
    pipeline(MIXED, Recipe::default(), &model)
        .revise(&record)
        .await
        .unwrap();
    let requests = model.requests();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].messages[0].content.contains("no-mail"));
}

fn cai(rounds: u32, critique: CritiqueStyle) -> Recipe {
    Recipe {
        rounds,
        critique,
        ..Recipe::preset(Preset::Cai)
    }
}

const ONE_RULE: &str = "
constitution: one
principles:
  - id: kind
    text: Be kind.
    critique: Say where it is unkind.
    revision: Make it kind.
    examples:
      - { prompt: Hi., answer: Go away., verdict: violates, critique: It is rude., revision: Hello! }
";

#[tokio::test]
async fn cai_is_the_papers_conversation() {
    let model = Arc::new(Scripted::texts([
        "draft",
        "critique 1",
        "revision 1",
        "critique 2",
        "revision 2",
    ]));
    let record = Record::new(Conversation::from(vec![
        Message::system("You sell parcels."),
        Message::user("Where is it?"),
    ]));
    let transcript = pipeline(ONE_RULE, cai(2, CritiqueStyle::Text), &model)
        .revise(&record)
        .await
        .unwrap();
    let ask_critique = "Say where it is unkind.";
    let ask_revision = "Make it kind.\n\nReply with the rewritten answer only.";
    let begin = vec![
        Message::system("You sell parcels."),
        Message::user("Hi."),
        Message::assistant("Go away."),
        Message::user(ask_critique),
        Message::assistant("It is rude."),
        Message::user(ask_revision),
        Message::assistant("Hello!"),
        Message::user("Where is it?"),
    ];
    let chat = |turns: &[&str]| -> Vec<Message> {
        let mut messages = begin.clone();
        for (place, turn) in turns.iter().enumerate() {
            messages.push(if place % 2 == 0 {
                Message::assistant(*turn)
            } else {
                Message::user(*turn)
            });
        }
        messages
    };
    let sent: Vec<Vec<Message>> = model
        .requests()
        .into_iter()
        .map(|request| request.messages.iter().cloned().collect())
        .collect();
    assert_eq!(sent[0], record.conversation().messages());
    assert_eq!(sent[1], chat(&["draft", ask_critique]));
    assert_eq!(
        sent[2],
        chat(&["draft", ask_critique, "critique 1", ask_revision])
    );
    assert_eq!(
        sent[3],
        chat(&["revision 1", ask_critique]),
        "the second round restarts from the revision"
    );
    assert_eq!(
        sent[4],
        chat(&["revision 1", ask_critique, "critique 2", ask_revision])
    );
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Revised, "revision 2")
    );
}

#[tokio::test]
async fn without_critique_the_revision_is_asked_for_directly() {
    let model = Arc::new(Scripted::texts(["revision 1", "revision 2"]));
    let record = question().with_answer("draft");
    let transcript = pipeline(ONE_RULE, cai(2, CritiqueStyle::None), &model)
        .revise(&record)
        .await
        .unwrap();
    let last = |n: usize| model.requests()[n].messages.last().unwrap().content.clone();
    assert!(last(0).starts_with("Make it kind."));
    assert_eq!(model.requests().len(), 2);
    assert_eq!(final_text(&transcript), "revision 2");
}

#[tokio::test]
async fn checks_judge_the_final_text_of_cai() {
    let model = Arc::new(Scripted::texts(["critique", "Ask bob@example.org."]));
    let record = question().with_answer("draft");
    let transcript = pipeline(MIXED, cai(1, CritiqueStyle::Text), &model)
        .revise(&record)
        .await
        .unwrap();
    assert_eq!(
        (transcript.outcome, final_text(&transcript)),
        (Outcome::Revised, "Ask [address].")
    );
    assert_eq!(transcript.rounds.len(), 2);
}

#[tokio::test]
async fn checks_judge_the_final_text_of_cai_even_when_the_reviser_refuses() {
    let model = Arc::new(Scripted::new([
        Ok(Completion::from_text("critique")),
        Ok(Completion {
            refusal: Some("No.".to_owned()),
            ..Completion::default()
        }),
    ]));
    let record = question().with_answer("Ask bob@example.org.");
    let transcript = pipeline(MIXED, cai(1, CritiqueStyle::Text), &model)
        .revise(&record)
        .await
        .unwrap();
    assert_eq!(final_text(&transcript), "Ask [address].");
    assert_eq!(transcript.outcome, Outcome::Unresolved);
    assert!(transcript.why.contains("refused"), "{}", transcript.why);
}

#[tokio::test]
async fn what_checks_took_out_does_not_reach_the_author_in_a_quote() {
    let model = Arc::new(Scripted::answering(|request: &ChatRequest| {
        let quote = "ann@example.com, fool";
        Ok(match is_critique(request) {
            true if judged(request).contains("fool") => verdicts(request, &[("kind", quote)]),
            true => verdicts(request, &[]),
            false => Completion::from_text("Ask us, friend."),
        })
    }));
    let record = question().with_answer("Ask ann@example.com, fool.");
    pipeline(MIXED, Recipe::default(), &model)
        .revise(&record)
        .await
        .unwrap();
    let asked = &model.requests()[1].messages[1].content;
    assert!(!asked.contains("ann@example.com"), "{asked}");
}

#[tokio::test]
async fn the_same_inputs_give_the_same_bytes() {
    let seal = || async {
        let model = Arc::new(Scripted::texts(["draft", "c", "r", "c", "r2"]));
        let record = question();
        let transcript = pipeline(ONE_RULE, cai(2, CritiqueStyle::Text), &model)
            .revise(&record)
            .await
            .unwrap();
        transcript.seal(record.content_digest())
    };
    let (first, second) = (seal().await, seal().await);
    assert_eq!(first.body, second.body);
    assert_eq!(first.digest, second.digest);
}

#[test]
fn principles_that_need_a_model_and_none_are_named() {
    let constitution = Constitution::from_yaml("test", TWO_RULES).unwrap();
    let error = Pipeline::builder(constitution)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("2 principles") && error.contains("kind, brief"),
        "{error}"
    );
}
