//! Every write of a run fails once, in turn and in each way that writing can fail: what is left behind is a run that goes on
//! to the same bytes as one in which nothing failed.
//!
//! `cargo test --release --test faults -- --nocapture` prints the table of docs/faults.md.

use cellwright::device::Device;
use cellwright::run::{self, Config, Directory, Disk, RunError, Silent, SystemDisk};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Half of the bytes are written, then the disk is full.
    ShortWrite,
    /// Nothing is written: the disk is full.
    NoSpace,
    /// Nothing is written: the disk is broken.
    WriteError,
    /// What was written does not arrive.
    SyncError,
    /// A file does not get to its place.
    RenameError,
    /// The names in a directory do not arrive.
    DirectorySyncError,
    /// A log cannot be cut.
    CutError,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::ShortWrite,
        Self::NoSpace,
        Self::WriteError,
        Self::SyncError,
        Self::RenameError,
        Self::DirectorySyncError,
        Self::CutError,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::ShortWrite => "half of a write, then no space",
            Self::NoSpace => "a write: no space (ENOSPC)",
            Self::WriteError => "a write: input/output error (EIO)",
            Self::SyncError => "a sync: input/output error",
            Self::RenameError => "a rename: input/output error",
            Self::DirectorySyncError => "the sync of a directory: input/output error",
            Self::CutError => "the cut of a log: input/output error",
        }
    }
}

/// A disk on which the operation of one number fails, of those that a fault is about.
struct Failing {
    fault: Fault,
    at: usize,
    count: AtomicUsize,
}

impl Failing {
    /// Whether this is the operation that fails.
    fn now(&self, faults: &[Fault]) -> bool {
        faults.contains(&self.fault) && self.count.fetch_add(1, Ordering::Relaxed) == self.at
    }

    fn broken() -> io::Error {
        io::Error::from_raw_os_error(5)
    }
}

impl Disk for Failing {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if !self.now(&[Fault::ShortWrite, Fault::NoSpace, Fault::WriteError]) {
            return SystemDisk.write(file, bytes);
        }
        match self.fault {
            Fault::ShortWrite => {
                file.write_all(&bytes[..bytes.len() / 2])?;
                Err(ErrorKind::StorageFull.into())
            }
            Fault::NoSpace => Err(ErrorKind::StorageFull.into()),
            _ => Err(Self::broken()),
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.now(&[Fault::SyncError]) { Err(Self::broken()) } else { SystemDisk.sync(file) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.now(&[Fault::RenameError]) { Err(Self::broken()) } else { SystemDisk.rename(from, to) }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        if self.now(&[Fault::DirectorySyncError]) { Err(Self::broken()) } else { SystemDisk.sync_directory(path) }
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        if self.now(&[Fault::CutError]) { Err(Self::broken()) } else { SystemDisk.cut(file, length) }
    }
}

/// A run of two steps of search and two of training, with a checkpoint after each step.
fn config(strategy: &str) -> Config {
    let strategy = format!("strategy={strategy}");
    let mut config = Config::with(&[
        &strategy,
        "space=nas-bench-201",
        "search.epochs=1",
        "search.batch=256",
        "supernet.channels=1",
        "supernet.layers=3",
        "network.channels=1",
        "network.layers=3",
        "train.epochs=2",
        "train.batch=1024",
        "random=0",
        "baseline=false",
        "checkpoint.seconds=0",
    ])
    .unwrap();
    config.seed = 5;
    config
}

/// The files that must be the same, and the summary without what took time.
fn results(directory: &Path) -> Vec<Vec<u8>> {
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut summary: serde_json::Value = serde_json::from_slice(&read("summary.json")).unwrap();
    let object = summary.as_object_mut().unwrap();
    object.retain(|key, _| !key.ends_with("_seconds"));
    for network in object["networks"].as_array_mut().unwrap() {
        network.as_object_mut().unwrap().retain(|key, _| !key.ends_with("_seconds"));
    }
    let files = ["metrics.jsonl", "genotype.json", "weights.safetensors", "config.toml"];
    files.map(read).into_iter().chain([summary.to_string().into_bytes()]).collect()
}

fn search(config: &Config, directory: &Directory) -> Result<(), RunError> {
    run::search(&Device::cpu(), config, directory, &mut Silent).map(drop)
}

#[test]
fn every_write_fails_once_and_the_run_goes_on_to_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let config = config("darts");
    let whole = place.path().join("whole");
    search(&config, &Directory::create(&whole).unwrap()).unwrap();
    let expected = results(&whole);

    println!("| what fails | operations, each in turn | runs that ended with an error | went on to the same bytes |");
    println!("|---|---|---|---|");
    for fault in Fault::ALL {
        let (mut at, mut errors) = (0, 0);
        loop {
            let path = place.path().join(format!("{fault:?}-{at}"));
            let disk = Arc::new(Failing { fault, at, count: AtomicUsize::new(0) });
            let directory = Directory::create(&path).unwrap().on(disk.clone());
            let ended = search(&config, &directory);
            drop(directory);
            let met = disk.count.load(Ordering::Relaxed) > at;
            match &ended {
                Ok(()) => assert!(!met, "{fault:?}, operation {at}: nothing was said"),
                Err(RunError::Write { .. }) => errors += 1,
                Err(error) => panic!("{fault:?}, operation {at}: {error}"),
            }
            if !met {
                break;
            }
            // Begun anew where nothing was written, gone on with where anything was.
            let directory = Directory::open(&path).or_else(|_| Directory::create(&path)).unwrap();
            search(&config, &directory).unwrap_or_else(|error| panic!("{fault:?}, operation {at}: {error}"));
            assert!(results(&path) == expected, "{fault:?}, operation {at}: other bytes");
            directory.finish(false).unwrap();
            let left: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            let beside = left.iter().filter(|name| name.to_string_lossy().starts_with(".writing")).count();
            assert_eq!(beside, 0, "{fault:?}, operation {at}: {left:?}");
            at += 1;
        }
        println!("| {} | {at} | {errors} | {errors} |", fault.words());
        assert!(at > 0 && errors == at, "{fault:?}: {errors} errors of {at} operations");
    }
}
