//! People who review on pages: the whole walk, everything that is refused, hostile texts, and a real
//! browser with the keyboard alone.

use serde_json::{Value, json};

use crate::pages::{HOSTILE, assert_harmless, hostile_server};
use crate::support::{Browser, ENTER, Page, Place, Server, View, lines, wait_until};

const RECIPE: &str = "recipe: { rounds: 1, hold: { severity: high, unresolved: true } }\n";

/// A run of three records, two of which are held: one that was mended, and one that was not.
fn held() -> Place {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write("redraft.yaml", RECIPE);
    let row = |id: &str, text: &str| json!({ "id": id, "prompt": format!("draft: {text}") });
    let rows = [
        row("clean", "Kind."),
        row("mended", "Rude. !be-kind"),
        row("stubborn", "Ruder. !be-kind !stubborn"),
    ];
    place.write("in.jsonl", lines(rows));
    // The last one alone, so that they are sealed in this order.
    for limit in ["--limit 2", ""] {
        let run = format!("run in.jsonl -c manners.yaml --run first {limit}");
        place.redraft(&run).model(&server).run();
    }
    place
}

/// Somebody at their pages.
struct Person {
    view: View,
    token: String,
}

impl Person {
    fn at(place: &Place, name: &str) -> Self {
        let view = View::reviewing(place, name);
        let token = value(&view.page("/review"), "form_token");
        Self { view, token }
    }

    fn act(&self, act: &str, record: &str, fields: &str) -> Page {
        let address = format!("/review/{act}?run=first&record={record}");
        let form = format!("form_token={}&{fields}", self.token);
        self.view.post(&address, &form)
    }

    /// The same, which must lead on; gives where.
    #[track_caller]
    fn goes(&self, act: &str, record: &str, fields: &str) -> String {
        let page = self.act(act, record, fields);
        assert_eq!(page.status, 303, "{act} {record}: {}", page.body);
        let (_, rest) = page.head.split_once("location: ").expect("a way on");
        rest.lines().next().unwrap_or_default().trim().to_owned()
    }

    fn item(&self, record: &str) -> String {
        self.view
            .page(&format!("/review/item?run=first&record={record}"))
    }

    /// Claims a record and looks at its findings; gives the field that says which transcript it was.
    fn look(&self, record: &str) -> String {
        self.goes("claim", record, "");
        let seen = format!("transcript={}", value(&self.item(record), "transcript"));
        self.goes("blind", record, &format!("{seen}&do=skip"));
        seen
    }
}

/// The value of a hidden field.
fn value(page: &str, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&before).expect("such a field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Every review of the run, as it is exported.
fn reviews(place: &Place) -> Vec<Value> {
    let ended = place.redraft("review export first").run().exits(0);
    ended.json_lines()
}

/// How many leaves the log has.
fn leaves(place: &Place) -> i64 {
    place.count("SELECT count(*) FROM leaves")
}

/// Has the claim of somebody run out.
fn run_out(place: &Place, name: &str) {
    let sql = "UPDATE claims SET until = '2000-01-01T00:00:00.000Z' WHERE reviewer = ?1";
    let changed = place.store().execute(sql, [name]).expect("a claim");
    assert_eq!(changed, 1);
}

/// Judges and decides both records of a queue: the first approved, the second edited.
fn decide_both(ann: &Person) {
    ann.goes("next", "", "");
    let seen = format!("transcript={}", value(&ann.item("mended"), "transcript"));
    let said = format!("{seen}&do=judge&draft-0=violates&final-0=violates&draft-1=");
    ann.goes("blind", "mended", &said);
    let decision = format!("{seen}&decision=approve&note=fine%0D%0Aso+far");
    let second = ann.goes("decide", "mended", &decision);
    assert_eq!(second, "/review/item?run=first&record=stubborn");
    let seen = ann.look("stubborn");
    let decision = format!("{seen}&decision=edit&text=Kinder.%0D%0ANow.&draft-1=keeps");
    let end = ann.goes("decide", "stubborn", &decision);
    assert_eq!(end, "/review?run=first");
}

/// That a page has all of these texts.
#[track_caller]
fn tells(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text:?} is not there: {page}");
    }
}

