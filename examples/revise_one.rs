//! Revises one answer by checks alone: no model, no key, no store.
//!
//! `cargo run --example revise_one`, or with an answer of your own as the argument.

use redraft::{Constitution, Conversation, Pipeline, Record};

/// A constitution of our own, beside the shipped one that it includes.
const OURS: &str = r#"
constitution: front-desk
include: [privacy]
principles:
  - id: no-guarantees
    text: The answer does not guarantee what nobody can guarantee.
    checks:
      - words: { any_of: [we guarantee that, "I promise that"] }
        rewrite: we expect that
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let answer = std::env::args().nth(1).unwrap_or_else(|| {
        "Mr Field, we guarantee that it arrives by Friday. Call Ann on 415-555-0134.".to_owned()
    });
    let constitution = Constitution::from_yaml("front-desk.yaml", OURS)?;
    let pipeline = Pipeline::builder(constitution).build()?;
    let record =
        Record::new(Conversation::from_prompt("When does my parcel come?")).with_answer(answer);

    let transcript = pipeline.revise(&record).await?;

    for round in &transcript.rounds {
        for finding in round
            .findings
            .iter()
            .filter(|finding| !finding.evidence.is_empty())
        {
            println!(
                "round {}: {} {} because of {:?}",
                round.n, finding.principle, finding.verdict, finding.evidence
            );
        }
    }
    println!("{}: {}", transcript.outcome, transcript.why);
    if let Some(last) = &transcript.final_answer {
        println!("{}", last.text);
    }
    Ok(())
}
