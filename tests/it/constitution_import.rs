//! `constitution import`: each shape of file in, a constitution out that `constitution check` takes.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Ended, Place, lines};

fn fixture(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import");
    folder.join(name)
}

/// Imports a fixture into `out.yaml`, checks that, and gives the place and what import said.
#[track_caller]
fn import(name: &str, options: &str) -> (Place, Ended) {
    let place = Place::new();
    fs::copy(fixture(name), place.path(name)).expect("a fixture");
    let ended = place
        .redraft(&format!("constitution import {name} -o out.yaml {options}"))
        .run()
        .exits(0)
        .prints_nothing();
    place.redraft("constitution check out.yaml").run().exits(0);
    (place, ended)
}

/// The principles of the imported constitution.
fn principles(place: &Place) -> Vec<Value> {
    let shown = place
        .redraft("constitution show out.yaml --json")
        .run()
        .exits(0)
        .json();
    shown["principles"].as_array().expect("principles").clone()
}

fn ids(principles: &[Value]) -> Vec<&str> {
    let ids = principles.iter().map(|principle| principle["id"].as_str());
    ids.map(|id| id.expect("an id")).collect()
}

#[test]
fn requests_lose_their_framing_and_keep_their_typos() {
    let (place, said) = import("critique-revision.json", "");
    let principles = principles(&place);
    assert_eq!(ids(&principles), ["curt0", "vague1", "pushy2"]);
    assert_eq!(
        principles[0]["critique"],
        "Name every sentence of the assistant's last reply that is curt or dismisive."
    );
    assert_eq!(
        principles[2]["revision"],
        "Leave the choice to the human, and lay out what speaks for each side."
    );
    let text = principles[2]["text"].as_str().expect("a text");
    assert!(
        text.ends_with("“Leave the choice to the human, and lay out what speaks for each side.”")
    );
    said.says("critique-revision, 3 principles")
        .says("its text quotes the revision request");
    let description = &place
        .redraft("constitution show out.yaml --json")
        .run()
        .json()["description"];
    let description = description.as_str().expect("a description");
    assert!(
        description.contains("critique-revision.json"),
        "{description}"
    );
    let digest =
        redraft::digest::Digest::of(&fs::read(fixture("critique-revision.json")).expect("bytes"));
    assert!(description.contains(&digest.to_string()), "{description}");
}

#[test]
fn questions_become_preferences() {
    let (place, said) = import("preference-questions.json", "--name librarian");
    let principles = principles(&place);
    assert_eq!(
        principles[0]["preference"],
        "Which of the two replies would a patient librarian rather give?"
    );
    assert!(
        principles
            .iter()
            .all(|principle| principle.get("critique").is_none())
    );
    said.says("3  with preference question");
    assert!(place.read("out.yaml").contains("constitution: librarian\n"));
}

#[test]
fn whole_transcripts_become_examples_of_their_requests() {
    let (place, said) = import("few-shot-transcripts.json", "");
    let principles = principles(&place);
    assert_eq!(principles.len(), 1, "both ask for the same");
    let examples = &principles[0]["examples"];
    assert_eq!(examples[0]["verdict"], "violates");
    assert_eq!(examples[0]["answer"], "Blight. Throw them out.");
    assert!(
        examples[0]["revision"]
            .as_str()
            .expect("a revision")
            .starts_with("It looks like blight.")
    );
    assert_eq!(
        examples[1]["verdict"], "complies",
        "its revision changes nothing"
    );
    assert_eq!(examples[1]["prompt"], "And in the rain?");
    said.says("earlier turns, 2 times, first in entry 2");
}

#[test]
fn pairs_become_examples_of_a_principle_that_is_named_or_told_to_be_missing() {
    let (place, said) = import("few-shot-pairs.json", "");
    let principles_of = principles(&place);
    let examples = principles_of[0]["examples"]
        .as_array()
        .expect("examples")
        .clone();
    let verdicts: Vec<&Value> = examples.iter().map(|example| &example["verdict"]).collect();
    assert_eq!(verdicts, ["violates", "complies", "violates", "complies"]);
    assert_eq!(examples[0]["prompt"], "Is the museum open on Mondays?");
    assert_eq!(examples[0]["revision"], examples[1]["answer"]);
    said.says("the text is ours: give --text");

    let place = Place::new();
    let told = place
        .redraft("constitution import")
        .arg(fixture("few-shot-pairs.json"))
        .args(["--text", "The answer tells what was asked."])
        .run()
        .exits(0)
        .does_not_say("--text");
    assert!(
        told.out
            .contains("text: The answer tells what was asked.\n"),
        "{told}"
    );
}

