//! Several runs on one page: side by side, of a directory of seeds, of a suite; over sockets, and in a browser with its keyboard.

use super::browser::Browser;
use super::{Watch, write_run};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// A run by gradients with so many epochs, of a seed.
fn write_epochs(path: &Path, seed: u64, epochs: usize) {
    std::fs::create_dir_all(path).unwrap();
    let config = format!(
        "format = 2\nseed = {seed}\n[search]\nstrategy = \"darts\"\n[space]\nname = \"nas-bench-201\"\n[data]\nname = \"digits\"\n"
    );
    std::fs::write(path.join("config.toml"), config).unwrap();
    std::fs::write(path.join("metrics.jsonl"), (0..epochs).map(epoch).collect::<String>()).unwrap();
}

fn epoch(number: usize) -> String {
    format!(
        "{{\"kind\":\"search epoch\",\"epoch\":{number},\"train_loss\":1.5,\"train_accuracy\":0.5,\"supernet_accuracy\":0.5,\
         \"derived_accuracy\":0.25,\"skips\":1,\"entropy\":0.75,\"gap\":0.25}}\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(path.join("metrics.jsonl")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A network as `summary.json` has it.
fn network(name: &str, accuracy: f64) -> String {
    format!(
        "{{\"name\":\"{name}\",\"genotype\":null,\"parameters\":5,\"multiply_adds\":6,\"test_accuracy\":{accuracy},\"train_seconds\":2}}"
    )
}

/// What a search came to.
fn finish(path: &Path, seed: u64, accuracy: f64) {
    let summary = format!(
        "{{\"format\":2,\"space\":\"nas-bench-201\",\"strategy\":\"darts\",\"data\":\"digits\",\"device\":\"CPU\",\"seed\":{seed},\
         \"genotype\":\"g\",\"parameters\":5,\"multiply_adds\":6,\"test_accuracy\":{accuracy},\"random_accuracies\":[],\
         \"baseline_accuracy\":null,\"search_seconds\":1,\"train_seconds\":2,\"total_seconds\":3,\"supernet_parameters\":9,\
         \"warnings\":[],\"networks\":[{}]}}",
        network("searched", accuracy)
    );
    std::fs::write(path.join("summary.json"), summary).unwrap();
}

/// A suite of one strategy, of which one search is under way and random architectures are trained.
fn write_suite(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    let plan = "format = 1\nstrategies = [\"darts\"]\nspaces = [\"nas-bench-201\"]\nseeds = 2\nscale = \"small\"\ndata = \"digits\"\n\
                device = \"cpu\"\nset = []\n";
    std::fs::write(path.join("suite.toml"), plan).unwrap();
    write_epochs(&path.join("nas-bench-201/darts/seed-0"), 0, 3);
    let random = path.join("nas-bench-201/random/seed-0");
    write_epochs(&random, 0, 0);
    std::fs::write(
        random.join("config.toml"),
        "format = 2\nseed = 0\nrandom = 2\nspace = \"nas-bench-201\"\ndata = \"digits\"\n",
    )
    .unwrap();
    let networks = [network("random 1", 0.5), network("random 2", 0.625)].join(",");
    let summary = format!(
        "{{\"format\":2,\"space\":\"nas-bench-201\",\"data\":\"digits\",\"data_source\":\"some\",\"device\":\"CPU\",\"seed\":0,\
         \"total_seconds\":4,\"networks\":[{networks}]}}"
    );
    std::fs::write(random.join("summary.json"), summary).unwrap();
}

/// A block of a document.
fn block<'a>(document: &'a Value, id: &str) -> &'a Value {
    let mut blocks = document["sections"].as_array().unwrap().iter().flat_map(|s| s["blocks"].as_array().unwrap());
    blocks.find(|block| block["id"] == id).unwrap_or_else(|| panic!("{id}: {document}"))
}

/// The points of the curves of several searches, run by run.
fn points(document: &Value) -> Vec<usize> {
    let series = block(document, "searches-gap")["series"].as_array().unwrap();
    series.iter().map(|series| series["x"].as_array().unwrap().len()).collect()
}