#[test]
fn a_record_is_judged_before_anything_of_what_was_found_is_told() {
    let place = held();
    let ann = Person::at(&place, "ann");
    let queue = ann.view.page("/review");
    let waiting = "<strong>2</strong><span>waiting";
    tells(
        &queue,
        &[waiting, "record=mended", "record=stubborn", "Take the next"],
    );
    assert!(!queue.contains("record=clean"), "{queue}");

    let first = ann.goes("next", "", "");
    assert_eq!(first, "/review/item?run=first&record=mended");
    let blind = ann.item("mended");
    tells(
        &blind,
        &["Step 1 of 2", "Rude. !be-kind", "The answer is kind to"],
    );
    for told in [
        "It says !be-kind.",
        "Suggested",
        "mended</span>",
        "<mark",
        "<del",
        "severe violation",
        "Round 1",
    ] {
        assert!(!blind.contains(told), "{told:?} is told: {blind}");
    }
    let seen = format!("transcript={}", value(&blind, "transcript"));
    let said = format!("{seen}&do=judge&draft-0=violates&final-0=violates");
    assert_eq!(ann.goes("blind", "mended", &said), first);
    let found = [
        "Step 2 of 2",
        "<mark class=\"high\">!be-kind</mark>",
        "<del>",
        "agree</span>",
        "differ</span>",
        "value=\"approve\"",
        "value=\"choose-0\"",
        "a severe violation",
    ];
    tells(&ann.item("mended"), &found);
    ann.goes("decide", "mended", &format!("{seen}&decision=approve"));
    let said = "mended: you approved the final answer, leaf";
    tells(&ann.item("stubborn"), &[said]);
    assert!(!ann.item("stubborn").contains(said), "it is said once");
}

#[test]
fn what_was_decided_is_kept_as_it_was_said() {
    let place = held();
    decide_both(&Person::at(&place, "ann"));
    let given = reviews(&place);
    assert_eq!(given.len(), 2, "{given:?}");
    assert!(given.iter().all(|review| review["author"] == "ann"));
    let verdict = |text: &str, principle: &str, violates: bool| json!({ "text": text, "principle": principle, "violates": violates });
    let expected = json!({
        "decision": "approve", "blind": true, "note": "fine\nso far", "adjudicates": false,
        "verdicts": [verdict("draft", "be-kind", true), verdict("final", "be-kind", true)],
    });
    let expected = [
        expected,
        json!({
            "decision": "edit", "text": "Kinder.\nNow.", "blind": false,
            "verdicts": [verdict("draft", "be-brief", false)],
        }),
    ];
    for (given, expected) in given.iter().zip(&expected) {
        for (field, value) in expected.as_object().expect("fields") {
            assert_eq!(&given[field], value, "{field}");
        }
    }
    place.redraft("audit verify").run().exits(0);
}

