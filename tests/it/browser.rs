//! The pages in a real browser: by the keyboard alone, without scripts, on a phone, and with texts that
//! would run if they could.

use serde_json::json;

use crate::support::{Browser, ENTER, Place, TAB, View, lines};

/// A run of sixty replies, half of which give an address away; one is hostile.
fn place() -> Place {
    let place = Place::new();
    let rows = (0..60).map(|number| {
        let answer = match number {
            7 => "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script> \
                  <a href=\"javascript:document.title='taken'\">ann@example.com</a>"
                .to_owned(),
            _ if number % 2 == 0 => format!("Write to ann{number}@example.com about the parcel."),
            _ => "It is on its way.".to_owned(),
        };
        json!({ "id": format!("r{number}"), "prompt": format!("Where is parcel {number}?"), "answer": answer })
    });
    place.write("in.jsonl", lines(rows));
    place
        .redraft("run in.jsonl -c privacy --run first")
        .run()
        .exits(0);
    place
}

/// The text of the element that has the focus.
fn focused(browser: &Browser) -> String {
    let text = browser.run("return document.activeElement.textContent.trim()");
    text.as_str().unwrap_or_default().to_owned()
}

/// The records of the list that is shown.
fn rows(browser: &Browser) -> Vec<String> {
    let rows = browser
        .run("return [...document.querySelectorAll('[data-main]')].map(row => row.textContent)");
    serde_json::from_value(rows).expect("texts")
}

/// Presses Tab until the element of this text has the focus.
#[track_caller]
pub(crate) fn tab_to(browser: &Browser, text: &str) {
    for _ in 0..60 {
        browser.press(TAB);
        if focused(browser) == text {
            return;
        }
    }
    panic!("no Tab leads to {text:?}");
}

#[test]
fn from_the_runs_to_a_transcript_by_the_keyboard_alone() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = place();
    let view = View::of(&place);
    browser.open(&view.url("/"));
    browser.press(TAB);
    assert_eq!(focused(&browser), "Skip to the content");
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "who tabs sees where they are");
    browser.press(ENTER);
    browser.wait("document.activeElement.id === 'content'");
    browser.press(TAB);
    assert_eq!(focused(&browser), "first");
    browser.press(ENTER);
    browser.wait("location.pathname === '/run'");

    tab_to(&browser, "Read the transcripts");
    browser.press(ENTER);
    browser.wait("location.pathname === '/transcripts'");
    let order = rows(&browser);
    browser.press("j");
    assert_eq!(focused(&browser), order[0]);
    browser.press("jjk");
    assert_eq!(focused(&browser), order[1]);
    browser.press("n");
    browser.wait("location.search.includes('after')");
    browser.press("p");
    browser.wait("location.search.includes('before')");

    browser.press("/");
    browser.wait("document.activeElement.id === 'q'");
    // Letters that are keys elsewhere are letters here.
    browser.press("parcel jnp");
    browser.run("document.activeElement.value = ''");
    browser.press("parcel 4*");
    browser.press(ENTER);
    browser.wait("location.search.includes('q=parcel')");
    let found = rows(&browser);
    assert_eq!(found.len(), 11, "4, and 40 to 49");
    let heading = |record: &str| format!("document.querySelector('h1').textContent === '{record}'");
    browser.press("j");
    assert_eq!(focused(&browser), found[0]);
    browser.press(ENTER);
    browser.wait(&heading(&found[0]));
    browser.press("n");
    browser.wait(&heading(&found[1]));
    browser.press("p");
    browser.wait(&heading(&found[0]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn hostile_texts_do_not_run() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = place();
    let view = View::of(&place);
    for page in [
        "/",
        "/run?run=first",
        "/transcripts?run=first",
        "/transcripts?q=onerror",
        "/transcript?run=first&record=r7",
        "/compare?a=first&b=first",
        "/transcript?run=first&record=<script>document.title='taken'</script>",
    ] {
        browser.open(&view.url(page));
        let made = "return document.querySelectorAll('main script, main img, main a[href^=javascript]').length";
        assert_eq!(browser.run(made), 0, "{page}");
        assert_ne!(browser.run("return document.title"), "taken", "{page}");
    }
    browser.open(&view.url("/transcript?run=first&record=r7"));
    let text = browser.run("return document.querySelector('main').innerText");
    assert!(
        text.as_str()
            .is_some_and(|text| text.contains("<img src=x onerror=")),
        "{text}"
    );
}

#[test]
fn a_phone_shows_every_page_without_scrolling_sideways() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = place();
    let view = View::of(&place);
    let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    browser.tools("Emulation.setDeviceMetricsOverride", &phone);
    for page in [
        "/",
        "/run?run=first",
        "/transcripts?run=first",
        "/transcript?run=first&record=r7",
        "/transcript?run=first&record=r8",
        "/compare?a=first&b=first",
    ] {
        browser.open(&view.url(page));
        let width = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(width, 360, "{page}");
    }
}

#[test]
fn pages_work_without_scripts() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let place = place();
    let view = View::of(&place);
    browser.tools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    browser.open(&view.url("/transcripts?run=first"));
    // Past the skip link, five links of the head and two of the way, to the search.
    browser.press(&TAB.repeat(9));
    browser.press("parcel 42");
    browser.press(ENTER);
    crate::support::wait_until("the list is narrower", || {
        browser.url().contains("q=parcel+42")
    });
    assert!(
        view.page("/transcripts?run=first&q=parcel+42")
            .contains(">1 transcript ")
    );
}
