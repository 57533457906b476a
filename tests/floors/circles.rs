//! Circles of imports among files: a file imports the file that defines a name it uses.

use super::source::{Found, Role, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A chain of re-exports longer than this is taken to go nowhere.
const MOST_STEPS: usize = 16;

/// The names of the root and of every module, each with what it may mean.
struct Scopes {
    modules: BTreeMap<Vec<String>, BTreeMap<String, Vec<Meaning>>>,
}

enum Meaning {
    /// Declared in this file.
    Item(usize),
    /// What a path means that is imported or re-exported here.
    Path(Vec<String>),
}

/// Files that import one another, directly or by way of others, and the lines that make it so.
pub struct Circle {
    pub files: Vec<String>,
    pub lines: String,
}

/// All circles among files, given by their paths within `src` and their text.
pub fn circles(files: &[(String, String)]) -> Vec<Circle> {
    let sources: Vec<Source> = files.iter().map(|(_, text)| Source::read(text)).collect();
    let modules: Vec<Vec<String>> = files.iter().map(|(path, _)| module_of(path)).collect();
    let tests: Vec<Vec<String>> = sources
        .iter()
        .zip(&modules)
        .flat_map(|(source, module)| {
            source.test_modules.iter().map(move |name| [module, std::slice::from_ref(name)].concat())
        })
        .collect();
    let for_tests = |module: &[String]| {
        module.iter().any(|part| part == "tests") || tests.iter().any(|tests| module.starts_with(tests))
    };
    let counted: Vec<usize> = (0..files.len()).filter(|&file| !for_tests(&modules[file])).collect();
    let mut scopes = Scopes::new();
    for &file in &counted {
        scopes.add(&modules[file], &sources[file], file);
    }
    let mut imports: Vec<BTreeMap<usize, String>> = files.iter().map(|_| BTreeMap::new()).collect();
    for &file in &counted {
        for found in sources[file].paths.iter().filter(|found| matches!(found.role, Role::Import | Role::Written)) {
            for (name, target) in scopes.targets(&modules[file], &sources[file], found) {
                if target != file {
                    imports[file].entry(target).or_insert_with(|| {
                        format!("src/{}:{}: `{name}` of src/{}", files[file].0, found.line, files[target].0)
                    });
                }
            }
        }
    }
    let reached: Vec<BTreeSet<usize>> = (0..files.len()).map(|file| reach(&imports, file)).collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in 0..files.len() {
        let circle: Vec<usize> =
            reached[file].iter().copied().filter(|&other| reached[other].contains(&file)).collect();
        if circle.is_empty() || !seen.insert(circle[0]) {
            continue;
        }
        let mut lines = String::new();
        for from in &circle {
            for (_, line) in imports[*from].iter().filter(|(to, _)| circle.contains(to)) {
                writeln!(lines, "  {line}").unwrap();
            }
        }
        found.push(Circle { files: circle.iter().map(|&file| files[file].0.clone()).collect(), lines });
    }
    found
}

/// What can be come to from a file along imports; the file itself only by a circle.
fn reach(imports: &[BTreeMap<usize, String>], from: usize) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(imports[file].keys().copied().filter(|&to| reached.insert(to)));
    }
    reached
}

