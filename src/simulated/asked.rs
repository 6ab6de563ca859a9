//! What is read of a request.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::mix::hash;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(borrow, default)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
}

/// A chat request, as much of it as decides the reply.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The messages as JSON.
    pub(super) messages: &'a str,
    /// The names that a critique must sort, as JSON strings with commas between them.
    pub(super) names: Option<&'a str>,
    /// The tool that must be called.
    pub(super) tool: Option<String>,
    /// The hash of the whole request.
    pub(super) hash: u64,
}

impl<'a> Asked<'a> {
    /// Reads a request's body.
    pub(super) fn read(body: &'a [u8], seed: u64) -> Result<Self, serde_json::Error> {
        let read: Body<'a> = serde_json::from_slice(body)?;
        let schema = read.tools.or(read.response_format).map(RawValue::get);
        Ok(Self {
            messages: read.messages.get(),
            names: schema.and_then(names),
            tool: read.tools.map(RawValue::get).and_then(tool),
            hash: hash(seed, body),
        })
    }
}

/// The first list of allowed names in a schema.
fn names(schema: &str) -> Option<&str> {
    let (_, after) = schema.split_once(r#""enum":["#)?;
    Some(after.split_once(']')?.0)
}

fn tool(tools: &str) -> Option<String> {
    let tools: serde_json::Value = serde_json::from_str(tools).ok()?;
    Some(tools[0]["function"]["name"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_reply_is_found() {
        let plain = br#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
        let asked = Asked::read(plain, 0).expect("a request");
        assert_eq!(asked.messages, r#"[{"role":"user","content":"Hi"}]"#);
        assert_eq!((asked.names, asked.tool), (None, None));
        let schema =
            br#"{"messages":[],"response_format":{"json_schema":{"schema":{"enum":["a","b"]}}}}"#;
        assert_eq!(
            Asked::read(schema, 0).expect("one").names,
            Some(r#""a","b""#)
        );
        let tool = br#"{"messages":[],"tools":[{"function":{"name":"critique","parameters":{"enum":["a"]}}}]}"#;
        let asked = Asked::read(tool, 0).expect("a request");
        assert_eq!(
            (asked.names, asked.tool.as_deref()),
            (Some(r#""a""#), Some("critique"))
        );
        assert!(Asked::read(b"{\"messages\":[", 0).is_err());
    }
}
