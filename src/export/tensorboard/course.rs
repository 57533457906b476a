//! What the lines of a run's logs are as points of TensorBoard's runs: one run for the search, one for each network that is trained, one
//! for each trial, so that curves of one kind lie in one plot.

use super::about::About;
use super::heat::heat_map;
use super::proto::{
    Content, Dim, HParams, HParamsPluginData, HistogramProto, Image, Kind, Parameter, PluginData, SessionEndInfo,
    SessionStartInfo, SummaryMetadata, TensorProto, TensorShapeProto, Value, status,
};
use crate::export::picture::Picture;
use crate::graph::Rows;
use crate::space::Decision;
use prost::Message as _;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Buckets of a histogram.
const BUCKETS: usize = 30;
/// The most names of rows or columns in words.
const MOST_NAMED: usize = 64;
/// The run of the search.
const SEARCH: &str = "search";

/// Values of one step of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// The run: a folder.
    pub run: String,
    pub step: i64,
    pub values: Vec<Value>,
    /// Whether it is the run's last.
    pub is_last: bool,
}

impl Point {
    pub fn new(run: impl Into<String>, step: i64, values: Vec<Value>) -> Self {
        Self { run: run.into(), step, values, is_last: false }
    }
}

/// How far the logs have been told.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The step of the search that was told last.
    step: i64,
    /// Trials that have ended.
    ended: i64,
    /// The epoch of each trial under way, or network, that was told last.
    epochs: BTreeMap<String, i64>,
    /// The answers of the architecture whose cells were drawn last, and the step of that.
    drawn: Option<(Vec<usize>, i64)>,
}

impl Course {
    /// What a line says, at `now` seconds since 1970.
    pub fn points(&mut self, line: &Json, about: &About, now: f64) -> Vec<Point> {
        match (line["kind"].as_str(), line["state"].as_str()) {
            (Some("train epoch"), _) => self.trained(format!("train {}", text(&line["network"])), line),
            (Some("test"), _) => {
                let run = format!("train {}", text(&line["network"]));
                let step = self.epochs.remove(&run).unwrap_or(0);
                let values = numbers("test", line, &[]);
                vec![Point { is_last: true, ..Point::new(run, step, values) }]
            }
            (Some(kind), _) => self.searched(kind, line, about),
            (None, Some(state)) => self.tried(state, line, &about.decisions, now),
            (None, None) => Vec::new(),
        }
    }

    /// Something of a search that is no study. What has no step of its own is of the step before.
    fn searched(&mut self, kind: &str, line: &Json, about: &About) -> Vec<Point> {
        self.step = line["step"].as_i64().unwrap_or(self.step);
        let mut values = numbers(&kind.replace(' ', "_"), line, &["step"]);
        for (name, table) in line["weights"].as_object().into_iter().flatten() {
            let rows: Vec<Vec<f64>> = table.as_array().into_iter().flatten().map(row).collect();
            let names = about.rows.iter().find(|rows| rows.table == *name);
            let words = describe(name, names);
            let found = histogram(&rows.concat()).map(|found| value(name, Content::Histogram(found)));
            values.extend(found.map(|found| described(found, words.clone())));
            let picture = heat_map(&rows, names).and_then(|picture| image(&picture));
            values.extend(
                picture.map(|picture| described(value(&format!("cells/{name}"), Content::Image(picture)), words)),
            );
        }
        let found: Option<Vec<usize>> = kind.ends_with(" epoch").then(|| answers(&line["answers"])).flatten();
        // Cells that are as they were are not drawn again.
        if let Some(answers) = found.filter(|answers| self.drawn.as_ref().is_none_or(|(drawn, _)| drawn != answers)) {
            values.extend(cells(about, &answers));
            self.drawn = Some((answers, self.step));
        }
        vec![Point::new(SEARCH, self.step, values)]
    }

