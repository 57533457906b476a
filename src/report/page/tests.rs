//! Pages of runs that are written here, of hostile names among them, and the style sheet's contrast.

use super::document::{Block, Cell, Plot, Table};
use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a name may hold: ends of elements, comments, attributes, terminal controls, a line separator, and what means something in
/// Markdown and CSV.
const HOSTILE: &str = "</script><!--<img src=x onerror=alert(1)>\"'&\u{2028}\u{1b}[31m\u{9b}2J\u{7f}|`";

fn write(place: &Path, name: &str, text: &str) {
    fs::create_dir_all(place).unwrap();
    fs::write(place.join(name), text).unwrap();
}

/// A search by architecture weights with three epochs, whose names are as given.
fn searched(place: &Path, name: &str, seed: u64, accuracy: f64) {
    let quoted = serde_json::to_string(name).unwrap();
    let config = format!(
        "format = 2\nseed = {seed}\n# {}\n[space]\nname = \"nas-bench-201\"\n[search]\nstrategy = \"darts\"\n",
        name.replace(char::is_control, " ")
    );
    write(place, "config.toml", &config);
    let mut metrics = String::new();
    for step in 1..=900 {
        metrics +=
            &format!("{{\"kind\":\"search step\",\"step\":{step},\"train_loss\":{},\"valid_loss\":null}}\n", step % 7);
    }
    for epoch in 0..3 {
        let row = "[0.1,0.5,0.2,0.1,0.1]";
        let rows = [row; 6].join(",");
        metrics += &format!(
            "{{\"kind\":\"search epoch\",\"epoch\":{epoch},\"train_loss\":1.5,\"train_accuracy\":0.5,\"supernet_accuracy\":0.5,\
             \"derived_accuracy\":0.25,\"skips\":1,\"entropy\":0.75,\"gap\":0.25,\"collapse\":{quoted},\
             \"answers\":[1,1,1,1,1,{epoch}],\"weights\":{{{quoted}:[{rows}],\"alphas\":[{rows}]}}}}\n"
        );
    }
    metrics += &format!(
        "{{\"kind\":\"train epoch\",\"network\":{quoted},\"epoch\":0,\"train_loss\":1.0,\"train_accuracy\":0.5}}\n\
         {{\"kind\":\"test\",\"network\":{quoted},\"test_accuracy\":0.5}}\n"
    );
    write(place, "metrics.jsonl", &metrics);
    write(
        place,
        "timing.jsonl",
        &format!("{{\"phase\":{quoted},\"began\":{quoted},\"phase_seconds\":1.5,\"ended_by\":{quoted}}}\n"),
    );
    let mut classes = csv::Writer::from_writer(Vec::new());
    classes.write_record(["class", "images", "right", "recall", "precision"]).unwrap();
    classes.write_record([name, "4", "3", "0.75", "1"]).unwrap();
    classes.write_record(["b", "4", "4", "1", "1"]).unwrap();
    write(place, "classes.csv", &String::from_utf8(classes.into_inner().unwrap()).unwrap());
    let mut confusion = csv::Writer::from_writer(Vec::new());
    confusion.write_record(["class", "taken for", "images"]).unwrap();
    confusion.write_record([name, name, "3"]).unwrap();
    confusion.write_record([name, "b", "1"]).unwrap();
    confusion.write_record(["b", "b", "4"]).unwrap();
    write(place, "confusion.csv", &String::from_utf8(confusion.into_inner().unwrap()).unwrap());
    let network = |of: &str, accuracy: f64| {
        format!(
            "{{\"name\":{of},\"genotype\":{quoted},\"parameters\":5,\"multiply_adds\":6,\"test_accuracy\":{accuracy},\"train_seconds\":1}}"
        )
    };
    let networks = [network("\"searched\"", accuracy), network("\"random 1\"", 0.5), network(&quoted, 0.25)].join(",");
    let summary = format!(
        "{{\"format\":2,\"space\":{quoted},\"strategy\":{quoted},\"data\":{quoted},\"data_source\":{quoted},\"device\":{quoted},\
         \"seed\":{seed},\"genotype\":{quoted},\"parameters\":5,\"multiply_adds\":6,\"test_accuracy\":{accuracy},\
         \"random_accuracies\":[0.5],\"baseline_accuracy\":null,\"search_seconds\":1,\"train_seconds\":1,\"total_seconds\":2,\
         \"supernet_parameters\":9,\"warnings\":[{quoted}],\"networks\":[{networks}]}}"
    );
    write(place, "summary.json", &summary);
}

