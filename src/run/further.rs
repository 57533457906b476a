//! A network that has learned something and is trained further: on the same classes, or on others, for which its last layer gets new
//! rows.

use super::error::RunError;
use super::files::Loaded;
use super::model::Model;
use crate::data::Dataset;
use crate::graph::Graph;
use crate::nn::{Array, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a training begins with.
pub(super) struct Further {
    /// The network, with an answer for each class of the data.
    pub graph: Graph,
    /// What it was before.
    pub model: Model,
    /// Layers that have other answers than before; of each answer the row that gave it, if it is not a new one.
    heads: Vec<String>,
    rows: Vec<Option<usize>>,
    /// What is said of that.
    pub note: Option<String>,
}

impl Further {
    /// A network for classes in this order. Rows of classes that it knows by name stay. One whose classes are but numbers, none of
    /// them among the data's names, is taken to mean these in their order where there are as many.
    ///
    /// # Errors
    /// [`RunError::Model`]: its last layer cannot be another.
    pub fn new(model: Model, path: &Path, classes: &[String]) -> Result<Self, RunError> {
        let wrong = |problem: String| RunError::Model { path: path.to_owned(), problem };
        let numbers = model.classes.iter().enumerate().all(|(number, class)| *class == number.to_string());
        let known = |class: &String| model.classes.iter().position(|own| own == class);
        let strange = classes.iter().all(|class| known(class).is_none());
        let rows: Vec<Option<usize>> = match numbers && strange && model.classes.len() == classes.len() {
            true => (0..classes.len()).map(Some).collect(),
            false => classes.iter().map(known).collect(),
        };
        if rows.len() == model.classes.len() && rows.iter().enumerate().all(|(place, row)| *row == Some(place)) {
            let note =
                (model.classes != classes).then(|| "its classes have no names: they are taken in their order".into());
            return Ok(Self { graph: model.graph.clone(), model, heads: Vec::new(), rows, note });
        }
        let (graph, heads) = model.graph.with_answers(classes.len()).map_err(wrong)?;
        let stay = rows.iter().flatten().count();
        let note = format!(
            "the data have {} classes, {stay} of which are among the network's {}: the other rows of its last layer are new",
            classes.len(),
            model.classes.len()
        );
        Ok(Self { graph, model, heads, rows, note: Some(note) })
    }

    /// What it begins with: what it has learned; what is new in it as it was drawn.
    pub fn arrays(&self, drawn: &BTreeMap<String, Array>) -> BTreeMap<String, Array> {
        let of_heads =
            |name: &str| name.rsplit_once('.').is_some_and(|(layer, _)| self.heads.iter().any(|h| h == layer));
        let (mut all, learned) = (self.model.arrays.clone(), &self.model.arrays);
        for (name, new) in drawn.iter().filter(|(name, _)| of_heads(name)) {
            let mut array = new.clone();
            if let (Value::F32(values), Some(Array { value: Value::F32(before), shape })) =
                (&mut array.value, learned.get(name))
            {
                let each = shape.iter().skip(1).product::<usize>().max(1);
                let same = array.shape.get(1..) == shape.get(1..);
                for (values, row) in values.chunks_mut(each).zip(&self.rows).filter(|_| same) {
                    if let Some(before) = row.and_then(|row| before.get(row * each..(row + 1) * each)) {
                        values.copy_from_slice(before);
                    }
                }
            }
            all.insert(name.clone(), array);
        }
        all
    }
}

/// A dataset as the network takes it, and normalised as its images were.
///
/// # Errors
/// [`RunError::Model`] for images of another shape.
pub(super) fn fitted(loaded: Loaded, model: &Model) -> Result<Loaded, RunError> {
    let Dataset { name, source, train, test, .. } = loaded.dataset;
    let fitting =
        |images| model.fitting(images).map_err(|problem| RunError::Model { path: PathBuf::from(&name), problem });
    let [train, test] = [fitting(train)?, fitting(test)?];
    let (mean, std) = (model.mean.clone(), model.std.clone());
    let dataset = Dataset { name, source, train, test, mean, std };
    Ok(Loaded { dataset, ..loaded })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Features, Op};

    fn model(classes: &[&str]) -> Model {
        let mut graph = Graph::new(&[Features::new(2, 1, 1)]);
        let linear = graph.push("last", Op::Linear { outputs: classes.len(), bias: true }, &[0]).unwrap();
        graph.output("logits", linear);
        let weight = (0..2 * classes.len()).map(|n| n as f32).collect();
        let bias = (0..classes.len()).map(|n| 100.0 + n as f32).collect();
        let arrays = [
            ("last.weight", Array::f32(&[classes.len(), 2], weight)),
            ("last.bias", Array::f32(&[classes.len()], bias)),
        ];
        let arrays = arrays.map(|(name, array)| (name.to_owned(), array)).into();
        Model::new(graph, arrays, classes.iter().map(ToString::to_string).collect(), [vec![0.0; 2], vec![1.0; 2]])
    }

    fn begun(own: &[&str], classes: &[&str]) -> (Further, Vec<f32>, Vec<f32>) {
        let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
        let further = Further::new(model(own), Path::new("x"), &classes).unwrap();
        let drawn = [
            ("last.weight".to_owned(), Array::f32(&[classes.len(), 2], vec![-1.0; 2 * classes.len()])),
            ("last.bias".to_owned(), Array::f32(&[classes.len()], vec![-2.0; classes.len()])),
        ];
        let arrays = further.arrays(&drawn.into());
        let values = |name: &str| match &arrays[name].value {
            Value::F32(values) => values.clone(),
            Value::I64(_) => Vec::new(),
        };
        let (weight, bias) = (values("last.weight"), values("last.bias"));
        (further, weight, bias)
    }

    #[test]
    fn rows_of_known_classes_stay_and_others_are_as_they_were_drawn() {
        let (further, weight, bias) = begun(&["cat", "dog", "owl"], &["ant", "owl", "cat", "elk"]);
        assert_eq!(weight, [-1.0, -1.0, 4.0, 5.0, 0.0, 1.0, -1.0, -1.0]);
        assert_eq!(bias, [-2.0, 102.0, 100.0, -2.0]);
        assert_eq!(further.graph.shape(further.graph.outputs[0].node), Features::new(4, 1, 1));
        assert!(further.note.unwrap().contains("4 classes, 2 of which are among the network's 3"));
    }

    #[test]
    fn the_same_classes_leave_it_as_it_is() {
        let (further, weight, bias) = begun(&["a", "b"], &["a", "b"]);
        assert_eq!((weight, bias), (vec![0.0, 1.0, 2.0, 3.0], vec![100.0, 101.0]));
        assert!(further.note.is_none());
        // Other order: rows move.
        assert_eq!(begun(&["a", "b"], &["b", "a"]).2, [101.0, 100.0]);
        // Numbers, and as many names.
        let (further, _, bias) = begun(&["0", "1"], &["cat", "dog"]);
        assert_eq!((bias, further.note.is_some()), (vec![100.0, 101.0], true));
        assert_eq!(begun(&["0", "1"], &["cat", "dog", "owl"]).2, [-2.0; 3]);
        // Names that are numbers are names.
        assert_eq!(begun(&["0", "1", "2"], &["0", "2", "1"]).2, [100.0, 102.0, 101.0]);
    }
}
