//! The pages about reviews for several people at once, without a network.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Request, StatusCode};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::record::RecordId;
use crate::review::test_stores::{self, held};
use crate::review::{Decision, Reviews};
use crate::store::Store;
use crate::store::index::Index;
use crate::transcript::HoldReason;
use crate::web::{Doors, HostRule, Pages, Role, router};

/// A store with a run of held records, each of which so many people must agree on.
async fn store(folder: &TempDir, records: u64, reviewers: u32) -> Arc<dyn Store> {
    let one = |number: u64| held(format!("a{number}"), HoldReason::Severity, reviewers);
    test_stores::store(folder, (1..=records).map(one)).await
}

/// One person's pages, as in a process of their own.
struct Person {
    router: Router,
    token: String,
}

struct Answer {
    status: StatusCode,
    /// Where it leads on to.
    location: String,
    body: String,
}

impl Person {
    async fn new(folder: &TempDir, store: &Arc<dyn Store>, name: &str, role: Role) -> Self {
        let index = Index::open(folder.path().join(format!("{name}.index"))).unwrap();
        let pages = Pages::over(Arc::clone(store), index, Box::new(|_| {}));
        pages.caught_up().await.unwrap();
        let doors = Doors::with_keys(Arc::default())
            .open_as(name, role)
            .unwrap();
        let router = router(pages.taking_reviews(), HostRule::Any, doors);
        let mut person = Self {
            router,
            token: String::new(),
        };
        let page = person.get("/review?run=r").await.body;
        person.token = between(&page, "name=\"form_token\" value=\"", "\"").to_owned();
        person
    }

    async fn get(&self, address: &str) -> Answer {
        let request = Request::get(address).body(Body::empty()).unwrap();
        self.ask(request).await
    }

    async fn post(&self, address: &str, fields: &str) -> Answer {
        let form = format!("form_token={}&{fields}", self.token);
        let request = Request::post(address)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        self.ask(request).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let location = response.headers().get(LOCATION);
        let location = location.map_or("", |location| location.to_str().unwrap());
        let (status, location) = (response.status(), location.to_owned());
        let body = axum::body::to_bytes(response.into_body(), 1 << 24).await;
        Answer {
            status,
            location,
            body: String::from_utf8(body.unwrap().to_vec()).unwrap(),
        }
    }

    /// Claims the next record; nothing when none is left.
    async fn next(&self) -> Option<String> {
        let answer = self.post("/review/next?run=r", "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        record_of(&answer.location)
    }

    /// Looks at a record's findings.
    async fn look(&self, record: &str) -> String {
        let place = format!("run=r&record={record}");
        let page = self.get(&format!("/review/item?{place}")).await.body;
        let transcript = between(&page, "name=\"transcript\" value=\"", "\"").to_owned();
        let seen = format!("transcript={transcript}&do=skip");
        let answer = self.post(&format!("/review/blind?{place}"), &seen).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        transcript
    }

    async fn decide(&self, record: &str, transcript: &str, more: &str) -> Answer {
        let address = format!("/review/decide?run=r&record={record}");
        let fields = format!("transcript={transcript}&{more}");
        self.post(&address, &fields).await
    }
}

/// What stands between two texts; nothing where they are not there.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split(after).next().unwrap_or_default()
}

fn record_of(location: &str) -> Option<String> {
    Some(location.split_once("record=")?.1.to_owned())
}

