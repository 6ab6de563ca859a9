//! Operating the gateway: keys and their limits, changes without a restart, encryption, metrics.

use serde_json::Value;

use super::desk::{Desk, Got, ask, settings};
use super::upstream::Upstream;
use crate::support::{Place, runtime, wait_until};

const CHAT: &str = "chat/completions";

/// A gateway in front of checks alone, with whatever more the settings say of it.
fn desk(upstream: &Upstream, further: &str) -> Desk {
    let settings = settings("privacy", "enforce", "");
    Desk::with(
        upstream,
        &settings.replace("gateway:\n", &format!("gateway:\n{further}")),
    )
}

fn create(place: &Place, more: &str) -> String {
    let ended = place.redraft(&format!("keys create {more}")).run().exits(0);
    ended.out.trim().to_owned()
}

/// A request with this key, or without one.
fn post(desk: &Desk, key: Option<&str>) -> Got {
    let body = ask(CHAT, "content", "Ask ann@example.com.", false).to_string();
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    runtime().block_on(desk.post_with(CHAT, body, &headers))
}

fn get(desk: &Desk, path: &str, key: Option<&str>) -> Got {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    runtime().block_on(desk.get_with(path, &headers))
}

#[test]
fn once_there_is_a_key_no_route_but_health_works_without_one() {
    let upstream = Upstream::start();
    let mut desk = desk(&upstream, "");
    assert!(desk.running().has_said("There is no key"));
    assert_eq!(
        post(&desk, None).status,
        200,
        "open, while there never was a key"
    );
    let key = create(&desk.place, "ann");
    wait_until("the key is asked for", || post(&desk, None).status == 401);

    let seen = upstream.seen().len();
    for path in [CHAT, "completions", "responses"] {
        let body = ask(path, "content", "x", false).to_string();
        let got = runtime().block_on(desk.post_with(path, body, &[]));
        assert_eq!(got.status, 401, "{path}");
        assert_eq!(got.json()["error"]["code"], "invalid_api_key");
        assert_eq!(got.header("www-authenticate"), "Bearer");
        assert!(!got.header("x-request-id").is_empty());
    }
    for path in ["v1/models", "v1/models/open", "metrics"] {
        assert_eq!(get(&desk, path, None).status, 401, "{path}");
        assert_eq!(
            get(&desk, path, Some("redraft-wrong")).status,
            401,
            "{path}"
        );
        assert_eq!(get(&desk, path, Some(&key)).status, 200, "{path}");
    }
    for path in ["healthz", "readyz", "openapi.json"] {
        assert_eq!(get(&desk, path, None).status, 200, "{path}");
    }
    assert_eq!(upstream.seen().len(), seen, "who is refused costs nothing");
    let got = post(&desk, Some(&key));
    assert_eq!(got.status, 200);

    // The key is nowhere: not at the model's server, in the store, in metrics, in logs.
    let secret = key.trim_start_matches("redraft-");
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| !format!("{:?}", seen.headers).contains(secret))
    );
    let metrics = get(&desk, "metrics", Some(&key)).body;
    assert!(!metrics.contains(secret));
    let listed = desk.place.redraft("keys list").run().exits(0);
    assert!(
        listed.out.starts_with("ann  ") && !listed.out.contains(secret),
        "{listed}"
    );
    let ended = desk.stop();
    assert!(!ended.err.contains(secret), "{ended}");
    assert!(ended.err.contains("checkpoint: "), "{ended}");
    for file in std::fs::read_dir(desk.place.folder()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
}

