//! Who sees the pages: everybody on this machine while there is no key for people, and else those who sign in.

use serde_json::json;

use crate::support::{Browser, ENTER, Page, Place, View, lines, wait_until};

const PAGES: [&str; 8] = [
    "/",
    "/run?run=first",
    "/transcripts",
    "/transcript?run=first&record=r1",
    "/transcript.json?run=first&record=r1",
    "/compare",
    "/constitution?digest=00000000000000000000000000000000",
    "/account",
];

fn place() -> Place {
    let place = Place::new();
    let row = json!({ "id": "r1", "prompt": "Whom do I ask?", "answer": "Ask ann@example.com." });
    place.write("in.jsonl", lines([row]));
    place
        .redraft("run in.jsonl -c privacy --run first")
        .run()
        .exits(0);
    place
}

fn create(place: &Place, more: &str) -> String {
    let ended = place.redraft(&format!("keys create {more}")).run().exits(0);
    ended.out.trim().to_owned()
}

/// Signs in; gives the header line that a browser sends from then on.
fn signed_in(view: &View, key: &str) -> String {
    let page = view.post_with("/sign-in", "", &format!("key={key}&to=%2Ftranscripts"));
    assert_eq!(page.status, 303, "{page:?}");
    let set = page.header("set-cookie");
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let (cookie, _) = set.split_once(';').expect("a cookie");
    let cookie = format!("Cookie: {cookie}\r\n");
    let on = view.get_with(page.header("location"), &cookie);
    assert_eq!((on.status, on.header("location")), (303, "/transcripts"));
    cookie
}

fn form_token(page: &Page) -> String {
    let (_, rest) = page
        .body
        .split_once("name=\"form_token\" value=\"")
        .expect("a token");
    rest.split('"').next().expect("its end").to_owned()
}

#[test]
fn without_a_session_no_page_is_given_and_with_one_every_page_is() {
    let place = place();
    let key = create(&place, "ann --role viewer");
    let app = create(&place, "app");
    let view = View::locked(&place);
    for path in PAGES {
        let page = view.get(path);
        assert_eq!(page.status, 303, "{path}: {page:?}");
        assert!(
            page.header("location").starts_with("/sign-in?to=%2F"),
            "{page:?}"
        );
        assert!(page.body.is_empty(), "{page:?}");
    }
    assert_eq!(view.get("/style.css").status, 200);
    for wrong in [&app, "", "redraft-x", &key[..key.len() - 1]] {
        let page = view.post_with("/sign-in", "", &format!("key={wrong}&to=/"));
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (401, ""),
            "{wrong}"
        );
    }
    let url = view.url("");
    let (_, port) = url.rsplit_once(':').expect("a port");
    for forged in ["", "abc", &key] {
        let page = view.get_with("/", &format!("Cookie: redraft-{port}={forged}\r\n"));
        assert_eq!(page.status, 303, "{forged}");
    }
    let long = format!("key={}", "x".repeat(20 << 10));
    assert_eq!(view.post_with("/sign-in", "", &long).status, 413);
    let cookie = signed_in(&view, &key);
    for path in PAGES {
        let status = view.get_with(path, &cookie).status;
        assert_eq!(
            status,
            if path.starts_with("/constitution") {
                404
            } else {
                200
            },
            "{path}"
        );
    }
    let account = view.get_with("/account", &cookie);
    assert!(
        account.body.contains("<strong>ann</strong>, viewer"),
        "{}",
        account.body
    );
    assert!(!view.interrupt().err.contains(&key));
}

#[test]
fn a_form_of_another_page_does_nothing() {
    let place = place();
    let key = create(&place, "ann --role reviewer");
    let view = View::locked(&place);
    let cookie = signed_in(&view, &key);
    let other = signed_in(&view, &key);
    let token = form_token(&view.get_with("/account", &cookie));
    let others = form_token(&view.get_with("/account", &other));
    assert_ne!(token, others);
    for form in [
        "",
        "form_token=",
        "form_token=x",
        &format!("form_token={others}"),
    ] {
        assert_eq!(
            view.post_with("/sign-out", &cookie, form).status,
            403,
            "{form}"
        );
    }
    let form = format!("form_token={token}");
    for site in ["cross-site", "same-site"] {
        let lines = format!("{cookie}Sec-Fetch-Site: {site}\r\n");
        assert_eq!(
            view.post_with("/sign-out", &lines, &form).status,
            403,
            "{site}"
        );
        let page = view.post_with(
            "/sign-in",
            &format!("Sec-Fetch-Site: {site}\r\n"),
            &format!("key={key}"),
        );
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (403, ""),
            "{site}"
        );
    }
    assert_eq!(
        view.get_with("/", &cookie).status,
        200,
        "nobody was signed out"
    );
    let page = view.post_with(
        "/sign-out",
        &format!("{cookie}Sec-Fetch-Site: same-origin\r\n"),
        &form,
    );
    assert_eq!(page.status, 303);
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(view.get_with("/", &cookie).status, 303);
    assert_eq!(view.post_with("/sign-out", &cookie, &form).status, 401);
    assert_eq!(
        view.get_with("/", &other).status,
        200,
        "the other session goes on"
    );
}

