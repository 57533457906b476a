//! What is answered.

use super::door::{Asked, Subject};
use super::known::Revision;
use super::runs::Runs;
use crate::export::markup::printable;
use crate::report::page::live_html;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

/// Asks for newer documents.
const SCRIPT: &str = include_str!("live.js");
/// What a page may do that holds nothing to be drawn.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// A body that is there as a whole.
pub(super) struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// The answer to what was asked, with what else the request says.
pub(super) fn answer(asked: Result<Asked, StatusCode>, headers: &HeaderMap, runs: &Mutex<Runs>) -> Response<Whole> {
    let asked = match asked {
        Ok(asked) => asked,
        Err(status) => return refusal(status),
    };
    let revision = {
        // Nothing is half done where another thread has panicked: what is read is put in place last.
        let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
        match &asked.subject {
            Subject::List => Ok(runs.list()),
            Subject::Run(name) => runs.page(name).ok_or(name.as_str()),
            Subject::Several(names) => runs.several(names),
            Subject::Directory(name) => runs.directory(name).ok_or(name.as_str()),
        }
    };
    let Revision { document, json, tag } = match revision {
        Ok(revision) => revision,
        Err(name) => return missing(name),
    };
    if !asked.document {
        let page = live_html(&document, &format!("{SCRIPT}live(\"{tag}\");\n"));
        let policy = format!("{}; frame-ancestors 'none'", page.policy);
        return response(StatusCode::OK, "text/html; charset=utf-8", &policy, page.text.into());
    }
    let tag = format!("\"{tag}\"");
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match is_known {
        true => response(StatusCode::NOT_MODIFIED, "application/json", NOTHING, Bytes::new()),
        false => response(StatusCode::OK, "application/json", NOTHING, Bytes::copy_from_slice(&json)),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// That nothing of this name was found, to somebody who knows the address.
fn missing(name: &str) -> Response<Whole> {
    let status = StatusCode::NOT_FOUND;
    let name: String = name.chars().map(printable).collect();
    let words =
        format!("{status}\nNo run, and no directory of several, has this name here, or has it any more: {name}\n");
    response(status, "text/plain; charset=utf-8", NOTHING, words.into())
}

/// A refusal, which says no more than its status.
pub(super) fn refusal(status: StatusCode) -> Response<Whole> {
    let words = format!("{status}\n");
    let mut response = response(status, "text/plain; charset=utf-8", NOTHING, words.into());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// An answer with what all of them say: no other site may read or frame it, nobody keeps it or guesses what it is, and no address is passed on.
fn response(status: StatusCode, kind: &'static str, policy: &str, body: Bytes) -> Response<Whole> {
    let mut response = Response::new(Whole(Some(body).filter(|body| !body.is_empty())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    // A policy of this program's own making is plain text.
    let policy = HeaderValue::from_str(policy).unwrap_or(HeaderValue::from_static(NOTHING));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}
