//! `redraft bench --base-url URL`: what an endpoint is good for.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::numbers::from_one;
use crate::bench::{
    EndpointReport, MeasureOptions, Prefix, Step, StructuredReplies, measure_endpoint,
};
use crate::cli::Exit;
use crate::cli::error::UsageError;
use crate::cli::terminal::{Paint, counted, safe, thousands};
use crate::config::Environment;
use crate::model::openai::{ApiKey, BaseUrl, Endpoint, OpenAi, list_models};
use crate::telemetry;

/// Where the key of every model is that names no other variable.
const USUAL_KEY: &str = "OPENAI_API_KEY";

/// Which endpoint is measured, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Endpoint")]
pub(super) struct EndpointArgs {
    /// Measure the OpenAI-compatible server at this address
    #[arg(long, value_name = "URL", conflicts_with_all = ["ServerArgs", "CeilingArgs"])]
    base_url: Option<BaseUrl>,
    /// The model [default: the only one that the server lists]
    #[arg(short, long, value_name = "NAME", requires = "base_url")]
    model: Option<String>,
    /// How long to measure, about
    #[arg(long, value_name = "N", default_value_t = 45, requires = "base_url", value_parser = from_one::<u64>)]
    seconds: u64,
    /// The most calls at once that are tried
    #[arg(long, value_name = "N", default_value_t = 512, requires = "base_url", value_parser = from_one::<usize>)]
    most: usize,
    /// The most tokens of a reply
    #[arg(long, value_name = "N", default_value_t = 128, requires = "base_url", value_parser = from_one::<u32>)]
    max_tokens: u32,
    /// The environment variable that holds the key
    #[arg(
        long,
        value_name = "NAME",
        default_value = USUAL_KEY,
        requires = "base_url"
    )]
    api_key_env: String,
    /// Do not ask before calling a server that may cost money
    #[arg(short, long, requires = "base_url")]
    yes: bool,
}

impl EndpointArgs {
    pub(super) async fn run(self, json: bool) -> anyhow::Result<Exit> {
        let missing = || UsageError("give --base-url URL, or --simulated".to_owned());
        let base_url = self.base_url.clone().ok_or_else(missing)?;
        self.check_cost(&base_url)?;
        let key = Environment::of_process().get(&self.api_key_env).map(|key| {
            ApiKey::new(key).from_origin(format!("the environment variable {}", self.api_key_env))
        });
        let mut endpoint = Endpoint {
            api_key: key,
            timeout: Duration::from_secs(self.seconds.max(10)),
            ..Endpoint::new(self.model.clone().unwrap_or_default(), base_url)
        };
        if self.model.is_none() {
            endpoint.model = only_model(&endpoint).await?;
        }
        let options = MeasureOptions {
            time: Duration::from_secs(self.seconds),
            most: self.most,
            max_tokens: self.max_tokens,
            nonce: telemetry::now(),
        };
        eprintln!(
            "Measuring {} at {}",
            safe(&endpoint.model),
            endpoint.base_url
        );
        let model = Arc::new(OpenAi::new(&endpoint)?);
        let report = measure_endpoint(model, &options, tell_step).await?;
        let variable = Some(self.api_key_env.as_str()).filter(|name| *name != USUAL_KEY);
        let settings = report.settings(endpoint.base_url.as_str(), variable);
        if json {
            let mut value = serde_json::to_value(&report)?;
            value["base_url"] = json!(endpoint.base_url.as_str());
            value["settings"] = json!(settings);
            outln!("{value:#}");
        } else {
            print(&report, &settings);
        }
        let answered = report.steps.iter().any(|step| step.answered > 0);
        Ok(if answered { Exit::Done } else { Exit::Failed })
    }

    /// Lets nobody be surprised by a bill.
    fn check_cost(&self, base_url: &BaseUrl) -> Result<(), UsageError> {
        if self.yes || base_url.is_private() {
            return Ok(());
        }
        let warning = format!(
            "{base_url} is not in a private network: it may take money for every call, and a \
             measurement makes hundreds"
        );
        if !io::stdin().is_terminal() {
            return Err(UsageError(format!("{warning}; add --yes if that is meant")));
        }
        eprint!("{warning}. Go on? [y/N] ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(UsageError("nothing was measured".to_owned()))
    }
}

async fn only_model(endpoint: &Endpoint) -> anyhow::Result<String> {
    let mut models = list_models(endpoint).await?;
    match models.len() {
        1 => Ok(models.remove(0)),
        0 => Err(UsageError(format!(
            "{} lists no models; add --model NAME",
            endpoint.base_url
        ))
        .into()),
        number => {
            models.truncate(10);
            let message = format!(
                "{} has {number} models; add --model NAME, for example one of {}",
                endpoint.base_url,
                models.join(", ")
            );
            Err(UsageError(message).into())
        }
    }
}

fn tell_step(step: &Step) {
    let Step {
        concurrency,
        per_second,
        ..
    } = step;
    eprintln!("  {concurrency:>4} at once: {per_second:.1} calls/s");
}

fn print(report: &EndpointReport, settings: &str) {
    let paint = Paint::STDOUT;
    outln!("{}", paint.bold(safe(&report.model)));
    let heading = format!(
        "{:>9}{:>10}{:>8}{:>10}{:>12}{:>11}{:>11}",
        "at once", "answered", "failed", "calls/s", "tokens/s", "p50", "p95"
    );
    outln!("{}", paint.dim(heading));
    for step in &report.steps {
        let tokens = step
            .tokens_per_second
            .map_or_else(|| "–".to_owned(), |tokens| format!("{tokens:.0}"));
        outln!(
            "{:>9}{:>10}{:>8}{:>10.1}{tokens:>12}{:>8.0} ms{:>8.0} ms",
            step.concurrency,
            thousands(step.answered),
            thousands(step.failed),
            step.per_second,
            step.p50_ms,
            step.p95_ms,
        );
    }
    outln!("");
    let note = if report.settled {
        ""
    } else {
        " (more may be better still: the measurement ended here)"
    };
    outln!("  best concurrency     {}{note}", report.concurrency);
    outln!("  prefix cache         {}", prefix(&report.prefix));
    let structured = match &report.structured {
        StructuredReplies::Work { rung } => format!("work, by {rung}"),
        StructuredReplies::DoNot { why } => format!("do not work: {}", safe(why)),
    };
    outln!("  structured replies   {structured}");
    for (kind, number) in &report.errors {
        outln!(
            "  failed               {} × {}",
            thousands(*number),
            safe(kind)
        );
    }
    let (input, output) = report.tokens;
    outln!(
        "  spent                {}, {} tokens in, {} out",
        counted(report.calls, "call"),
        thousands(input),
        thousands(output)
    );
    outln!("\n{}", paint.dim("# redraft.yaml"));
    out!("{settings}");
}

fn prefix(prefix: &Prefix) -> String {
    match prefix {
        Prefix::Counted { cached: 0, .. } => {
            "none seen: there is no cache, or the server does not count what it serves".to_owned()
        }
        Prefix::Counted { input, cached } => {
            format!("{cached} of {input} tokens of a repeated beginning")
        }
        Prefix::Untold => "the server does not say".to_owned(),
        Prefix::Failed { why } => format!("the calls failed: {}", safe(why)),
    }
}
