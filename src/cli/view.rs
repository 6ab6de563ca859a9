//! `redraft view [STORE]`: pages for people over a store that is only read, or in which people decide.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::Exit;
use super::args::PipelineArgs;
use super::error::UsageError;
use super::interrupts::Interrupts;
use super::page_keys::PageKeys;
use super::person::person;
use super::terminal::{Paint, safe, thousands};
use crate::app;
use crate::run::Stop;
use crate::store::Store;
use crate::store::index::{Index, Progress};
use crate::web::{Doors, HostRule, Pages, Role, router};

/// How often a person hears how far the index is.
const PACE: Duration = Duration::from_secs(2);

/// Options of `redraft view`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The store [default: redraft.db]
    #[arg(value_name = "STORE")]
    store: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
    /// Let others than this machine read although there is no key: whoever reaches the address does
    #[arg(long)]
    open: bool,
    /// Let people on this machine decide about held records: the store is opened for writing
    #[arg(long, conflicts_with = "open")]
    review: bool,
    /// In whose name decisions are kept [default: $USER or $USERNAME]
    #[arg(long, value_name = "NAME", requires = "review")]
    author: Option<String>,
    #[command(flatten)]
    index: IndexArgs,
}

/// Where the index of a store is.
#[derive(Debug, Args)]
pub(super) struct IndexArgs {
    /// The file of the index [default: the store's, with .index at its end]
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
}

impl IndexArgs {
    /// Pages over the store at this path; the index tells how far it is.
    pub(super) fn pages(self, store: &Path, quiet: bool) -> anyhow::Result<Pages> {
        self.over(app::open_store_to_read(store)?, store, quiet)
    }

    /// The same, on which people decide.
    fn pages_taking_reviews(self, store: &Path) -> anyhow::Result<Pages> {
        // A store that is not there is not begun.
        drop(app::open_store_to_read(store)?);
        let pages = self.over(app::open_store(store)?, store, false)?;
        Ok(pages.taking_reviews())
    }

    fn over(self, opened: Arc<dyn Store>, store: &Path, quiet: bool) -> anyhow::Result<Pages> {
        let index = Index::open(self.index.unwrap_or_else(|| Index::beside(store)))?;
        Ok(Pages::over(opened, index, Box::new(teller(quiet))))
    }
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let settings = PipelineArgs::default().settings(self.store)?;
        let store = settings.store;
        let location = store.display().to_string();
        let keys = PageKeys::of(settings.gateway.keys)?;
        let is_here = self.listen.ip().is_loopback();
        if !self.open && !is_here && keys.access.is_open() {
            return Err(UsageError(format!(
                "{} is reached by others than this machine, and there is no key to ask them for: make some with \
                 `redraft keys create NAME --role viewer`, or give --open to let everybody read",
                self.listen
            ))
            .into());
        }
        let everybody = if is_here && self.review && keys.access.is_open() {
            Some((author(self.author)?, Role::Admin))
        } else {
            (is_here || self.open).then(|| ("everybody".to_owned(), Role::Viewer))
        };
        let mut doors = Doors::with_keys(Arc::clone(&keys.access));
        if let Some((name, role)) = &everybody {
            let opened = doors.open_as(name, *role);
            doors = opened.context("the system gives no randomness")?;
        }
        let pages = if self.review {
            self.index.pages_taking_reviews(&store)?
        } else {
            self.index.pages(&store, false)?
        };
        pages.begin();
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen at {}", self.listen))?;
        let (handle, mut stop) = Stop::new();
        let watch = Interrupts::listen()?.watch(handle);
        let paint = Paint::STDERR;
        eprintln!(
            "{} at {}",
            safe(&location),
            paint.bold(format!("http://{}/", listener.local_addr()?))
        );
        match &everybody {
            _ if !keys.access.is_open() => eprintln!("Whoever has a key for people signs in."),
            Some((name, Role::Admin)) => {
                eprintln!("Decisions are kept in the name of {}.", safe(name));
            }
            _ => {}
        }
        eprintln!("{}", paint.dim("Ctrl-C ends this."));
        let served = axum::serve(
            listener,
            router(pages, HostRule::at(self.listen.ip()), doors),
        )
        .into_future();
        tokio::select! {
            ended = served => ended?,
            () = stop.wished() => {}
            () = watch => {}
            never = keys.follow() => match never {},
        }
        Ok(Exit::Done)
    }
}

/// In whose name decisions are kept.
fn author(given: Option<String>) -> Result<String, UsageError> {
    given
        .filter(|name| !name.trim().is_empty())
        .or_else(person)
        .ok_or_else(|| UsageError("decisions need a name: give --author NAME".to_owned()))
}

/// Says how far the index is, now and then, and when it has caught up after that.
fn teller(quiet: bool) -> impl Fn(Progress) + Send + Sync {
    let said = Mutex::new((Instant::now(), false));
    move |progress: Progress| {
        let Ok(mut said) = said.lock() else { return };
        let is_done = progress.done >= progress.total;
        let is_due = said.0.elapsed() >= PACE;
        if quiet || (is_done && !said.1) || (!is_done && !is_due) {
            return;
        }
        *said = (Instant::now(), !is_done);
        eprintln!(
            "indexed {} of {} transcripts",
            thousands(progress.done),
            thousands(progress.total)
        );
    }
}
