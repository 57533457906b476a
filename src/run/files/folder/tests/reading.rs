//! Sizes, what is bad, and what does not fit.

use super::*;

/// Two classes in both parts, one picture each.
const PLACES: [&str; 4] = ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"];

fn four(pictures: [&[u8]; 4]) -> TempDir {
    directory(&PLACES.into_iter().zip(pictures).collect::<Vec<_>>())
}

fn resized(side: u32) -> ImagesConfig {
    ImagesConfig { resize: Resize(Some([side; 2])), ..ImagesConfig::default() }
}

#[test]
fn mixed_sizes_are_refused_with_their_range_and_the_flag() {
    let (small, large, wide) = (png(2, 3, [1; 3]), png(40, 30, [1; 3]), png(8, 2, [1; 3]));
    let data = four([&small, &large, &wide, &small]);
    let error = load_with(data.path(), &ImagesConfig::default()).unwrap_err().to_string();
    for part in ["the 4 pictures have 3 sizes", "from 2 x 3 (", "to 40 x 30 pixels (width x height", "--resize 32"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(error.contains("train/b/1.png") && error.contains("--resize HEIGHTxWIDTH"), "{error}");

    let loaded = load_with(data.path(), &resized(4)).unwrap();
    assert_eq!(loaded.dataset.train.shape(), [1, 4, 4]);
    assert!(loaded.dataset.source.ends_with("; resized to 4x4 (crop)"), "{}", loaded.dataset.source);
    let oblong = ImagesConfig { resize: Resize(Some([3, 5])), ..ImagesConfig::default() };
    assert_eq!(load_with(data.path(), &oblong).unwrap().dataset.train.shape(), [1, 3, 5]);
}

#[test]
fn the_fit_and_the_background_are_those_of_the_settings() {
    let wide = png(8, 4, [200; 3]);
    let data = four([&wide; 4]);
    let images = ImagesConfig { fit: Fit::Pad, background: Background([0, 0, 9]), ..resized(4) };
    let dataset = load_with(data.path(), &images).unwrap().dataset;
    assert_eq!(dataset.train.shape(), [3, 4, 4]);
    assert_eq!(dataset.train.image(0).unwrap()[..8], [0, 0, 0, 0, 200, 200, 200, 200]);
    assert_eq!(dataset.train.image(0).unwrap()[32..36], [9; 4]);
}

#[test]
fn every_format_is_read_whatever_the_name_and_grey_joins_colour() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    let picture = image::RgbImage::from_pixel(6, 6, image::Rgb([0, 0, 255]));
    let mut files = vec![("test/grey/0".to_owned(), png(6, 6, [3; 3]))];
    for (i, format) in [Png, Jpeg, Bmp, WebP, Gif, Tiff, Pnm].into_iter().enumerate() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::from(picture.clone()).write_to(&mut bytes, format).unwrap();
        files.push((format!("train/blue/{i}.jpg"), bytes.into_inner()));
    }
    files.push(("train/grey/0".to_owned(), png(6, 6, [3; 3])));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let dataset = load_from(&files).unwrap().dataset;
    assert_eq!((dataset.train.shape(), dataset.train.class_counts()), ([3, 6, 6], vec![7, 1]));
    assert!(dataset.source.starts_with("9 PNG, JPEG, BMP, WebP, GIF, TIFF and PNM pictures of 2 classes"));
    for image in 0..7 {
        let pixels = dataset.train.image(image).unwrap();
        assert!(pixels[0] < 4 && pixels[72] > 250 && pixels[107] > 250, "{image}: {pixels:?}");
    }
    assert_eq!(dataset.test.pixels(), [3; 108]);
}

#[test]
fn all_bad_pictures_are_named_in_one_error_or_left_out_and_counted() {
    let good = grey(1);
    let mut later = grey(2);
    // The header is whole; the pixels are not.
    later.truncate(45);
    let bad: [(&str, &[u8]); 5] = [
        ("train/a/cut.png", &good[..20]),
        ("train/a/empty.jpg", b""),
        ("train/b/late.png", &later),
        ("train/b/page.jpeg", b"<html>404</html>"),
        ("test/b/phone.heic", b"\0\0\0\x18ftypheic"),
    ];
    let files: Vec<(&str, &[u8])> = PLACES.into_iter().map(|name| (name, good.as_slice())).chain(bad).collect();
    let data = directory(&files);
    for images in [ImagesConfig::default(), resized(2)] {
        let error = load_with(data.path(), &images).unwrap_err().to_string();
        assert!(error.starts_with("5 of 9 pictures cannot be read:\n") && error.contains("--skip-bad"), "{error}");
        for (name, _) in bad {
            let line = error.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {error}"));
            assert!(line.len() > line.find(name).unwrap() + name.len() + 8, "with a reason: {line}");
        }
        let loaded = load_with(data.path(), &ImagesConfig { skip_bad: true, ..images }).unwrap();
        assert_eq!((loaded.left_out, loaded.dataset.train.count(), loaded.dataset.test.count()), (5, 2, 2));
        assert!(noted(&loaded, &["5 of 9 pictures", "left out", "phone.heic"]), "{:?}", loaded.notes);
    }
    // A class of which nothing is left is one without pictures.
    let files: Vec<(&str, &[u8])> = files.into_iter().chain([("train/c/1.png", &good[..20])]).collect();
    let images = ImagesConfig { skip_bad: true, ..ImagesConfig::default() };
    let loaded = load_with(directory(&files).path(), &images).unwrap();
    assert_eq!(loaded.dataset.train.classes(), ["a", "b"]);
    assert!(noted(&loaded, &["classes without pictures are left out: `c`"]), "{:?}", loaded.notes);
}

