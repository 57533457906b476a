//! Finding a dataset in whatever torchvision, Keras, Kaggle or its authors left: each form it comes in
//! is a set of file names, which all must lie in one folder.

use super::LoadError;
use super::place::Place;
use super::tree::{Member, Tree};
use std::collections::BTreeMap;
use std::path::Path;

/// Kinds of datasets that are told apart by the names of their folders alone, their files being named alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Mnist,
    Fashion,
    Kuzushiji,
    Qmnist,
    Emnist,
    Cifar10,
    Cifar100,
}

impl Family {
    /// The family that a folder or file is named after.
    fn of(name: &str) -> Option<Self> {
        let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        // The longer names first: most contain `mnist`, and `cifar100` contains `cifar10`.
        let known = [
            ("fashion", Self::Fashion),
            ("kmnist", Self::Kuzushiji),
            ("kuzushiji", Self::Kuzushiji),
            ("qmnist", Self::Qmnist),
            ("emnist", Self::Emnist),
            ("mnist", Self::Mnist),
            ("cifar100", Self::Cifar100),
            ("cifar10", Self::Cifar10),
        ];
        known.into_iter().find(|(word, _)| plain.contains(word)).map(|(_, family)| family)
    }

    /// The dataset to ask for.
    fn dataset(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Fashion => "fashion-mnist",
            Self::Kuzushiji => "kmnist",
            Self::Qmnist => "qmnist",
            Self::Emnist => "emnist-letters",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
        }
    }
}

/// The family that a path within a tree is named after: by its innermost part that is named after any, or else by the
/// root's own name.
fn family(tree: &Tree, path: &str) -> Option<Family> {
    let root = tree.root.canonicalize().unwrap_or_else(|_| tree.root.clone());
    let mut root = root.iter().rev().filter_map(|part| part.to_str());
    let own = root.next();
    // Whatever contains such a folder, or an archive, is named for it.
    let says_nothing = |name: &str| matches!(name, "raw" | "processed" | "gzip");
    let above = root.next().filter(|_| tree.packed.is_some() || own.is_some_and(says_nothing));
    path.rsplit('/').chain(own).chain(above).find_map(Family::of)
}

/// A form that a dataset comes in.
#[derive(Debug)]
pub(super) struct Layout<F> {
    /// How it is read.
    pub form: F,
    /// What its files are, for the line that says what was found.
    pub what: &'static str,
    /// The files: of each the names that it may have.
    pub roles: Vec<Vec<String>>,
    /// Whether the names say which dataset it is; otherwise folders must not say that it is another.
    pub named: bool,
}

impl<F> Layout<F> {
    /// A layout of files with such names, `*.ending` for any file of that ending.
    pub(super) fn new(form: F, what: &'static str, named: bool, roles: &[&[&str]]) -> Self {
        let roles = roles.iter().map(|names| names.iter().map(ToString::to_string).collect()).collect();
        Self { form, what, roles, named }
    }

    /// Which file of the layout this is, and by which of its names.
    fn role(&self, name: &str) -> Option<(usize, usize)> {
        let matches = |wanted: &String| match wanted.strip_prefix('*') {
            Some(ending) => name.to_ascii_lowercase().ends_with(ending),
            None => name.eq_ignore_ascii_case(wanted),
        };
        let mut roles = self.roles.iter().enumerate();
        roles.find_map(|(role, names)| names.iter().position(matches).map(|alternative| (role, alternative)))
    }

    /// The folder that counts as the member's. Kaggle unpacks a file into a folder of the file's name; a file that is
    /// all there is to a layout stands for itself.
    fn home<'m>(&self, member: &'m Member) -> &'m str {
        if self.roles.len() == 1 {
            return &member.path;
        }
        let folder = member.folder();
        let (above, own) = folder.rsplit_once('/').unwrap_or(("", folder));
        if own.eq_ignore_ascii_case(member.name()) { above } else { folder }
    }

    /// What it consists of, for an error.
    fn describe(&self) -> String {
        let files: Vec<String> = self.roles.iter().map(|names| one_of(names)).collect();
        let packed = self.roles.iter().flatten().any(|name| name.ends_with(".gz"));
        format!("{} ({}{})", self.what, files.join(", "), if packed { ", each also with .gz" } else { "" })
    }
}

