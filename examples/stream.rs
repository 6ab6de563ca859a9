//! A stream of records, several at once, with drafts from a scripted model and checks to judge them.
//!
//! `cargo run --example stream`

use std::sync::Arc;

use futures::{StreamExt, stream};
use redraft::model::Completion;
use redraft::model::scripted::Scripted;
use redraft::round::{Assigned, Cast};
use redraft::{Constitution, Conversation, Pipeline, Record};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drafter = Scripted::answering(|request| {
        let asked = &request.messages[0].content;
        let name = asked.trim_start_matches("Who is ").trim_end_matches('?');
        let address = name.to_lowercase().replace(' ', ".");
        Ok(Completion::from_text(format!(
            "{name} runs our desk; write to {address}@example.com."
        )))
    });
    let cast = Cast {
        drafter: Some(Assigned::new(Arc::new(drafter))),
        ..Cast::default()
    };
    let pipeline = Pipeline::builder(Constitution::load("privacy")?)
        .cast(cast)
        .build()?;

    let names = ["Ann Field", "Ben Marsh", "Cleo Ford", "Dan Wells"];
    let records = names.into_iter().enumerate().map(|(number, name)| {
        let prompt = format!("Who is {name}?");
        Record::new(Conversation::from_prompt(prompt)).with_id(format!("row-{number}"))
    });

    // At most two records are in flight; they come out in the order in which they end.
    let mut ended = pipeline.revise_all(stream::iter(records), 2);
    while let Some(transcript) = ended.next().await {
        let transcript = transcript?;
        let text = transcript.final_answer.map(|last| last.text);
        println!(
            "{} {}: {}",
            transcript.record.id,
            transcript.outcome,
            text.as_deref().unwrap_or("no answer")
        );
    }
    Ok(())
}
