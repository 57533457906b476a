//! Datasets from the command line: pictures as they lie, what is left out of them, and what is refused.

mod common;

use common::process::{call, outcome, program, read, refused, search};
use tempfile::TempDir;

/// Pictures of two classes and of two sizes, and one that is none.
fn pictures() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for i in 0..40u8 {
        let file = place.path().join(["train/dark", "train/light", "test/dark", "test/light"][usize::from(i % 4)]);
        std::fs::create_dir_all(&file).unwrap();
        let shade = if i % 2 == 0 { i } else { 255 - i };
        let side = if i < 20 { 12 } else { 16 };
        image::RgbImage::from_pixel(side, 12, image::Rgb([shade, shade, 9]))
            .save(file.join(format!("{i}.png")))
            .unwrap();
    }
    std::fs::write(place.path().join("train/dark/broken.png"), b"\x89PNG").unwrap();
    place
}

#[test]
fn pictures_as_they_lie_are_searched_and_trained_on_and_what_was_left_out_is_counted() {
    let (pictures, place) = (pictures(), tempfile::tempdir().unwrap());
    let folder = pictures.path().to_str().unwrap();
    let data = ["--data", "folder", "--data-dir", folder, "--resize", "8", "--skip-bad"];
    let small = ["--set=search.batch=8", "--set=train.batch=8", "--set=random=0", "--set=baseline=false"];
    let out = place.path().join("search");
    let run = search(&out, "cpu", &[&data[..], &small].concat());
    assert_eq!(run.json()["left_out"], 1);
    let said = ["1 of 41 pictures cannot be read and are left out", "broken.png"];
    assert!(said.iter().all(|part| run.err.contains(part)), "{}", run.err);
    let config = read(&out, "config.toml");
    assert!(config.contains("resize = \"8x8\"") && config.contains("skip_bad = true"), "{config}");

    // A run's own configuration repeats it.
    let (config, again) = (out.join("config.toml"), place.path().join("train"));
    let [config, again] = [&config, &again].map(|path| path.to_str().unwrap());
    let arguments = ["train", config, "--architecture", "DARTS_V2", "--device", "cpu", "--layers", "2", "--out", again];
    assert_eq!(call(&[&arguments[..], &["--json"]].concat()).json()["left_out"], 1);
}

#[test]
fn pictures_that_do_not_fit_are_refused_with_what_to_do() {
    let pictures = pictures();
    let folder = ["--data", "folder", "--data-dir", pictures.path().to_str().unwrap()];
    let with = |more: &[&str], parts: &[&str]| refused(&[&folder[..], more].concat(), parts);
    with(&[], &["40 pictures have 2 sizes, from 12 x 12", "to 16 x 12 pixels (width x height", "--resize 32"]);
    with(&["--resize", "8"], &["1 of 41 pictures", "broken.png", "--skip-bad"]);
    with(&["--resize", "8 by 8"], &["data.resize `8 by 8`", "HEIGHTxWIDTH"]);
    with(&["--set", "data.background=rot"], &["data.background `rot`", "#rrggbb"]);
    with(&["--resize", "30000"], &["(channels, height, width) take", "--resize"]);
}

#[test]
fn a_dataset_that_is_not_there_is_refused_with_what_to_do() {
    refused(&["--data", "digit"], &["unknown dataset `digit`", "did you mean `digits`"]);
    refused(&["--data", "mnist"], &["needs the directory"]);
}

#[cfg(unix)]
#[test]
fn a_data_directory_that_is_not_unicode_is_not_read_as_another() {
    use std::os::unix::ffi::OsStrExt;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let run = outcome(program().args(["search", "--data", "folder", "--data-dir"]).arg(folder));
    assert!(run.status != 0 && run.err.contains("not valid Unicode"), "{}", run.err);
}