#[test]
fn a_key_that_is_revoked_ends_its_sessions_and_the_last_one_opens_nothing() {
    let place = place();
    let view = View::of(&place);
    assert!(view.page("/account").contains("There is no key"));
    let key = create(&place, "ann --role admin");
    wait_until("people sign in", || view.get("/").status == 303);
    let cookie = signed_in(&view, &key);
    assert_eq!(view.get_with("/", &cookie).status, 200);
    place.redraft("keys revoke ann").run().exits(0);
    wait_until("the session has ended", || {
        view.get_with("/", &cookie).status == 303
    });
    assert_eq!(
        view.post_with("/sign-in", "", &format!("key={key}")).status,
        401
    );
}

#[test]
fn keys_that_go_away_open_nothing() {
    let place = place();
    let key = create(&place, "ann --role viewer");
    let view = View::locked(&place);
    let cookie = signed_in(&view, &key);
    std::fs::remove_file(place.path("redraft.db.keys.json")).expect("a file of keys");
    wait_until("the loss is told", || view.has_said("the keys are gone"));
    assert_eq!(view.get("/").status, 303);
    assert_eq!(view.get_with("/", &cookie).status, 200);
}

#[test]
fn while_everybody_comes_in_nobody_comes_from_elsewhere() {
    let place = place();
    let view = View::of(&place);
    for passed_on in [
        "X-Forwarded-For: 192.0.2.1",
        "Via: 1.1 proxy",
        "Forwarded: for=192.0.2.1",
    ] {
        let page = view.get_with("/", &format!("{passed_on}\r\n"));
        assert_eq!(page.status, 421, "{passed_on}");
    }
    // Whoever signs in may come by a proxy, and by another name.
    let key = create(&place, "ann --role viewer");
    wait_until("people sign in", || view.get("/").status == 303);
    let page = view.post_with(
        "/sign-in",
        "X-Forwarded-Proto: https\r\n",
        &format!("key={key}"),
    );
    let set = page.header("set-cookie");
    assert!(
        set.starts_with("__Host-redraft=") && set.ends_with("; Secure"),
        "{set}"
    );
    assert_eq!(view.request("GET", "/", "redraft.example.com").status, 303);
}

#[test]
fn others_than_this_machine_see_pages_by_keys_or_on_purpose() {
    let place = place();
    place
        .redraft("view --listen 0.0.0.0:0")
        .run()
        .exits(2)
        .says("redraft keys create NAME --role viewer");
    create(&place, "app");
    place.redraft("view --listen 0.0.0.0:0").run().exits(2);
    place
        .redraft("keys create bob --role viewer --rpm 5")
        .run()
        .exits(2)
        .says("limits are for the role caller");
    let listed = place.redraft("keys list").run().exits(0).out;
    assert!(!listed.contains("bob"), "{listed}");
}

#[test]
fn a_person_signs_in_by_the_keyboard() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = place();
    let key = create(&place, "ann --role viewer");
    let view = View::locked(&place);
    browser.open(&view.url("/run?run=first"));
    browser.press(&key);
    browser.press(ENTER);
    browser.wait("location.pathname === '/run'");
    browser.wait("document.querySelector('h1').textContent.includes('first')");
    assert_eq!(
        browser.run("return document.cookie"),
        json!(""),
        "scripts see no session"
    );
    browser.open(&view.url("/account"));
    browser.run("document.querySelector('form button').focus()");
    browser.press(ENTER);
    browser.wait("location.pathname === '/sign-in'");
    browser.open(&view.url("/"));
    browser.wait("location.pathname === '/sign-in'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
