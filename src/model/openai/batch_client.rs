//! The wire format of OpenAI's Files and Batches, read as leniently as replies are.

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::traits::RequestOptionsBuilder;
use async_openai::types::InputSource;
use async_openai::types::files::{CreateFileRequest, FileInput, FilePurpose};
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::{OpenAi, config};
use super::error_body::ErrorBody;
use super::excerpt::excerpt;
use super::http_client::http_client;
use super::request_body::RequestBody;
use super::service::HttpService;
use super::{Endpoint, EndpointError};
use crate::digest::Digest;
use crate::model::batch::{
    BatchFault, BatchState, BatchStatus, EXPIRED, NO_RESULT, Provider, RowEnd, Setback,
};
use crate::model::{ChatModel, ChatRequest, Completion, ModelError};

/// What every row of a batch is sent to.
const ENDPOINT: &str = "/v1/chat/completions";

/// A file takes longer than a call: 200 MB up, and more down.
const FILE_TIMEOUT: Duration = Duration::from_secs(3600);

/// How many pages of batches are looked through, of 100 each, newest first.
const PAGES: usize = 20;

/// A provider of batches that speaks OpenAI's.
pub(in crate::model) struct BatchClient {
    chat: OpenAi,
    files: Client<OpenAIConfig>,
}

impl BatchClient {
    /// The client for `endpoint`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when the key or a header cannot be sent, or TLS cannot be set up.
    pub(in crate::model) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let chat = OpenAi::new(endpoint)?;
        let patient = Endpoint {
            timeout: endpoint.timeout.max(FILE_TIMEOUT),
            ..endpoint.clone()
        };
        let http = http_client(&patient)?;
        let service = HttpService::for_files(&patient, http.clone(), chat.secrets.clone())?;
        let files = Client::build(http, config(&patient)).with_http_service(service);
        Ok(Self { chat, files })
    }

    fn failure(&self, error: OpenAIError) -> ModelError {
        self.chat.failure(error)
    }

    fn state(&self, batch: &Value) -> Result<BatchState, ModelError> {
        let text = |name: &str| batch[name].as_str().map(ToOwned::to_owned);
        let id = text("id").ok_or_else(|| ModelError::Garbled {
            what: "a batch without an id".to_owned(),
        })?;
        Ok(BatchState {
            id,
            status: status(batch["status"].as_str().unwrap_or_default()),
            output_file: text("output_file_id").filter(|id| !id.is_empty()),
            error_file: text("error_file_id").filter(|id| !id.is_empty()),
            faults: self.faults(&batch["errors"]),
        })
    }

    /// The reasons of a failed batch: `{ "data": [ … ] }`, or the list alone.
    fn faults(&self, errors: &Value) -> Vec<BatchFault> {
        let list = errors.get("data").unwrap_or(errors).as_array();
        let faults = list.into_iter().flatten().map(|fault| BatchFault {
            line: (fault["line"].as_u64()).and_then(|line| usize::try_from(line).ok()),
            code: fault["code"].as_str().unwrap_or_default().to_owned(),
            is_about_money: ErrorBody::read(fault.to_string().as_bytes()).tells_of_no_money(),
            message: excerpt(
                &(self.chat.secrets).hide(fault["message"].as_str().unwrap_or("no reason given")),
            ),
        });
        faults.collect()
    }

    /// How the row of a line ended.
    fn row_end(&self, file: &Bytes, line: &Line<'_>) -> RowEnd {
        if let Some(error) = line.error.and_then(ErrorBody::of_error_field) {
            return Err(match line.error_code().as_str() {
                "batch_expired" => Setback::Unfinished(EXPIRED),
                "batch_cancelled" => Setback::Cancelled,
                _ => Setback::Failed(self.line_error(error.hiding(&self.chat.secrets))),
            });
        }
        let Some(response) = &line.response else {
            return Err(Setback::Unfinished(NO_RESULT));
        };
        let body = response.body.map_or("", RawValue::get);
        let status = response.status_code.unwrap_or(200);
        if !(200..300).contains(&status) {
            return Err(Setback::Failed(self.refusal(status, body.as_bytes())));
        }
        let completion = self.read(body.as_bytes()).map_err(Setback::Failed)?;
        Ok(Completion {
            raw: Some(file.slice_ref(body.as_bytes())),
            ..completion
        })
    }

    /// The error of a row to which no answer came, with or without a reason.
    fn line_error(&self, body: ErrorBody) -> ModelError {
        if body.tells_of_no_money() {
            return self.out_of_money(body);
        }
        body.into_garbled()
    }

    fn out_of_money(&self, body: ErrorBody) -> ModelError {
        ModelError::OutOfMoney {
            endpoint: self.chat.shown.clone(),
            message: body.message_or("payment required"),
        }
    }

    /// The error of a row that was answered with a status that is no success.
    fn refusal(&self, status: u16, body: &[u8]) -> ModelError {
        let body = ErrorBody::read(body).hiding(&self.chat.secrets);
        if body.tells_of_no_money_with(status) {
            return self.out_of_money(body);
        }
        if matches!(status, 400 | 413 | 422 | 500) && body.tells_of_full_context() {
            return ModelError::ContextLength {
                message: body.message_or("the provider says so"),
            };
        }
        ModelError::Status {
            endpoint: self.chat.shown.clone(),
            status,
            message: body.message_or("no message"),
            retry_after: None,
        }
    }
}

