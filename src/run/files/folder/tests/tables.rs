//! Pictures with labels in a table.

use super::*;

/// Twelve pictures `0.png` to `11.png` in `folder`.
fn pictures(folder: &str) -> Vec<(String, Vec<u8>)> {
    (0..12).map(|i| (format!("{folder}{i}.png"), grey(i as u8))).collect()
}

fn load_table(pictures: &[(String, Vec<u8>)], tables: &[(&str, &str)]) -> Result<Loaded, LoadError> {
    let mut files: Vec<(&str, &[u8])> =
        pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    files.extend(tables.iter().map(|(name, text)| (*name, text.as_bytes())));
    load_from(&files)
}

/// A table of all twelve, each third one a cat.
fn rows(header: &str, name: impl Fn(usize) -> String) -> String {
    let label = |i: usize| if i.is_multiple_of(3) { "cat" } else { "dog" };
    std::iter::once(header.to_owned())
        .chain((0..12).map(|i| format!("{},{}", name(i), label(i))))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_table_of_paths_and_labels_is_read_wherever_the_pictures_lie() {
    for (folder, table, header, form) in [
        ("", "labels.csv", "path,label", "{}.png"),
        ("", "anything.CSV", "filename,class", "{}.png"),
        ("images/", "labels.csv", "path,label", "images/{}.png"),
        ("images/", "labels.csv", "image,label", "{}.png"),
        ("train/", "trainLabels.csv", "id,label", "{}"),
        ("train_images/", "train.csv", "image_id,label", "{}"),
        ("deep/er/", "labels.csv", "file,target", "deep\\er\\{}.png"),
    ] {
        let table_text = rows(header, |i| form.replace("{}", &i.to_string()));
        let loaded = load_table(&pictures(folder), &[(table, &table_text)]).unwrap_or_else(|e| panic!("{table}: {e}"));
        let dataset = loaded.dataset;
        assert_eq!(
            (dataset.train.classes(), dataset.train.count(), dataset.test.count()),
            (&names(&["cat", "dog"])[..], 10, 2)
        );
        let (path, label) = header.split_once(',').unwrap();
        let wanted = format!("from {table} ({path}, {label}); a fifth is split off for testing");
        assert!(dataset.source.ends_with(&wanted), "{}", dataset.source);
    }
}

#[test]
fn parts_come_from_a_column_or_from_several_tables() {
    let text = rows("path,label", |i| format!("{i}.png"));
    let split: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            format!("{line},{}", ["split", "train", "val", "Test"][if i == 0 { 0 } else { 1 + (i - 1) / 4 }])
        })
        .collect();
    let loaded = load_table(&pictures(""), &[("all.csv", &split.join("\n"))]).unwrap();
    assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.labels()), (8, &[1, 0, 1, 1][..]));
    assert!(noted(&loaded, &["validation pictures join the training part"]), "{:?}", loaded.notes);

    let lines: Vec<&str> = text.lines().collect();
    let (train, test) = (lines[..9].join("\n"), [&lines[..1], &lines[9..]].concat().join("\n"));
    let submission = "id,label\n99,cat\n";
    let tables = [("train.csv", &*train), ("test.csv", &*test), ("sample_submission.csv", submission)];
    let loaded = load_table(&pictures(""), &tables).unwrap();
    assert_eq!((loaded.dataset.train.count(), loaded.dataset.test.labels()), (8, &[1, 0, 1, 1][..]));
    // A test table without labels is no test part.
    let tables = [("train.csv", &*train), ("test.csv", "id\n9\n10\n")];
    assert_eq!(load_table(&pictures(""), &tables).unwrap().dataset.test.count(), 1);
    let error = load_table(&pictures(""), &[("test.csv", &test)]).unwrap_err().to_string();
    assert!(error.contains("none to train on"), "{error}");
}

#[test]
fn bad_rows_are_all_named_with_their_lines() {
    let text = rows("path,label", |i| format!("{i}.png")) + "\n../0.png,cat\n,dog\n/etc/passwd,dog\n0.png,dog\n";
    let error = load_table(&pictures(""), &[("labels.csv", &text)]).unwrap_err().to_string();
    assert!(error.contains("rows that cannot be used: 4\n"), "{error}");
    for part in [
        "line 14: ../0.png leads out",
        "line 15: no file",
        "line 16: /etc/passwd leads out",
        "line 17: 0.png has a label",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn missing_and_ambiguous_files_are_bad_pictures() {
    let mut files = pictures("");
    files.push(("11.jpg".into(), grey(1)));
    files.push(("4.txt".into(), b"x".to_vec()));
    let text = rows("id,label", |i| i.to_string()) + "\n77,cat\n";
    let error = load_table(&files, &[("labels.csv", &text)]).unwrap_err().to_string();
    assert!(error.starts_with("2 of 13 pictures cannot be read"), "{error}");
    assert!(error.contains("labels.csv line 13): could be any of 11.jpg, 11.png"), "{error}");
    assert!(error.contains("labels.csv line 14): there is no such file"), "{error}");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let data = directory(&[&files[..], &[("labels.csv", text.as_bytes())]].concat());
    let loaded = load_with(data.path(), &ImagesConfig { skip_bad: true, ..ImagesConfig::default() }).unwrap();
    assert_eq!((loaded.left_out, loaded.dataset.train.count() + loaded.dataset.test.count()), (2, 11));
}

#[test]
fn folders_of_classes_go_before_a_table_and_two_tables_are_one_too_many() {
    let text = rows("path,label", |i| format!("{i}.png"));
    let mut files = pictures("cat/");
    files.extend(pictures("dog/"));
    let loaded = load_table(&files, &[("labels.csv", "path,label\ncat/1.png,bird\ncat/2.png,fish\n")]).unwrap();
    assert_eq!(loaded.dataset.train.classes(), ["cat", "dog"]);
    let error = load_table(&pictures(""), &[("one.csv", &text), ("two.csv", &text)]).unwrap_err().to_string();
    assert!(error.contains("one.csv and two.csv could each be the table of labels"), "{error}");
    let loaded = load_table(&pictures(""), &[("one.csv", &text), ("labels.csv", &text)]).unwrap();
    assert!(loaded.dataset.source.contains("from labels.csv"), "{}", loaded.dataset.source);
    let error = load_table(&pictures(""), &[("scores.csv", "a,b\n1,2\n")]).unwrap_err().to_string();
    assert!(error.contains("there is none of") && error.contains("labels.csv"), "{error}");
}

#[test]
fn names_in_a_table_are_found_in_either_form_of_unicode() {
    let mut files = pictures("");
    files[0].0 = "cafe\u{301}.png".into();
    files[1].0 = "the\u{301}.png".into();
    let text = rows("path,label", |i| match i {
        0 => "caf\u{e9}.png".into(),
        1 => "th\u{e9}".into(),
        i => format!("{i}.png"),
    });
    let loaded = load_table(&files, &[("labels.csv", &text)]).unwrap();
    assert_eq!(loaded.dataset.train.count() + loaded.dataset.test.count(), 12);
}
