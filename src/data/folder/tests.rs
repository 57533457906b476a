//! Gathering pictures into a dataset.

use super::*;

const GREY: [u8; 3] = [9, 9, 9];

fn add(folder: &mut Folder, part: Part, class: &str, file: &str, bytes: &[u8]) -> Result<(), DataError> {
    folder.add(part, class, file, bytes, &Reading::default())
}

#[test]
fn grey_pictures_have_one_channel_and_one_in_colour_makes_it_three() {
    let mut folder = Folder::new();
    for i in 0..10 {
        add(&mut folder, Part::Train, ["b", "a"][i % 2], "x.png", &png(3, 2, [i as u8; 3])).unwrap();
    }
    let grey = folder.finish("x", "").unwrap();
    assert_eq!((grey.train.shape(), grey.train.count(), grey.test.count()), ([1, 2, 3], 8, 2));
    assert_eq!(grey.train.classes(), ["a", "b"]);
    assert_eq!(grey.test.class_counts(), [1, 1]);

    let mut folder = Folder::new();
    add(&mut folder, Part::Train, "a", "1.png", &png(2, 1, GREY)).unwrap();
    add(&mut folder, Part::Test, "a", "3.png", &png(2, 1, GREY)).unwrap();
    add(&mut folder, Part::Train, "b", "2.png", &png(2, 1, [1, 2, 3])).unwrap();
    let colour = folder.finish("x", "").unwrap();
    assert_eq!(colour.train.pixels(), [9, 9, 9, 9, 9, 9, 1, 1, 2, 2, 3, 3]);
    assert_eq!((colour.test.labels(), colour.test.pixels()), (&[0][..], &[9; 6][..]));
}

#[test]
fn classes_are_sorted_by_name_and_labels_follow() {
    let mut folder = Folder::new();
    for (i, class) in ["b", "é", "B", "a", "10", "9"].into_iter().enumerate() {
        add(&mut folder, Part::Train, class, "x", &png(1, 1, [i as u8; 3])).unwrap();
        add(&mut folder, Part::Test, class, "x", &png(1, 1, [i as u8; 3])).unwrap();
    }
    let dataset = folder.finish("x", "").unwrap();
    assert_eq!(dataset.train.classes(), ["10", "9", "B", "a", "b", "é"]);
    assert_eq!(dataset.train.labels(), [4, 5, 2, 3, 0, 1]);
}

#[test]
fn composed_and_decomposed_names_are_one_class() {
    let mut folder = Folder::new();
    add(&mut folder, Part::Train, "caf\u{e9}", "1", &png(1, 1, GREY)).unwrap();
    add(&mut folder, Part::Train, "tea", "2", &png(1, 1, GREY)).unwrap();
    add(&mut folder, Part::Test, "cafe\u{301}", "3", &png(1, 1, GREY)).unwrap();
    let dataset = folder.finish("x", "").unwrap();
    assert_eq!((dataset.train.classes(), dataset.test.labels()), (&["caf\u{e9}".into(), "tea".into()][..], &[0][..]));
}

#[test]
fn pictures_of_different_sizes_are_both_named() {
    let mut folder = Folder::new();
    add(&mut folder, Part::Train, "a", "a/one.png", &png(3, 2, GREY)).unwrap();
    let error = add(&mut folder, Part::Train, "b", "b/two.png", &png(3, 4, GREY)).unwrap_err().to_string();
    assert!(error.starts_with("a/one.png is 3 x 2 pixels (width x height) but b/two.png is 3 x 4"), "{error}");
}

#[test]
fn a_bad_picture_is_named() {
    let error = add(&mut Folder::new(), Part::Train, "a", "bad.png", b"GIF89a").unwrap_err();
    assert!(matches!(&error, DataError::Picture { file, .. } if file == "bad.png"), "{error}");
}

#[test]
fn classes_must_be_several_and_trained() {
    assert!(matches!(Folder::new().finish("x", ""), Err(DataError::Empty)));
    let mut folder = Folder::new();
    add(&mut folder, Part::Train, "a", "1.png", &png(1, 1, GREY)).unwrap();
    add(&mut folder, Part::Test, "b", "2.png", &png(1, 1, GREY)).unwrap();
    assert!(matches!(folder.finish("x", ""), Err(DataError::NoTraining { class }) if class == "b"));
    let mut folder = Folder::new();
    add(&mut folder, Part::Train, "a", "1.png", &png(1, 1, GREY)).unwrap();
    assert!(matches!(folder.finish("x", ""), Err(DataError::FewClasses { found }) if found == ["a"]));
}