#[test]
fn comparisons_become_examples_and_say_what_that_takes() {
    let (place, said) = import("few-shot-comparisons.json", "");
    let principles = principles(&place);
    let examples = &principles[0]["examples"];
    assert_eq!(examples[0]["answer"], "Cats do that.");
    assert_eq!(examples[0]["verdict"], "violates");
    assert_eq!(examples[1]["prompt"], "Since yesterday. Should I worry?");
    assert_eq!(examples[1]["verdict"], "complies");
    assert_eq!(examples[2]["critique"], "only (B) answers.");
    said.says("which answer is better")
        .says("earlier turns, 2 times");
}

#[test]
fn chats_go_with_the_principle_whose_request_they_show() {
    let (place, said) = import("llm-swarm.json", "");
    let principles = principles(&place);
    assert_eq!(principles.len(), 2);
    assert_eq!(
        principles[0]["examples"][0]["prompt"],
        "How do I boil rice?"
    );
    assert_eq!(principles[1]["examples"][0]["answer"], "Certainly.");
    said.says("`system_chat`, in system_chat, entry 3");

    let (place, said) = import("nemo-samples.json", "");
    assert_eq!(
        self::principles(&place)[0]["examples"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    said.says("samples, entry 2");
}

#[test]
fn one_name_for_two_rules_and_two_names_for_one_rule() {
    let (place, said) = import("langchain.json", "");
    assert_eq!(ids(&principles(&place)), ["kind1", "kind1-2", "checkable"]);
    said.says("`kind1` is taken, that is another principle of this file; here it is `kind1-2`")
        .says("entry 4: says what `checkable` says");
}

#[test]
fn principles_of_other_files_are_found_by_what_they_say() {
    let place = Place::new();
    fs::copy(fixture("llm-swarm.json"), place.path("swarm.json")).expect("a fixture");
    place
        .redraft("constitution import swarm.json -o swarm.yaml")
        .run()
        .exits(0);
    let other =
        "constitution: other\nprinciples:\n  - { id: kind1, text: It is kind in one way. }\n";
    place.write("other.yaml", other);
    for swarm in ["swarm.json", "swarm.yaml"] {
        let ended = place
            .redraft(&format!(
                "constitution import --match {swarm} --match other.yaml --match privacy"
            ))
            .arg(fixture("langchain.json"))
            .run()
            .exits(0)
            .says("compared with swarm: 2 principles in common")
            .says("compared with privacy: 0 principles in common")
            .says("checkable  the same as claims-nobody-check")
            .says("`kind1` is taken, in other that is another principle; here it is `kind1-2`");
        assert!(ended.out.contains("- id: kind1-3\n"), "{ended}");
    }
}

#[test]
fn dimensions_traits_tables_and_sentences() {
    let (place, said) = import("salmon.json", "");
    let plain = &principles(&place)[0];
    assert_eq!(
        (&plain["id"], &plain["title"]),
        (&"plain-words".into(), &"Plain Words".into())
    );
    assert_eq!(plain["weight"], 3.0);
    said.says("`negative_definition`, in entry 2");

    let (place, said) = import("open-character.jsonl", "");
    assert_eq!(
        principles(&place)[1]["text"],
        "I say so when I do not know."
    );
    said.says("`questions`, 2 times");

    let (place, said) = import("principles.csv", "");
    let today = &principles(&place)[1];
    assert_eq!(today["id"], "s2");
    assert_eq!(today["title"], "Today, not tomorrow");
    assert_eq!(today["preference"], "Pick the reply that helps today.");
    said.says("column `source`, 2 times")
        .says("column `item`, in line 2");

    let (place, said) = import("sentences.md", "");
    let principles = principles(&place);
    assert_eq!(principles[0]["title"], "Sources");
    assert_eq!(
        principles[1]["text"],
        "The reply fits on one screen,\nunless more was asked for."
    );
    assert!(
        principles[2]["text"]
            .as_str()
            .expect("a text")
            .contains("größer")
    );
    said.says("headings, in line 1")
        .says("paragraphs, in line 3");
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    let file = place.write("rules.md", "- Be kind.\n");
    for output in ["rules.md", "there.yaml"] {
        place.write("there.yaml", "mine");
        place
            .redraft(&format!("constitution import rules.md -o {output}"))
            .run()
            .exits(2)
            .says("is there already");
        assert_eq!(place.read("there.yaml"), "mine");
    }
    assert_eq!(fs::read(file).expect("the file"), b"- Be kind.\n");
}

/// What cannot be imported ends with exit code 2, says why, and leaves nothing behind.
#[test]
fn files_that_are_none_of_the_shapes() {
    let deep = "[".repeat(100_000);
    let many = lines((0..1001).map(|n| format!("- Rule {n}.")));
    let long = format!("- {}\n", "word ".repeat(300_000));
    let huge = vec![b'x'; (16 << 20) + 1];
    let cases: [(&str, &[u8], &str); 17] = [
        ("empty.json", b"", "is empty"),
        ("blank.md", b"\n \n", "is empty"),
        ("marked.json", b"\xef\xbb\xbf", "is empty"),
        ("latin.md", b"- gr\xfc\xdfen\n", "not UTF-8 text: byte 5"),
        ("wide.json", b"\xff\xfe[\0]\0", "UTF-16"),
        ("zero.md", b"- a\0b\n", "byte 4 is zero"),
        ("cut.json", b"[{\"name\": \"a\"", "not JSON"),
        ("deep.json", deep.as_bytes(), "recursion limit"),
        ("huge.md", &huge, "more than 16777216 bytes"),
        ("many.md", many.as_bytes(), "holds 1001 principles"),
        ("long.md", long.as_bytes(), "at most 1048576"),
        ("none.json", b"[]", "its list is empty"),
        ("numbers.json", b"[1, 2]", "neither an object nor a text"),
        ("other.json", b"{\"rules\": {\"a\": 1}}", "the keys `rules`"),
        ("code.py", b"RULES = []\n", "no page (.md, .txt)"),
        (
            "wrong.csv",
            b"Regel,Gewicht\nNett sein.,1\n",
            "Regel, Gewicht",
        ),
        (
            "ours.yaml",
            b"constitution: ours\n",
            "is a constitution already",
        ),
    ];
    for (name, bytes, says) in cases {
        let place = Place::new();
        place.write(name, bytes);
        place
            .redraft(&format!("constitution import {name} -o out.yaml"))
            .run()
            .exits(2)
            .prints_nothing()
            .says("error: ")
            .says(says);
        assert_eq!(place.names(), [name]);
    }
    let place = Place::new();
    place
        .redraft("constitution import gone.json")
        .run()
        .exits(2)
        .says("cannot read gone.json");
    place
        .redraft("constitution import .")
        .run()
        .exits(2)
        .says("cannot read");
    place.write("a.md", "- Be kind.\n");
    place
        .redraft("constitution import a.md --name Ours")
        .run()
        .exits(2)
        .says("not kebab-case");
    place
        .redraft("constitution import a.md --from poem")
        .run()
        .exits(2)
        .says("few-shot-pairs");
    place
        .redraft("constitution import a.md --from salmon")
        .run()
        .exits(2)
        .says("cannot be read as salmon: it holds no JSON");
}

#[test]
fn a_byte_order_mark_and_odd_entries_do_not_stand_in_the_way() {
    let place = Place::new();
    let entries = "\u{feff}[{\"name\": \"a\", \"critique_request\": \"Is it kind?\", \"extra\": 1},\n \
                   {\"name\": \"b\", \"critique_request\": 7, \"revision_request\": \"\"}]";
    place.write("odd.json", entries);
    let ended = place
        .redraft("constitution import odd.json")
        .run()
        .exits(0)
        .says("langchain, 1 principle")
        .says("`critique_request`, in entry 2: a number where a text was expected")
        .says("entries, in entry 2: nothing in it says anything")
        .says("`extra`, in entry 1: no field of a principle");
    assert!(
        ended
            .out
            .contains("In the answer, this request finds nothing to object to: “Is it kind?”")
    );
}