/// A study of `count` trials that is not over, and of which the last failed.
fn study(place: &Path, count: usize, reason: &str) {
    write(
        place,
        "config.toml",
        "format = 2\nseed = 0\n[space]\nname = \"nas-bench-201\"\n[search]\nstrategy = \"random\"\nobjectives = [\"accuracy\", \"parameters\"]\n",
    );
    let mut log = String::new();
    for trial in 0..count {
        let answers = [trial % 5, trial / 5 % 5, trial / 25 % 5, trial / 125 % 5, 0, 0];
        log += &format!("{{\"trial\":{trial},\"state\":\"began\",\"architecture\":\"a\",\"answers\":{answers:?}}}\n");
        let accuracy = 0.5 + 0.08 * answers[0] as f64 + 0.001 * answers[1] as f64;
        log += &match trial + 1 == count {
            true => format!(
                "{{\"trial\":{trial},\"state\":\"failed\",\"reason\":{}}}\n",
                serde_json::to_string(reason).unwrap()
            ),
            false => format!(
                "{{\"trial\":{trial},\"state\":\"finished\",\"objectives\":{{\"accuracy\":{accuracy},\"parameters\":{}}},\"best\":false}}\n",
                1000 + 100 * answers[1]
            ),
        };
    }
    write(place, "trials.jsonl", &log);
}

fn document_of(places: &[&Path]) -> Document {
    let traces: Vec<Trace> = places.iter().map(|place| Trace::read(place).unwrap()).collect();
    Document::of(&traces)
}

/// The identifiers of tables and figures.
fn identifiers(document: &Document) -> Vec<&str> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Table(table) => Some(table.id.as_str()),
            Block::Figure(figure) => Some(figure.id.as_str()),
            _ => None,
        })
        .collect()
}

fn plot<'a>(document: &'a Document, id: &str) -> &'a Plot {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    let mut figures = blocks.filter_map(|block| if let Block::Figure(figure) = block { Some(figure) } else { None });
    &figures.find(|figure| figure.id == id).unwrap_or_else(|| panic!("{id}: {:?}", identifiers(document))).plot
}

fn table<'a>(document: &'a Document, id: &str) -> &'a Table {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    let mut tables = blocks.filter_map(|block| if let Block::Table(table) = block { Some(table) } else { None });
    tables.find(|table| table.id == id).unwrap_or_else(|| panic!("{id}: {:?}", identifiers(document)))
}

#[test]
fn a_search_is_shown_from_its_losses_to_its_configuration() {
    let place = tempfile::tempdir().unwrap();
    searched(place.path(), "a", 0, 0.875);
    let document = document_of(&[place.path()]);
    let found = identifiers(&document);
    for id in [
        "accuracies",
        "networks",
        "search-loss",
        "search-accuracy",
        "weights-alphas",
        "cells",
        "gap",
        "entropy",
        "skips",
    ] {
        assert!(found.contains(&id), "{id}: {found:?}");
    }
    for id in ["training-loss", "confusion", "confusions", "phases"] {
        assert!(found.contains(&id), "{id}: {found:?}");
    }
    let Plot::Lines { series, .. } = plot(&document, "search-loss") else { panic!() };
    assert_eq!((series.len(), series[0].y.len(), series[0].high[0].0), (1, 300, 3.0), "thinned; α steps have no loss");
    let Plot::Heat { steps, rows, columns, values, chosen } = plot(&document, "weights-alphas") else { panic!() };
    assert_eq!((steps.len(), rows.len(), columns.len(), values[2][1]), (3, 6, 5, 500));
    assert_eq!((rows[0].as_str(), rows[5].as_str()), ("input → node 0", "node 1 → node 2"));
    assert_eq!(columns[1], "skip_connect");
    assert_eq!((chosen[0][5], chosen[1][5], chosen[2][5]), (Some(0), Some(1), Some(2)));
    let Plot::Cells { shown, changed, drawings, .. } = plot(&document, "cells") else { panic!() };
    assert_eq!((&shown[..], &changed[..], drawings.len()), (&[0, 1, 2][..], &[0, 1, 1][..], 3));
    let page = html(&document);
    assert!(page.contains("right on 87.50\u{a0}% of 8 test images (95 %: 52.91 to 97.76 %)"), "{page}");
    assert!(page.contains("<code>cellwright search config.toml</code>"));
    assert_eq!(page, html(&document_of(&[place.path()])), "the same run, the same bytes");
}

#[test]
fn a_run_that_is_not_over_is_shown_as_far_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    searched(place.path(), "a", 0, 0.875);
    fs::remove_file(place.path().join("summary.json")).unwrap();
    let metrics = fs::read_to_string(place.path().join("metrics.jsonl")).unwrap();
    fs::write(place.path().join("metrics.jsonl"), &metrics[..metrics.len() - 20]).unwrap();
    let document = document_of(&[place.path()]);
    assert!(document.subtitle.contains("stopped in the phase a"), "{}", document.subtitle);
    let page = html(&document);
    assert!(page.contains("By now: 900 steps, 3 epochs of search, 1 network."), "{page}");
    write(place.path(), "failed.json", "{\"reason\": \"a loss is not finite\"}");
    assert!(html(&document_of(&[place.path()])).contains("The run failed: a loss is not finite"));
}

