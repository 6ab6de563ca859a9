//! Keys on the run's own terminal: they reach the run as they are pressed, and the terminal gets back
//! what it had, however the process ends.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::model::Concurrency;
use crate::model::traffic::Traffic;
use crate::run::Command;

/// What stands under the figures.
pub(super) const HINT: &str =
    "p pause · r resume · d drain · + - calls at once · a auto · q stop · ? help";

/// What `?` says.
pub(super) const HELP: &str = "\
p  pause: no further call begins, those in flight go on
r  resume
d  drain: no further record begins, those in flight run to their end, and the run stops there
+  more calls at once, and - fewer; the number is pinned
a  auto: the number of calls at once finds itself
q  stop, as Ctrl-C does
The same command again continues a run that was stopped. redraft ctl does all this from elsewhere.";

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Press {
    /// Something of the run.
    Command(Command),
    /// What the keys mean.
    Help,
}

/// What a key means, if anything.
fn meaning(key: u8, traffic: &Traffic) -> Option<Press> {
    Some(Press::Command(match key.to_ascii_lowercase() {
        b'p' => Command::Pause,
        b'r' => Command::Resume,
        b'd' => Command::Drain,
        b'q' => Command::Stop,
        b'a' => Command::Limit(Concurrency::Auto),
        b'+' | b'=' => Command::Limit(Concurrency::Fixed(more(limit(traffic)))),
        b'-' | b'_' => Command::Limit(Concurrency::Fixed(fewer(limit(traffic)))),
        b'?' | b'h' => return Some(Press::Help),
        _ => return None,
    }))
}

/// How many calls to an endpoint run at once now: the largest number there is.
fn limit(traffic: &Traffic) -> usize {
    let endpoints = traffic.endpoints();
    let known = endpoints.iter().map(|endpoint| endpoint.limit).max();
    known.unwrap_or_else(|| usize::try_from(traffic.counts().in_flight).unwrap_or(1))
}

fn more(limit: usize) -> usize {
    limit.saturating_add((limit / 8).max(1))
}

fn fewer(limit: usize) -> usize {
    limit.saturating_sub((limit / 8).max(1)).max(1)
}

/// The keys that are pressed from now on, and their end when this is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) presses: UnboundedReceiver<Press>,
    _terminal: terminal::Listening,
}

impl Keys {
    /// Listens where a person can press keys: at a terminal that shows the run, whose input is not
    /// the dataset.
    pub(super) fn listen(traffic: Arc<Traffic>) -> Option<Self> {
        let (sender, presses) = unbounded_channel();
        let terminal = terminal::Listening::start(move |key| {
            meaning(key, &traffic).is_none_or(|press| sender.send(press).is_ok())
        })?;
        Some(Self {
            presses,
            _terminal: terminal,
        })
    }
}

/// Gives the terminal back what it had; for ends of the process that drop nothing.
pub(super) fn restore_terminal() {
    terminal::restore();
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, IsTerminal as _};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, read};
    use rustix::process::getpgrp;
    use rustix::stdio::stdin;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
    };

    /// How long the terminal is left alone while another job has it.
    const LOOK_AGAIN: Duration = Duration::from_millis(300);

    /// How long a key is waited for, before is looked whether the terminal is still quiet.
    const KEY_WAIT: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 200_000_000,
    };

    /// What the terminal had before keys were listened to.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    /// Keys come one by one and unseen, until this is dropped.
    #[derive(Debug)]
    pub(super) struct Listening(Arc<AtomicBool>);

    impl Listening {
        /// Hands every key to `press`, until that says false.
        pub(super) fn start(press: impl Fn(u8) -> bool + Send + 'static) -> Option<Self> {
            if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
                return None;
            }
            let over = Arc::new(AtomicBool::new(false));
            let heard = Arc::clone(&over);
            thread::Builder::new()
                .name("keys".to_owned())
                .spawn(move || listen(&heard, press))
                .ok()?;
            Some(Self(over))
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
            restore();
        }
    }

    fn listen(over: &AtomicBool, press: impl Fn(u8) -> bool) {
        let mut key = [0];
        while !over.load(Ordering::SeqCst) {
            // Who reads from a terminal in the background is stopped by the system.
            if !in_foreground() {
                thread::sleep(LOOK_AGAIN);
                continue;
            }
            if !make_quiet(over) {
                return;
            }
            match next_key(&mut key) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) if press(key[0]) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Reads a key, if there is one in time. A job that went on after it was stopped has a terminal
    /// of lines again, and a read begun before would wait for a whole one: so nothing is read
    /// before there is something.
    fn next_key(key: &mut [u8]) -> Result<usize, Errno> {
        let mut keys = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
        match poll(&mut keys, Some(&KEY_WAIT))? {
            0 => Ok(0),
            _ => read(stdin(), key),
        }
    }

    fn in_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    /// Has keys come one by one and unseen, and no read wait for one; Ctrl-C stays a signal. A
    /// job that was away finds the terminal changed, and so this is asked for again and again.
    fn make_quiet(over: &AtomicBool) -> bool {
        let Ok(mut modes) = tcgetattr(io::stdin()) else {
            return false;
        };
        let loud = LocalModes::ICANON | LocalModes::ECHO;
        if !modes.local_modes.intersects(loud) {
            return true;
        }
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked with the lock held: once it is over nobody would restore.
        if over.load(Ordering::SeqCst) {
            return false;
        }
        *before = Some(modes.clone());
        modes.local_modes.remove(loud);
        modes.special_codes[SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &modes).is_ok()
    }

    pub(super) fn restore() {
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(modes) = before.take()
            && in_foreground()
        {
            // A terminal that is gone needs nothing back.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    /// Keys are listened to on Unix only.
    #[derive(Debug)]
    pub(super) struct Listening;

    impl Listening {
        pub(super) fn start(_: impl Fn(u8) -> bool + Send + 'static) -> Option<Self> {
            None
        }
    }

    pub(super) fn restore() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_hint_means_something() {
        let traffic = Traffic::default();
        for key in HINT.split(" · ") {
            for key in key.split(' ').filter(|word| word.len() == 1) {
                assert!(meaning(key.as_bytes()[0], &traffic).is_some(), "{key}");
            }
        }
        assert_eq!(meaning(b'x', &traffic), None);
        assert_eq!(
            meaning(b'P', &traffic),
            Some(Press::Command(Command::Pause))
        );
    }

    #[test]
    fn more_and_fewer_are_an_eighth_and_at_least_one() {
        assert_eq!((more(1), more(64)), (2, 72));
        assert_eq!((fewer(64), fewer(2), fewer(1), fewer(0)), (56, 1, 1, 1));
    }
}
