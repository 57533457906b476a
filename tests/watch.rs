//! `cellwright watch`, over real sockets: who is let in, what is answered, what becomes of rubbish, and pages that grow with their runs.

mod common;

#[path = "watch/browser.rs"]
mod browser;
#[path = "watch/together.rs"]
mod together;

use common::process::{bad, few, few_pictures};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program, watching a directory.
struct Watch {
    child: Child,
    port: u16,
    token: String,
}

impl Watch {
    fn begin(directory: &Path) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
        let mut child =
            command.arg("watch").arg(directory).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let url = BufReader::new(child.stdout.take().unwrap()).lines().nth(1).unwrap().unwrap();
        let rest = url.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("{url}"));
        let (port, token) = rest.split_once('/').unwrap();
        Self { child, port: port.parse().unwrap(), token: token.strip_suffix('/').unwrap().to_owned() }
    }

    /// Sends bytes, and gives all that comes.
    fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The other side may have heard enough.
        let _ = stream.write_all(bytes);
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        got
    }

    /// Sends a request with these headers.
    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Answer::of(&self.send(format!("{method} {path} HTTP/1.1\r\n{headers}\r\n").as_bytes()))
    }

    fn get_with(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        let host = format!("127.0.0.1:{}", self.port);
        self.request("GET", path, &[&[("Host", host.as_str())][..], more].concat())
    }

    /// What lies below the token.
    fn get(&self, path: &str) -> Answer {
        self.get_with(&format!("/{}/{path}", self.token), &[])
    }

    /// A document.
    fn document(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The list's rows: by column, what each run has in it.
    fn rows(&self) -> Vec<Vec<Value>> {
        let list = self.document("document");
        let rows = list["sections"][0]["blocks"][0]["rows"].as_array().cloned().unwrap_or_default();
        rows.into_iter().map(|row| row.as_array().unwrap().clone()).collect()
    }

    /// The row of a run, once it is as it is to be.
    fn wait_for(&self, name: &str, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let rows = self.rows();
            match rows.iter().find(|row| row[0] == name) {
                Some(row) if is(row) => return row.clone(),
                _ => assert!(begun.elapsed() < Duration::from_secs(120), "{name}: {rows:?}"),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Ends it as Ctrl-C does; what it has said on standard error.
    #[cfg(unix)]
    fn end(mut self) -> String {
        let begun = Instant::now();
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?} to end", begun.elapsed());
        assert_eq!(status.code(), Some(0));
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A directory with a run in it that is stopped, by hand.
fn runs() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    write_run(&runs.join("a"), 2);
    (place, runs)
}

fn write_run(path: &Path, steps: usize) {
    std::fs::create_dir_all(path).unwrap();
    let config = "format = 2\nseed = 4\n[search]\nstrategy = \"darts\"\n[data]\nname = \"digits\"\n";
    std::fs::write(path.join("config.toml"), config).unwrap();
    std::fs::write(path.join("metrics.jsonl"), (1..=steps).map(step).collect::<String>()).unwrap();
}

fn step(number: usize) -> String {
    format!("{{\"kind\":\"search step\",\"step\":{number},\"train_loss\":0.5,\"valid_loss\":0.25}}\n")
}

/// The points of the curve of losses in the document of a run.
fn points(document: &Value) -> usize {
    let text = document.to_string();
    assert!(text.len() < 1 << 20);
    let blocks = document["sections"].as_array().unwrap().iter().flat_map(|s| s["blocks"].as_array().unwrap());
    let loss = blocks.into_iter().find(|block| block["id"] == "search-loss");
    loss.map_or(0, |loss| loss["series"][0]["x"].as_array().unwrap().len())
}

#[test]
fn only_who_knows_the_address_is_let_in_and_only_to_read() {
    let (_place, runs) = runs();
    let watch = Watch::begin(&runs);
    assert!(watch.token.len() >= 22, "128 bits take 22 letters: {}", watch.token);
    assert_ne!(watch.token, Watch::begin(&runs).token);
    let list = format!("/{}/", watch.token);
    let here = format!("127.0.0.1:{}", watch.port);
    assert_eq!(watch.get("").status, 200);

    // Another address of this machine: nobody listens there.
    if let Some(other) = other_address() {
        assert!(TcpStream::connect_timeout(&(other, watch.port).into(), Duration::from_secs(5)).is_err(), "{other}");
    }
    assert!(TcpStream::connect(("::1", watch.port)).is_err());
    for path in ["/", "/favicon.ico", &list[..list.len() - 2], &format!("/{}/", "A".repeat(24))] {
        let answer = watch.get_with(path, &[]);
        assert_eq!((answer.status, answer.body.as_str()), (404, "404 Not Found\n"), "{path}");
    }
    for host in ["evil.example", "127.0.0.1", &here.replace("127.0.0.1", "127.0.0.1.evil.example"), "[::1]"] {
        assert_eq!(watch.request("GET", &list, &[("Host", host)]).status, 421, "{host}");
    }
    assert_eq!(watch.request("GET", &list, &[]).status, 421);
    assert_eq!(watch.request("GET", &list, &[("Host", &here), ("Host", "evil.example")]).status, 421);
    assert_eq!(watch.request("GET", &format!("http://{here}{list}"), &[("Host", &here)]).status, 421);
    assert_eq!(watch.get_with(&list, &[("Origin", "http://evil.example")]).status, 403);
    assert_eq!(watch.get_with(&list, &[("Sec-Fetch-Site", "cross-site")]).status, 403);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let answer = watch.request(method, &list, &[("Host", &here)]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let head = watch.request("HEAD", &list, &[("Host", &here)]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 10_000);
}

/// An address of this machine that is not 127.0.0.1, if it has one.
fn other_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Sends nothing: it only says which address would be used.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback())
}

#[test]
fn every_answer_says_what_others_may_not_do_with_it() {
    let (_place, runs) = runs();
    let watch = Watch::begin(&runs);
    for path in
        ["", "document", "run/a", "document/run/a", "compare/a", "compare/a,b", "run/nowhere", "nothing", "run/..%2f"]
    {
        let answer = watch.get(path);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("connection", "close"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {name}");
        }
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{path}");
        assert!(answer.header("set-cookie").is_none());
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        let is_page = answer.header("content-type") == Some("text/html; charset=utf-8");
        assert_eq!(is_page, ["", "run/a", "compare/a"].contains(&path));
        if is_page {
            assert!(policy.contains("connect-src 'self'"));
            let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
            let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
            assert_eq!(scripts.len(), 3);
            for script in scripts {
                assert!(
                    script.starts_with(&format!(" nonce=\"{nonce}\">"))
                        || script.starts_with(" type=\"application/json\"")
                );
            }
        }
    }
}

#[test]
fn nothing_is_sent_where_nothing_has_changed_and_curves_grow() {
    let (_place, runs) = runs();
    let watch = Watch::begin(&runs);
    let path = format!("/{}/document/run/a", watch.token);
    let first = watch.get_with(&path, &[]);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(points(&serde_json::from_str(&first.body).unwrap()), 2);
    let same = watch.get_with(&path, &[("If-None-Match", &tag)]);
    assert_eq!((same.status, same.body.as_str(), same.header("etag")), (304, "", Some(tag.as_str())));

    let log = runs.join("a/metrics.jsonl");
    let append = |text: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    // Half a line waits for the rest of it.
    let (half, rest) = (&step(3)[..20], &step(3)[20..]);
    append(half);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(points(&watch.document("document/run/a")), 2);
    append(&format!("{rest}{}", step(4)));
    let grown = |expected: usize| {
        let begun = Instant::now();
        while points(&watch.document("document/run/a")) != expected {
            assert!(begun.elapsed() < Duration::from_secs(20), "{expected} points do not come");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    grown(4);
    assert_eq!(watch.get_with(&path, &[("If-None-Match", &tag)]).status, 200);
    // A run that goes on from its last checkpoint cuts its log.
    std::fs::write(&log, step(1)).unwrap();
    grown(1);
    // Other runs come and go.
    write_run(&runs.join("suite/b"), 3);
    let row = watch.wait_for("suite/b", |row| row[1] == "stopped");
    assert_eq!(row[6], "search, 3 steps");
    assert_eq!(points(&watch.document("document/run/suite/b")), 3);
    std::fs::remove_dir_all(runs.join("suite")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(watch.rows().len(), 1);
    assert_eq!(watch.get("document/run/suite/b").status, 404);
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_directory_is_read() {
    use std::os::unix::fs::symlink;
    let (place, runs) = runs();
    let outside = place.path().join("outside");
    write_run(&outside, 2);
    std::fs::write(place.path().join("secret"), "a secret\n").unwrap();
    symlink(&outside, runs.join("link")).unwrap();
    for (run, file) in [("l1", "config.toml"), ("l2", "summary.json"), ("l3", "metrics.jsonl"), ("l4", "classes.csv")] {
        write_run(&runs.join(run), 1);
        let _ = std::fs::remove_file(runs.join(run).join(file));
        symlink(place.path().join("secret"), runs.join(run).join(file)).unwrap();
    }
    // What would be waited for without end.
    write_run(&runs.join("pipe"), 1);
    assert!(Command::new("mkfifo").arg(runs.join("pipe/trials.jsonl")).status().unwrap().success());
    let watch = Watch::begin(&runs);
    for name in ["l1", "l2", "l3", "l4", "pipe"] {
        let row = watch.wait_for(name, |row| row[1] == "unreadable");
        assert!(row[6].as_str().unwrap().contains("is no plain file"), "{row:?}");
        let page = watch.get(&format!("run/{name}"));
        assert_eq!(page.status, 200);
        assert!(page.body.contains("is no plain file") && !page.body.contains("a secret"));
    }
    assert!(watch.rows().iter().all(|row| row[0] != "link" && row[0] != "outside"));
    let token = &watch.token;
    for name in [
        "link",
        "outside",
        "a%00",
        "../outside",
        "..%2Foutside",
        "%2e%2e/outside",
        "a/../a",
        "a%5c..",
        "a/config.toml",
        "",
    ] {
        for kind in ["run", "document/run", "directory", "compare", "compare/a,"] {
            let kind = if kind.ends_with(',') { kind.to_owned() } else { format!("{kind}/") };
            let answer = watch.get_with(&format!("/{token}/{kind}{name}"), &[]);
            assert!([400, 404].contains(&answer.status), "{kind}{name}: {answer:?}");
        }
    }
    // The directory of a run becomes a link after it was found.
    assert_eq!(watch.get("document/run/a").status, 200);
    std::fs::rename(runs.join("a"), place.path().join("moved")).unwrap();
    symlink(&outside, runs.join("a")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let moved = watch.get("document/run/a");
    assert!(moved.status == 404 || moved.body.contains("links are not followed"), "{moved:?}");
}

#[cfg(unix)]
#[test]
fn rubbish_is_refused_and_the_next_is_answered() {
    let (_place, runs) = runs();
    let before = listing(&runs);
    let watch = Watch::begin(&runs);
    let good = format!("GET /{}/ HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", watch.token, watch.port);
    let long = format!("{good}X: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{good}{}\r\n", "X: x\r\n".repeat(1000));
    let path = format!("GET /{} HTTP/1.1\r\n\r\n", "a/".repeat(1 << 19));
    let body = format!("{}Content-Length: 99999999999\r\n\r\nabc", good.replace("GET", "POST"));
    let smuggled =
        format!("{good}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    let random: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let zeros = vec![0; 1 << 20];
    let all: Vec<&[u8]> = vec![
        long.as_bytes(),
        many.as_bytes(),
        path.as_bytes(),
        body.as_bytes(),
        smuggled.as_bytes(),
        &random,
        &zeros,
        b"",
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    ];
    for rubbish in all {
        let mut stream = TcpStream::connect(("127.0.0.1", watch.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = stream.write_all(rubbish);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        let is_refused = got.is_empty() || got.starts_with(b"HTTP/1.1 4") || got.starts_with(b"HTTP/1.0 4");
        assert!(is_refused, "{:?}: {}", &rubbish[..rubbish.len().min(60)], String::from_utf8_lossy(&got));
        assert_eq!(watch.get("").status, 200);
    }
    // Connections that say nothing: too many are closed, and the rest does not hold up the end.
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(("127.0.0.1", watch.port)).unwrap()).collect();
    let mut last = silent.last().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(matches!(last.read(&mut [0; 1]), Ok(0)), "the hundredth is kept");
    drop(silent.into_iter().skip(10).collect::<Vec<_>>());
    let said = watch.end();
    assert_eq!(said, "", "it has said something");
    assert_eq!(listing(&runs), before, "something was written");
}

/// All files below a directory, with what is in them.
fn listing(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => listing(&path),
        false => vec![(path.clone(), std::fs::read(&path).unwrap())],
    };
    let mut all: Vec<_> = entries.flat_map(of).collect();
    all.sort();
    all
}

#[cfg(unix)]
#[test]
fn hostile_names_stay_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = tempfile::tempdir().unwrap();
    let names: [&[u8]; 6] =
        [b"<script>alert(1)<", b"a\"b'c", b"new\nline", "\u{202e}rtl".as_bytes(), b"\x1b[31m", b"\xff\xfe"];
    for name in names {
        let path = place.path().join(std::ffi::OsStr::from_bytes(name));
        write_run(&path, 1);
        std::fs::write(path.join("config.toml"), "seed = 1\nstrategy = \"</script><img src=x>\"\n").unwrap();
    }
    let watch = Watch::begin(place.path());
    watch.wait_for("a\"b'c", |row| row[1] == "stopped");
    let page = watch.get("").body;
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "markup of a name");
    let list = watch.document("document");
    let table = &list["sections"][0]["blocks"][0];
    let links = table["links"].as_array().unwrap();
    assert_eq!(links.len(), names.len());
    let all: Vec<&str> = links.iter().map(|link| link.as_str().unwrap().strip_prefix("run/").unwrap()).collect();
    let together = watch.get(&format!("compare/{}", all.join(",")));
    assert_eq!(together.status, 200);
    assert!(!together.body.contains("<script>alert") && !together.body.contains("<img"), "markup of a name");
    assert_eq!(together.body.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t'), None);
    for (row, link) in table["rows"].as_array().unwrap().iter().zip(links) {
        let link = link.as_str().unwrap();
        assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b"/%-_.".contains(&b)), "{link}");
        let page = watch.get(link);
        assert_eq!(page.status, 200, "{row}");
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{row}");
        let control = page.body.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
        assert_eq!(control, None, "{row}");
    }
}

#[cfg(unix)]
#[test]
fn a_search_is_seen_to_its_end() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    std::fs::create_dir(&runs).unwrap();
    let watch = Watch::begin(&runs);
    assert!(watch.get("").body.contains("No run lies here"));
    let (out, pictures) = (runs.join("tiny"), few_pictures());
    let options = ["--space=nas-bench-201", "--set=search.epochs=100"];
    let mut search = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
    search.args(few(pictures.path(), &out, "cpu", &options)).stdout(Stdio::null()).stderr(Stdio::null());
    let mut search = search.spawn().unwrap();
    // On a fast machine it is over before one has looked: it is held up until it was seen.
    let signal = |name: &str, process: &Child| {
        assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
    };
    while !out.join("config.toml").exists() {
        assert!(search.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal("-STOP", &search);
    let row = watch.wait_for("tiny", |row| row[1] == "running");
    assert_eq!((row[7].as_str(), row[8].as_str()), (Some("darts"), Some("nas-bench-201")));
    signal("-CONT", &search);
    let row = watch.wait_for("tiny", |row| row[1] == "finished");
    assert!(row[2].as_f64().is_some_and(|accuracy| accuracy > 0.0), "{row:?}");
    assert_eq!(row[3], "test");
    assert!(search.wait().unwrap().success());
    let document = watch.document("document/run/tiny");
    assert!(document["subtitle"].as_str().unwrap().contains("finished"), "{}", document["subtitle"]);
    assert!(points(&document) > 0);
    // The page of a run that is over is that of its report, but for what follows it.
    let report = std::fs::read_to_string(runs.join("tiny/report.html")).unwrap();
    let data = |page: &str| -> Value {
        let data = page.split("id=\"document\">").nth(1).unwrap().split("</script>").next().unwrap();
        serde_json::from_str(data).unwrap()
    };
    let live = data(&watch.get("run/tiny").body);
    let figures = |data: &Value| -> Vec<Value> {
        let sections = data["sections"].as_array().unwrap().iter();
        sections.filter(|section| section["id"] != "costs").cloned().collect()
    };
    assert_eq!(figures(&live), figures(&data(&report)));
}

#[test]
fn what_cannot_be_watched_is_said() {
    bad(1, "watch no-such-directory", &["no-such-directory", "cannot be watched"]);
    let (_place, runs) = runs();
    let watch = Watch::begin(&runs);
    bad(1, &format!("watch {} --port {}", runs.display(), watch.port), &["cannot be listened on", "--port 0"]);
}
