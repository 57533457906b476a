//! Listens on 127.0.0.1, and gives each connection a thread.

use super::answer::{answer, refusal};
use super::door::Door;
use super::runs::Runs;
use super::stream;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hyper::StatusCode;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most connections at a time: a browser opens six.
const CONNECTIONS: usize = 32;
/// How often it is asked whether to stop.
const ASKING: Duration = Duration::from_millis(100);
/// Bytes of the token: more than 128 bits, a multiple of three for base64.
const TOKEN: usize = 18;

/// Why runs cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The directory cannot be read.
    #[error("{} cannot be watched: {source}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The port cannot be listened on.
    #[error("port {port} of 127.0.0.1 cannot be listened on: {source}; `--port 0` takes a free one")]
    Port {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Serves pages of the runs below a directory, to browsers on this machine that know the address.
///
/// ```
/// use cellwright::watch::Server;
///
/// # let place = tempfile::tempdir()?;
/// let server = Server::bind(place.path(), 0)?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// server.serve(|| true)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    door: Door,
    root: PathBuf,
    name: String,
}

impl Server {
    /// Listens on a port, or on a free one if that is 0.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn bind(directory: &Path, port: u16) -> Result<Self, WatchError> {
        let failed = |source| WatchError::Directory { path: directory.to_owned(), source };
        let root = directory.canonicalize().map_err(failed)?;
        // Fails where it is no directory, or not ours to read.
        std::fs::read_dir(&root).map_err(failed)?;
        let mut token = [0; TOKEN];
        getrandom::fill(&mut token).map_err(WatchError::Random)?;
        let failed = |source| WatchError::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let name = root.file_name().map_or("/".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self { listener, door: Door { token: BASE64_URL_SAFE_NO_PAD.encode(token), port }, root, name })
    }

    /// The address of the list of runs. Who has it may read all that is shown.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.door.port, self.door.token)
    }

    /// Answers until `stops` says so; connections are then closed.
    ///
    /// # Errors
    /// What the system says where no more connections come.
    pub fn serve(&self, stops: impl Fn() -> bool) -> io::Result<()> {
        let runs = Mutex::new(Runs::new(self.root.clone(), self.name.clone()));
        let (open, over) = (Open::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            let accepting = thread::Builder::new().name("watch".to_owned()).spawn_scoped(scope, || {
                for stream in self.listener.incoming() {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    // What was closed before it was taken, or too many open files: the next may do.
                    let Ok(stream) = stream else {
                        thread::sleep(ASKING);
                        continue;
                    };
                    let Some(held) = open.hold(&stream) else { continue };
                    let serve = || {
                        let _held = held;
                        stream::serve(stream, |request| {
                            let asked = self.door.admit(request.method(), request.uri(), request.headers());
                            let answered = AssertUnwindSafe(|| answer(asked, request.headers(), &runs));
                            // A mistake of ours with one run is not the end of the others' pages.
                            catch_unwind(answered).unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR))
                        });
                    };
                    // Where there is no thread the connection is closed.
                    let _ = thread::Builder::new().spawn_scoped(scope, serve);
                }
            })?;
            while !stops() && !accepting.is_finished() {
                thread::sleep(ASKING);
            }
            over.store(true, Ordering::Relaxed);
            // Wakes what waits for a connection. Where that fails nothing waits.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.door.port));
            let _ = accepting.join();
            open.close();
            Ok(())
        })
    }
}

/// The connections that are open.
#[derive(Default)]
struct Open(Mutex<(u64, BTreeMap<u64, TcpStream>)>);

impl Open {
    fn all(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, TcpStream>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one more, unless there are too many; it counts until what is given back is dropped.
    fn hold(&self, stream: &TcpStream) -> Option<Held<'_>> {
        let mut all = self.all();
        let (next, streams) = &mut *all;
        if streams.len() >= CONNECTIONS {
            return None;
        }
        *next += 1;
        streams.insert(*next, stream.try_clone().ok()?);
        Some(Held { open: self, number: *next })
    }

    /// Closes all, so that nothing waits for them.
    fn close(&self) {
        // One that was closed by the other side is closed.
        self.all().1.values().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }
}

/// A connection that counts.
struct Held<'o> {
    open: &'o Open,
    number: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.open.all().1.remove(&self.number);
    }
}