#[test]
fn trials_have_a_front_and_their_decisions_an_importance() {
    let place = tempfile::tempdir().unwrap();
    study(place.path(), 626, "too large");
    let document = document_of(&[place.path()]);
    let Plot::Bars { rows, .. } = plot(&document, "importance") else { panic!() };
    assert!(rows[0].1.0 > 0.95 && rows[1].1.0 < 0.05, "{rows:?}");
    let table = table(&document, "trials-table");
    assert!(table.rows.len() == 626 && table.rows.iter().all(|row| row.len() == table.columns.len()));
    // The best in accuracy has 0.824 with 1,400 parameters; with fewer parameters it is less: a point for each number of them.
    let marked: Vec<f64> = table
        .marked
        .iter()
        .map(|row| match table.rows[*row][2] {
            Cell::Number(number) => number.0,
            Cell::Text(_) => panic!(),
        })
        .collect();
    assert_eq!(marked.len() % 5, 0);
    assert!(marked.iter().all(|accuracy| *accuracy > 0.8), "{marked:?}");
    let page = html(&document);
    assert!(page.contains("626 trials: 625 measured, 1 failed.") && page.contains("And 526 more rows."));
}

#[test]
fn trials_have_seconds_where_they_are_known() {
    let place = tempfile::tempdir().unwrap();
    study(place.path(), 20, "too large");
    let columns = |document: &Document| -> Vec<String> {
        table(document, "trials-table").columns.iter().map(|column| column.name.clone()).collect()
    };
    let before = document_of(&[place.path()]);
    assert!(!columns(&before).contains(&"seconds".to_owned()) && !html(&before).contains("Its trials took"));
    // Trial 2 was carried out twice, and trial 20 is of a life of the run that is gone: nobody began it since.
    let took = |trial: usize, seconds: f64| format!("{{\"trial\":{trial},\"trial_seconds\":{seconds}}}\n");
    let times: String = (0..20).map(|trial| took(trial, 2.0)).collect();
    let resumed = "{\"resumed\":\"2026-01-01T00:00:00Z\",\"phase\":\"search\"}\n";
    write(place.path(), "timing.jsonl", &(times + &took(20, 99.0) + resumed + &took(2, 21.0)));
    let after = document_of(&[place.path()]);
    let at = columns(&after).iter().position(|name| name == "seconds").unwrap();
    let trials = table(&after, "trials-table");
    assert_eq!(
        (trials.rows.len(), &trials.rows[1][at], &trials.rows[2][at]),
        (20, &Cell::number(Some(2.0)), &Cell::number(Some(21.0)))
    );
    let page = html(&after);
    // 19 × 2 and 21; the last failed: 18 × 2 and 21 of 19 that were measured.
    let words = "Its trials took 59.0\u{a0}s, added up; those that were measured 3.0\u{a0}s on average, the longest, trial 3, 21.0\u{a0}s.";
    assert!(page.contains(words), "{page}");
    let Plot::Parallel { axes, .. } = plot(&after, "trials-parallel") else { panic!() };
    assert!(axes.contains(&at), "{axes:?}");
    let phases = identifiers(&after).contains(&"phases");
    assert!(!phases && page.contains("stopped and gone on with once"), "trials are no phases");
}

#[test]
fn several_runs_are_held_side_by_side() {
    let place = tempfile::tempdir().unwrap();
    let runs: Vec<_> = (0..4).map(|seed| place.path().join(format!("seed-{seed}"))).collect();
    for (seed, run) in runs.iter().enumerate() {
        searched(run, "a", seed as u64, 0.875 + 0.01 * seed as f64);
    }
    let document = document_of(&runs.iter().map(|run| run.as_path()).collect::<Vec<_>>());
    assert_eq!((document.title.as_str(), document.subtitle.as_str()), ("darts in nas-bench-201 on digits", "4 runs"));
    let Plot::Dots { rows, .. } = plot(&document, "samples-drawn") else { panic!() };
    assert_eq!((rows.len(), rows[0].values.len(), rows[1].yardstick), (2, 4, true));
    assert!((rows[0].mean.0 - 0.89).abs() < 1e-9 && (rows[0].deviation.0 - 0.0129).abs() < 1e-4, "{rows:?}");
    // Four above four alike: p = 2/70, twice the share of divisions so far out.
    let page = html(&document);
    assert!(page.contains("darts in nas-bench-201 on digits is better than random beside it (p = 0.029)"), "{page}");
    let Plot::Lines { series, .. } = plot(&document, "searches-gap") else { panic!() };
    assert_eq!(
        series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(),
        ["seed-0", "seed-1", "seed-2", "seed-3"]
    );
}

