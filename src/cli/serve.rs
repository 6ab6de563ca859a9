//! `redraft serve`: answer OpenAI's clients, and hold the answers to a constitution.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;

use super::Exit;
use super::args::{PipelineArgs, StoreArgs};
use super::audit::at_end;
use super::error::UsageError;
use super::interrupts::Interrupts;
use super::metrics::MetricsArgs;
use super::person::person;
use super::serving::{Serving, offered};
use super::terminal::{Paint, safe};
use crate::app::{self, Connections};
use crate::config::Settings;
use crate::gateway::access::{Access, KeyFile};
use crate::gateway::reload::Held;
use crate::gateway::{self, Counted, Front, Gateway, SCOPE, Served, Tls};
use crate::run::Stop;
use crate::store::Store;
use crate::store::index::{Index, Progress};
use crate::telemetry::Metrics;
use crate::web::{Doors, HostRule, Pages, Role, pages_beside};

/// Options of `redraft serve`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where to listen [default: 127.0.0.1:8787]
    #[arg(short, long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Listen beyond this machine although there is no key: whoever can reach it may use the models
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    metrics: MetricsArgs,
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
            .clone()
            .settings_listening(self.store.store.clone(), self.listen.clone())?
            .batched(false);
        if settings.gateway.offered.is_empty() {
            let message = "there is no model to offer: add --model NAME, with --base-url URL for a \
                           server of your own, or list models in the settings";
            return Err(UsageError(message.to_owned()).into());
        }
        let held_keys = Held::now(vec![settings.gateway.keys.clone()]);
        let access = Arc::new(Access::new(KeyFile::read(&settings.gateway.keys)?));
        self.check_openness(&access, settings.gateway.listen)?;
        use_small_pages();
        let (front, tls) = front(&settings)?;
        let signing = at_end::key(settings.audit_key.as_deref())?;
        let store = app::open_store(&settings.store)?;
        let metrics = Metrics::new();
        let mut connections = Connections {
            store: Some(Arc::clone(&store)),
            scope: Some(SCOPE.to_owned()),
            is_awaited: true,
            metrics: Some(Arc::clone(&metrics)),
            ..Connections::default()
        };
        let _given_out = self.metrics.give_out(&mut connections, self.quiet).await?;
        metrics.watch(&connections.traffic);
        // Which files decide is known once they were read; they are read again behind the look at them.
        let held_models = Held::now(offered(&settings, &connections)?.files);
        let built = offered(&settings, &connections)?;
        let shown: Vec<String> = built.state.iter().map(describe).collect();
        let address = settings.gateway.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen at {address}"))?;
        let address = listener.local_addr()?;
        let reporter = Arc::new(Counted(Arc::clone(&metrics)));
        let options = settings.gateway.options;
        let kept = Arc::clone(&store);
        let gateway = Gateway::open(built.state, store, options, reporter).await?;
        let (handle, mut stop) = Stop::new();
        tokio::spawn(Interrupts::listen()?.watch(handle));
        if !self.quiet {
            announce(&settings, address, front.tls.is_some(), &access, &shown);
        }
        let mut router = gateway::router(&gateway, &access, &metrics);
        if settings.gateway.pages {
            router = router.merge(pages(&settings, address, &access, Arc::clone(&kept))?);
        }
        let serving = Serving {
            gateway: Arc::clone(&gateway),
            access,
            metrics,
            connections,
            pipeline: self.pipeline,
            settings,
        };
        let changes = tokio::spawn(serving.keep_up(held_models, held_keys, tls));
        let is_quiet = self.quiet;
        let stopped = async move {
            stop.wished().await;
            if !is_quiet {
                eprintln!("Stopping: what runs has a little time; once more to end at once.");
            }
        };
        let ended = gateway::serve(listener, router, gateway, front, stopped).await;
        changes.abort();
        let made = at_end::make(kept.as_ref(), signing.as_ref()).await?;
        if let Some(made) = made.filter(|_| !self.quiet) {
            at_end::tell(&made, Paint::STDERR);
        }
        ended?;
        Ok(Exit::Done)
    }

    /// Whether everybody who can reach the gateway may use it, unasked.
    fn check_openness(&self, access: &Access, address: SocketAddr) -> Result<(), UsageError> {
        if !access.is_open() || self.open || address.ip().is_loopback() {
            return Ok(());
        }
        Err(UsageError(format!(
            "at {address} others can reach the gateway, and there is no key: make one with `redraft keys \
             create NAME`, or say --open"
        )))
    }
}

/// The pages of the gateway's store. While there is no key, those on this machine see them, and nobody
/// else does, whatever else is open to them.
fn pages(
    settings: &Settings,
    address: SocketAddr,
    access: &Arc<Access>,
    store: Arc<dyn Store>,
) -> anyhow::Result<Router> {
    let mut doors = Doors::with_keys(Arc::clone(access));
    if address.ip().is_loopback() {
        // Without a name nobody decides.
        let (name, role) = match person() {
            Some(name) => (name, Role::Admin),
            None => ("everybody".to_owned(), Role::Viewer),
        };
        let opened = doors.open_as(&name, role);
        doors = opened.context("the system gives no randomness")?;
    }
    let index = Index::open(Index::beside(&settings.store))?;
    let told = |progress: Progress| {
        tracing::debug!(
            progress.done,
            progress.total,
            "the index of the pages follows"
        );
    };
    let pages = Pages::over(store, index, Box::new(told));
    Ok(pages_beside(
        pages.taking_reviews(),
        HostRule::at(address.ip()),
        doors,
    ))
}

/// Has the system give memory in small pages: most of what an open stream has for buffers is never
/// written to, and large pages would take memory for it all the same.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("memory comes in pages as large as the system likes: {error}");
    }
}

type Encrypting = Option<(Arc<Tls>, gateway::TlsFiles, Held)>;

/// How connections are taken, and what is to be followed for that.
fn front(settings: &Settings) -> anyhow::Result<(Front, Encrypting)> {
    let trusted = Arc::new(settings.gateway.trusted.clone());
    let Some(files) = &settings.gateway.tls else {
        return Ok((Front { tls: None, trusted }, None));
    };
    let held = Held::now(vec![files.certificate.clone(), files.key.clone()]);
    let tls = Arc::new(Tls::new(files.load()?));
    let front = Front {
        tls: Some(Arc::clone(&tls)),
        trusted,
    };
    Ok((front, Some((tls, files.clone(), held))))
}

fn announce(
    settings: &Settings,
    address: SocketAddr,
    is_encrypted: bool,
    access: &Access,
    models: &[String],
) {
    let scheme = if is_encrypted { "https" } else { "http" };
    eprintln!("redraft listens at {scheme}://{address}/v1");
    for line in models {
        eprintln!("  {line}");
    }
    if settings.gateway.pages {
        eprintln!("Its pages are at {scheme}://{address}/");
    }
    if access.is_open() {
        eprintln!("There is no key: whoever reaches this address may use the models.");
    }
    let location = settings.store.display().to_string();
    let said = format!("The transcripts are in {}.", safe(&location));
    eprintln!("{}", Paint::STDERR.dim(said));
}

fn describe(model: &Served) -> String {
    let judged = model.panel.as_ref().map_or_else(String::new, |panel| {
        let constitution = panel.texts.constitution();
        format!(" {} {}", constitution.name(), constitution.version())
    });
    let name = safe(&model.name);
    format!("{name}: {}{}", model.mode.as_str(), safe(&judged))
}
