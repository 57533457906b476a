//! Who is let in, and what is asked for.
//!
//! Only a browser on this machine that was given the address knows its token. Pages of other sites may make a browser send requests here, under a
//! name of their own that leads to 127.0.0.1 too: they know no token, and `Host`, `Origin` and `Sec-Fetch-Site` tell them.

use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, ORIGIN, TRANSFER_ENCODING};
use hyper::{Method, StatusCode, Uri};

/// The most runs that one page shows.
pub(super) const MOST_TOGETHER: usize = 64;

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub subject: Subject,
    /// Whether it is the document of the page alone.
    pub document: bool,
}

/// What a page is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// All runs.
    List,
    /// The run of this name.
    Run(String),
    /// The runs of these names, side by side: one at least, each once.
    Several(Vec<String>),
    /// What the directory of this name holds.
    Directory(String),
}

/// What lets in.
#[derive(Debug)]
pub(super) struct Door {
    /// The path's first part.
    pub token: String,
    /// Where requests come to.
    pub port: u16,
}

impl Door {
    /// What a request asks for.
    ///
    /// # Errors
    /// The status of its refusal.
    pub fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Asked, StatusCode> {
        // A request to somebody else, as one is sent to a proxy.
        if uri.authority().is_some() || !self.is_to_us(headers) {
            return Err(StatusCode::MISDIRECTED_REQUEST);
        }
        if !self.is_from_us(headers) {
            return Err(StatusCode::FORBIDDEN);
        }
        if method != Method::GET && method != Method::HEAD {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        // Who reads sends nothing along.
        if [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| headers.contains_key(name)) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let mut parts = uri.path().strip_prefix('/').ok_or(StatusCode::BAD_REQUEST)?.split('/');
        // Hashes are compared in a time that does not tell where they differ.
        let token = parts.next().unwrap_or_default();
        if blake3::hash(token.as_bytes()) != blake3::hash(self.token.as_bytes()) {
            return Err(StatusCode::NOT_FOUND);
        }
        match parts.collect::<Vec<&str>>()[..] {
            [""] => Ok(Asked { subject: Subject::List, document: false }),
            ["document"] => Ok(Asked { subject: Subject::List, document: true }),
            ["document", ref page @ ..] => Ok(Asked { subject: subject(page)?, document: true }),
            ref page => Ok(Asked { subject: subject(page)?, document: false }),
        }
    }

    /// Whether exactly one `Host` is named, and it is this one.
    fn is_to_us(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        ["127.0.0.1", "localhost"].iter().any(|name| format!("{name}:{}", self.port).as_bytes() == host.as_bytes())
    }

    /// Whether no other site's page has sent it, as far as the browser says.
    fn is_from_us(&self, headers: &HeaderMap) -> bool {
        let ours = ["127.0.0.1", "localhost"].map(|name| format!("http://{name}:{}", self.port));
        let origin =
            headers.get_all(ORIGIN).iter().all(|origin| ours.iter().any(|our| our.as_bytes() == origin.as_bytes()));
        let fetched = headers.get_all("sec-fetch-site").iter();
        origin && fetched.into_iter().all(|site| [&b"same-origin"[..], b"none"].contains(&site.as_bytes()))
    }
}

/// What the page of a path is of.
fn subject(parts: &[&str]) -> Result<Subject, StatusCode> {
    match parts {
        ["run", parts @ ..] if !parts.is_empty() => name(parts).map(Subject::Run),
        ["directory"] => Ok(Subject::Directory(String::new())),
        ["directory", parts @ ..] => name(parts).map(Subject::Directory),
        ["compare", parts @ ..] if !parts.is_empty() => {
            let mut names: Vec<String> = Vec::new();
            // In names themselves a comma has a percent sign.
            for path in parts.join("/").split(',') {
                let name = name(&path.split('/').collect::<Vec<_>>())?;
                if names.contains(&name) {
                    continue;
                }
                if names.len() == MOST_TOGETHER {
                    return Err(StatusCode::BAD_REQUEST);
                }
                names.push(name);
            }
            Ok(Subject::Several(names))
        }
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// The name of a run: percent signs and two digits are bytes of UTF-8. What could be a way to elsewhere is none, though a name is never
/// taken for a path.
fn name(parts: &[&str]) -> Result<String, StatusCode> {
    let decoded =
        parts.iter().map(|part| decoded(part)).collect::<Option<Vec<String>>>().ok_or(StatusCode::BAD_REQUEST)?;
    let is_odd = |part: &String| part.is_empty() || part == "." || part == ".." || part.contains(['/', '\\', '\0']);
    if decoded.iter().any(is_odd) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(decoded.join("/"))
}

fn decoded(part: &str) -> Option<String> {
    let mut bytes = part.bytes();
    let mut out = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push((16 * high + low) as u8);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> Result<Asked, u16> {
        let door = Door { token: "secret".to_owned(), port: 80 };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        door.admit(&method, &uri.parse().unwrap(), &map).map_err(|status| status.as_u16())
    }

    const HERE: (&str, &str) = ("host", "127.0.0.1:80");

    const LIST: Asked = Asked { subject: Subject::List, document: false };

    #[test]
    fn what_is_asked_for_is_told() {
        let ask = |uri: &str| admit("GET", uri, &[HERE]);
        let page = |subject: Subject| Ok(Asked { subject, document: false });
        let document = |subject: Subject| Ok(Asked { subject, document: true });
        assert_eq!(ask("/secret/"), Ok(LIST));
        assert_eq!(ask("/secret/document"), document(Subject::List));
        assert_eq!(ask("/secret/run/a/b%20%C3%BC"), page(Subject::Run("a/b ü".to_owned())));
        assert_eq!(ask("/secret/document/run/%3Cscript%3E?x=1"), document(Subject::Run("<script>".to_owned())));
        let several = |names: &[&str]| Subject::Several(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(ask("/secret/compare/a/b,c%2C,a/b"), page(several(&["a/b", "c,"])));
        assert_eq!(ask("/secret/document/compare/a"), document(several(&["a"])));
        assert_eq!(ask("/secret/directory/a/b"), page(Subject::Directory("a/b".to_owned())));
        assert_eq!(ask("/secret/document/directory"), document(Subject::Directory(String::new())));
        assert_eq!(admit("HEAD", "/secret/", &[HERE]), Ok(LIST));
        let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(ask(&format!("/secret/compare/{}", many(MOST_TOGETHER))).is_ok());
        assert_eq!(ask(&format!("/secret/compare/{}", many(MOST_TOGETHER + 1))), Err(400));
        for missing in [
            "/",
            "/secret",
            "/secre/",
            "/secrets/",
            "/secret/run",
            "/secret/compare",
            "/secret/other/a",
            "//secret/",
            "/document",
        ] {
            assert_eq!(ask(missing), Err(404), "{missing}");
        }
    }

    #[test]
    fn ways_to_elsewhere_are_no_names() {
        for name in
            ["..", ".", "a/..", "a//b", "a/", "%2e%2e", "a%2Fb", "a%5Cb", "a%00", "%", "%4", "%zz", "%ff", "%+1"]
        {
            for page in ["run", "document/run", "directory", "compare", "compare/b,", "document/compare/b,c/"] {
                let page = if page.ends_with([',', '/']) { page.to_owned() } else { format!("{page}/") };
                assert_eq!(admit("GET", &format!("/secret/{page}{name}"), &[HERE]), Err(400), "{page}{name}");
            }
        }
    }

    #[test]
    fn other_hosts_sites_and_methods_are_refused() {
        for hosts in
            [&["evil.example:80"][..], &["127.0.0.1"], &["127.0.0.1:81"], &[], &["127.0.0.1:80", "127.0.0.1:80"]]
        {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(admit("GET", "/secret/", &headers), Err(421), "{hosts:?}");
        }
        assert_eq!(admit("GET", "http://127.0.0.1:80/secret/", &[HERE]), Err(421));
        for odd in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(admit("GET", "/secret/", &[HERE, odd]), Err(403), "{odd:?}");
        }
        for fine in [("origin", "http://127.0.0.1:80"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")] {
            assert_eq!(admit("GET", "/secret/", &[HERE, fine]), Ok(LIST), "{fine:?}");
        }
        for body in [("content-length", "4"), ("transfer-encoding", "chunked")] {
            assert_eq!(admit("GET", "/secret/", &[HERE, body]), Err(400), "{body:?}");
        }
        assert_eq!(admit("GET", "/secret/", &[("host", "localhost:80")]), Ok(LIST));
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "X"] {
            assert_eq!(admit(method, "/secret/", &[HERE]), Err(405), "{method}");
        }
    }
}