async fn reviews(store: &Arc<dyn Store>) -> BTreeMap<String, Vec<(String, Decision)>> {
    let reviews = Reviews::read(store.as_ref()).await.unwrap();
    let told = reviews.of_run("r").map(|(record, given)| {
        let given = given
            .iter()
            .map(|one| (one.author.clone(), one.decision.clone()));
        (record.to_string(), given.collect())
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_people_at_once_do_each_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 40, 1).await;
    let mut people = Vec::new();
    for number in 0..10 {
        let name = format!("p{number}");
        people.push(Person::new(&folder, &store, &name, Role::Reviewer).await);
    }
    let working = people.into_iter().map(|person| {
        tokio::spawn(async move {
            let mut had = Vec::new();
            let mut next = person.next().await;
            while let Some(record) = next {
                let transcript = person.look(&record).await;
                let answer = person
                    .decide(&record, &transcript, "decision=approve")
                    .await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
                had.push(record);
                next = record_of(&answer.location);
            }
            had
        })
    });
    let mut had = Vec::new();
    for working in working.collect::<Vec<_>>() {
        had.extend(working.await.unwrap());
    }
    had.sort();
    let mut all: Vec<String> = (1..=40).map(|number| format!("a{number}")).collect();
    all.sort();
    assert_eq!(had, all, "nothing twice, nothing lost");
    let reviews = reviews(&store).await;
    assert_eq!(reviews.len(), 40);
    assert!(reviews.values().all(|given| given.len() == 1));
}

#[tokio::test]
async fn two_who_differ_need_an_admin_who_has_not_reviewed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 1, 2).await;
    let ann = Person::new(&folder, &store, "ann", Role::Reviewer).await;
    let bob = Person::new(&folder, &store, "bob", Role::Admin).await;
    let cleo = Person::new(&folder, &store, "cleo", Role::Admin).await;
    assert_eq!(ann.next().await.as_deref(), Some("a1"));
    assert_eq!(bob.next().await.as_deref(), Some("a1"), "two may look");
    assert_eq!(cleo.next().await, None, "and not three");
    for (person, decision) in [(&ann, "approve"), (&bob, "reject")] {
        let transcript = person.look("a1").await;
        let page = person.get("/review/item?run=r&record=a1").await.body;
        assert!(!page.contains("What others decided"), "{page}");
        let more = format!("decision={decision}");
        let answer = person.decide("a1", &transcript, &more).await;
        assert_eq!(answer.location, "/review?run=r", "{}", answer.body);
    }
    assert_eq!(ann.next().await, None);
    assert_eq!(bob.next().await, None, "nobody has two turns");
    assert_eq!(cleo.next().await.as_deref(), Some("a1"));
    let transcript = cleo.look("a1").await;
    let page = cleo.get("/review/item?run=r&record=a1").await.body;
    for text in [
        "What others decided",
        "approved the final answer",
        "Settle it",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let plain = cleo.decide("a1", &transcript, "decision=choose-0").await;
    assert_eq!(plain.status, StatusCode::CONFLICT, "it must say so");
    let more = "decision=choose-0&adjudicate=yes";
    let stranger = ann.decide("a1", &transcript, more).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let answer = cleo.decide("a1", &transcript, more).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let read = Reviews::read(store.as_ref()).await.unwrap();
    let given = read.of("r", &RecordId::new("a1"));
    assert!(given[2].adjudicates && !given[0].adjudicates);
    assert_eq!(given[2].decision, Decision::Choose { round: 0 });
    let page = cleo.get("/transcript?run=r&record=a1").await.body;
    assert!(page.contains("settles it"), "{page}");
    assert!(page.contains("The answer after review"), "{page}");
}

#[tokio::test]
async fn a_viewer_sees_the_queue_and_no_buttons() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 2, 1).await;
    let viewer = Person::new(&folder, &store, "vic", Role::Viewer).await;
    let page = viewer.get("/review").await.body;
    assert!(page.contains("record=a2"), "{page}");
    assert!(!page.contains("method=\"post\""), "{page}");
    assert_eq!(viewer.token, "");
    let page = viewer.get("/transcript?run=r&record=a1").await.body;
    assert!(!page.contains("Review it"), "{page}");
    let item = viewer.get("/review/item?run=r&record=a1").await;
    assert_eq!(item.status, StatusCode::FORBIDDEN);
    assert!(!item.body.contains("Good."), "{}", item.body);
}

#[tokio::test]
async fn whoever_reads_only_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 1, 1).await;
    let person = Person::new(&folder, &store, "ann", Role::Admin).await;
    let index = Index::open(folder.path().join("reading.index")).unwrap();
    let pages = Pages::over(Arc::clone(&store), index, Box::new(|_| {}));
    let doors = Doors::with_keys(Arc::default())
        .open_as("ann", Role::Admin)
        .unwrap();
    let reading = Person {
        router: router(pages, HostRule::Any, doors),
        token: person.token,
    };
    let before = store.log_size().await.unwrap();
    for address in ["/review", "/review/item?run=r&record=a1"] {
        assert_eq!(reading.get(address).await.status, StatusCode::FORBIDDEN);
    }
    let page = reading.get("/").await.body;
    assert!(!page.contains("href=\"/review\""), "{page}");
    for act in ["next", "claim", "blind", "decide", "release"] {
        let answer = reading
            .post(&format!("/review/{act}?run=r&record=a1"), "")
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}");
    }
    assert_eq!(store.log_size().await.unwrap(), before);
}

#[tokio::test]
async fn what_is_done_is_not_gone_through_again_and_what_was_given_back_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 4, 1).await;
    let ann = Person::new(&folder, &store, "ann", Role::Reviewer).await;
    assert_eq!(ann.next().await.as_deref(), Some("a1"));
    let begun = "You have begun with <a href=\"/review/item?run=r&amp;record=a1\">a1</a>.";
    let page = ann.get("/review").await.body;
    assert!(page.contains(begun), "{page}");
    let back = ann.post("/review/release?run=r&record=a1", "").await;
    assert!(!ann.get("/review").await.body.contains(begun));
    assert_eq!(back.location, "/review?run=r");
    assert_eq!(ann.next().await.as_deref(), Some("a2"));
    for record in ["a2", "a3", "a4"] {
        let transcript = ann.look(record).await;
        let answer = ann.decide(record, &transcript, "decision=reject").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }
    let page = ann.get("/review/item?run=r&record=a1").await.body;
    assert!(
        page.contains("a4: you rejected every text, leaf"),
        "the word of the last decision: {page}"
    );
    assert!(page.contains("Step 1 of 2"), "it was claimed again: {page}");
}
