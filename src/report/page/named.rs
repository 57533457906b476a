//! What runs are called that stand side by side.

use super::one::name;
use crate::run::trace::Trace;
use std::collections::BTreeMap;

/// A run, and what it is called beside others.
pub(super) struct Named<'a> {
    pub name: String,
    pub trace: &'a Trace,
}

impl<'a> Named<'a> {
    /// Each by the last part of its path; where several have the same, by so many parts as tell all of these apart.
    pub fn all(traces: &[&'a Trace]) -> Vec<Self> {
        let mut alike: BTreeMap<String, Vec<&Trace>> = BTreeMap::new();
        for trace in traces {
            alike.entry(name(trace)).or_default().push(trace);
        }
        let named = |trace: &&'a Trace| {
            let last = name(trace);
            let parts = alike.get(&last).map_or(1, |alike| parts(alike));
            Self { name: if parts > 1 { ending(trace, parts) } else { last }, trace }
        };
        traces.iter().map(named).collect()
    }
}

/// How many parts at the end of their paths tell runs apart: all, where nothing does.
fn parts(alike: &[&Trace]) -> usize {
    let most = alike.iter().map(|trace| trace.path.components().count()).max().unwrap_or(1);
    let differ = |parts: &usize| {
        let mut endings: Vec<String> = alike.iter().map(|trace| ending(trace, *parts)).collect();
        endings.sort();
        endings.windows(2).all(|two| two[0] != two[1])
    };
    (1..=most).find(differ).unwrap_or(most)
}

fn ending(trace: &Trace, parts: usize) -> String {
    let all: Vec<_> = trace.path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    all[all.len().saturating_sub(parts)..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_called_by_as_much_of_their_paths_as_tells_them_apart() {
        let place = tempfile::tempdir().unwrap();
        let traces = ["a/seed-0", "b/seed-0", "b/seed-1"].map(|name| {
            let path = place.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("config.toml"), "seed = 0\n").unwrap();
            Trace::read(&path).unwrap()
        });
        let names = |traces: &[&Trace]| -> Vec<String> { Named::all(traces).into_iter().map(|run| run.name).collect() };
        assert_eq!(names(&traces.each_ref()), ["a/seed-0", "b/seed-0", "seed-1"]);
        assert_eq!(names(&[&traces[0], &traces[2]]), ["seed-0", "seed-1"]);
    }
}
