//! A budget stops a run before it is passed, holds over all its processes, and can be raised.

use crate::support::{Act, Place, Server};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 2 --max-tokens 200";

fn place() -> Place {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..60).map(|n| format!("draft: Row {n}.")));
    place
}

fn taken(place: &Place) -> i64 {
    place.count("SELECT input + output FROM spent")
}

#[test]
fn a_token_budget_stops_the_run_and_a_higher_one_goes_on() {
    let (server, place) = (Server::start(), place());
    let with = |tokens: u64| {
        place
            .redraft(COMMAND)
            .args(["--max-total-tokens".to_owned(), tokens.to_string()])
            .model(&server)
            .run()
    };
    with(8000)
        .exits(4)
        .says("the budget is reached")
        .says("higher --max-total-tokens")
        .says("of 60 rows");
    let first = taken(&place);
    assert!((1..=8000).contains(&first), "{first} tokens");
    assert!(!place.has("out.jsonl"));

    // The same budget holds for the run and not for the process: it is all but used up.
    let before = server.count();
    with(8000).exits(4);
    let again = server.count() - before;
    assert!(again <= 12, "{again} calls under a budget that was reached");
    assert!(taken(&place) <= 8000);

    with(1_000_000).exits(0);
    assert_eq!(place.json_lines("out.jsonl").len(), 60);
    assert_eq!(server.repeated(), 0, "calls were paid for twice");
    let all = taken(&place);
    assert!(all > 8000, "{all} tokens");
    let stats = place.redraft("stats --json").run().exits(0).json();
    assert_eq!(stats["spent"]["tokens"], all);
}

#[test]
fn a_cost_budget_counts_in_the_prices_of_the_settings() {
    let (server, place) = (Server::start(), place());
    place.write(
        "redraft.yaml",
        format!(
            "models:\n  small:\n    model: stub\n    base_url: {}\n    price: {{ input: 10, output: 40 }}\n",
            server.url()
        ),
    );
    let ended = place
        .redraft(COMMAND)
        .args(["--model", "small", "--max-cost", "0.12", "--json"])
        .run()
        .exits(4);
    let summary = ended.json();
    assert_eq!(summary["finished"], false);
    let cost = summary["spent"]["cost"].as_f64().expect("a cost");
    assert!(cost > 0.0 && cost <= 0.12, "{cost}");
    ended.says("higher --max-cost");
}

#[test]
fn a_lost_reply_may_have_cost_and_a_stopped_run_says_so() {
    let server = Server::with(|_| Act::Cut);
    let place = place();
    place.write(
        "redraft.yaml",
        format!(
            "models:\n  small:\n    model: stub\n    base_url: {}\n    price: {{ input: 10, output: 40 }}\n",
            server.url()
        ),
    );
    let ended = place
        .redraft("run in.jsonl -c manners.yaml --concurrency 2 --limit 3 --max-failed 3 --model small --json")
        .run()
        .exits(1)
        .says("sent now,")
        .says("again after a failure")
        .says("may have cost something that is not known");
    let summary = ended.json();
    assert_eq!(summary["spent"]["unpriced_calls"], server.count());
    let again = summary["retries"]["transport"].as_u64();
    assert!(again >= Some(5), "{summary}");
}

#[test]
fn an_amount_is_a_number() {
    let place = place();
    for wrong in ["-1", "NaN", "much"] {
        place
            .redraft("run in.jsonl -c manners.yaml")
            .arg(format!("--max-cost={wrong}"))
            .run()
            .exits(2);
    }
}