    /// The cells at the end of the search, unless they were drawn of its last step.
    pub fn last_cells(&mut self, about: &About) -> Vec<Point> {
        let Some((answers, _)) = self.drawn.take_if(|(_, step)| *step < self.step) else { return Vec::new() };
        vec![Point::new(SEARCH, self.step, cells(about, &answers))]
    }

    fn trained(&mut self, run: String, line: &Json) -> Vec<Point> {
        let step = line["epoch"].as_i64().unwrap_or(0);
        self.epochs.insert(run.clone(), step);
        vec![Point::new(run, step, numbers("train", line, &["epoch", "trial"]))]
    }

    /// Something of a trial.
    fn tried(&mut self, state: &str, line: &Json, decisions: &[Decision], now: f64) -> Vec<Point> {
        let run = format!("trials/{:05}", line["trial"].as_u64().unwrap_or(0));
        let values = match state {
            "began" => vec![session(parameters_of_trial(line, decisions), now)],
            "epoch" => return self.trained(run, line),
            "finished" => {
                let objectives = || numbers("objective", &line["objectives"], &[]);
                self.ended += 1;
                let of_trial = [objectives(), vec![ended(status::SUCCESS, now)]].concat();
                let step = self.epochs.remove(&run).unwrap_or(0);
                let last = Point { is_last: true, ..Point::new(run, step, of_trial) };
                return vec![last, Point::new(SEARCH, self.ended, objectives())];
            }
            "failed" => {
                self.ended += 1;
                let step = self.epochs.remove(&run).unwrap_or(0);
                return vec![Point { is_last: true, ..Point::new(run, step, vec![ended(status::FAILURE, now)]) }];
            }
            _ => Vec::new(),
        };
        vec![Point::new(run, 0, values)]
    }
}

/// The numbers of a line, each by the group and its key.
pub(super) fn numbers(group: &str, line: &Json, but: &[&str]) -> Vec<Value> {
    let entries = line.as_object().into_iter().flatten();
    let known = entries.filter(|(key, _)| !but.contains(&key.as_str()));
    let number = |(key, found): (&String, &Json)| {
        found.as_f64().map(|number| value(&format!("{group}/{key}"), Content::Number(number as f32)))
    };
    known.filter_map(number).collect()
}

/// The first value of a session, by which the plugin `hparams` knows its hyper-parameters.
pub(super) fn session(hparams: BTreeMap<String, Parameter>, now: f64) -> Value {
    let start = SessionStartInfo { hparams, start_time_secs: now };
    hparams_value("_hparams_/session_start_info", HParams::Start(start))
}

/// The last value of a session.
pub(super) fn ended(status: i32, now: f64) -> Value {
    hparams_value("_hparams_/session_end_info", HParams::End(SessionEndInfo { status, end_time_secs: now }))
}

/// A value of JSON as one of a hyper-parameter: of arrays and tables their text.
pub(super) fn parameter(found: &Json) -> Parameter {
    Parameter {
        kind: Some(match found {
            Json::Bool(yes) => Kind::Bool(*yes),
            Json::Number(number) => Kind::Number(number.as_f64().unwrap_or(0.0)),
            Json::String(text) => Kind::Text(text.clone()),
            other => Kind::Text(other.to_string()),
        }),
    }
}

fn hparams_value(tag: &str, data: HParams) -> Value {
    let content = HParamsPluginData { data: Some(data) }.encode_to_vec();
    let plugin_data = Some(PluginData { plugin_name: "hparams".to_owned(), content });
    // The plugin reads the metadata alone, but a value it must be.
    let nothing = TensorProto {
        dtype: 1,
        tensor_shape: Some(TensorShapeProto { dim: vec![Dim { size: 1 }] }),
        float_val: vec![0.0],
    };
    Value {
        metadata: Some(SummaryMetadata { plugin_data, summary_description: String::new() }),
        ..value(tag, Content::Tensor(nothing))
    }
}

