//! A Chromium without a window, driven by the `WebDriver` protocol through its own driver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::command::LIMIT;
use super::wait_until;

/// Keys as `WebDriver` names them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

/// Where chromedriver may be.
const PROGRAMS: [&str; 3] = [
    "chromedriver",
    "/usr/bin/chromedriver",
    "/usr/lib/chromium/chromedriver",
];

/// A browser under way; it ends with the test.
pub(crate) struct Browser {
    driver: Child,
    address: String,
    session: String,
}

/// A driver that listens, and where; nothing where it ended before it did.
fn drive(program: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let out = driver.stdout.take().expect("a pipe");
    let port = BufReader::new(out)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
    if port.is_none() {
        driver.wait().expect("chromedriver has ended");
    }
    Some((driver, port?))
}

impl Browser {
    /// A browser; says why when there is none to be had.
    pub(crate) fn find() -> Option<Self> {
        static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match FOUND.get_or_init(program) {
            Ok(program) => Some(Self::start(program)),
            Err(why) => {
                eprintln!("skipped: no Chromium with its driver: {why}");
                None
            }
        }
    }

    fn start(program: &Path) -> Self {
        // A driver takes a free port for IPv4 and then the same for IPv6, where somebody may be by then.
        let (driver, port) = (0..10)
            .find_map(|_| drive(program))
            .expect("chromedriver says its port");
        let mut browser = Self {
            driver,
            address: format!("127.0.0.1:{port}"),
            session: String::new(),
        };
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--window-size=1100,900"]
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let made = browser.send(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": capabilities } }),
        );
        made["sessionId"]
            .as_str()
            .expect("a session")
            .clone_into(&mut browser.session);
        browser
    }

    /// Goes to an address.
    pub(crate) fn open(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        let url = self.ask("GET", "/url", &Value::Null);
        url.as_str().expect("an address").to_owned()
    }

    /// Presses keys, one after the other.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let source = json!({ "type": "key", "id": "keys", "actions": actions });
        self.ask("POST", "/actions", &json!({ "actions": [source] }));
    }

    /// Presses a key while another is held down.
    pub(crate) fn chord(&self, held: &str, key: &str) {
        let press = |kind: &str, key: &str| json!({ "type": kind, "value": key });
        let actions = [
            press("keyDown", held),
            press("keyDown", key),
            press("keyUp", key),
            press("keyUp", held),
        ];
        let source = json!({ "type": "key", "id": "keys", "actions": actions });
        self.ask("POST", "/actions", &json!({ "actions": [source] }));
    }

    /// What a script on the page gives.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask(
            "POST",
            "/execute/sync",
            &json!({ "script": script, "args": [] }),
        )
    }

    /// Waits until a script on the page says that something holds.
    pub(crate) fn wait(&self, script: &str) {
        wait_until(script, || {
            self.run(&format!("return Boolean({script})")) == true
        });
    }

    /// Calls a method of the protocol that developers' tools speak.
    pub(crate) fn tools(&self, method: &str, parameters: &Value) {
        let call = json!({ "cmd": method, "params": parameters });
        self.ask("POST", "/goog/cdp/execute", &call);
    }

    /// What the browser has complained about since it was asked last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log").iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.send(method, &format!("/session/{}{path}", self.session), body)
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut stream = TcpStream::connect(&self.address).expect("chromedriver is there");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .expect("a request");
        let mut answer: Value = serde_json::from_slice(&body_of(stream)).expect("JSON");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser is the driver's child, and ends when the driver is told so.
        let path = format!("/session/{}", self.session);
        if let Ok(mut stream) = TcpStream::connect(&self.address) {
            let _ = write!(
                stream,
                "DELETE {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address
            );
            let _ = body_of(stream);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The body of an answer, after which the connection may stay open.
fn body_of(stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a head");
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    body
}

/// Finds chromedriver, or installs it as Debian has it, where that is allowed.
fn program() -> Result<PathBuf, String> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    let user = output(Command::new("id").arg("-u"))?;
    if user.trim() != "0" {
        return Err("it is not installed, and only root may install it".to_owned());
    }
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(["chromium", "chromium-driver"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    output(&mut install)?;
    installed().ok_or_else(|| "it was installed, and is nowhere to be found".to_owned())
}

fn installed() -> Option<PathBuf> {
    let answers = |program: &&&str| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|version| version.status.success())
    };
    PROGRAMS.iter().find(answers).map(PathBuf::from)
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
