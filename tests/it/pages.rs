//! `redraft view` and `redraft report`: what the pages say, and that hostile texts are texts on each.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Act, Page, Part, Place, Server, View, lines, wait_until};

/// Texts that do harm where they are taken for more than texts, and a piece of each that shows that it
/// is a text on a page.
pub(crate) const HOSTILE: [(&str, &str); 9] = [
    (
        "<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ),
    (
        "<img src=x onerror=alert(2)>",
        "&lt;img src=x onerror=alert(2)&gt;",
    ),
    (
        "\"' onmouseover='alert(3)' x=\"",
        "onmouseover='alert(3)' x=&quot;",
    ),
    (
        "<svg/onload=alert(4)><a href=\"javascript:alert(5)\">",
        "&lt;svg/onload=alert(4)&gt;",
    ),
    (
        "</textarea></title></style><base href=//x>",
        "&lt;/textarea&gt;&lt;/title&gt;&lt;/style&gt;",
    ),
    ("abc\u{202e}fed\u{2066}", ">U+202E</span>fed"),
    ("\u{1b}[2J\u{1b}]0;title\u{7}", ">ESC</span>[2J"),
    ("nul\0inside\r", ">NUL</span>inside"),
    (
        "&lt;b&gt; {{ 7 * 7 }} ${x}",
        "&amp;lt;b&amp;gt; {{ 7 * 7 }}",
    ),
];

/// A place with a run of checks alone over these rows.
fn checked(rows: impl IntoIterator<Item = Value>) -> Place {
    let place = Place::new();
    place.write("in.jsonl", lines(rows));
    place
        .redraft("run in.jsonl -c privacy --run first")
        .run()
        .exits(0);
    place
}

/// A hundred replies, every third of which gives an address away.
fn replies() -> Vec<Value> {
    (0..100)
        .map(|number| {
            let answer = match number % 3 {
                0 => format!("Write to ann{number}@example.com about it."),
                _ => format!("Nothing to see in number {number}."),
            };
            let tag = if number < 10 { "early" } else { "late" };
            json!({ "id": format!("r{number}"), "prompt": format!("Question {number} about parcels?"),
                "answer": answer, "tags": [tag] })
        })
        .collect()
}

/// Waits until a page says something, as it must once the index has caught up.
fn wait_for(view: &View, address: &str, text: &str) {
    wait_until(text, || view.page(address).contains(text));
}

/// A text as it stands in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let _ = write!(encoded, "%{byte:02X}");
    }
    encoded
}

/// How many rows a list has.
fn rows(page: &str) -> usize {
    page.matches("<li data-row").count()
}

/// The address that a link with this relation has.
fn linked(page: &str, relation: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("rel=\"{relation}\" href=\""))?;
    let (address, _) = rest.split_once('"')?;
    Some(address.replace("&amp;", "&"))
}