#[test]
fn what_was_decided_is_told_on_every_page_it_concerns() {
    let place = held();
    let ann = Person::at(&place, "ann");
    decide_both(&ann);
    let queue = [
        "Nothing is left for you in this queue.",
        "<strong>0</strong><span>waiting",
        "<strong>1</strong><span>approved",
        "<strong>1</strong><span>edited",
        "<strong>ann</strong> (2)",
    ];
    tells(&ann.view.page("/review"), &queue);
    let edited = [
        "What people decided",
        "wrote another answer",
        "The answer after review",
        "with the findings in view",
    ];
    tells(
        &ann.view.page("/transcript?run=first&record=stubborn"),
        &edited,
    );
    let page = ann.view.page("/transcript?run=first&record=mended");
    tells(&page, &["before the findings were seen"]);
    for (reviewed, told) in [("yes", "2 transcripts"), ("no", "1 transcript")] {
        let list = format!("/transcripts?run=first&reviewed={reviewed}");
        tells(
            &ann.view.page(&list),
            &[&format!("role=\"status\">{told} ")],
        );
    }
    // The critic found the draft to be unkind, and so did ann.
    let (_, rest) = page.split_once("/constitution?digest=").expect("a link");
    let constitution = format!("/constitution?digest={}", &rest[..32]);
    let precision = [
        "Precision by human review: <strong>100.0 %</strong>",
        "of 1 violation that the critic found",
    ];
    tells(&ann.view.page(&constitution), &precision);

    let page = View::of(&place).page("/transcript?run=first&record=mended");
    tells(&page, &["approved the final answer"]);
    assert!(!page.contains("Review it"), "{page}");
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let place = held();
    let ann = Person::at(&place, "ann");
    let seen = ann.look("mended");
    let before = leaves(&place);
    let refused = |act: &str, record: &str, fields: &str, status: u16, why: &str| {
        let page = ann.act(act, record, fields);
        assert_eq!(
            page.status, status,
            "{act} {record} {fields}: {}",
            page.body
        );
        assert!(page.body.contains(why), "{why:?}: {}", page.body);
        assert!(page.body.contains("</html>"), "a page");
        assert_eq!(leaves(&place), before, "{act} {record} {fields}");
    };
    let decided = |more: &str| format!("{seen}&{more}");
    for (fields, status, why) in [
        (decided(""), 422, "Nothing was decided"),
        (decided("decision=delete"), 422, "no such decision"),
        (decided("decision=choose-7"), 422, "no text of round 7"),
        (decided("decision=edit&text=+%0D%0A"), 422, "needs a text"),
        (
            decided("decision=approve&draft-9=keeps"),
            422,
            "principle number 9",
        ),
        (
            decided("decision=approve&draft-0=perhaps"),
            422,
            "A verdict is one of",
        ),
        (
            decided("decision=approve&adjudicate=yes"),
            409,
            "has changed",
        ),
        ("decision=approve".to_owned(), 422, "which transcript"),
        (
            "decision=approve&transcript=00000000000000000000000000000000".to_owned(),
            409,
            "another transcript",
        ),
    ] {
        refused("decide", "mended", &fields, status, why);
    }
    refused(
        "blind",
        "mended",
        &format!("{seen}&draft-0=violates"),
        409,
        "already",
    );
    refused(
        "decide",
        "nobody",
        &seen,
        404,
        "has no transcript of nobody",
    );
    refused("claim", "nobody", "", 404, "has no transcript of nobody");
    let other = ann.view.post(
        "/review/next?run=none",
        &format!("form_token={}", ann.token),
    );
    assert_eq!(other.status, 404, "{}", other.body);
    // The first step comes before the second.
    ann.goes("claim", "stubborn", "");
    let whole = format!(
        "transcript={}&decision=approve",
        value(&ann.item("stubborn"), "transcript")
    );
    refused("decide", "stubborn", &whole, 409, "first step");

    // Forms that no page of this session gave.
    let address = "/review/decide?run=first&record=mended";
    let approve = decided("decision=approve");
    for form in [
        approve.clone(),
        format!("form_token=&{approve}"),
        format!("form_token={}&{approve}", "A".repeat(ann.token.len())),
    ] {
        let page = ann.view.post(address, &form);
        assert_eq!(page.status, 403, "{}", page.body);
    }
    assert_eq!(leaves(&place), before);
    assert!(reviews(&place).is_empty());
    // After all of that, what fits is taken, once.
    ann.goes("decide", "mended", &approve);
    let page = ann.act("decide", "mended", &approve);
    assert_eq!(page.status, 409, "{}", page.body);
    assert_eq!(leaves(&place), before + 1);
}

#[test]
fn a_claim_that_others_took_is_lost_and_one_whose_place_is_free_is_not() {
    let place = held();
    let (ann, bob) = (Person::at(&place, "ann"), Person::at(&place, "bob"));
    let seen = ann.look("mended");
    assert!(
        bob.item("mended")
            .contains("One other person looks at it now. No more may")
    );
    assert_eq!(bob.act("claim", "mended", "").status, 409);
    assert_eq!(
        bob.goes("next", "", ""),
        "/review/item?run=first&record=stubborn"
    );
    bob.goes("release", "stubborn", "");

    run_out(&place, "ann");
    assert!(ann.item("mended").contains("your claim has run out"));
    bob.look("mended");
    let before = leaves(&place);
    let approve = format!("{seen}&decision=approve");
    let page = ann.act("decide", "mended", &approve);
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(
        page.body.contains("1 other looks at mended"),
        "{}",
        page.body
    );
    assert_eq!(leaves(&place), before);

    run_out(&place, "bob");
    ann.goes("decide", "mended", &approve);
    let page = bob.act("decide", "mended", &format!("{seen}&decision=reject"));
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(page.body.contains("was decided meanwhile"), "{}", page.body);
    assert!(bob.item("mended").contains("This record is decided."));
    assert_eq!(reviews(&place).len(), 1);
}