#[test]
fn a_revoked_key_is_refused_by_the_gateway_that_runs() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    let (ann, ben) = (create(&desk.place, "ann"), create(&desk.place, "ben"));
    wait_until("both are known", || {
        post(&desk, Some(&ben)).status == 200 && post(&desk, None).status == 401
    });
    assert_eq!(post(&desk, Some(&ann)).status, 200);
    desk.place.redraft("keys revoke ann").run().exits(0);
    wait_until("ann is refused", || post(&desk, Some(&ann)).status == 401);
    assert_eq!(post(&desk, Some(&ben)).status, 200);
    desk.place.redraft("keys revoke ben").run().exits(0);
    wait_until("ben is refused", || post(&desk, Some(&ben)).status == 401);
    assert_eq!(post(&desk, None).status, 401, "nobody is let in again");
    desk.place
        .redraft("keys revoke ben")
        .run()
        .exits(2)
        .says("no key ben");
}

#[test]
fn a_key_has_its_limits() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    let few = create(&desk.place, "few --rpm 2");
    let short = create(&desk.place, "short --tpm 1");
    wait_until("keys are asked for", || post(&desk, None).status == 401);
    for (key, admitted) in [(&few, 2), (&short, 1)] {
        for _ in 0..admitted {
            assert_eq!(post(&desk, Some(key)).status, 200);
        }
        let got = post(&desk, Some(key));
        assert_eq!(got.status, 429);
        assert_eq!(got.json()["error"]["code"], "rate_limit_exceeded");
        let wait: u64 = got.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&wait), "{wait}");
    }
}

#[test]
fn beyond_this_machine_it_is_open_only_where_that_is_said() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    let serve = |more: &str| {
        desk.place
            .redraft(&format!("serve --listen 0.0.0.0:0{more}"))
            .start()
    };
    serve("")
        .end()
        .exits(2)
        .says("make one with `redraft keys create NAME`");
    let open = serve(" --open");
    wait_until("it listens", || {
        open.has_said("redraft listens at http://0.0.0.0:")
    });
    open.kill();
    create(&desk.place, "ann");
    let guarded = serve("");
    wait_until("it listens", || guarded.has_said("redraft listens at"));
    assert!(!guarded.has_said("There is no key"));
    guarded.kill();
}

