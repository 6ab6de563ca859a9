//! What `constitution check` finds: one broken file for each finding, shown as a person sees it.

use insta::assert_snapshot;

use crate::support::Place;

/// Checks one file of these principles, and gives what is said about it.
#[track_caller]
fn check(principles: &str) -> String {
    check_file(&format!("constitution: broken\nprinciples:\n{principles}"))
}

#[track_caller]
fn check_file(text: &str) -> String {
    let place = Place::new();
    place.write("broken.yaml", text);
    place
        .redraft("constitution check broken.yaml")
        .run()
        .exits(2)
        .prints_nothing()
        .err
}

#[test]
fn an_unknown_field() {
    assert_snapshot!(check("  - id: a\n    text: Be kind.\n    wieght: 2\n"));
}

#[test]
fn a_missing_field() {
    assert_snapshot!(check("  - id: a\n    title: Kindness\n"));
}

#[test]
fn an_id_given_twice() {
    assert_snapshot!(check(
        "  - { id: a, text: Be kind. }\n  - { id: a, text: Cite every source. }\n"
    ));
}

#[test]
fn an_id_that_is_not_kebab_case() {
    assert_snapshot!(check("  - { id: Be Kind, text: Be kind. }\n"));
}

#[test]
fn an_include_that_is_not_there() {
    assert_snapshot!(check_file("constitution: broken\ninclude: [privcy]\n"));
}

#[test]
fn an_include_that_leads_back() {
    let place = Place::new();
    place.write("one.yaml", "constitution: one\ninclude: [two.yaml]\n");
    place.write(
        "two.yaml",
        "constitution: two\ninclude:\n  - privacy\n  - one.yaml\n",
    );
    let said = place
        .redraft("constitution check one.yaml")
        .run()
        .exits(2)
        .err;
    // Its folder is another one in every test.
    let folder = place.folder().display().to_string();
    assert_snapshot!(said.replace(&folder, "FOLDER"));
}

#[test]
fn a_regex_that_does_not_compile() {
    assert_snapshot!(check(
        "  - id: a\n    text: No codes.\n    checks:\n      - pattern: { regex: '[0-9' }\n"
    ));
}

#[test]
fn a_regex_that_matches_the_empty_string() {
    assert_snapshot!(check(
        "  - id: a\n    text: No codes.\n    checks:\n      - pattern: { regex: '[0-9]*' }\n"
    ));
}

#[test]
fn a_detector_that_there_is_not() {
    assert_snapshot!(check(
        "  - id: a\n    text: No mail.\n    checks:\n      - pattern: { name: emial }\n"
    ));
}

#[test]
fn a_principle_that_can_never_apply() {
    assert_snapshot!(check(
        "  - id: a\n    text: Be kind.\n    applies_to: { tags: [] }\n"
    ));
}

#[test]
fn an_example_that_contradicts_the_checks() {
    assert_snapshot!(check(
        "  - id: a\n    text: No mail.\n    checks:\n      - pattern: { name: email }\n    examples:\n      \
         - prompt: Whom?\n        answer: Ask Ann.\n        verdict: violates\n      \
         - prompt: Whom?\n        answer: Mail ann@example.com.\n        verdict: complies\n"
    ));
}

#[test]
fn evidence_that_does_not_occur() {
    assert_snapshot!(check(
        "  - id: a\n    text: Be kind.\n    examples:\n      - prompt: Hi\n        answer: Go away.\n        \
         verdict: violates\n        evidence: Get lost\n"
    ));
}

#[test]
fn nearly_the_same_twice() {
    let place = Place::new();
    place.write(
        "twins.yaml",
        "constitution: twins\nprinciples:\n  - { id: a, text: The answer is kind to whoever reads it. }\n  \
         - { id: b, text: The answer is always kind to whoever reads it. }\n",
    );
    let ended = place
        .redraft("constitution check twins.yaml")
        .run()
        .exits(0)
        .prints("1 warning");
    assert_snapshot!(ended.err);
    place
        .redraft("constitution check --strict twins.yaml")
        .run()
        .exits(2);
}

/// All that is wrong is said at once, each with its place.
#[test]
fn several_problems_at_once() {
    let said = check(
        "  - { id: A, text: Be kind. }\n  - { id: b, text: '' }\n  - { id: b, text: Cite., weight: -1 }\n",
    );
    for place_of in ["broken.yaml:3:", "broken.yaml:4:", "broken.yaml:5:"] {
        assert!(said.contains(place_of), "{said}");
    }
}
