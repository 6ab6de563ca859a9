//! An OpenTelemetry collector on this machine: it takes spans by OTLP over HTTP, and decodes just as
//! much protobuf as they need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;

use super::server::runtime;

/// An attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Other,
}

/// Attributes by name.
pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// A span as it came.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) parent: Vec<u8>,
    pub(crate) kind: u64,
    pub(crate) failed: bool,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<(String, Attributes)>,
    pub(crate) resource: Attributes,
}

impl Span {
    /// The text of an attribute, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        text(&self.attributes, name)
    }
}

/// The text of an attribute, or nothing.
pub(crate) fn text<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    match attributes.get(name) {
        Some(Attribute::Text(text)) => text,
        _ => "",
    }
}

/// What a collector has been sent.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) spans: Vec<Span>,
    pub(crate) bodies: Vec<Bytes>,
    pub(crate) headers: Vec<HeaderMap>,
}

/// A collector under way; it goes away with the tests' process.
pub(crate) struct Collector {
    url: String,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let taken = Arc::<Mutex<Taken>>::default();
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&taken));
        runtime().spawn(async move { axum::serve(listener, router).await });
        Self { url, taken }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What has come so far.
    pub(crate) fn taken(&self) -> Taken {
        std::mem::take(&mut *self.taken.lock().expect("no handler panics"))
    }
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes) {
    let mut taken = taken.lock().expect("no handler panics");
    taken.spans.extend(spans(&body));
    taken.bodies.push(body);
    taken.headers.push(headers);
}

/// A field of a message: its number, and what it holds.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, in their order.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(
                split(&mut bytes, 8).try_into().expect("eight bytes"),
            )),
            2 => {
                let length = varint(&mut bytes);
                Field::Bytes(split(
                    &mut bytes,
                    usize::try_from(length).expect("a length"),
                ))
            }
            5 => {
                let four = split(&mut bytes, 4).try_into().expect("four bytes");
                Field::Number(u32::from_le_bytes(four).into())
            }
            other => panic!("no wire type {other}"),
        };
        found.push((tag >> 3, field));
    }
    found
}

fn split<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (first, rest) = bytes.split_at(length);
    *bytes = rest;
    first
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = split(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// The messages that stand in a field of that number.
fn messages(bytes: &[u8], number: u64) -> Vec<&[u8]> {
    fields(bytes)
        .into_iter()
        .filter_map(|(found, field)| match field {
            Field::Bytes(bytes) if found == number => Some(bytes),
            _ => None,
        })
        .collect()
}

fn number(bytes: &[u8], wanted: u64) -> u64 {
    fields(bytes)
        .into_iter()
        .find_map(|(found, field)| match field {
            Field::Number(number) if found == wanted => Some(number),
            _ => None,
        })
        .unwrap_or_default()
}

fn string(bytes: &[u8], number: u64) -> String {
    let found = messages(bytes, number);
    let bytes = found.first().copied().unwrap_or_default();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn first(bytes: &[u8], number: u64) -> Vec<u8> {
    messages(bytes, number)
        .first()
        .map(|bytes| bytes.to_vec())
        .unwrap_or_default()
}

fn attributes(bytes: &[u8], number: u64) -> Attributes {
    messages(bytes, number)
        .into_iter()
        .map(|pair| (string(pair, 1), value(&first(pair, 2))))
        .collect()
}

fn value(bytes: &[u8]) -> Attribute {
    match fields(bytes).into_iter().next() {
        Some((1, Field::Bytes(text))) => {
            Attribute::Text(String::from_utf8(text.to_vec()).expect("UTF-8"))
        }
        Some((2, Field::Number(number))) => Attribute::Bool(number != 0),
        Some((3, Field::Number(number))) => Attribute::Int(number.cast_signed()),
        Some((4, Field::Number(bits))) => Attribute::Double(f64::from_bits(bits)),
        _ => Attribute::Other,
    }
}

/// The spans of an `ExportTraceServiceRequest`, by the numbers of opentelemetry-proto.
fn spans(request: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    for of_resource in messages(request, 1) {
        let resource = attributes(&first(of_resource, 1), 1);
        for of_scope in messages(of_resource, 2) {
            for span in messages(of_scope, 2) {
                found.push(Span {
                    name: string(span, 5),
                    trace: first(span, 1),
                    id: first(span, 2),
                    parent: first(span, 4),
                    kind: number(span, 6),
                    failed: number(&first(span, 15), 3) == 2,
                    attributes: attributes(span, 9),
                    events: messages(span, 11)
                        .into_iter()
                        .map(|event| (string(event, 2), attributes(event, 3)))
                        .collect(),
                    resource: resource.clone(),
                });
            }
        }
    }
    found
}