/// What was decided for a trial, by name.
fn parameters_of_trial(line: &Json, decisions: &[Decision]) -> BTreeMap<String, Parameter> {
    let answers = line["answers"].as_array().into_iter().flatten().filter_map(Json::as_u64);
    let chosen = decisions.iter().zip(answers).filter_map(|(decision, answer)| {
        let option = decision.options.get(usize::try_from(answer).ok()?)?;
        Some((decision.name.clone(), parameter(&Json::from(option.as_str()))))
    });
    let beside = line["settings"].as_object().into_iter().flatten().map(|(key, found)| (key.clone(), parameter(found)));
    let epochs = line.get("epochs").map(|epochs| ("epochs".to_owned(), parameter(epochs)));
    chosen.chain(beside).chain(epochs).collect()
}

fn value(tag: &str, content: Content) -> Value {
    Value { tag: tag.to_owned(), content: Some(content), metadata: None }
}

fn described(value: Value, summary_description: String) -> Value {
    Value { metadata: Some(SummaryMetadata { plugin_data: None, summary_description }), ..value }
}

/// What rows and columns of a table are, in Markdown: names are code, which means nothing more there.
fn describe(table: &str, names: Option<&Rows>) -> String {
    let code = |name: &str| format!("`{}`", name.replace(|c: char| c == '`' || c.is_control(), " "));
    let list = |names: Vec<String>| {
        let rest = if names.len() > MOST_NAMED { ", …" } else { "" };
        names.iter().take(MOST_NAMED).map(|name| code(name)).collect::<Vec<_>>().join(", ") + rest
    };
    let known = names.map_or(String::new(), |names| {
        let rows = names.rows.iter().map(|row| row.decides.long()).collect();
        format!(" Decisions: {}. Options: {}.", list(rows), list(names.columns.clone()))
    });
    format!("{}: a row for each decision, a column for each option, the darker the heavier.{known}", code(table))
}

/// The cells of an architecture, a picture each.
fn cells(about: &About, answers: &[usize]) -> Vec<Value> {
    let picture =
        |(name, picture): (String, Picture)| Some(value(&format!("derived/{name}"), Content::Image(image(&picture)?)));
    about.cells.draw(answers).into_iter().filter_map(picture).collect()
}

fn image(picture: &Picture) -> Option<Image> {
    let [width, height] = picture.size().map(i32::try_from);
    Some(Image { height: height.ok()?, width: width.ok()?, colorspace: 3, encoded_image_string: picture.png()? })
}

/// The answers of an architecture, if they are that.
fn answers(found: &Json) -> Option<Vec<usize>> {
    found.as_array()?.iter().map(|answer| usize::try_from(answer.as_u64()?).ok()).collect()
}

fn text(found: &Json) -> &str {
    found.as_str().unwrap_or_default()
}

fn row(found: &Json) -> Vec<f64> {
    found.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
}