/// The module that a file is: that of `nn/mod.rs` is `nn`, that of `lib.rs` the root.
fn module_of(path: &str) -> Vec<String> {
    let mut module: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

impl Scopes {
    fn new() -> Self {
        Self { modules: BTreeMap::from([(Vec::new(), BTreeMap::new())]) }
    }

    fn add(&mut self, module: &[String], source: &Source, file: usize) {
        let mut add = |module: Vec<String>, name: &str, meaning: Meaning| {
            self.modules.entry(module).or_default().entry(name.to_owned()).or_default().push(meaning);
        };
        let scope = |within: &[String]| [module, within].concat();
        for item in &source.items {
            add(scope(&item.within), &item.name, Meaning::Item(file));
            if source.macros.contains(&item.name) {
                add(Vec::new(), &item.name, Meaning::Item(file));
            }
        }
        for found in source.paths.iter().filter(|found| matches!(found.role, Role::Import | Role::Reexport)) {
            add(scope(&found.within), &found.name, Meaning::Path(found.segments.clone()));
        }
        self.modules.entry(module.to_vec()).or_default();
    }

    /// The files that define what a path names, with the path; of `*` those whose names stand in the file.
    fn targets(&self, module: &[String], source: &Source, found: &Found) -> Vec<(String, usize)> {
        let from = [module, &found.within].concat();
        let Some((last, before)) = found.segments.split_last() else { return Vec::new() };
        if last != "*" {
            let defined = self.definition(&from, &found.segments, 0);
            return defined.map(|file| (found.segments.join("::"), file)).into_iter().collect();
        }
        let Some(all) = self.module(&from, before, 0) else { return Vec::new() };
        let written = source.paths.iter().filter(|path| path.role == Role::Written);
        let words: BTreeSet<&String> = written.map(|path| &path.segments[0]).collect();
        words.into_iter().filter_map(|word| Some((word.clone(), self.item(&all, word, 0)?))).collect()
    }

    /// The file that defines the item a path names, or passes through: what follows are its methods and variants.
    fn definition(&self, from: &[String], path: &[String], steps: usize) -> Option<usize> {
        let (mut at, rest) = self.start(from, path);
        for (index, segment) in rest.iter().enumerate() {
            match self.child(&at, segment, steps).filter(|_| index + 1 < rest.len()) {
                Some(module) => at = module,
                None => return self.item(&at, segment, steps),
            }
        }
        None
    }

    /// The module that a path names.
    fn module(&self, from: &[String], path: &[String], steps: usize) -> Option<Vec<String>> {
        let (at, rest) = self.start(from, path);
        rest.iter().try_fold(at, |at, segment| self.child(&at, segment, steps))
    }

    /// Where a path begins, and what is left of it.
    fn start<'p>(&self, from: &[String], mut path: &'p [String]) -> (Vec<String>, &'p [String]) {
        let mut at = from.to_vec();
        while let Some((first, rest)) = path.split_first() {
            match first.as_str() {
                "crate" | "cellwright" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            path = rest;
        }
        (at, path)
    }

    /// What a name means as a module.
    fn child(&self, module: &[String], name: &str, steps: usize) -> Option<Vec<String>> {
        let own = [module, &[name.to_owned()]].concat();
        if self.modules.contains_key(&own) {
            return Some(own);
        }
        self.paths(module, name, steps).find_map(|path| self.module(module, path, steps + 1)).or_else(|| {
            self.paths(module, "*", steps).find_map(|path| {
                let all = self.module(module, &path[..path.len() - 1], steps + 1)?;
                self.child(&all, name, steps + 1)
            })
        })
    }

    /// The file that defines an item.
    fn item(&self, module: &[String], name: &str, steps: usize) -> Option<usize> {
        let own = self.modules.get(module)?.get(name).into_iter().flatten().find_map(|meaning| match meaning {
            Meaning::Item(file) => Some(*file),
            Meaning::Path(_) => None,
        });
        own.or_else(|| self.paths(module, name, steps).find_map(|path| self.definition(module, path, steps + 1)))
            .or_else(|| {
                self.paths(module, "*", steps).find_map(|path| {
                    let all = self.module(module, &path[..path.len() - 1], steps + 1)?;
                    self.item(&all, name, steps + 1)
                })
            })
    }

    /// The paths that a module imports or re-exports under a name.
    fn paths<'s>(&'s self, module: &[String], name: &str, steps: usize) -> impl Iterator<Item = &'s Vec<String>> {
        let scope = self.modules.get(module).filter(|_| steps < MOST_STEPS);
        scope.and_then(|scope| scope.get(name)).into_iter().flatten().filter_map(|meaning| match meaning {
            Meaning::Path(path) => Some(path),
            Meaning::Item(_) => None,
        })
    }
}

