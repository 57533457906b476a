//! A Chromium with one page, driven over its debugging port as somebody at a keyboard would: a WebSocket of whole, short messages.

use crate::common::process::chromium;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A browser that shows a page.
pub struct Browser {
    child: Child,
    socket: TcpStream,
    number: u64,
    /// What the page had to complain of.
    pub complaints: Vec<String>,
    _own: TempDir,
}

impl Browser {
    /// Opens an address; none where there is no Chromium.
    pub fn open(address: &str) -> Option<Self> {
        let own = tempfile::tempdir().unwrap();
        let mut child = Command::new(chromium()?)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--window-size=1280,900",
            ])
            .arg(format!("--user-data-dir={}", own.path().display()))
            .arg(address)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = said.find(|line| line.starts_with("DevTools listening on ws://")).expect("Chromium does not start");
        // A pipe that nobody reads would hold it up.
        std::thread::spawn(move || said.for_each(drop));
        let port: u16 = line.split(':').nth(2).unwrap().split('/').next().unwrap().parse().unwrap();
        let begun = Instant::now();
        let path = loop {
            let pages = get(port, "/json/list");
            let page = pages.as_array().unwrap().iter().find(|page| page["type"] == "page" && page["url"] == address);
            if let Some(page) = page {
                let url = page["webSocketDebuggerUrl"].as_str().unwrap();
                break url.split_once("/devtools").unwrap().1.to_owned();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{pages}");
            std::thread::sleep(Duration::from_millis(100));
        };
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "GET /devtools{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        let mut browser = Self { child, socket, number: 0, complaints: Vec::new(), _own: own };
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.ask(domain, json!({})).unwrap();
        }
        Some(browser)
    }

    /// What an expression is on the page.
    pub fn see(&mut self, expression: &str) -> Value {
        self.try_to_see(expression).unwrap_or_else(|problem| panic!("{expression}: {problem}"))
    }

    fn try_to_see(&mut self, expression: &str) -> Result<Value, Value> {
        let asked = json!({ "expression": expression, "returnByValue": true, "replMode": true });
        let answer = self.ask("Runtime.evaluate", asked)?;
        match answer.get("exceptionDetails") {
            Some(problem) => Err(problem.clone()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is true on the page, which may be another by then.
    pub fn wait_for(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.try_to_see(&format!("Boolean({expression})")) != Ok(Value::Bool(true)) {
            let page = self.try_to_see("location.href + '\\n' + document.body.innerText");
            assert!(begun.elapsed() < Duration::from_secs(60), "{expression}\n{page:?}\n{:#?}", self.complaints);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            " " => (32, " "),
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            other => panic!("{other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "code": if key == " " { "Space" } else { key }, "text": text,
                "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code });
            self.ask("Input.dispatchKeyEvent", event).unwrap();
        }
    }

    /// Asks the browser for something, and waits for the answer, or why there is none.
    fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.number += 1;
        let text = json!({ "id": self.number, "method": method, "params": params }).to_string();
        self.write(text.as_bytes());
        loop {
            let heard = self.read();
            if heard["id"] == self.number {
                return match heard.get("error") {
                    Some(problem) => Err(problem.clone()),
                    None => Ok(heard["result"].clone()),
                };
            }
            let is_bad = heard["method"] == "Runtime.exceptionThrown"
                || heard["method"] == "Log.entryAdded" && heard["params"]["entry"]["level"] == "error";
            if is_bad {
                self.complaints.push(heard["params"].to_string());
            }
        }
    }

    /// Writes a message in one frame. A mask of zeros leaves it as it is.
    fn write(&mut self, text: &[u8]) {
        let mut frame = vec![0x81];
        match text.len() {
            length @ ..126 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text);
        self.socket.write_all(&frame).unwrap();
    }

    /// The next message, of one frame or several.
    fn read(&mut self) -> Value {
        let mut text = Vec::new();
        loop {
            let [first, length] = self.bytes::<2>();
            let length = match length {
                126 => u64::from(u16::from_be_bytes(self.bytes())),
                127 => u64::from_be_bytes(self.bytes()),
                length => u64::from(length),
            };
            let mut part = vec![0; length as usize];
            self.socket.read_exact(&mut part).unwrap();
            text.extend(part);
            if first & 0x80 != 0 {
                return serde_json::from_slice(&text).unwrap();
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the debugging port says.
fn get(port: u16, path: &str) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}
