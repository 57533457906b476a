//! Where classes and parts are found.

use super::*;

fn found(files: &[&str]) -> Loaded {
    load_with(all_grey(files).path(), &ImagesConfig::default()).unwrap()
}

fn refused(files: &[&str]) -> String {
    load_with(all_grey(files).path(), &ImagesConfig::default()).unwrap_err().to_string()
}

#[test]
fn parts_are_known_by_all_their_names() {
    for (train, test) in [("train", "test"), ("Training", "TESTING"), ("TRAIN", "Test")] {
        let files = [format!("{train}/a/1"), format!("{train}/b/1"), format!("{test}/a/1"), format!("{test}/b/1")];
        let loaded = found(&files.each_ref().map(String::as_str));
        let dataset = &loaded.dataset;
        assert_eq!((dataset.train.labels(), dataset.test.labels()), (&[0, 1][..], &[0, 1][..]), "{train}");
        assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
        assert!(dataset.source.starts_with("4 PNG pictures of 2 classes in "), "{}", dataset.source);
        assert!(dataset.source.ends_with(&format!("from {train} and {test}")), "{}", dataset.source);
    }
}

#[test]
fn validation_pictures_test_where_no_others_do_and_train_otherwise() {
    for validation in ["val", "Valid", "VALIDATION"] {
        let held = format!("{validation}/a/1.png");
        let loaded = found(&["train/a/1.png", "train/b/1.png", &held]);
        assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.labels()), (2, &[0][..]));
        assert!(noted(&loaded, &["the validation pictures are the test set"]), "{:?}", loaded.notes);
        assert!(loaded.dataset.source.contains("tested on the validation pictures"), "{}", loaded.dataset.source);

        let loaded = found(&["train/a/1.png", "train/b/1.png", &held, "test/a/1.png", "test/b/1.png"]);
        assert_eq!((loaded.dataset.train.class_counts(), loaded.dataset.test.count()), (vec![2, 1], 2));
        assert!(noted(&loaded, &["join the training part"]), "{:?}", loaded.notes);
    }
}

#[test]
fn without_a_test_part_a_fifth_is_split_off() {
    let files: Vec<String> = (0..10).map(|i| format!("train/{}/{i}.png", ["a", "b"][i % 2])).collect();
    let loaded = found(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.class_counts()), (8, vec![1, 1]));
    assert!(loaded.dataset.source.ends_with("from train; a fifth is split off for testing"));
}

#[test]
fn train_beside_other_folders_is_a_class_unless_they_are_parts() {
    let files: Vec<String> = (0..10).map(|i| format!("{}/{i}.png", ["train", "boat"][i % 2])).collect();
    let flat = found(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(flat.dataset.train.classes(), ["boat", "train"]);
    let nested: Vec<String> = (0..10).map(|i| format!("{}/{i}.png", ["train/steam", "boat"][i % 2])).collect();
    let nested = found(&nested.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(nested.dataset.train.classes(), ["boat", "train"]);

    let parts = found(&["train/a/1.png", "train/b/1.png", "test/a/1.png", "examples/1.png"]);
    assert_eq!((parts.dataset.train.count(), parts.dataset.test.count()), (2, 1));
    assert!(noted(&parts, &["left alone", "examples"]), "{:?}", parts.notes);
}

#[test]
fn parts_that_are_several_or_have_nothing_to_train_on_are_refused() {
    let error = refused(&["train/a/1.png", "train/b/1.png", "training/a/1.png"]);
    assert!(error.contains("train and training could each be the training part"), "{error}");
    for part in ["val", "test"] {
        let error = refused(&[&format!("{part}/a/1.png"), &format!("{part}/b/1.png")]);
        assert!(error.contains("none to train on"), "{error}");
    }
    let error = refused(&["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/c/1.png"]);
    assert!(error.contains("class `c` has test images but no training images"), "{error}");
}

#[test]
fn classes_hold_pictures_at_any_depth_and_are_sorted() {
    let loaded =
        found(&["train/b/x/y/z/2.png", "train/b/1.png", "train/B/1.png", "train/a/deep/1.png", "test/b/deep/1.png"]);
    assert_eq!(loaded.dataset.train.classes(), ["B", "a", "b"]);
    assert_eq!((loaded.dataset.train.labels(), loaded.dataset.test.labels()), (&[0, 1, 2, 2][..], &[2][..]));
}

#[test]
fn an_only_folder_around_everything_is_opened() {
    let loaded = found(&["pets/train/a/1.png", "pets/train/b/1.png", "pets/test/a/1.png", "__MACOSX/pets/._1.png"]);
    assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.count()), (2, 1));
    let loaded = found(&["x/train/train/a/1.png", "x/train/train/b/1.png", "x/test/test/a/1.png"]);
    assert_eq!(loaded.dataset.train.classes(), ["a", "b"]);
    assert!(refused(&["only/1.png", "only/2.png"]).contains("at least two"));
}

#[test]
fn what_systems_leave_behind_is_ignored_without_a_word() {
    let picture = grey(1);
    let loaded = load_from(&[
        ("train/a/1.png", &picture),
        ("train/a/.hidden.png", b"x"),
        ("train/a/Thumbs.db", b"x"),
        ("train/b/1.png", &picture),
        ("train/b/__MACOSX/._1.png", b"x"),
        ("train/.git/config", b"x"),
        ("train/.DS_Store", b"x"),
        ("test/a/1.png", &picture),
        ("test/b/1.png", &picture),
        ("test/a/desktop.ini", b"x"),
        ("__MACOSX/train/c/1.png", &picture),
    ])
    .unwrap();
    assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.count()), (2, 2));
    assert_eq!(loaded.notes, Vec::<String>::new());
}