#[test]
fn changed_settings_are_taken_up_and_wrong_ones_are_not() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    let models = || {
        let list = get(&desk, "v1/models", None).json();
        let list = list["data"].as_array().expect("a list").clone();
        list.iter()
            .map(|model| model["id"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(models(), ["open"]);
    let settings = settings("own.yaml", "enforce", "").replace("UPSTREAM", upstream.url());
    desk.place
        .write("redraft.yaml", settings.replace("open:", "renamed:"));
    wait_until("what is wrong is said", || {
        desk.running().has_said("and those before hold")
    });
    assert_eq!(models(), ["open"], "the constitution is not there");
    desk.place.write("own.yaml", constitution("guarantee"));
    wait_until("the new name is offered", || models() == ["renamed"]);

    // A constitution that changes is taken up as well.
    let judged = || {
        let mut body = ask(CHAT, "content", "We guarantee it.", false);
        body["model"] = Value::from("renamed");
        runtime()
            .block_on(desk.post(CHAT, &body))
            .header("x-redraft-outcome")
            .to_owned()
    };
    assert_eq!(judged(), "unresolved");
    desk.place.write("own.yaml", constitution("promise"));
    wait_until("the other word is looked for", || judged() == "compliant");
    desk.place.write("own.yaml", "constitution: [");
    desk.running().signal("HUP");
    wait_until("it is said", || {
        desk.running()
            .said()
            .matches("and those before hold")
            .count()
            == 2
    });
    assert_eq!(judged(), "compliant");
    let metrics = get(&desk, "metrics", None).body;
    assert!(
        metrics.contains("redraft_reloads_total{kind=\"kept_old\"} "),
        "{metrics}"
    );
}

fn constitution(word: &str) -> String {
    format!(
        "constitution: own\nprinciples:\n  - {{ id: no-word, text: No such word., checks: [{{ words: {{ \
         any_of: [{word}] }} }}] }}\n"
    )
}

#[test]
fn requests_are_counted_with_what_was_found() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    assert_eq!(post(&desk, None).status, 200);
    let mut body = ask(CHAT, "content", "x", false);
    body["model"] = Value::from("unheard-of");
    assert_eq!(runtime().block_on(desk.post(CHAT, &body)).status, 404);
    let text = get(&desk, "metrics", None).body;
    for line in [
        "redraft_requests_total{model=\"open\",status=\"200\"} 1",
        "redraft_requests_total{model=\"\",status=\"404\"} 1",
        "redraft_requests_in_flight 0",
        "redraft_records_total{outcome=\"compliant\"} 1",
        "redraft_violations_total{principle=\"no-email-addresses\"} 1",
        "redraft_request_own_seconds_count{mode=\"enforce\"} 1",
        "redraft_request_upstream_seconds_count{mode=\"enforce\"} 1",
    ] {
        assert!(text.lines().any(|has| has == line), "no {line} in\n{text}");
    }
    assert!(!text.contains("unheard-of"));
}

#[test]
fn connections_are_encrypted_and_a_new_certificate_serves_the_next_one() {
    let upstream = Upstream::start();
    let folder = tempfile::tempdir().expect("a folder");
    let write = || {
        let made =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("a file");
        let key = made.signing_key.serialize_pem();
        std::fs::write(folder.path().join("key.pem"), key).expect("a file");
        made.cert.pem()
    };
    let first = write();
    let at = folder.path().display();
    let tls = format!("  tls: {{ certificate: {at}/cert.pem, key: {at}/key.pem }}\n");
    let desk = desk(&upstream, &tls);
    assert!(desk.url().starts_with("https://"), "{}", desk.url());
    let root = desk.url().trim_end_matches("/v1").to_owned();
    let trusts = |pem: &str| {
        let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([certificate])
            .build()
            .expect("a client");
        let url = format!("{root}/healthz");
        runtime().block_on(async move { client.get(url).send().await.is_ok() })
    };
    assert!(trusts(&first));
    let second = write();
    wait_until("the new certificate serves", || trusts(&second));
    assert!(!trusts(&first));
}

#[test]
fn the_pages_of_the_store_stand_beside_the_endpoints() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "");
    assert!(
        desk.running()
            .has_said("Its pages are at http://127.0.0.1:")
    );
    assert_eq!(post(&desk, None).status, 200);
    wait_until("the answered request is on a page", || {
        let list = get(&desk, "transcripts", None);
        list.status == 200 && list.body.contains("data-row")
    });
    // What is no page is still answered as OpenAI's clients expect it, and pages keep their headers.
    let unknown = get(&desk, "v1/nothing", None);
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"]["code"], "unknown_url");
    assert!(
        get(&desk, "", None)
            .header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(get(&desk, "healthz", None).status, 200);

    let person = create(&desk.place, "ann --role admin");
    let app = create(&desk.place, "app");
    wait_until("the keys are taken up", || post(&desk, None).status == 401);
    assert_eq!(
        post(&desk, Some(&person)).status,
        401,
        "a person's key opens no model"
    );
    assert_eq!(post(&desk, Some(&app)).status, 200);
    let page = get(&desk, "transcripts", Some(&app));
    assert!(page.body.contains("Sign in"), "{page:?}");
    assert!(!page.body.contains("data-row"), "{page:?}");
}

#[test]
fn pages_can_be_left_out() {
    let upstream = Upstream::start();
    let desk = desk(&upstream, "  pages: false\n");
    assert_eq!(get(&desk, "", None).json()["error"]["code"], "unknown_url");
    assert!(!desk.place.path("redraft.db.index").exists());
}

#[test]
fn memory_comes_in_small_pages() {
    let desk = Desk::enforcing(&Upstream::start(), "");
    let status = format!("/proc/{}/status", desk.running().pid());
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let enabled = status
        .lines()
        .find_map(|line| line.strip_prefix("THP_enabled:"));
    match enabled {
        Some(enabled) => assert_eq!(enabled.trim(), "0"),
        None => println!("skipped: this system does not tell of the size of pages"),
    }
}
