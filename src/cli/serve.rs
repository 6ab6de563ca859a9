//! `redraft serve`: answer OpenAI's clients, and hold the answers to a constitution.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::Exit;
use super::args::{PipelineArgs, StoreArgs, served};
use super::error::UsageError;
use super::interrupts::Interrupts;
use super::terminal::{Paint, safe};
use crate::app::{self, Connections};
use crate::gateway::{self, Gateway, SCOPE, Served, Unreported};
use crate::run::Stop;

/// Options of `redraft serve`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where to listen [default: 127.0.0.1:8787]
    #[arg(short, long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Say nothing but warnings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let settings = self
            .pipeline
            .settings_listening(self.store.store, self.listen)?
            .batched(false);
        if settings.gateway.offered.is_empty() {
            let message = "there is no model to offer: add --model NAME, with --base-url URL for a \
                           server of your own, or list models in the settings";
            return Err(UsageError(message.to_owned()).into());
        }
        let store = app::open_store(&settings.store)?;
        let connections = Connections {
            store: Some(Arc::clone(&store)),
            scope: Some(SCOPE.to_owned()),
            is_awaited: true,
            ..Connections::default()
        };
        let models = served(&settings, &connections)?;
        let shown: Vec<String> = models.iter().map(describe).collect();
        let options = settings.gateway.options;
        let address = settings.gateway.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen at {address}"))?;
        let address = listener.local_addr()?;
        let gateway = Gateway::open(models, store, options, Arc::new(Unreported)).await?;
        let (handle, mut stop) = Stop::new();
        tokio::spawn(Interrupts::listen()?.watch(handle));
        if !self.quiet {
            eprintln!("redraft listens at http://{address}/v1");
            for line in shown {
                eprintln!("  {line}");
            }
            let location = settings.store.display().to_string();
            eprintln!(
                "{}",
                Paint::STDERR.dim(format!("The transcripts are in {}.", safe(&location)))
            );
        }
        let router = gateway::router(&gateway);
        let is_quiet = self.quiet;
        let stopped = async move {
            stop.wished().await;
            if !is_quiet {
                eprintln!("Stopping: what runs has a little time; once more to end at once.");
            }
        };
        gateway::serve(listener, router, gateway, stopped).await?;
        Ok(Exit::Done)
    }
}

fn describe(model: &Served) -> String {
    let judged = model.panel.as_ref().map_or_else(String::new, |panel| {
        let constitution = panel.texts.constitution();
        format!(" {} {}", constitution.name(), constitution.version())
    });
    let name = safe(&model.name);
    format!("{name}: {}{}", model.mode.as_str(), safe(&judged))
}