fn status(word: &str) -> BatchStatus {
    match word {
        "completed" => BatchStatus::Completed,
        "failed" => BatchStatus::Failed,
        "expired" => BatchStatus::Expired,
        "cancelled" | "canceled" => BatchStatus::Cancelled,
        _ => BatchStatus::UnderWay,
    }
}

/// A line of an input file.
#[derive(Serialize)]
struct Row<'a> {
    custom_id: Digest,
    method: &'static str,
    url: &'static str,
    body: RequestBody<'a>,
}

/// A line of a file of results.
#[derive(Deserialize)]
struct Line<'a> {
    custom_id: Digest,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    status_code: Option<u16>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl Line<'_> {
    fn error_code(&self) -> String {
        let error = self
            .error
            .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        let code = error.and_then(|error| error["code"].as_str().map(ToOwned::to_owned));
        code.unwrap_or_default()
    }
}

impl fmt::Debug for BatchClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BatchClient")
            .field("chat", &self.chat)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for BatchClient {
    fn model(&self) -> &str {
        self.chat.name()
    }

    fn address(&self) -> &str {
        &self.chat.shown
    }

    fn line(&self, id: Digest, request: &ChatRequest) -> Result<Vec<u8>, ModelError> {
        let row = Row {
            custom_id: id,
            method: "POST",
            url: ENDPOINT,
            body: RequestBody::new(self.model(), request, self.chat.limit_name)?,
        };
        let mut line =
            serde_json::to_vec(&row).map_err(|error| ModelError::Other(error.to_string()))?;
        line.push(b'\n');
        Ok(line)
    }

    async fn upload(&self, lines: Bytes, name: &str) -> Result<String, ModelError> {
        let request = CreateFileRequest {
            file: FileInput {
                source: InputSource::Bytes {
                    filename: format!("{name}.jsonl"),
                    bytes: lines,
                },
            },
            purpose: FilePurpose::Batch,
            expires_after: None,
        };
        let file: Result<Value, OpenAIError> = self.files.files().create_byot(request).await;
        let file = file.map_err(|error| self.failure(error))?;
        let id = file["id"].as_str().filter(|id| !id.is_empty());
        id.map(ToOwned::to_owned)
            .ok_or_else(|| ModelError::Garbled {
                what: "a file without an id".to_owned(),
            })
    }

    async fn create(&self, file: &str, tag: &str) -> Result<BatchState, ModelError> {
        let request = json!({
            "input_file_id": file,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": { "redraft": tag },
        });
        let batch: Result<Value, OpenAIError> =
            self.chat.client.batches().create_byot(request).await;
        self.state(&batch.map_err(|error| self.failure(error))?)
    }

    async fn retrieve(&self, batch: &str) -> Result<BatchState, ModelError> {
        let batch: Result<Value, OpenAIError> =
            self.chat.client.batches().retrieve_byot(batch).await;
        self.state(&batch.map_err(|error| self.failure(error))?)
    }

    async fn find(&self, file: &str, tag: &str) -> Result<Option<BatchState>, ModelError> {
        let mut query = vec![("limit", "100".to_owned())];
        for _ in 0..PAGES {
            let batches =
                (self.chat.client.batches().query(&query)).map_err(|error| self.failure(error))?;
            let page: Result<Value, OpenAIError> = batches.list_byot().await;
            let page = page.map_err(|error| self.failure(error))?;
            let listed = page["data"].as_array().map_or(&[][..], Vec::as_slice);
            let ours = listed.iter().find(|batch| {
                batch["metadata"]["redraft"].as_str() == Some(tag)
                    || batch["input_file_id"].as_str() == Some(file)
            });
            if let Some(batch) = ours {
                return self.state(batch).map(Some);
            }
            let last = listed.last().and_then(|batch| batch["id"].as_str());
            match last {
                Some(last) if page["has_more"].as_bool() == Some(true) => {
                    query.truncate(1);
                    query.push(("after", last.to_owned()));
                }
                _ => break,
            }
        }
        Ok(None)
    }

    async fn content(&self, file: &str) -> Result<Bytes, ModelError> {
        (self.files.files().content(file).await).map_err(|error| self.failure(error))
    }

    fn read_line(&self, line: &Bytes) -> Option<(Digest, RowEnd)> {
        let read: Line<'_> = serde_json::from_slice(line).ok()?;
        Some((read.custom_id, self.row_end(line, &read)))
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.chat.read(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn client() -> BatchClient {
        let endpoint = Endpoint::new("m", "http://localhost:1/v1".parse().expect("a URL"));
        BatchClient::new(&endpoint).expect("a client")
    }

    fn end(fields: &Value) -> Option<RowEnd> {
        let mut line = json!({ "id": "x", "custom_id": Digest::of(b"a").to_string() });
        let object = line.as_object_mut().expect("an object");
        object.extend(fields.as_object().expect("an object").clone());
        let (id, end) = client().read_line(&Bytes::from(line.to_string()))?;
        assert_eq!(id, Digest::of(b"a"));
        Some(end)
    }

    #[test]
    fn a_row_asks_what_an_online_call_would_ask() {
        let id = Digest::of(b"a");
        let request = ChatRequest::new(vec![Message::user("two\nlines")]);
        let line = client().line(id, &request).expect("a line");
        assert_eq!(
            line.iter().position(|byte| *byte == b'\n'),
            Some(line.len() - 1)
        );
        let row: Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(
            row,
            json!({
                "custom_id": id.to_string(), "method": "POST", "url": "/v1/chat/completions",
                "body": { "model": "m", "messages": [{ "role": "user", "content": "two\nlines" }] },
            })
        );
    }

    #[test]
    fn a_reply_keeps_its_bytes_as_they_came() {
        let raw = r#"{"choices": [ {"message":{"content":"Hi"}} ],"x":1.50}"#;
        let line = format!(
            r#"{{"custom_id":"{}","response":{{"status_code":200,"body":{raw}}},"error":null}}"#,
            Digest::of(b"a")
        );
        let (_, end) = client().read_line(&Bytes::from(line)).expect("a row");
        let completion = end.expect("a reply");
        assert_eq!(completion.text, "Hi");
        assert_eq!(completion.raw.as_deref(), Some(raw.as_bytes()));
    }

    #[test]
    fn every_way_to_fail_is_told_from_the_others() {
        let answered = |status: u16, message: &str| json!({ "response": { "status_code": status, "body": { "error": { "message": message } } } });
        let failed = |fields: &Value| match end(fields).expect("a row") {
            Err(Setback::Failed(error)) => error,
            other => panic!("{other:?}"),
        };
        for status in [400, 429, 500] {
            let error = failed(&answered(status, "no"));
            assert!(
                matches!(error, ModelError::Status { status: seen, .. } if seen == status),
                "{error}"
            );
        }
        for spent in [
            answered(429, "insufficient_quota"),
            json!({ "error": { "code": "billing_hard_limit_reached", "message": "no" } }),
        ] {
            let error = failed(&spent);
            assert!(matches!(error, ModelError::OutOfMoney { .. }), "{error}");
        }
        let long = failed(&answered(400, "This model's maximum context length is 9."));
        assert!(matches!(long, ModelError::ContextLength { .. }), "{long}");
        let no_choices = failed(&json!({ "response": { "status_code": 200, "body": {} } }));
        assert!(
            matches!(no_choices, ModelError::Garbled { .. }),
            "{no_choices}"
        );
        let broken = failed(&json!({ "error": { "code": "server_error", "message": "oops" } }));
        assert!(broken.to_string().contains("oops"), "{broken}");
        let expired =
            json!({ "response": null, "error": { "code": "batch_expired", "message": "late" } });
        assert!(matches!(end(&expired), Some(Err(Setback::Unfinished(_)))));
        let cancelled = json!({ "error": { "code": "batch_cancelled", "message": "x" } });
        assert!(matches!(end(&cancelled), Some(Err(Setback::Cancelled))));
        assert!(matches!(
            end(&json!({ "response": null })),
            Some(Err(Setback::Unfinished(_)))
        ));
    }

    #[test]
    fn what_is_no_line_of_results_is_nothing() {
        for line in ["", "{", "[]", r#"{"custom_id":"somebody-elses"}"#] {
            assert!(client().read_line(&Bytes::from(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn a_batch_may_lack_nearly_everything() {
        let state = client().state(&json!({ "id": "b" })).expect("a batch");
        assert_eq!(state.status, BatchStatus::UnderWay);
        assert!(client().state(&json!({ "object": "batch" })).is_err());
        let failed = json!({
            "id": "b", "status": "failed",
            "errors": { "object": "list", "data": [{ "code": "c", "message": "m", "line": 3 }, {}] },
        });
        let faults = client().state(&failed).expect("a batch").faults;
        assert_eq!((faults[0].line, faults.len()), (Some(3), 2));
    }
}