#[test]
fn what_was_erased_is_served_to_nobody() {
    let place = held();
    place
        .redraft("audit erase mended --reason asked --author Ann")
        .run()
        .exits(0);
    let ann = Person::at(&place, "ann");
    let queue = ann.view.page("/review");
    assert!(queue.contains("erased</span>"), "{queue}");
    assert!(queue.contains("<strong>1</strong><span>waiting"), "{queue}");
    assert_eq!(
        ann.goes("next", "", ""),
        "/review/item?run=first&record=stubborn"
    );
    let page = ann.act("claim", "mended", "");
    assert_eq!(page.status, 404, "{}", page.body);
    let page = ann.view.page("/transcript?run=first&record=mended");
    assert!(!page.contains("Review it"), "{page}");
}

#[test]
fn decisions_need_a_name_and_this_machine() {
    let place = held();
    let view = |options: &str| {
        place
            .redraft(&format!("view --listen 127.0.0.1:0 {options}"))
            .env("USER", "")
            .env("USERNAME", "")
    };
    view("--review").run().exits(2).says("--author");
    view("--review --open").run().exits(2);
    view("--author ann").run().exits(2).says("--review");
    view("nowhere.db --review --author ann")
        .run()
        .exits(1)
        .says("there is no such file");
    assert!(!place.has("nowhere.db"));
}

#[test]
fn hostile_texts_are_texts_for_those_who_review() {
    let texts = HOSTILE.map(|(text, _)| text).join(" ");
    let server = hostile_server();
    let place = Place::new();
    place.write("redraft.yaml", RECIPE);
    place.write(
        "manners.yaml",
        "constitution: manners\nprinciples:\n  - id: be-kind\n    text: <b>Kind</b> & \"so\".\n",
    );
    let message = |role: &str| json!({ "role": role, "content": texts });
    let name = "<script>alert(1)</script>&\"'";
    let row = json!({ "id": name, "messages": [message("user"), message("assistant")] });
    place.write("in.jsonl", lines([row]));
    place
        .redraft("run in.jsonl -c manners.yaml --run first")
        .model(&server)
        .run()
        .exits(0);
    let ann = Person::at(&place, "ann");
    let check = |address: &str, least: usize| {
        let body = ann.view.page(address);
        let fields = body.matches("<textarea").count();
        assert!(fields == 0 || fields == 2, "{address}: {fields}");
        assert_harmless(address, &body.replace("<textarea", "<field"));
        let is_shown = |shown: &&(&str, &str)| body.contains(shown.1);
        let shown = HOSTILE.iter().filter(is_shown).count();
        assert!(shown >= least, "{address} shows {shown}: {body}");
        body
    };
    check("/review", 3);
    let item = ann.goes("next", "", "");
    assert!(item.starts_with("/review/item?"), "{item}");
    let blind = check(&item, 9);
    let transcript = value(&blind, "transcript");
    let act = |act: &str, fields: &str| {
        let address = item.replace("/item?", &format!("/{act}?"));
        let form = format!("form_token={}&transcript={transcript}&{fields}", ann.token);
        ann.view.post(&address, &form)
    };
    assert_eq!(act("blind", "do=judge&draft-0=violates").status, 303);
    let page = check(&item, 9);
    assert!(page.contains("&lt;/textarea&gt;"), "{page}");
    let hostile =
        "decision=edit&text=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE&note=%3Cimg%20src=x%3E";
    assert_eq!(act("decide", hostile).status, 303);
    check("/review", 3);
    let transcript = item.replace("/review/item?", "/transcript?");
    let page = check(&transcript, 9);
    assert!(page.contains("&lt;img src=x&gt;"), "{page}");
}

