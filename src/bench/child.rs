//! A simulated server in a process of its own, so that what it uses is not counted as the client's.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::simulated::{SimulatedOptions, SimulatedServer, SimulatedStatistics};

/// A process that serves until it is told to end, or until this value is dropped.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    base_url: String,
}

impl ServerProcess {
    /// Starts `program`, which is redraft, as a server.
    pub(super) fn start(program: &Path, options: &SimulatedOptions) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args([
                "bench",
                "--serve",
                &options.address.to_string(),
                "--leashed",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the server's process has no pipe");
        let mut stdin = child.stdin.take().ok_or_else(missing)?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        writeln!(stdin, "{}", serde_json::to_string(options)?)?;
        stdin.flush()?;
        let mut base_url = String::new();
        stdout.read_line(&mut base_url)?;
        if base_url.trim().is_empty() {
            let _ = child.wait();
            return Err(io::Error::other("the server's process ended at once"));
        }
        Ok(Self {
            child,
            stdin: Some(stdin),
            stdout,
            base_url: base_url.trim().to_owned(),
        })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Ends the process; gives what the server has done.
    pub(super) fn end(mut self) -> io::Result<SimulatedStatistics> {
        drop(self.stdin.take());
        let mut told = String::new();
        self.stdout.read_to_string(&mut told)?;
        self.child.wait()?;
        serde_json::from_str(&told).map_err(io::Error::other)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.stdin.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What such a process does: reads its options from a line of `input`, tells its address, serves
/// until `input` ends, and tells what it has done.
///
/// # Errors
///
/// When the options cannot be read, or the server cannot listen.
pub fn serve(mut input: impl io::BufRead, mut tell: impl FnMut(&str)) -> io::Result<()> {
    let mut options = String::new();
    input.read_line(&mut options)?;
    let options: SimulatedOptions = serde_json::from_str(&options)?;
    let server = SimulatedServer::start(options)?;
    tell(&server.base_url());
    io::copy(&mut input, &mut io::sink())?;
    tell(&serde_json::to_string(&server.statistics())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_tells_its_address_and_at_the_end_what_it_did() {
        let options = serde_json::to_string(&SimulatedOptions::default()).expect("JSON");
        let mut told = Vec::new();
        serve(format!("{options}\n").as_bytes(), |line| {
            told.push(line.to_owned());
        })
        .expect("it serves");
        assert!(told[0].starts_with("http://127.0.0.1:"), "{told:?}");
        let statistics: SimulatedStatistics = serde_json::from_str(&told[1]).expect("JSON");
        assert_eq!(statistics.requests, 0);
    }
}