#[test]
fn a_thousand_bad_pictures_are_counted_and_some_named() {
    let files: Vec<String> = (0..1000).map(|i| format!("a/{i:04}.png")).collect();
    let mut all: Vec<(&str, &[u8])> = files.iter().map(|name| (name.as_str(), &b"no"[..])).collect();
    let good = grey(1);
    all.push(("b/1.png", &good));
    let error = error(&all);
    assert!(error.starts_with("1,000 of 1,001 pictures") && error.contains("and 950 more"), "{error}");
    assert!(error.contains("0049.png") && !error.contains("0050.png"), "{error}");
}

#[test]
fn a_picture_beyond_the_most_pixels_names_the_setting() {
    let data = four([&png(2, 2, [1; 3]), &png(5, 2, [1; 3]), &grey(1), &grey(1)]);
    let images = ImagesConfig { most_pixels: 9, ..resized(2) };
    let error = load_with(data.path(), &images).unwrap_err().to_string();
    assert!(
        error.contains("1 of 4") && error.contains("5 x 2 pixels") && error.contains("data.most_pixels"),
        "{error}"
    );
    let error = load_with(data.path(), &ImagesConfig { most_pixels: 9, ..ImagesConfig::default() });
    assert!(error.unwrap_err().to_string().contains("data.most_pixels"));
}

/// Remembers the stages.
#[derive(Default)]
struct Stages(Vec<(String, u64, Vec<u64>)>);

impl Observer for Stages {
    fn begin(&mut self, stage: &str, steps: u64) {
        self.0.push((stage.to_owned(), steps, Vec::new()));
    }
    fn step(&mut self, taken: u64, _: Option<&str>) {
        self.0.last_mut().unwrap().2.push(taken);
    }
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_decoded() {
    // Colour, so that three channels are sure: the larger part is 4 pictures.
    let picture = png(20, 10, [1, 2, 3]);
    let names: Vec<String> =
        (0..6).map(|i| format!("{}/{}/{i}", ["train", "train", "test"][i % 3], ["a", "b"][i / 3])).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), picture.as_slice())).collect();
    let data = directory(&files);
    let (images, fits, exceeds) = (ImagesConfig::default(), resized(14), resized(15));
    let mut stages = Stages::default();
    let room = |bytes, images| Request { room: Some(bytes), ..request(data.path(), images) };
    let error = load(&room(2399, &images), &mut stages).unwrap_err().to_string();
    for part in ["4 pictures of 3x10x20", "take 2,400 bytes", "takes 2,399", "--resize 14 would fit"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let read: Vec<&str> = stages.0.iter().map(|(stage, ..)| stage.as_str()).collect();
    assert_eq!(read, ["look at pictures"]);
    assert!(load(&room(2400, &images), &mut Silent).is_ok());
    // What is said to fit does, and one more does not.
    assert!(load(&room(2399, &fits), &mut Silent).is_ok());
    let mut stages = Stages::default();
    let error = load(&room(2399, &exceeds), &mut stages).unwrap_err().to_string();
    assert!(error.contains("--resize 14 would fit"), "{error}");
    assert!(load(&room(11, &images), &mut Silent).unwrap_err().to_string().contains("at no size"));
    // More than any dataset may take is refused whatever the device.
    let error = load_with(data.path(), &resized(60_000)).unwrap_err().to_string();
    assert!(error.contains("but a dataset takes 2,147,483,648"), "{error}");
}

#[test]
fn grey_pictures_are_known_to_take_a_third() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(10, 10).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let picture = bytes.into_inner();
    let data = four([&picture; 4]);
    for images in [ImagesConfig::default(), resized(10)] {
        let room = |bytes| Request { room: Some(bytes), ..request(data.path(), &images) };
        assert_eq!(load(&room(200), &mut Silent).unwrap().dataset.train.shape(), [1, 10, 10]);
        let error = load(&room(199), &mut Silent).unwrap_err().to_string();
        assert!(error.contains("--resize"), "{error}");
    }
}

#[test]
fn progress_is_shown_and_the_order_is_that_of_the_names() {
    let pictures: Vec<(String, Vec<u8>)> = (0..600)
        .map(|i| (format!("train/{}/{i:03}.png", ["a", "b"][i / 300]), png(1, 1, [(i % 251) as u8; 3])))
        .collect();
    let mut files: Vec<(&str, &[u8])> =
        pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let one = png(1, 1, [1; 3]);
    files.extend([("test/a/1.png", one.as_slice()), ("test/b/1.png", &one)]);
    let (data, images) = (directory(&files), ImagesConfig::default());
    let mut stages = Stages::default();
    let loaded = load(&request(data.path(), &images), &mut stages).unwrap();
    assert_eq!(loaded.dataset.train.pixels(), (0..600).map(|i| (i % 251) as u8).collect::<Vec<_>>());
    let steps = vec![256, 512, 602];
    let wanted = ["look at pictures", "read pictures"].map(|stage| (stage.to_owned(), 602, steps.clone()));
    assert_eq!(stages.0, wanted);
}
