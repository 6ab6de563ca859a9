//! Standard output: where data goes. A reader that has gone away, as in `redraft show … | head`, ends
//! the process quietly.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use super::Exit;

/// Prints to standard output.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::cli::output::write(format_args!($($text)*))
    };
}

/// Prints a line to standard output.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::cli::output::write(format_args!("{}\n", format_args!($($text)*)))
    };
}

pub(super) fn write(text: fmt::Arguments<'_>) {
    match io::stdout().write_fmt(text) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            std::process::exit(Exit::Done as i32)
        }
        Err(error) => {
            eprintln!("error: cannot write to standard output: {error}");
            std::process::exit(Exit::Failed as i32)
        }
    }
}