/// The records of a list, in its order.
fn records(page: &str) -> Vec<String> {
    page.split("class=\"record\"")
        .skip(1)
        .map(|rest| {
            let (_, rest) = rest.split_once('>').expect("a link");
            rest.split('<').next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn runs_lead_to_a_run_and_on_to_its_transcripts() {
    let place = checked(replies());
    let view = View::of(&place);
    let runs = view.page("/");
    assert!(runs.contains("href=\"/run?run=first\""), "{runs}");
    assert!(runs.contains("finished"));
    let run = view.page("/run?run=first");
    for text in [
        "<strong>100</strong><span>transcripts",
        "34.0 %",
        "no-email-addresses",
        // Wilson's interval of 34 in 100.
        "(25.5 – 43.7)",
        "after 1 revision",
        "Refusals",
        "checks alone did the work",
    ] {
        assert!(
            run.contains(text),
            "{text:?} is not on the page of the run:\n{run}"
        );
    }
    let list = view.page("/transcripts?run=first&principle=no-email-addresses&verdict=violates");
    assert!(list.contains("34 transcripts"), "{list}");
    assert_eq!(rows(&list), 25);
}

#[test]
fn a_list_is_turned_over_forward_and_backward() {
    let place = checked(replies());
    let view = View::of(&place);
    let mut newest = Vec::new();
    for sort in ["newest", "oldest", "severity", "change", "revisions"] {
        let mut address = format!("/transcripts?run=first&sort={sort}");
        let (mut pages, mut seen) = (Vec::new(), Vec::new());
        loop {
            let page = view.page(&address);
            seen.extend(records(&page));
            let next = linked(&page, "next");
            pages.push(page);
            match next {
                Some(next) => address = next,
                None => break,
            }
        }
        assert_eq!(pages.len(), 4, "{sort}");
        let mut all = seen.clone();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 100, "{sort}: {seen:?}");
        for (place, page) in pages.iter().enumerate().skip(1).rev() {
            let back = linked(page, "prev").expect("a page before");
            assert_eq!(
                records(&view.page(&back)),
                records(&pages[place - 1]),
                "{sort}"
            );
        }
        if sort == "newest" {
            newest.clone_from(&seen);
        }
        if sort == "oldest" {
            let turned: Vec<String> = seen.iter().rev().cloned().collect();
            assert_eq!(turned, newest);
        }
        if sort == "severity" || sort == "change" || sort == "revisions" {
            let changed = |record: &String| record[1..].parse::<u32>().expect("a number") % 3 == 0;
            assert!(seen[..34].iter().all(changed), "{sort}: {seen:?}");
        }
    }
}

#[test]
fn filters_narrow_a_list_together() {
    let place = checked(replies());
    let view = View::of(&place);
    for (query, count) in [
        ("", 100),
        ("tag=early", 10),
        ("tag=none", 0),
        ("changed=yes", 34),
        ("changed=yes&tag=early", 4),
        ("outcome=compliant", 100),
        ("outcome=failed", 0),
        ("severity=high", 34),
        ("severity=critical", 0),
        ("verdict=violates", 34),
        ("verdict=error", 0),
        ("principle=no-phone-numbers", 100),
        ("principle=no-phone-numbers&verdict=violates", 0),
        ("principle=nobody-knows-it", 0),
        ("q=parcels", 100),
        ("q=PARCELS+42", 1),
        ("q=%22number+7%22", 1),
        ("q=%22about+it%22&tag=early", 4),
        ("q=quest*", 100),
        ("q=r17", 1),
        ("q=nowhere", 0),
        ("q=%22%29+OR+%28%22", 0),
    ] {
        let page = view.page(&format!("/transcripts?run=first&{query}"));
        let told = format!("{count} transcript{}", if count == 1 { "" } else { "s" });
        assert!(
            page.contains(&format!("role=\"status\">{told}")),
            "{query}: {page}"
        );
        assert_eq!(rows(&page), count.min(25), "{query}");
    }
}

#[test]
fn neighbours_are_those_of_the_list() {
    let place = checked(replies());
    let view = View::of(&place);
    let list = view.page("/transcripts?run=first&tag=early&changed=yes&sort=oldest");
    let order = records(&list);
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(sorted, ["r0", "r3", "r6", "r9"]);
    let mut address = format!(
        "/transcript?run=first&record={}&tag=early&changed=yes&sort=oldest",
        order[0]
    );
    for record in &order {
        let page = view.page(&address);
        assert!(page.contains(&format!("<h1>{record}</h1>")), "{page}");
        match linked(&page, "next") {
            Some(next) => address = next,
            None => assert_eq!(record, &order[3]),
        }
    }
    let back = linked(&view.page(&address), "prev").expect("one before");
    assert!(view.page(&back).contains(&format!("<h1>{}</h1>", order[2])));
}

#[test]
fn a_transcript_tells_what_changed_and_why() {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write_prompts(
        "in.jsonl",
        [
            "draft: It is late. !be-kind Go on.",
            "draft: Fine.",
            "draft: Never. !be-brief !stubborn",
        ],
    );
    place
        .redraft("run in.jsonl -c manners.yaml --run first")
        .model(&server)
        .run()
        .exits(0);
    let view = View::of(&place);
    let page = view.page("/transcript?run=first&record=r1");
    for text in [
        "<mark class=\"high\">!be-kind</mark>",
        "<del>!be-kind ",
        "It says !be-kind.",
        "Suggested: </span>Leave out !be-kind.",
        "<span class=\"badge compliant\">mended</span>",
        "<span class=\"badge compliant\">kept</span>",
        "Round 2",
        "of the store's tree",
        "stub",
    ] {
        assert!(page.contains(text), "{text:?} is not on the page:\n{page}");
    }
    assert!(
        view.page("/transcript?run=first&record=r2")
            .contains("the final answer is the draft")
    );
    let unresolved = view.page("/transcript?run=first&record=r3");
    assert!(unresolved.contains("<span class=\"badge unresolved\">not mended</span>"));

    let json = view.get("/transcript.json?run=first&record=r1");
    assert!(
        json.head.contains("content-type: application/json"),
        "{}",
        json.head
    );
    assert!(json.head.contains("content-disposition: attachment"));
    let sealed: String = place
        .store()
        .query_row(
            "SELECT body FROM transcripts WHERE record = 'r1'",
            [],
            |row| row.get(0),
        )
        .expect("a transcript");
    assert_eq!(json.body, sealed);

    let transcript: Value = serde_json::from_str(&sealed).expect("JSON");
    let digest = transcript["provenance"]["constitution"]["digest"]
        .as_str()
        .expect("a digest");
    let constitution = view.page(&format!("/constitution?digest={digest}"));
    for text in [
        "manners",
        "violated in <strong>1</strong> of 3",
        "record=r1",
        "The answer is kind to whoever reads it.",
        "No sentence could be left out without loss.",
    ] {
        assert!(constitution.contains(text), "{text:?}: {constitution}");
    }
}

#[test]
fn the_text_of_a_shipped_constitution_is_known() {
    let place = checked(replies());
    let view = View::of(&place);
    let run = view.page("/run?run=first");
    let (_, rest) = run
        .split_once("href=\"/constitution?digest=")
        .expect("a link");
    let page = view.page(&format!("/constitution?digest={}", &rest[..32]));
    assert!(!page.contains("is not known here"), "{page}");
    assert!(
        page.contains("violated in <strong>34</strong> of 100"),
        "{page}"
    );
    assert_eq!(view.get("/constitution?digest=nothing").status, 404);
}

#[test]
fn two_runs_are_compared_record_by_record() {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write_prompts(
        "in.jsonl",
        (0..30).map(|number| match number % 3 {
            0 => format!("draft: Some {number}. !be-kind !be-brief"),
            _ => format!("draft: Some {number}."),
        }),
    );
    for (run, rounds) in [("two", 2), ("one", 1)] {
        place
            .redraft(&format!(
                "run in.jsonl -c manners.yaml --run {run} --rounds {rounds}"
            ))
            .model(&server)
            .run()
            .exits(0);
    }
    let view = View::of(&place);
    let page = view.page("/compare?a=two&b=one");
    assert!(
        page.contains("<strong>30 records</strong> in common"),
        "{page}"
    );
    assert!(
        page.contains("<strong>10</strong> ended otherwise"),
        "{page}"
    );
    assert_eq!(rows(&page), 10);
    assert!(page.contains("href=\"/transcript?run=one&amp;record=r1\""));
    assert_eq!(view.get("/compare?a=two&b=three").status, 404);
    assert!(view.page("/compare").contains("First run"));
}

#[test]
fn what_is_sealed_or_unsealed_meanwhile_is_on_the_next_page() {
    let place = Place::with_manners();
    let failing = Server::with(|asked| match asked.part {
        Part::Drafter if asked.message(0).contains("late") => Act::Status(400, "no".to_owned()),
        _ => Act::Answer,
    });
    place.write_prompts(
        "in.jsonl",
        ["draft: Fine.", "draft: Too late.", "draft: Good."],
    );
    let run = "run in.jsonl -c manners.yaml --run first";
    place
        .redraft(&format!("{run} --limit 1"))
        .model(&failing)
        .run();
    let view = View::of(&place);
    wait_for(&view, "/transcripts?run=first", ">1 transcript<");
    place.redraft(run).model(&failing).run().exits(3);
    wait_for(&view, "/transcripts?run=first", ">3 transcripts<");
    assert_eq!(rows(&view.page("/transcripts?run=first&outcome=failed")), 1);

    place
        .redraft(&format!("{run} --retry-failed"))
        .model(&Server::start())
        .run()
        .exits(0);
    wait_for(
        &view,
        "/transcripts?run=first&outcome=failed",
        ">0 transcripts ",
    );
    wait_for(&view, "/transcripts?run=first", ">3 transcripts<");
    assert!(
        view.page("/run?run=first")
            .contains("100.0 %</strong><span>compliant")
    );
    drop(view);

    // Another store at the same place has nothing of the one before.
    for file in ["redraft.db", "redraft.db-wal", "redraft.db-shm"] {
        let _ = std::fs::remove_file(place.path(file));
    }
    place.write(
        "other.jsonl",
        "{\"id\":\"other\",\"prompt\":\"Who?\",\"answer\":\"Nobody.\"}\n",
    );
    place
        .redraft("run other.jsonl -c privacy --run second")
        .run()
        .exits(0);
    let view = View::of(&place);
    assert_eq!(records(&view.page("/transcripts")), ["other"]);
}

#[test]
fn an_erased_payload_is_on_no_page_and_found_by_no_word() {
    let place = checked(replies());
    let view = View::of(&place);
    assert_eq!(
        records(&view.page("/transcripts?q=%22question+42%22")),
        ["r42"]
    );
    let page = view.page("/run?run=first");
    assert!(page.contains("<strong>34</strong> ·"), "{page}");
    place
        .redraft("audit erase r42 --reason asked --author Ann")
        .run()
        .exits(0);
    wait_until("the erased one is not found", || {
        records(&view.page("/transcripts?q=%22question+42%22")).is_empty()
    });
    // Its violation is counted no more.
    let page = view.page("/run?run=first");
    assert!(page.contains("<strong>33</strong> ·"), "{page}");
    let page = view.page("/transcript?run=first&record=r42");
    assert!(
        page.contains("What this transcript said is gone: erased by Ann: asked."),
        "{page}"
    );
    wait_for(&view, "/transcripts?run=first", ">100 transcripts<");
    // The files follow a moment later, or when somebody looks again.
    wait_until("the words are gone from the files", || {
        view.page("/");
        ["redraft.db.index", "redraft.db.index-wal"]
            .iter()
            .all(|file| {
                let bytes = std::fs::read(place.path(file)).unwrap_or_default();
                let word = b"Question 42 about";
                !bytes.windows(word.len()).any(|piece| piece == word)
            })
    });
}

/// A server whose critic finds the hostile texts, and says them, and whose reviser writes them.
pub(crate) fn hostile_server() -> Server {
    let texts = HOSTILE.map(|(text, _)| text).join(" ");
    Server::with(move |asked| match asked.part {
        Part::Critic => {
            let violation = json!({ "principle": "be-kind", "evidence": texts, "explanation": texts,
                "severity": "critical", "fix": texts });
            let none: Vec<String> = Vec::new();
            Act::say(
                json!({ "violations": [violation], "complies": none, "not_applicable": none })
                    .to_string(),
            )
        }
        Part::Reviser => Act::say(format!("{texts} revised")),
        _ => Act::Answer,
    })
}

#[test]
fn hostile_texts_are_texts_on_every_page() {
    let texts = HOSTILE.map(|(text, _)| text).join(" ");
    let (place, server) = (Place::new(), hostile_server());
    // No control characters in ids and, on a command line, no NUL.
    let name = texts.replace(|c: char| c.is_control(), "");
    place.write(
        "manners.yaml",
        "constitution: manners\nprinciples:\n  - id: be-kind\n    text: The answer is kind.\n",
    );
    let message = |role: &str| json!({ "role": role, "content": texts });
    let row = json!({
        "id": name, "tags": [texts], "column": texts,
        "messages": [message("system"), message("user"), message("assistant")],
    });
    place.write("in.jsonl", lines([row]));
    for run in [format!("{name} a"), format!("{name} b")] {
        place
            .redraft("run in.jsonl -c manners.yaml --run")
            .arg(run)
            .model(&server)
            .run()
            .exits(0);
    }
    let (run, other) = (encoded(&format!("{name} a")), encoded(&format!("{name} b")));
    let (record, all) = (encoded(&name), encoded(&texts));
    let view = View::of(&place);
    let pages = [
        ("/".to_owned(), 6),
        (format!("/run?run={run}"), 6),
        // The list shows how the conversation begins, and the names.
        (format!("/transcripts?run={run}"), 6),
        (format!("/transcripts?q={all}&tag={all}&principle={all}"), 0),
        (format!("/transcript?run={run}&record={record}"), 9),
        (format!("/compare?a={run}&b={other}"), 6),
        (format!("/run?run={all}"), 9),
        (format!("/transcript?run={all}&record={all}"), 9),
    ];
    for (address, least) in pages {
        let Page { status, head, body } = view.get(&address);
        assert!(status == 200 || status == 404, "{address}: {status} {body}");
        assert_harmless(&address, &body);
        assert!(
            head.contains("content-security-policy: default-src 'none'"),
            "{head}"
        );
        let shown = HOSTILE
            .iter()
            .filter(|(_, shown)| body.contains(shown))
            .count();
        assert!(
            shown >= least,
            "{address} shows {shown} of the texts:\n{body}"
        );
    }
    let digest = {
        let body = view
            .get(&format!("/transcript.json?run={run}&record={record}"))
            .body;
        let transcript: Value = serde_json::from_str(&body).expect("JSON");
        let finding = &transcript["rounds"][0]["findings"][0];
        assert_eq!(finding["evidence"], json!([texts]), "{transcript}");
        transcript["provenance"]["constitution"]["digest"]
            .as_str()
            .expect("a digest")
            .to_owned()
    };
    assert_harmless(
        "constitution",
        &view.page(&format!("/constitution?digest={digest}")),
    );

    place
        .redraft("report -o -")
        .arg(format!("{name} a"))
        .run()
        .exits(0)
        .prints("&lt;script&gt;alert(1)&lt;/script&gt;");
}

/// No text became a tag, an attribute or a link, and no character acts unseen.
#[track_caller]
pub(crate) fn assert_harmless(address: &str, body: &str) {
    let tags = ["<script>", "<img", "<svg/", "<base", "<textarea", "<b>"];
    for tag in tags {
        assert!(!body.contains(tag), "{address} has {tag}:\n{body}");
    }
    for c in ['\0', '\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{2066}'] {
        assert!(!body.contains(c), "{address} has {c:?}");
    }
    for attribute in [
        "href=\"javascript:",
        " onerror=\"",
        " onmouseover=\"",
        " style=\"",
    ] {
        assert!(!body.contains(attribute), "{address} has {attribute}");
    }
}

#[test]
fn a_megabyte_in_one_line_is_folded_and_whole() {
    let long = "x".repeat(1 << 20);
    let place = checked([
        json!({ "id": "long", "prompt": long, "answer": format!("{long} ann@example.com") }),
    ]);
    let view = View::of(&place);
    let page = view.page("/transcript?run=first&record=long");
    assert!(page.contains("more characters</summary>"));
    // The prompt, the draft as it was judged, and the final answer at least.
    assert!(page.matches('x').count() > 3 << 20);
    let list = view.page("/transcripts?run=first");
    assert!(list.len() < 100_000, "{}", list.len());
}

#[test]
fn only_this_machine_by_its_own_names_may_read() {
    let place = checked(replies());
    let view = View::of(&place);
    for host in ["localhost", "127.0.0.1:8788", "[::1]"] {
        assert_eq!(view.request("GET", "/", host).status, 200, "{host}");
    }
    for host in ["example.com", "localhost.example.com", ""] {
        let page = view.request("GET", "/", host);
        assert_eq!(page.status, 421, "{host}");
        assert!(!page.body.contains("first"));
    }
    assert_eq!(view.request("POST", "/", "localhost").status, 405);
    assert_eq!(view.get("/nothing-here").status, 404);
    let head = view.get("/").head.to_ascii_lowercase();
    for header in [
        "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "x-frame-options: deny",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    // A policy that allows no inline style or script would break a page that has one.
    for page in [
        "/",
        "/run?run=first",
        "/transcripts",
        "/transcript?run=first&record=r0",
        "/compare",
    ] {
        let page = view.page(page);
        assert!(
            !page.contains(" style=") && !page.contains("<style"),
            "{page}"
        );
        assert_eq!(page.matches("<script").count(), 1);
    }
    view.interrupt().exits(0);

    place
        .redraft("view --listen 0.0.0.0:0")
        .run()
        .exits(2)
        .says("--open");
    place
        .redraft("view nowhere.db")
        .run()
        .exits(1)
        .says("there is no such file");
}

#[test]
fn a_report_is_one_file_that_leads_nowhere() {
    let place = checked(replies());
    place.redraft("report").run().exits(0).says("report.html");
    let report = place.read("report.html");
    for text in ["<style>", "no-email-addresses", "(25.5 – 43.7)", "svg"] {
        assert!(report.contains(text), "{text:?}: {report}");
    }
    for outside in ["<script", "href=", "src=", "url(", "@import", "http://"] {
        assert!(!report.contains(outside), "{outside:?}: {report}");
    }
    place
        .redraft("report none -o other.html")
        .run()
        .exits(1)
        .says("there is no run");
    assert!(!place.has("other.html"));
}