#[test]
fn other_files_are_listed_once_and_skipped() {
    let picture = grey(1);
    let text: Vec<String> = (0..6).map(|i| format!("train/b/notes {i}.txt")).collect();
    let mut files: Vec<(&str, &[u8])> = vec![
        ("train/a/1.png", &picture),
        ("train/b/named like no picture", &picture),
        ("test/a/1.png", &picture),
        ("test/b/1.png", &picture),
        ("README.md", b"BMX"),
        ("cover.png", &picture),
    ];
    files.extend(text.iter().map(|name| (name.as_str(), &b"P1 is the first"[..])));
    let loaded = load_from(&files).unwrap();
    assert_eq!((loaded.dataset.train.count(), loaded.left_out, loaded.notes.len()), (2, 0, 2), "{:?}", loaded.notes);
    assert!(
        noted(&loaded, &["skipped files that are no pictures: 7 (", "README.md, ", "notes 0.txt", "and 2 more"]),
        "{:?}",
        loaded.notes
    );
    assert!(noted(&loaded, &["skipped pictures beside the folders of classes: 1 (cover.png)"]), "{:?}", loaded.notes);
}

#[test]
fn a_class_without_pictures_is_warned_about() {
    let loaded = load_from(&[
        ("train/a/1.png", &grey(1)),
        ("train/b/1.png", &grey(1)),
        ("train/empty/readme.txt", b"x"),
        ("test/a/1.png", &grey(1)),
        ("test/b/.keep", b""),
    ])
    .unwrap();
    assert_eq!(loaded.dataset.train.classes(), ["a", "b"]);
    assert!(noted(&loaded, &["classes without pictures are left out: `empty`"]), "{:?}", loaded.notes);
    assert!(noted(&loaded, &["classes without test pictures: `b`"]), "{:?}", loaded.notes);
}

#[test]
fn names_in_both_forms_of_unicode_are_one_class_and_the_composed_is_shown() {
    let loaded = found(&[
        "train/caf\u{e9}/1.png",
        "train/cafe\u{301}/2.png",
        "train/tea/1.png",
        "test/cafe\u{301}/1.png",
        "test/tea/1.png",
    ]);
    assert_eq!(loaded.dataset.train.classes(), ["caf\u{e9}", "tea"]);
    assert_eq!(loaded.dataset.train.class_counts(), [2, 1]);
    assert_eq!(loaded.dataset.test.labels(), [0, 1]);
}

#[cfg(unix)]
#[test]
fn links_to_files_and_directories_are_followed() {
    use std::os::unix::fs::symlink;
    let store = all_grey(&["one.png", "dogs/1.png", "dogs/2.png"]);
    let data = all_grey(&["train/cat/0.png", "test/cat/0.png", "test/dog/0.png"]);
    symlink(store.path().join("one.png"), data.path().join("train/cat/1.png")).unwrap();
    symlink(store.path().join("dogs"), data.path().join("train/dog")).unwrap();
    let loaded = load_with(data.path(), &ImagesConfig::default()).unwrap();
    assert_eq!(loaded.dataset.train.class_counts(), [2, 2]);
    let linked = TempDir::new().unwrap();
    symlink(data.path(), linked.path().join("data")).unwrap();
    let loaded = load_with(&linked.path().join("data"), &ImagesConfig::default()).unwrap();
    assert_eq!(loaded.dataset.train.class_counts(), [2, 2]);
    // A link to nothing is a picture that cannot be read.
    symlink(store.path().join("gone.png"), data.path().join("train/cat/2.png")).unwrap();
    let error = load_with(data.path(), &ImagesConfig::default()).unwrap_err().to_string();
    assert!(error.contains("1 of 7 pictures cannot be read") && error.contains("cat/2.png"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_are_refused() {
    for target in ["", "train", "train/cat", "train/cat/deep"] {
        let data = all_grey(&["train/cat/0.png", "train/cat/deep/1.png", "train/dog/0.png", "test/cat/0.png"]);
        std::os::unix::fs::symlink(data.path().join(target), data.path().join("train/cat/deep/back")).unwrap();
        let error = load_with(data.path(), &ImagesConfig::default()).unwrap_err().to_string();
        assert!(error.contains("back: leads back to"), "{target}: {error}");
    }
    let data = all_grey(&["cat/0.png", "dog/0.png"]);
    std::os::unix::fs::symlink("/", data.path().join("cat/root")).unwrap();
    let error = load_with(data.path(), &ImagesConfig::default()).unwrap_err().to_string();
    assert!(error.contains("leads back to /"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    for (place, name) in [("", &b"caf\xe9"[..]), ("train/a", b"\xff.png")] {
        let data = all_grey(&["train/a/1.png", "train/b/1.png", "test/a/1.png"]);
        let path = data.path().join(place).join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, grey(1)).unwrap();
        let error = load_with(data.path(), &ImagesConfig::default()).unwrap_err().to_string();
        assert!(error.contains("not valid Unicode") && error.contains('\u{fffd}'), "{error}");
    }
}
