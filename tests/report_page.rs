//! Hostile names through everything that a run writes and prints, and pages in a browser: without errors, each plot with its data,
//! with sorting, sliders and newer data.

mod common;

use cellwright::report::page::document::Section;
use cellwright::report::page::{Document, html, live_html};
use cellwright::run::trace::Trace;
use common::process::{call, chromium, search, search_few};
use std::path::Path;
use std::process::Command;

/// Names of classes: what ends elements, comments and attributes, steers a terminal, or means something in Markdown.
const CLASSES: [&str; 3] = ["a\u{1b}[31m<!--<img src=x onerror=alert(1)>", "b\"'&|`\u{2028}\u{9b}2J", "c\n# d\r\u{8}"];

/// Pictures of these classes.
fn pictures(place: &Path) {
    for (class, name) in CLASSES.into_iter().enumerate() {
        for (part, count) in [("train", 20), ("test", 4)] {
            let folder = place.join(part).join(name);
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..count {
                let pixel = image::Rgb([(80 * class + i) as u8, 9, 200]);
                image::RgbImage::from_pixel(8, 8, pixel).save(folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
}

/// Requires that nothing in a text steers a terminal.
fn harmless(what: &str, text: &str) {
    let found = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
    assert_eq!(found, None, "{what}: {text:?}");
}

#[cfg(unix)]
#[test]
fn hostile_names_stay_text_in_all_that_is_written_and_printed() {
    let place = tempfile::tempdir().unwrap();
    let (data, run) = (place.path().join("data\u{1b}[2J<b>"), place.path().join("run\u{1b}]0;x\u{7}<script>alert(1)"));
    pictures(&data);
    let data = ["--data", "folder", "--data-dir", data.to_str().unwrap()];
    let small = ["--space=nas-bench-201", "--set=search.batch=8", "--set=train.batch=8", "--set=baseline=false"];
    let found = search(&run, "cpu", &[&data[..], &small].concat());
    assert_eq!(found.status, 0, "{}", found.err);
    harmless("search, standard output", &found.out);
    harmless("search, standard error", &found.err);

    let out = run.to_str().unwrap();
    let page = place.path().join("page.html");
    let evaluation = place.path().join("evaluation");
    let calls: &[&[&str]] = &[
        &["report", out, "--html", page.to_str().unwrap()],
        &["report", out],
        &["report", "--checklist", out],
        &["evaluate", out, "--device", "cpu", "--out", evaluation.to_str().unwrap()],
        &["search", "--resume", out],
        &["show", "--architecture", out],
        &["show", "--architecture", "no\u{1b}[31m such"],
        &["report", "no\u{1b}[31m such"],
    ];
    for arguments in calls {
        let got = call(arguments);
        harmless(&format!("{arguments:?}, standard output"), &got.out);
        harmless(&format!("{arguments:?}, standard error"), &got.err);
    }

    let (mut pictures, mut pages) = (0, 0);
    let files = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).chain([page]);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => {
                let text = std::fs::read_to_string(&file).unwrap();
                harmless(&name, &text);
                let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                let tags: Vec<&str> = document.descendants().map(|node| node.tag_name().name()).collect();
                assert!(
                    !tags.iter().any(|tag| ["script", "img", "image", "a", "foreignObject"].contains(tag)),
                    "{name}"
                );
                pictures += 1;
            }
            Some("html") => {
                let text = std::fs::read_to_string(&file).unwrap();
                harmless(&name, &text);
                assert_eq!((text.matches("<script").count(), text.matches("</script").count()), (2, 2), "{name}");
                assert!(!text.contains("<img") && !text.contains("<!--") && !text.contains('\u{2028}'), "{name}");
                pages += 1;
            }
            Some("md") => {
                let text = std::fs::read_to_string(&file).unwrap();
                harmless(&name, &text);
                // What is between fences is code, and taken for nothing else.
                let words: String = text.split("```").step_by(2).collect();
                assert!(!words.replace("\\<", "").contains('<'), "{name}: {words}");
                assert!(!text.contains("\n# d"), "{name}: a heading out of a name: {text}");
            }
            _ => {}
        }
    }
    assert!(pictures >= 4 && pages == 2, "{pictures} pictures, {pages} pages");
}

/// The page's elements after its script, and what the browser had to say of it.
fn seen(browser: &Path, page: &Path, width: u32) -> (String, String) {
    let own = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=8000",
        ])
        .args([format!("--window-size={width},900"), format!("--user-data-dir={}", own.path().display())])
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