#[test]
fn from_the_runs_to_a_decision_by_the_keyboard_alone() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = held();
    let ann = View::reviewing(&place, "ann");
    let says = |text: &str| {
        browser.wait(&format!(
            "document.querySelector('main').textContent.includes({})",
            json!(text)
        ));
    };
    let at = |path: &str| browser.wait(&format!("location.pathname === '{path}'"));
    browser.open(&ann.url("/"));
    browser.press("j");
    browser.press(ENTER);
    at("/run");
    browser.open(&ann.url("/transcripts?run=first&outcome=held&sort=oldest"));
    browser.press("j");
    browser.press(ENTER);
    at("/transcript");
    says("Nobody has decided yet.");
    super::browser::tab_to(&browser, "Review it");
    browser.press(ENTER);
    at("/review/item");
    says("You have not claimed this record");
    browser.open(&ann.url("/review"));

    browser.press("?");
    browser.wait("document.querySelector('dialog').open");
    // Keys that do something elsewhere do nothing while the list is read.
    browser.press("t");
    browser.press("\u{e00c}");
    browser.wait("!document.querySelector('dialog').open");
    assert!(browser.url().ends_with("/review"), "{}", browser.url());
    browser.press("t");
    at("/review/item");
    says("Step 1 of 2");

    let chosen = |name: &str| {
        let script = format!(
            "return document.querySelector('input[name=\"{name}\"]:checked')?.value ?? null"
        );
        browser.run(&script)
    };
    browser.press("jv");
    assert_eq!(chosen("draft-0"), "violates");
    browser.press("jc");
    assert_eq!(chosen("final-0"), "keeps");
    browser.press("jvu");
    assert_eq!(chosen("draft-1"), "");
    browser.press("kv");
    assert_eq!(chosen("final-0"), "violates");
    browser.press("c");
    // Enter on a choice sends the form.
    browser.press(ENTER);
    says("Step 2 of 2");

    browser.press("x");
    assert_eq!(chosen("decision"), "reject");
    browser.press("0");
    assert_eq!(chosen("decision"), "choose-0");
    browser.press("m");
    browser.wait("document.activeElement.id === 'note'");
    // Letters that are keys elsewhere are letters here.
    browser.press("axe");
    assert_eq!(
        browser.run("return document.querySelector('#note').value"),
        "axe"
    );
    assert_eq!(chosen("decision"), "choose-0");
    browser.press("\u{e00c}");
    browser.press("a");
    assert_eq!(chosen("decision"), "approve");
    browser.press(ENTER);
    browser.wait("location.search.includes('stubborn')");
    says("mended: you approved the final answer");

    browser.press("s");
    says("Step 2 of 2");
    browser.press("e");
    browser.wait("document.activeElement.id === 'text'");
    browser.run("document.activeElement.value = ''");
    browser.press("Kinder.");
    browser.chord("\u{e009}", ENTER);
    at("/review");
    says("Nothing is left for you");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    let given = reviews(&place);
    assert_eq!(given.len(), 2, "{given:?}");
    assert_eq!(
        (&given[0]["blind"], &given[0]["note"]),
        (&json!(true), &json!("axe"))
    );
    assert_eq!(
        given[0]["verdicts"],
        json!([
            { "text": "draft", "principle": "be-kind", "violates": true },
            { "text": "final", "principle": "be-kind", "violates": false },
        ])
    );
    assert_eq!(
        (&given[1]["decision"], &given[1]["text"]),
        (&json!("edit"), &json!("Kinder."))
    );
    assert_eq!(given[1]["blind"], false, "nothing was said before");
}

#[test]
fn a_phone_shows_each_step_without_scrolling_sideways_and_scripts_are_not_needed() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = held();
    let ann = View::reviewing(&place, "ann");
    let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    browser.tools("Emulation.setDeviceMetricsOverride", &phone);
    let fits = |page: &str| {
        let width = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(width, 360, "{page}");
    };
    browser.tools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    let tab_to = |text: &str| super::browser::tab_to(&browser, text);
    browser.open(&ann.url("/review"));
    fits("the queue");
    tab_to("Take the next t");
    browser.press(ENTER);
    wait_until("the first step", || browser.url().contains("/review/item"));
    fits("the first step");
    tab_to("See the findings without judging");
    browser.press(ENTER);
    wait_until("the second step", || {
        let text = browser.run("return document.querySelector('main').textContent");
        text.as_str().is_some_and(|text| text.contains("Step 2"))
    });
    fits("the second step");
    browser.open(&ann.url("/transcript?run=first&record=mended"));
    fits("the transcript");
}
