//! What decided a transcript, and under which seal it stands.

use maud::{Markup, html};
use serde::Serialize;

use crate::store::StoredTranscript;
use crate::transcript::Transcript;
use crate::web::number::{money, thousands};
use crate::web::{fold, links, visible};

/// Constitution, models, recipe, usage, and the seal.
pub(super) fn section(
    stored: &StoredTranscript,
    transcript: &Transcript,
    leaf: Option<u64>,
) -> Markup {
    let provenance = &transcript.provenance;
    html! {
        section {
            h2 { "Provenance" }
            dl.provenance {
                @if let Some(mark) = &provenance.constitution {
                    dt { "constitution" }
                    dd {
                        a href=(links::constitution(mark.digest)) {
                            (visible::text(&mark.name)) " " (visible::text(&mark.version))
                        }
                        " " code { (mark.digest) }
                    }
                }
                @if let Some(models) = &provenance.models {
                    @for (role, model) in models {
                        dt { (role) }
                        dd { code { (visible::text(&json(model))) } }
                    }
                }
                @if !provenance.recipe.is_null() {
                    dt { "recipe" } dd { code { (visible::text(&json(&provenance.recipe))) } }
                }
                @if let Some(seed) = provenance.seed { dt { "seed" } dd { (seed) } }
                @if let Some(prompts) = provenance.prompts {
                    dt { "prompts" } dd { code { (prompts) } }
                }
                @if let Some(imported) = &transcript.imported {
                    dt { "imported from" } dd { (visible::text(&imported.from)) }
                }
                dt { "written by" } dd { "redraft " (visible::text(&provenance.redraft)) }
                (record(transcript))
                (usage(transcript))
            }
            (seal(stored, leaf))
        }
    }
}

fn record(transcript: &Transcript) -> Markup {
    let record = &transcript.record;
    html! {
        @if !record.tags.is_empty() {
            dt { "tags" } dd { (visible::text(&record.tags.join(", "))) }
        }
        @if let Some(extra) = &record.extra {
            dt { "other columns" } dd { code { (fold::text(extra.get())) } }
        }
    }
}

fn usage(transcript: &Transcript) -> Markup {
    html! {
        @for (role, usage) in &transcript.usage {
            dt { (role) " used" }
            dd {
                (thousands(usage.calls)) " calls, " (thousands(usage.input)) " tokens in ("
                (thousands(usage.cached)) " cached), " (thousands(usage.output)) " out"
                @if let Some(cost) = usage.cost { ", cost " (money(cost)) }
            }
        }
    }
}

/// Under which digest the transcript stands, which leaf of the store's tree it is, and where its bytes
/// are to be had.
pub(super) fn seal(stored: &StoredTranscript, leaf: Option<u64>) -> Markup {
    let sealed = &stored.row.sealed;
    let json = links::link(
        "/transcript.json",
        &[("run", &stored.run), ("record", sealed.record.as_str())],
    );
    html! {
        p {
            "Sealed as " code { (sealed.digest) } ", from line " (thousands(stored.row.line))
            @if !sealed.times.started.is_empty() {
                ", taken up " (visible::text(&sealed.times.started)) ", "
                (thousands(sealed.times.elapsed_ms)) " ms long"
            }
            ". "
            a href=(json) download { "The sealed bytes (JSON)" }
        }
        @match leaf {
            Some(leaf) => p.soft {
                "Leaf " (thousands(leaf)) " of the store's tree. "
                code { "redraft audit prove" } " makes a proof of that, " code { "redraft audit verify" }
                " checks the whole store."
            },
            None => p.soft { "No leaf of the store's tree is about it." },
        }
    }
}

fn json(value: &impl Serialize) -> String {
    // Plain data, read from JSON a moment ago.
    serde_json::to_string(value).unwrap_or_default()
}
