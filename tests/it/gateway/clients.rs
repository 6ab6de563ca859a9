//! The clients that people use, as they are: nothing but the base URL is another.

use std::time::Duration;

use serde_json::{Value, json};

use super::desk::{Desk, settings};
use super::upstream::{Say, Upstream, draft};
use crate::support::{Node, Part, Python};

/// A server that drafts what the last message says, slowly where it says so.
fn echoing() -> Upstream {
    Upstream::with(|seen| {
        if seen.path == "chat/completions" && Part::of(&seen.body) != Part::Drafter {
            return None;
        }
        let said = match seen.path.as_str() {
            "chat/completions" => {
                let messages = seen.body["messages"].as_array().expect("messages");
                &messages[messages.len() - 1]["content"]
            }
            "completions" => &seen.body["prompt"],
            _ => &seen.body["input"],
        };
        let said = said.as_str().unwrap_or("All is well.");
        if said == "fail slowly" {
            let fails = Say::Json(500, "{}".to_owned());
            return Some(Say::After(Duration::from_secs(1), Box::new(fails)));
        }
        let kind = if seen.body["tools"].is_array() {
            "arguments"
        } else {
            "content"
        };
        let text = if kind == "arguments" {
            "{\"to\": \"ann@example.com\"}"
        } else {
            said
        };
        let answer = Say::ok(&draft(&seen.path, &seen.body, kind, text));
        Some(if said.starts_with("slowly") {
            Say::After(Duration::from_secs(1), Box::new(answer))
        } else {
            answer
        })
    })
}

fn desk(upstream: &Upstream) -> Desk {
    let text = settings("gate.yaml", "enforce", "");
    let text = text.replace(
        "gateway:\n",
        "gateway:\n  grace_seconds: 0.3\n  keep_alive_seconds: 0.1\n",
    );
    Desk::with(upstream, &text)
}

const OPENAI: &str = r#"
import json, sys
import openai
client = openai.OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)
chat = client.chat.completions
ask = lambda text: dict(model="open", messages=[{"role": "user", "content": text}])
tools = [{"type": "function", "function": {"name": "send", "parameters": {"type": "object"}}}]
told = {}
told["whole"] = chat.create(**ask("Ask ann@example.com")).choices[0].message.content
refused = chat.create(**ask("It is !be-kind !stubborn")).choices[0]
told["refused"] = [refused.finish_reason, refused.message.refusal is not None]
def streamed(text, **more):
    stream = chat.create(**ask(text), stream=True, **more)
    return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
told["streamed"] = streamed("Ask ann@example.com")
told["waited"] = streamed("slowly ask ann@example.com")
with client.chat.completions.stream(**ask("Hi"), tools=tools) as events:
    for event in events:
        pass
    final = events.get_final_completion()
told["tool"] = final.choices[0].message.tool_calls[0].function.arguments
told["end"] = final.choices[0].finish_reason
last = list(chat.create(**ask("Hi"), stream=True, stream_options={"include_usage": True}))[-1]
told["usage"] = last.usage.total_tokens
raw = chat.with_raw_response.create(**ask("Hi"), extra_body={"redraft": {"tags": ["x"]}})
told["outcome"] = raw.headers["x-redraft-outcome"]
for name, text, model in [("late", "fail slowly", "open"), ("unknown", "Hi", "other")]:
    try:
        asked = dict(ask(text), model=model)
        list(chat.create(**asked, stream=True))
        told[name] = "nothing"
    except openai.NotFoundError as error:
        told[name] = error.code
    except openai.APIError as error:
        told[name] = str(error)
told["response"] = client.responses.create(model="open", input="Ask ann@example.com").output_text
with client.responses.stream(model="open", input="slowly ask ann@example.com") as events:
    told["response events"] = "".join(
        event.delta for event in events if event.type == "response.output_text.delta")
    told["response final"] = events.get_final_response().output_text
told["completion"] = client.completions.create(model="open", prompt="Ask ann@example.com").choices[0].text
stream = client.completions.create(model="open", prompt="Ask ann@example.com", stream=True)
told["completion streamed"] = "".join(chunk.choices[0].text for chunk in stream)
told["models"] = [model.id for model in client.models.list()]
json.dump(told, sys.stdout)
"#;

