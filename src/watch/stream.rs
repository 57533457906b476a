//! One connection: hyper's HTTP/1 over a socket that waits, in a thread of its own, without a runtime.
//!
//! Reading and writing wait in the socket, until a time that is fixed from the beginning, and are then ready or failed: whoever sends or takes
//! a byte now and then holds a thread no longer than anybody else.

use hyper::body::{Body, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a request may take to come.
const HEARING: Duration = Duration::from_secs(10);
/// How long all may take together.
const ALL: Duration = Duration::from_secs(60);
/// The longest head of a request, in bytes.
const LONGEST: usize = 16 << 10;
/// The most headers of a request.
const HEADERS: usize = 64;

/// Answers the one request of a connection. What goes wrong with it is the other side's business.
pub(super) fn serve<B>(stream: TcpStream, answer: impl Fn(&Request<Incoming>) -> Response<B>)
where
    B: Body<Error = Infallible> + 'static,
{
    let now = Instant::now();
    let waiting = Waiting { stream, hears_until: now + HEARING, ends: now + ALL };
    let service = service_fn(|request| {
        let response = answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        // A browser that keeps a connection open would hold a thread.
        .keep_alive(false)
        // Nothing is read that was not asked for, so nothing waits for what does not come.
        .half_close(true)
        .max_buf_size(LONGEST)
        .max_headers(HEADERS)
        .serve_connection(waiting, service);
    drive(connection, now + ALL);
}

/// Polls until it is ready or the time is over.
fn drive(future: impl Future, ends: Instant) {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
        let left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}

/// A socket that is always ready, for waiting is part of reading and writing.
struct Waiting {
    stream: TcpStream,
    hears_until: Instant,
    ends: Instant,
}

/// The time until then, as a socket's timeout.
fn until(end: Instant) -> io::Result<Option<Duration>> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
}

/// Does it again where a signal has come between.
fn again<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match act() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl Read for Waiting {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 4096];
        let room = cursor.remaining().min(bytes.len());
        let read = until(self.hears_until).and_then(|timeout| {
            self.stream.set_read_timeout(timeout)?;
            again(|| io::Read::read(&mut &self.stream, &mut bytes[..room]))
        });
        Poll::Ready(read.map(|count| cursor.put_slice(&bytes[..count])))
    }
}

impl Write for Waiting {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(until(self.ends).and_then(|timeout| {
            self.stream.set_write_timeout(timeout)?;
            again(|| io::Write::write(&mut &self.stream, bytes))
        }))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The other side may have gone.
        Poll::Ready(self.stream.shutdown(Shutdown::Write).or(Ok(())))
    }
}
