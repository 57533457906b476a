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
fn what_a_network_does_on_rare_classes_is_written_and_said() {
    let (pictures, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let classes = ["\u{1b}[31m, fox|", "hen", "owl"];
    for (class, name) in classes.into_iter().enumerate() {
        for (part, count) in [("train", [32, 9, 20][class]), ("test", [8, 3, 5][class])] {
            let folder = pictures.path().join(part).join(name);
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..count {
                let pixel = image::Rgb([(90 * class + i) as u8, 9, 9]);
                image::RgbImage::from_pixel(8, 8, pixel).save(folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
    let directory = place.path().join("run");
    let [folder, out] = [pictures.path(), &directory].map(|path| path.to_str().unwrap());
    let settings = ["--data", "folder", "--data-dir", folder, "--device", "cpu", "--layers", "2", "--channels", "2"];
    let more = ["--set=train.batch=16", "--epochs=2", "--architecture", "DARTS_V2", "--out", out];
    let run = call(&[&["train"][..], &settings, &more].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    let said = "The classes are imbalanced: 9 to 32 training and 3 to 8 test images each. Balanced accuracy ";
    assert!(run.out.contains(said) && run.out.contains("\n [31m, fox|            8  "), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "{:?}", run.out);
    // Told again it is the same.
    assert_eq!(call(&["train", "--resume", out]).out, run.out);

    let rows = |name: &str| -> Vec<Vec<String>> {
        let text = read(&directory, name);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    let by_class = rows("classes.csv");
    let column = |at: usize| by_class.iter().map(|row| row[at].as_str()).collect::<Vec<_>>();
    assert_eq!((column(0), column(1)), (classes.to_vec(), vec!["8", "3", "5"]));
    let recall = |row: &Vec<String>| row[2].parse::<f64>().unwrap() / row[1].parse::<f64>().unwrap();
    let balanced = by_class.iter().map(recall).sum::<f64>() / 3.0;
    let summary: serde_json::Value = serde_json::from_str(&read(&directory, "summary.json")).unwrap();
    assert_eq!(summary["balanced_accuracy"], balanced);
    // The pairs add up to the classes' images.
    let pairs = rows("confusion.csv");
    let of =
        |class: &str| pairs.iter().filter(|row| row[0] == class).map(|row| row[2].parse::<u32>().unwrap()).sum::<u32>();
    assert_eq!(classes.map(of), [8, 3, 5]);
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