mod checker {
    use super::circles;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut files: Vec<_> = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
        files.sort();
        circles(&files).into_iter().map(|circle| circle.files).collect()
    }

    /// A parent that re-exports `thing` and has `child` import something, once of its own and once of another file.
    fn tree<'a>(parent: &'a str, child: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![("lib.rs", "pub mod a;"), ("a/mod.rs", parent), ("a/child.rs", child), ("a/thing.rs", "pub struct Thing;")]
    }

    #[test]
    fn a_parent_and_a_child_that_use_each_other_are_a_circle_however_it_is_written() {
        let parent = "mod child; pub struct Own; use child::f;";
        for (parent, child) in [
            (parent, "use super::Own; pub fn f() {}"),
            (parent, "pub fn f(own: crate::a::Own) {}"),
            (parent, "use super::{self as parent}; pub fn f(own: &'static parent::Own) {}"),
            (parent, "use crate::a::*; pub fn f(own: Own) {}"),
            (parent, "use super::super::a::Own::Variant; pub fn f() {}"),
            ("mod child; pub const OWN: u8 = child::f();", "pub const fn f() -> u8 { super::OWN }"),
            ("mod child; call! { pub struct Own { pub x: u8 } } use child::f;", "use super::Own; pub fn f() {}"),
            ("mod child; pub use child::f as g; pub fn own() { self::g() }", "use super::own; pub fn f() {}"),
            ("mod child; pub use child::f; pub fn own() { f() }", "use super::own; pub fn f() {}"),
        ] {
            assert_eq!(found(&tree(parent, child)), [["a/child.rs", "a/mod.rs"]], "{parent} {child}");
        }
    }

    #[test]
    fn re_exports_modules_and_tests_make_no_circle() {
        for (parent, child) in [
            // Methods, fields and variables are no imports, whatever they are called.
            ("mod child; pub use child::f; pub fn own(f: u8) { x.f(f) }", "use super::own; pub fn f() {}"),
            // What the parent only passes on is imported from where it is defined.
            ("mod child; mod thing; pub use thing::Thing; use child::f;", "use super::Thing; pub fn f() {}"),
            ("mod child; mod thing; use thing::Thing; use child::f;", "use super::*; pub fn f(x: Thing) {}"),
            ("mod child; pub use child::f; pub struct Own;", "use super::Own; pub fn f() {}"),
            ("mod child; pub(in crate::a) use child::f; pub struct Own;", "use super::Own; pub fn f() {}"),
            ("mod child; use child::f; pub struct Own;", "#[cfg(test)] use super::Own; pub fn f() {}"),
            (
                "mod child; use child::f; pub struct Own;",
                "pub fn f() {} #[cfg(test)] mod tests { use super::super::Own; }",
            ),
            ("#[cfg(test)] mod child; #[cfg(test)] fn g() { child::f() } pub struct Own;", "use super::Own;"),
            ("mod child; use child::f; impl child::X { fn method() {} }", "use super::method; pub fn f() {}"),
        ] {
            assert_eq!(found(&tree(parent, child)), Vec::<Vec<String>>::new(), "{parent} {child}");
        }
        let tests = [("a.rs", "mod tests; pub fn f() { tests::g() }"), ("a/tests.rs", "use super::f; pub fn g() {}")];
        assert_eq!(found(&tests), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_circle_may_go_by_way_of_others_and_two_are_told_apart() {
        let files = [
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a::A; pub struct C;"),
            ("d.rs", "use crate::{a::A, e::E}; pub struct D;"),
            ("e.rs", "fn f(d: crate::d::D) {} pub struct E;"),
        ];
        let expected = [vec!["a.rs", "b.rs", "c.rs"], vec!["d.rs", "e.rs"]];
        assert_eq!(found(&files), expected);
    }
}