/// Acts as a reader does, then gives the page newer data, and writes down what came of it.
const READER: &str = include_str!("report_page/reader.js");

#[test]
fn pages_work_in_a_browser() {
    let Some(browser) = chromium() else {
        cellwright::device::skipped("pages in a browser: there is no Chromium");
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let searches: [(&str, &[&str]); 3] = [
        ("darts", &["--space=nas-bench-201", "--strategy=darts", "--set=search.epochs=3"]),
        ("enas", &["--space=nas-bench-201", "--strategy=enas"]),
        ("study", &["--space=chain", "--strategy=random", "--trials=14", "--objective=accuracy,parameters"]),
    ];
    // The same search again has the same page, but for what took time.
    let again = place.path().join("again/darts");
    std::fs::create_dir(place.path().join("again")).unwrap();
    assert_eq!(search_few(&again, "cpu", searches[0].1).status, 0);
    let again = Document::of(&[Trace::read(&again).unwrap()]);
    for (name, options) in searches {
        let run = place.path().join(name);
        let found = search_few(&run, "cpu", options);
        assert_eq!(found.status, 0, "{}", found.err);
        let document = Document::of(&[Trace::read(&run).unwrap()]);
        assert_eq!(std::fs::read_to_string(run.join("report.html")).unwrap(), html(&document), "{name}");
        if name == "darts" {
            let lasting = |document: &Document| -> Vec<Section> {
                // Seconds, and where the data lie.
                let others = ["summary", "costs", "again"];
                document.sections.iter().filter(|section| !others.contains(&section.id)).cloned().collect()
            };
            assert_eq!((&document.title, lasting(&document)), (&again.title, lasting(&again)));
        }
        for width in [390, 1280] {
            let page = place.path().join(format!("{name}-{width}.html"));
            std::fs::write(&page, live_html(&document, READER).text).unwrap();
            let (dom, said) = seen(&browser, &page, width);
            let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
            assert!(complaints.is_empty(), "{name}: {complaints:#?}");
            let told = dom
                .split_once("data-told=\"")
                .unwrap_or_else(|| panic!("{name}: the page did not come to its end: {said}"))
                .1;
            let told = told
                .split_once('"')
                .unwrap()
                .0
                .replace("&quot;", "\"")
                .replace("&nbsp;", "\u{a0}")
                .replace("&amp;", "&");
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
            let numbers = |key: &str| -> Vec<f64> {
                text(key).split(',').map(|cell| cell.trim_end_matches('%').trim().parse().unwrap()).collect()
            };
            assert!(
                numbers("descending").is_sorted_by(|a, b| a >= b) && numbers("ascending").is_sorted(),
                "{name}: {told}"
            );
            assert!(text("sorted").starts_with("test accuracy") && text("focus") == "column 1", "{name}: {told}");
            assert!(text("read").contains(' ') && text("theme") == "light", "{name}: {told}");
            assert_eq!(text("newer"), "newer; 0.10\u{a0}%; column 0; 0", "{name}: {told}");
            assert_eq!(
                (text("empty").as_str(), &told["nan"], &told["wide"]),
                ("", &false.into(), &false.into()),
                "{name}: {told}"
            );
            match name {
                "darts" => {
                    assert_eq!(
                        (text("last").as_str(), text("stepped").as_str(), text("others").as_str()),
                        ("2", "epoch 1", "0"),
                        "{told}"
                    );
                    assert!(told["plots"].as_u64() >= Some(10), "{told}");
                }
                "enas" => assert!(dom.contains("id=\"reward\"") && dom.contains("id=\"controller-entropy\""), "{told}"),
                _ => assert_eq!(told["chosen"], 1, "{told}"),
            }
        }
    }
}