/// Buckets of equal width from the least to the greatest.
fn histogram(numbers: &[f64]) -> Option<HistogramProto> {
    let min = numbers.iter().copied().reduce(f64::min)?;
    let max = numbers.iter().copied().reduce(f64::max)?;
    let width = (max - min) / BUCKETS as f64;
    let mut bucket = vec![0.0; BUCKETS];
    for number in numbers {
        let at = if width > 0.0 { ((number - min) / width) as usize } else { 0 };
        bucket[at.min(BUCKETS - 1)] += 1.0;
    }
    Some(HistogramProto {
        min,
        max,
        num: numbers.len() as f64,
        sum: numbers.iter().sum(),
        sum_squares: numbers.iter().map(|number| number * number).sum(),
        bucket_limit: (1..=BUCKETS).map(|at| if at == BUCKETS { max } else { min + width * at as f64 }).collect(),
        bucket,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tensorboard::Cells;
    use crate::graph::{Decides, Row};
    use serde_json::json;

    #[test]
    fn a_histogram_counts_every_number_once() {
        let found = histogram(&[0.0, 0.1, 0.1, 1.0]).unwrap();
        assert_eq!((found.min, found.max, found.num, found.sum), (0.0, 1.0, 4.0, 1.2));
        assert_eq!((found.bucket[0], found.bucket[3], found.bucket[BUCKETS - 1]), (1.0, 2.0, 1.0));
        assert_eq!(histogram(&[0.25; 3]).unwrap().bucket[0], 3.0);
        assert!(histogram(&[]).is_none());
    }

    #[test]
    fn epochs_of_a_search_are_of_its_last_step_and_trials_are_told_twice() {
        let decisions = vec![Decision { name: "width".into(), options: vec!["narrow".into(), "wide".into()] }];
        let about = About { decisions, ..About::default() };
        let mut course = Course::default();
        let mut points = |line: Json| course.points(&line, &about, 7.0);
        points(json!({ "kind": "search step", "step": 11, "train_loss": 2.0 }));
        let epoch =
            points(json!({ "kind": "search epoch", "epoch": 0, "gap": null, "weights": { "a": [[0.5, 0.5]] } }));
        assert_eq!((epoch[0].run.as_str(), epoch[0].step), ("search", 11));
        let tags: Vec<&str> = epoch[0].values.iter().map(|value| value.tag.as_str()).collect();
        assert_eq!(tags[..2], ["search_epoch/epoch", "a"]);
        let began = points(json!({ "trial": 3, "state": "began", "answers": [1], "epochs": 2 }));
        let plugin = began[0].values[0].metadata.clone().unwrap().plugin_data.unwrap();
        let Some(HParams::Start(start)) = HParamsPluginData::decode(&*plugin.content).unwrap().data else { panic!() };
        assert_eq!(start.hparams["width"].kind, Some(Kind::Text("wide".into())));
        assert_eq!(start.hparams["epochs"].kind, Some(Kind::Number(2.0)));
        points(json!({ "trial": 3, "state": "epoch", "epoch": 1, "train_loss": 1.0 }));
        let ended = points(json!({ "trial": 3, "state": "finished", "objectives": { "accuracy": 0.5 } }));
        let told: Vec<(&str, i64, bool)> = ended.iter().map(|p| (p.run.as_str(), p.step, p.is_last)).collect();
        assert_eq!(told, [("trials/00003", 1, true), ("search", 1, false)]);
    }

    #[cfg(feature = "images")]
    #[test]
    fn cells_are_drawn_where_they_change_and_at_the_end() {
        let draw = |answers: &[usize]| {
            let picture = Picture::new(answers[0] + 1, 2);
            picture.map(|picture| ("cell".to_owned(), picture)).into_iter().collect()
        };
        let about = About { cells: Cells::new(draw), ..About::default() };
        let mut course = Course::default();
        let mut widths = Vec::new();
        let mut note = |points: Vec<Point>| {
            for point in points {
                let pictures = point.values.iter().filter(|value| value.tag == "derived/cell");
                widths.extend(pictures.map(|value| match &value.content {
                    Some(Content::Image(image)) => (point.step, image.width),
                    other => panic!("{other:?}"),
                }));
            }
        };
        for (step, answer) in [(5, 3), (10, 3), (15, 4), (20, 4)] {
            note(course.points(&json!({ "kind": "search step", "step": step }), &about, 0.0));
            note(course.points(&json!({ "kind": "search epoch", "answers": [answer] }), &about, 0.0));
            note(course.points(&json!({ "kind": "ranked", "step": step, "answers": [7] }), &about, 0.0));
        }
        (0..2).for_each(|_| note(course.last_cells(&about)));
        assert_eq!(widths, [(5, 4), (15, 5), (20, 5)]);
    }

    #[test]
    fn names_from_outside_are_no_markup() {
        let row = Row { decides: Decides::Place("a`<b>\n#".into()), options: Vec::new() };
        let rows = Rows { table: "t".into(), columns: vec!["[x](y)".into(); 100], rows: vec![row] };
        let words = describe("t", Some(&rows));
        assert!(words.contains("Decisions: `a <b> #`. Options: `[x](y)`, ") && words.ends_with(", …."), "{words}");
        assert_eq!(words.matches("[x](y)").count(), MOST_NAMED);
    }
}