const LANGCHAIN: &str = r#"
import json, sys
from langchain_openai import ChatOpenAI
model = ChatOpenAI(base_url=sys.argv[1], api_key="unused", model="open", max_retries=0)
told = {}
told["whole"] = model.invoke("Ask ann@example.com").content
told["streamed"] = "".join(chunk.content for chunk in model.stream("slowly ask ann@example.com"))
refused = model.invoke("It is !be-kind !stubborn")
told["refused"] = refused.response_metadata["finish_reason"]
def send(to: str) -> str:
    "Sends."
    return to
told["tool"] = model.bind_tools([send]).invoke("Hi").tool_calls[0]["args"]
json.dump(told, sys.stdout)
"#;

const NODE: &str = r#"
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.argv[1], apiKey: "unused", maxRetries: 0 });
const ask = (content) => ({ model: "open", messages: [{ role: "user", content }] });
const told = {};
const whole = await client.chat.completions.create(ask("Ask ann@example.com"));
told.whole = whole.choices[0].message.content;
const refused = await client.chat.completions.create(ask("It is !be-kind !stubborn"));
told.refused = refused.choices[0].finish_reason;
async function streamed(text) {
  let all = "";
  const stream = await client.chat.completions.create({ ...ask(text), stream: true });
  for await (const chunk of stream) all += chunk.choices[0]?.delta?.content ?? "";
  return all;
}
told.streamed = await streamed("Ask ann@example.com");
told.waited = await streamed("slowly ask ann@example.com");
try {
  await streamed("fail slowly");
  told.late = "nothing";
} catch (error) {
  told.late = error.constructor.name;
}
const response = await client.responses.create({ model: "open", input: "Ask ann@example.com" });
told.response = response.output_text;
let deltas = "";
for await (const event of await client.responses.create({ model: "open", input: "Ask ann@example.com", stream: true }))
  if (event.type === "response.output_text.delta") deltas += event.delta;
told.responseEvents = deltas;
told.models = (await client.models.list()).data.map((model) => model.id);
console.log(JSON.stringify(told));
"#;

#[track_caller]
fn told(found: &Value, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(found[*name], *value, "{name}: {found}");
    }
}

#[test]
fn the_official_python_client_works() {
    let Some(python) = Python::find_clients() else {
        return;
    };
    let upstream = echoing();
    let found = python.run(OPENAI, &[desk(&upstream).url()]);
    let mended = json!("Ask [e-mail address]");
    let waited = json!("slowly ask [e-mail address]");
    told(
        &found,
        &[
            ("whole", mended.clone()),
            ("refused", json!(["content_filter", true])),
            ("streamed", mended.clone()),
            ("waited", waited.clone()),
            ("tool", json!("{\"to\": \"[e-mail address]\"}")),
            ("end", json!("tool_calls")),
            ("usage", json!(12)),
            ("outcome", json!("compliant")),
            (
                "late",
                json!("The model's server cannot be used at the moment."),
            ),
            ("unknown", json!("model_not_found")),
            ("response", mended.clone()),
            ("response events", waited.clone()),
            ("response final", waited),
            ("completion", mended.clone()),
            ("completion streamed", mended),
            ("models", json!(["open"])),
        ],
    );
}

#[test]
fn langchain_works() {
    let Some(python) = Python::find_clients() else {
        return;
    };
    let upstream = echoing();
    let found = python.run(LANGCHAIN, &[desk(&upstream).url()]);
    told(
        &found,
        &[
            ("whole", json!("Ask [e-mail address]")),
            ("streamed", json!("slowly ask [e-mail address]")),
            ("refused", json!("content_filter")),
            ("tool", json!({ "to": "[e-mail address]" })),
        ],
    );
}

#[test]
fn the_official_node_client_works() {
    let Some(node) = Node::find() else {
        return;
    };
    let upstream = echoing();
    let found = node.run(NODE, &[desk(&upstream).url()]);
    let mended = json!("Ask [e-mail address]");
    told(
        &found,
        &[
            ("whole", mended.clone()),
            ("refused", json!("content_filter")),
            ("streamed", mended.clone()),
            ("waited", json!("slowly ask [e-mail address]")),
            ("late", json!("APIError")),
            ("response", mended.clone()),
            ("responseEvents", mended),
            ("models", json!(["open"])),
        ],
    );
}