/// The document of an address, once it is as it is to be.
fn document_when(watch: &Watch, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let document = watch.document(path);
        if is(&document) {
            return document;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{path}: {document}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Where a link leads to from a page below the token.
fn follow(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => _ = parts.pop().expect("it leads above the list"),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn runs_are_side_by_side_as_they_go() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path();
    write_epochs(&runs.join("a"), 0, 2);
    write_epochs(&runs.join("s/seed-0"), 0, 3);
    write_epochs(&runs.join("s/seed-1"), 1, 4);
    let watch = Watch::begin(runs);
    let path = "compare/a,s/seed-1";
    let document = watch.document(&format!("document/{path}"));
    assert_eq!((points(&document), document["subtitle"].as_str()), (vec![2, 4], Some("2 stopped")));
    let table = block(&document, "runs-table");
    let names: Vec<&str> = table["rows"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "seed-1"]);
    for link in table["links"].as_array().unwrap() {
        let run = follow(path, link.as_str().unwrap());
        assert!(run.starts_with("run/") && watch.get(&run).status == 200, "{run}");
    }
    assert!(watch.get(path).body.contains("\"searches-gap\""));

    // It is sent where something has come, and no other time.
    let address = format!("/{}/document/{path}", watch.token);
    let tag = watch.get_with(&address, &[]).header("etag").unwrap().to_owned();
    assert_eq!(watch.get_with(&address, &[("If-None-Match", &tag)]).status, 304);
    append(&runs.join("a"), &epoch(2));
    finish(&runs.join("s/seed-1"), 1, 0.75);
    let grown = document_when(&watch, &format!("document/{path}"), |document| points(document) == [3, 4]);
    assert_eq!(grown["subtitle"], "1 stopped · 1 finished");
    assert_eq!(watch.get_with(&address, &[("If-None-Match", &tag)]).status, 200);

    // A directory of seeds is a page by itself, and lies in the list as such.
    let list = watch.document("document");
    let directories = block(&list, "directories-table");
    assert_eq!(directories["links"], serde_json::json!(["directory/s"]));
    assert_eq!(directories["rows"][0], serde_json::json!(["s", "several runs", 2, 0, 1]));
    let seeds = watch.document("document/directory/s");
    assert_eq!((points(&seeds), seeds["subtitle"].as_str()), (vec![3, 4], Some("s · 1 stopped · 1 finished")));
    // The same runs on another page have other links.
    let chosen = block(&watch.document("document/compare/s/seed-0,s/seed-1"), "runs-table")["links"].clone();
    assert_eq!(follow("compare/s/seed-0,s/seed-1", chosen[0].as_str().unwrap()), "run/s/seed-0");
    write_epochs(&runs.join("s/seed-2"), 2, 1);
    document_when(&watch, "document/directory/s", |document| points(document) == [3, 4, 1]);

    // What is not there is said; too many are refused, and strangers as everywhere.
    let answer = watch.get("compare/a,nowhere%0A%1B%5B31m");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("No run") && answer.body.contains("nowhere"), "{answer:?}");
    assert!(!answer.body.contains('\u{1b}') && answer.body.lines().count() == 2, "{answer:?}");
    assert_eq!((watch.get("directory/a").status, watch.get("directory").status), (404, 404));
    let many = vec!["a"; 65].iter().enumerate().map(|(n, name)| format!("{name}{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(watch.get(&format!("compare/{many}")).status, 400);
    assert_eq!(watch.get_with(&address, &[("Origin", "http://evil.example")]).status, 403);
    let evil = watch.request("GET", &address, &[("Host", "evil.example")]);
    assert_eq!(evil.status, 421);
    // A run that is gone takes the page with it.
    std::fs::remove_dir_all(runs.join("a")).unwrap();
    let begun = Instant::now();
    while watch.get(&format!("document/{path}")).status != 404 {
        watch.rows();
        assert!(begun.elapsed() < Duration::from_secs(20), "it stays");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_run_that_cannot_be_read_leaves_the_others() {
    let place = tempfile::tempdir().unwrap();
    write_epochs(&place.path().join("a"), 0, 2);
    write_run(&place.path().join("b"), 1);
    std::fs::write(place.path().join("b/metrics.jsonl"), "</script>nonsense\n").unwrap();
    let watch = Watch::begin(place.path());
    let document = watch.document("document/compare/a,b");
    assert_eq!(points(&document), [2]);
    let warning = &document["sections"][0]["blocks"][0];
    assert_eq!(warning["kind"], "warning");
    assert!(warning["text"].as_str().unwrap().starts_with("b cannot be read: metrics.jsonl: line 1"), "{warning}");
}

#[test]
fn more_runs_than_a_page_has_are_said_to_be_more() {
    let place = tempfile::tempdir().unwrap();
    (0..70).for_each(|seed| write_epochs(&place.path().join(format!("seed-{seed}")), seed, 1));
    let watch = Watch::begin(place.path());
    // The directory that is watched holds seeds alone: it has a page, too.
    let document = document_when(&watch, "document/directory", |document| {
        block(document, "runs-table")["rows"].as_array().unwrap().len() == 64
    });
    assert!(document["subtitle"].as_str().unwrap().contains("the first 64 of 70 runs · 64 stopped"), "{document}");
    let rows = block(&document, "runs-table")["rows"].as_array().unwrap();
    assert_eq!((&rows[10][0], &rows[63][0]), (&Value::from("seed-10"), &Value::from("seed-63")));
    let links = block(&document, "runs-table")["links"].as_array().unwrap();
    assert_eq!(follow("directory", links[5].as_str().unwrap()), "run/seed-5");
}

#[test]
fn a_suite_is_a_page_that_grows() {
    let place = tempfile::tempdir().unwrap();
    let suite = place.path().join("of <b>");
    write_suite(&suite);
    let watch = Watch::begin(place.path());
    let page = "directory/of%20%3Cb%3E";
    let document = watch.document(&format!("document/{page}"));
    assert_eq!(document["subtitle"], "of <b> · Suite · 1 of 4 runs done, 3 yet to be done");
    assert_eq!(document["title"], "1 strategy × 1 space × 2 seeds on digits");
    assert!(!watch.get(page).body.contains("<b>"));
    let runs = block(&document, "suite-runs");
    let states = |table: &Value| -> Vec<String> {
        table["rows"].as_array().unwrap().iter().map(|row| row[4].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(runs)[..2], ["done", "stopped: search, 3 of 12 epochs"], "{runs}");
    assert_eq!(states(runs)[2..], ["yet to be done", "yet to be done"]);
    let links: Vec<&str> = runs["links"].as_array().unwrap().iter().map(|link| link.as_str().unwrap()).collect();
    assert_eq!(watch.get(&follow(page, links[1])).status, 200);
    assert_eq!(links[2..], ["", ""], "there is nothing to lead to");
    finish(&suite.join("nas-bench-201/darts/seed-0"), 0, 0.75);
    let grown = document_when(&watch, &format!("document/{page}"), |document| {
        document["subtitle"].as_str().unwrap().contains("2 of 4 runs done")
    });
    let row = &block(&grown, "strategies-0")["rows"][0];
    assert_eq!((&row[0], &row[3]), (&Value::from("darts"), &Value::from(0.75)));
    // The directories within it are not listed beside it.
    write_epochs(&suite.join("nas-bench-201/darts/seed-1"), 1, 1);
    watch.wait_for("of <b>/nas-bench-201/darts/seed-1", |row| row[1] == "stopped");
    let list = watch.document("document");
    assert_eq!(block(&list, "directories-table")["links"], serde_json::json!([page]));

    // Nor are they taken for a plan of names that lead elsewhere.
    std::fs::write(suite.join("suite.toml"), "format = 1\nstrategies = [\"../..\"]\n").unwrap();
    let wrong = document_when(&watch, &format!("document/{page}"), |document| document["subtitle"] == "unreadable");
    assert!(wrong.to_string().contains("It cannot be read: suite.toml"), "{wrong}");
    // A suite that is watched itself.
    write_suite(&suite);
    let watch = Watch::begin(&suite);
    let list = watch.document("document");
    assert_eq!(block(&list, "directories-table")["links"], serde_json::json!(["directory"]));
    let page = watch.document("document/directory");
    let links = &block(&page, "suite-runs")["links"];
    assert_eq!(watch.get(&follow("directory", links[1].as_str().unwrap())).status, 200);
}

#[cfg(unix)]
#[test]
fn what_a_suite_links_to_elsewhere_is_not_read() {
    use std::os::unix::fs::symlink;
    let place = tempfile::tempdir().unwrap();
    let (runs, outside) = (place.path().join("runs"), place.path().join("outside"));
    write_suite(&runs.join("s"));
    write_epochs(&outside, 1, 1);
    std::fs::write(outside.join("summary.json"), "\"a secret\"").unwrap();
    std::fs::write(place.path().join("plan"), "a_secret = 1\n").unwrap();
    symlink(&outside, runs.join("s/nas-bench-201/darts/seed-1")).unwrap();
    std::fs::create_dir(runs.join("t")).unwrap();
    symlink(place.path().join("plan"), runs.join("t/suite.toml")).unwrap();
    let watch = Watch::begin(&runs);
    for (name, problem) in [("s", "nas-bench-201/darts/seed-1: is a link"), ("t", "suite.toml is no plain file")] {
        let document = watch.document(&format!("document/directory/{name}"));
        assert!(document.to_string().contains(problem) && !document.to_string().contains("secret"), "{document}");
    }
}

#[test]
fn runs_are_chosen_by_keyboard_and_their_page_is_live() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path();
    write_epochs(&runs.join("a"), 0, 2);
    write_epochs(&runs.join("<b>, c"), 1, 3);
    write_epochs(&runs.join("s/seed-0"), 2, 4);
    write_suite(&runs.join("suite"));
    let watch = Watch::begin(runs);
    watch.wait_for("s/seed-0", |row| row[1] == "stopped");
    let Some(mut browser) = Browser::open(&format!("http://127.0.0.1:{}/{}/", watch.port, watch.token)) else {
        cellwright::device::skipped("choosing runs in a browser: there is no Chromium");
        return;
    };
    let choice =
        |name: &str| format!("document.querySelector('#runs-table input[aria-label=\"side by side: {name}\"]')");
    browser.wait_for(&choice("a"));
    assert_eq!(browser.see("document.querySelector('#runs-table a.tool').hidden"), true);
    for name in ["a", "<b>, c"] {
        browser.see(&format!("{}.focus()", choice(name)));
        browser.press(" ");
    }
    // What comes meanwhile leaves what was chosen, and the focus.
    write_epochs(&runs.join("d"), 3, 1);
    browser.wait_for(&choice("d"));
    let chosen =
        "[...document.querySelectorAll('#runs-table input:checked')].map(box => box.ariaLabel).sort().join('; ')";
    assert_eq!(browser.see(chosen), "side by side: <b>, c; side by side: a");
    assert_eq!(browser.see("document.activeElement.ariaLabel"), "side by side: <b>, c");
    let link = "document.querySelector('#runs-table a.tool')";
    assert_eq!(browser.see(&format!("{link}.textContent")), "Open 2 side by side");
    browser.see(&format!("{link}.focus()"));
    browser.press("Enter");
    browser.wait_for("location.pathname.includes('/compare/') && document.querySelector('#searches-gap path.line')");
    let points = "cellwright.document().sections.flatMap(s => s.blocks).find(b => b.id === 'searches-gap').series.map(s => s.x.length).sort().join()";
    assert_eq!(browser.see(points), "2,3");
    browser.see("window.stays = 1; 0");
    append(&runs.join("a"), &(epoch(2) + &epoch(3)));
    browser.wait_for(&format!("{points} === '3,4'"));
    assert_eq!(browser.see("window.stays"), 1, "the page was loaded anew");
    // From there a run's own page, and back to all.
    let first = "document.querySelector('#runs-table tbody a')";
    browser.see(&format!("{first}.click()"));
    browser.wait_for("location.pathname.includes('/run/') && document.querySelector('.mark a')");
    browser.see("document.querySelector('.mark a').click()");
    browser.wait_for("document.querySelector('#directories-table tbody a')");
    browser.see(
        "[...document.querySelectorAll('#directories-table tbody a')].find(a => a.textContent === 'suite').click()",
    );
    browser
        .wait_for("location.pathname.endsWith('/directory/suite') && document.querySelector('#accuracies-0 .point')");
    browser.see("window.stays = 1; 0");
    finish(&runs.join("suite/nas-bench-201/darts/seed-0"), 0, 0.75);
    browser.wait_for("document.querySelector('#subtitle').textContent.includes('2 of 4 runs done')");
    browser.wait_for("document.querySelector('#costs-0 [data-points=\"2\"]')");
    assert_eq!(browser.see("window.stays"), 1, "the page was loaded anew");
    assert_eq!(browser.see("/NaN|undefined/.test(document.querySelector('main').innerHTML)"), false);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
