//! What every test here stands on: a folder, the command in it, and a model server.

mod batch_server;
mod browser;
mod bucket_server;
#[cfg(feature = "otlp")]
mod collector;
mod command;
mod faults;
mod hub_server;
mod node;
mod pages;
mod place;
mod python;
mod roles;
mod server;
mod serving;

pub(crate) use batch_server::{BatchServer, Course, Create, End, RowAct};
pub(crate) use browser::{Browser, ENTER, TAB};
pub(crate) use bucket_server::{Buckets, KEY, ObjectAsked, SECRET};
#[cfg(feature = "otlp")]
pub(crate) use collector::{Attribute, Attributes, Collector, Span, text};
pub(crate) use command::{Ended, Redraft, Running};
pub(crate) use faults::{BreaksContract, Seeded};
pub(crate) use hub_server::{Hub, TOKEN};
pub(crate) use node::Node;
pub(crate) use pages::{Page, View};
pub(crate) use place::{MANNERS, Place, example};
pub(crate) use python::Python;
pub(crate) use roles::{Part, answer, material, principles};
pub(crate) use server::{Act, Asked, Server, completion, runtime, wait_until};
pub(crate) use serving::Fault;

use std::fmt::{Display, Write as _};

use serde_json::Value;

/// One JSON value per line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// One value per line.
pub(crate) fn lines(values: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = String::new();
    for value in values {
        let _ = writeln!(text, "{value}");
    }
    text
}

/// A few bits that depend on nothing but a text.
pub(crate) fn hash(text: &str) -> u64 {
    // FNV-1a, finished so that its low bits are mixed, too.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}
