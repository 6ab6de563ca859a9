//! `redraft view` under way, and what its pages say.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::command::Running;
use super::{Place, wait_until};

/// The pages over a place's store; they end with the test.
pub(crate) struct View {
    address: String,
    running: Option<Running>,
}

/// What came back for a request.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl View {
    /// Starts the pages on a port of their own, and waits until they are there.
    pub(crate) fn of(place: &Place) -> Self {
        Self::with(place, "")
    }

    /// The same, for somebody who decides.
    pub(crate) fn reviewing(place: &Place, author: &str) -> Self {
        Self::with(place, &format!("--review --author {author}"))
    }

    fn with(place: &Place, options: &str) -> Self {
        let command = format!("view --listen 127.0.0.1:0 {options}");
        let running = place.redraft(&command).start();
        wait_until("the pages are there", || running.has_said("Ctrl-C ends"));
        let said = running.said();
        let (_, rest) = said.split_once("http://").expect("an address");
        let (address, _) = rest.split_once('/').expect("the address's end");
        let view = Self {
            address: address.to_owned(),
            running: Some(running),
        };
        wait_until("the index has caught up", || {
            !view.page("/").contains("catching up")
        });
        view
    }

    /// Where the pages are.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks for a page.
    pub(crate) fn get(&self, path: &str) -> Page {
        self.request("GET", path, &self.address)
    }

    /// Asks for a page that must be there; gives its content.
    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        page.body
    }

    /// Sends a form.
    pub(crate) fn post(&self, path: &str, form: &str) -> Page {
        self.send("POST", path, &self.address, form)
    }

    /// Sends a request that names a host.
    pub(crate) fn request(&self, method: &str, path: &str, host: &str) -> Page {
        self.send(method, path, host, "")
    }

    fn send(&self, method: &str, path: &str, host: &str, form: &str) -> Page {
        let mut stream = TcpStream::connect(&self.address).expect("the pages are there");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8(answer).expect("UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        Page {
            status: status.parse().expect("a number"),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    /// Ends the pages as Ctrl-C does.
    pub(crate) fn interrupt(mut self) -> super::Ended {
        let running = self.running.take().expect("pages under way");
        running.signal("INT");
        running.end()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}