#[test]
fn hostile_names_stay_text() {
    let place = tempfile::tempdir().unwrap();
    let (run, other, trials) = (place.path().join("<b>&run"), place.path().join("other"), place.path().join("trials"));
    searched(&run, HOSTILE, 0, 0.875);
    searched(&other, HOSTILE, 1, 0.75);
    study(&trials, 30, HOSTILE);
    for places in [&[run.as_path()][..], &[other.as_path()], &[trials.as_path()], &[&run, &other, &trials]] {
        let document = document_of(places);
        let page = html(&document);
        // Two scripts, the data and what draws it; neither ended by what the data hold.
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
        assert!(
            !page.contains("<img") && !page.contains("<!--") && !page.contains("<b>") && !page.contains('\u{2028}')
        );
        assert!(page.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "control characters");
        // The data come back as they were.
        let (_, rest) = page.split_once("id=\"document\">").unwrap();
        let data: serde_json::Value = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(data["title"], document.title.as_str());
        assert!(data.to_string().contains("onerror") || places.len() == 1 && places[0] == trials);
    }
}

#[test]
fn a_page_reaches_for_nothing_and_a_live_one_only_for_its_own() {
    let place = tempfile::tempdir().unwrap();
    searched(place.path(), "a", 0, 0.875);
    let document = document_of(&[place.path()]);
    let (page, live) = (html(&document), live_html(&document, "cellwright.render(cellwright.document());").text);
    assert!(page.contains("content=\"default-src 'none'; script-src 'nonce-") && !page.contains("connect-src"));
    assert!(
        live.contains("connect-src 'self'") && live.contains("cellwright.render(cellwright.document());</script>")
            || live.contains("cellwright.render(cellwright.document());\n</script>")
    );
    for foreign in [
        "src=",
        "@import",
        "url(",
        " onclick",
        "javascript:",
        "innerHTML",
        "eval(",
        "document.write",
        "setAttribute(\"style",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // The one address is the name of SVG's elements.
    assert_eq!(
        page.matches("http").count(),
        page.matches("http-equiv").count() + page.matches("http://www.w3.org/2000/svg").count()
    );
    assert_eq!(page.matches("http://www.w3.org/2000/svg").count(), 1);
    for landmark in
        ["<header>", "<nav aria-label", "<main id", "role=\"status\"", "<figcaption>", "scope=\"col\"", "lang=\"en\""]
    {
        assert!(page.contains(landmark), "{landmark}");
    }
}

/// The style sheet's colours by name, in light and in dark.
fn colors() -> BTreeMap<String, [[f64; 3]; 2]> {
    let channel = |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
    let color = |hex: &str| {
        let hex = hex.trim().trim_start_matches('#');
        assert_eq!(hex.len(), 6, "{hex}");
        [0, 2, 4].map(|at| channel(hex, at))
    };
    let lines = include_str!("page.css").lines().filter_map(|line| line.trim().strip_prefix("--"));
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once(": light-dark(")?;
            let (light, dark) = rest.strip_suffix(");")?.split_once(',')?;
            Some((name.to_owned(), [color(light), color(dark)]))
        })
        .collect()
}

/// The contrast of two colours (WCAG 2.2).
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |color: [f64; 3]| {
        let linear = color.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let [dark, light] = if luminance(a) < luminance(b) { [a, b] } else { [b, a] }.map(luminance);
    (light + 0.05) / (dark + 0.05)
}

#[test]
fn text_and_lines_stand_out_in_light_and_in_dark() {
    let colors = colors();
    assert!(colors.len() > 40);
    let mut pairs: Vec<(String, String, f64)> = Vec::new();
    let mut pair = |text: &str, ground: &str, least: f64| pairs.push((text.to_owned(), ground.to_owned(), least));
    for text in ["ink", "muted", "link"] {
        ["paper", "panel"].iter().for_each(|ground| pair(text, ground, 4.5));
    }
    ["mark", "heat-0", "heat-1", "miss-1"].iter().for_each(|ground| pair("ink", ground, 4.5));
    pair("warn-ink", "warn-paper", 4.5);
    for tone in ["plain", "convolution", "separable", "dilated", "pooling", "skip", "none", "linear", "choice"] {
        pair(&format!("{tone}-text"), &format!("{tone}-fill"), 4.5);
    }
    (1..=8).for_each(|series| pair(&format!("s{series}"), "paper", 3.0));
    for (text, ground, least) in pairs {
        for (scheme, name) in ["light", "dark"].iter().enumerate() {
            let found = contrast(colors[&text][scheme], colors[&ground][scheme]);
            assert!(found >= least, "{text} on {ground} in {name}: {found:.2}");
        }
    }
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
}