/// Names as alternatives, without those that only add `.gz`.
fn one_of(names: &[String]) -> String {
    let plain = names.iter().filter(|name| !name.ends_with(".gz")).map(String::as_str);
    plain.collect::<Vec<_>>().join(" or ")
}

/// Names, each also with `.gz`.
pub(super) fn or_gzipped(roles: &[&[&str]]) -> Vec<Vec<String>> {
    let both = |name: &&str| [(*name).to_owned(), format!("{name}.gz")];
    roles.iter().map(|names| names.iter().flat_map(both).collect()).collect()
}

/// A layout found.
#[derive(Debug)]
pub(super) struct Found<'l, F> {
    /// Where.
    pub tree: Tree,
    /// Which.
    pub layout: &'l Layout<F>,
    /// The folder or file, for the line that says what was found.
    pub place: String,
    /// Numbers of the tree's members, one a role.
    pub members: Vec<usize>,
}

impl<F> Found<'_, F> {
    /// What to call the file of a role.
    pub(super) fn shown(&self, role: usize) -> String {
        let member = self.members.get(role).and_then(|&number| self.tree.members.get(number));
        member.map_or_else(|| self.place.clone(), |member| self.tree.shown(&member.path))
    }

    /// The bytes of all files, one a role.
    pub(super) fn read(&self, limit: u64) -> Result<Vec<Vec<u8>>, LoadError> {
        self.tree.read(&self.members, limit)
    }
}

/// A folder with files of a layout.
struct Candidate {
    layout: usize,
    home: String,
    /// By role: by which of its names it was found, and the member.
    files: Vec<Option<(usize, usize)>>,
    family: Option<Family>,
}

impl Candidate {
    fn lacks(&self) -> usize {
        self.files.iter().filter(|file| file.is_none()).count()
    }
}

/// Every folder with files of any layout.
fn candidates<F>(tree: &Tree, layouts: &[Layout<F>]) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (number, layout) in layouts.iter().enumerate() {
        let mut homes: BTreeMap<&str, Vec<Option<(usize, usize)>>> = BTreeMap::new();
        for (index, member) in tree.members.iter().enumerate() {
            let Some((role, alternative)) = layout.role(member.name()) else { continue };
            let files = homes.entry(layout.home(member)).or_insert_with(|| vec![None; layout.roles.len()]);
            if files[role].is_none_or(|(other, _)| alternative < other) {
                files[role] = Some((alternative, index));
            }
        }
        all.extend(homes.into_iter().map(|(home, files)| Candidate {
            layout: number,
            home: home.to_owned(),
            files,
            family: family(tree, home),
        }));
    }
    all
}

/// Finds the first of the layouts that is whole: in `place`, or in an archive that lies there. Folders named after the
/// dataset go before others, and what is nearer before what is deeper.
///
/// # Errors
/// If there is none, only a part of one, one that belongs to another dataset, or several with nothing to choose by.
pub(super) fn find<'l, F>(
    place: &Place,
    layouts: &'l [Layout<F>],
    own: Family,
    limit: u64,
) -> Result<Found<'l, F>, LoadError> {
    let Some(tree) = Tree::open(place.directory, limit)? else {
        return Err(LoadError::NoArchive { name: place.name.into(), path: place.directory.into() });
    };
    let here = candidates(&tree, layouts);
    if let Some(best) = best(&tree, layouts, &here, own)? {
        return Ok(found(tree, layouts, best));
    }
    let mut problems = Vec::new();
    let mut other = None;
    if tree.packed.is_none() {
        for archive in archives(&tree, own) {
            // Whatever else lies about is no reason to stop, but to be told if nothing is found.
            match Tree::archive(&archive, limit) {
                Ok(Some(inner)) => {
                    let inside = candidates(&inner, layouts);
                    if let Some(best) = best(&inner, layouts, &inside, own)? {
                        return Ok(found(inner, layouts, best));
                    }
                    other = other.or(stranger(&inner, &inside, own));
                }
                Ok(None) => problems.push(format!("{} is no archive", archive.display())),
                Err(error) => problems.push(error.to_string()),
            }
        }
    }
    // Files called `train` or `test` lie about in many places: a part is told by its names, or by its folder's.
    let is_own = |c: &&Candidate| match c.family {
        _ if layouts[c.layout].named => true,
        Some(family) => family == own,
        None => c.files.len() > 2,
    };
    if let Some(part) = here.iter().filter(is_own).min_by_key(|c| c.lacks()) {
        let lacking = part.files.iter().zip(&layouts[part.layout].roles).filter(|(file, _)| file.is_none());
        let missing = lacking.map(|(_, names)| one_of(names)).collect();
        let directory = if part.home.is_empty() { tree.root.clone() } else { tree.root.join(&part.home) };
        let lies = tree.members.iter().filter(|m| layouts[part.layout].home(m) == part.home);
        let lies = lies.take(20).map(|member| member.path.clone()).collect();
        return Err(LoadError::Incomplete { name: place.name.into(), directory, missing, lies, hint: place.hint });
    }
    if let Some((path, family)) = other.or(stranger(&tree, &here, own)) {
        return Err(LoadError::Other { name: place.name.into(), path, other: family.dataset() });
    }
    Err(LoadError::Missing {
        name: place.name.into(),
        directory: place.directory.into(),
        looked_for: layouts.iter().map(Layout::describe).collect(),
        lies: tree.names().into_iter().chain(problems).collect(),
        hint: place.hint,
    })
}

