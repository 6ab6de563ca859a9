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
    /// Starts the pages on a port of their own, and waits until they are there and up with the store.
    pub(crate) fn of(place: &Place) -> Self {
        Self::up(Self::with(place, ""))
    }

    /// The same, for somebody who decides.
    pub(crate) fn reviewing(place: &Place, author: &str) -> Self {
        Self::up(Self::with(place, &format!("--review --author {author}")))
    }

    /// Starts the pages where somebody must sign in to see one.
    pub(crate) fn locked(place: &Place) -> Self {
        Self::with(place, "")
    }

    fn up(view: Self) -> Self {
        wait_until("the index has caught up", || {
            !view.page("/").contains("catching up")
        });
        view
    }

    fn with(place: &Place, options: &str) -> Self {
        let command = format!("view --listen 127.0.0.1:0 {options}");
        let running = place.redraft(&command).start();
        wait_until("the pages are there", || running.has_said("Ctrl-C ends"));
        let said = running.said();
        let (_, rest) = said.split_once("http://").expect("an address");
        let (address, _) = rest.split_once('/').expect("the address's end");
        Self {
            address: address.to_owned(),
            running: Some(running),
        }
    }

    /// Whether it has said so.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.has_said(text))
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

    /// Sends a request that names a host.
    pub(crate) fn request(&self, method: &str, path: &str, host: &str) -> Page {
        self.send(method, path, &format!("Host: {host}\r\n"), "")
    }

    /// Asks with further lines of a head, each with its end.
    pub(crate) fn get_with(&self, path: &str, lines: &str) -> Page {
        self.send(
            "GET",
            path,
            &format!("Host: {}\r\n{lines}", self.address),
            "",
        )
    }

    /// Sends a form.
    pub(crate) fn post(&self, path: &str, form: &str) -> Page {
        self.post_with(path, "", form)
    }

    /// The same with further lines of a head.
    pub(crate) fn post_with(&self, path: &str, lines: &str, form: &str) -> Page {
        let lines = format!(
            "Host: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n{lines}",
            self.address,
            form.len()
        );
        self.send("POST", path, &lines, form)
    }

    fn send(&self, method: &str, path: &str, lines: &str, body: &str) -> Page {
        let mut stream = TcpStream::connect(&self.address).expect("the pages are there");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n{body}"
        )
        .expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8(answer).expect("UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        Page {
            status: status.parse().expect("a number"),
            head: head.to_owned(),
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

impl Page {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}