/// A whole layout in a folder named after another dataset.
fn stranger(tree: &Tree, candidates: &[Candidate], own: Family) -> Option<(String, Family)> {
    let of = |c: &Candidate| c.family.filter(|&family| family != own && c.lacks() == 0);
    candidates.iter().find_map(|c| of(c).map(|family| (tree.shown(&c.home), family)))
}

fn best<'c, F>(
    tree: &Tree,
    layouts: &[Layout<F>],
    candidates: &'c [Candidate],
    own: Family,
) -> Result<Option<&'c Candidate>, LoadError> {
    let rank = |c: &&Candidate| {
        let known = layouts[c.layout].named || c.family == Some(own);
        (!known, c.layout, if c.home.is_empty() { 0 } else { 1 + c.home.matches('/').count() })
    };
    let allowed = |c: &&Candidate| layouts[c.layout].named || c.family.is_none_or(|family| family == own);
    let mut whole: Vec<&Candidate> = candidates.iter().filter(|c| c.lacks() == 0).filter(allowed).collect();
    // Stable: those of equal rank stay sorted by name.
    whole.sort_by_key(rank);
    match whole[..] {
        [first, second, ..] if rank(&first) == rank(&second) => {
            Err(LoadError::Ambiguous { places: [first, second].map(|c| tree.shown(&c.home)) })
        }
        [first, ..] => Ok(Some(first)),
        [] => Ok(None),
    }
}

fn found<'l, F>(tree: Tree, layouts: &'l [Layout<F>], best: &Candidate) -> Found<'l, F> {
    let members = best.files.iter().flatten().map(|&(_, member)| member).collect();
    Found { layout: &layouts[best.layout], place: tree.shown(&best.home), members, tree }
}

/// The archives in a tree that are not named after another dataset, those named after this one first.
fn archives(tree: &Tree, own: Family) -> Vec<std::path::PathBuf> {
    let is_archive = |name: &str| {
        let name = name.to_ascii_lowercase();
        [".zip", ".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending))
    };
    let named: Vec<(Option<Family>, &Member)> =
        tree.members.iter().filter(|m| is_archive(m.name())).map(|m| (family(tree, &m.path), m)).collect();
    let with = |wanted: Option<Family>| {
        named.iter().filter(move |(family, _)| *family == wanted).map(|(_, m)| tree.root.join(Path::new(&m.path)))
    };
    with(Some(own)).chain(with(None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_family_and_longer_ones_go_first() {
        for (name, family) in [
            ("MNIST", Some(Family::Mnist)),
            ("FashionMNIST", Some(Family::Fashion)),
            ("kmnist-train-imgs.npz", Some(Family::Kuzushiji)),
            ("QMNIST", Some(Family::Qmnist)),
            ("emnist_source_files", Some(Family::Emnist)),
            ("cifar-100-python.tar.gz", Some(Family::Cifar100)),
            ("CIFAR_10", Some(Family::Cifar10)),
            ("archive.zip", None),
        ] {
            assert_eq!(Family::of(name), family, "{name}");
        }
    }
}
