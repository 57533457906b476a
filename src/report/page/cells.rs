//! Architecture weights over a search, and the cells that they stood for.

use super::document::{Block, Drawing, Figure, Plot};
use super::drawing::drawing;
use super::thin::steps;
use crate::graph::{Decides, Row, Rows};
use crate::report::run::cell;
use crate::run::trace::{SearchEpoch, Trace};
use crate::space::{Architecture, CellPlan, Space};
use std::collections::BTreeSet;

/// The largest table that is drawn, in weights.
const MOST: usize = 4096;

/// A heat map for each table of weights, and the cells; of a search without epochs the cells of what was found.
pub(super) fn blocks(trace: &Trace) -> Vec<Block> {
    let space = trace.config.as_ref().and_then(|config| config.space.build().ok());
    let space = space.as_deref();
    let kept: Vec<&SearchEpoch> =
        steps(trace.course.epochs.len()).into_iter().filter_map(|at| trace.course.epochs.get(at)).collect();
    let names: Vec<String> = kept.iter().map(|epoch| format!("epoch {}", epoch.epoch + 1)).collect();
    let architectures: Vec<Option<Architecture>> = kept.iter().map(|epoch| sound(space, &epoch.answers)).collect();
    let plans: Vec<Vec<CellPlan>> = architectures
        .iter()
        .map(|architecture| space.zip(architecture.as_ref()).map(|(space, of)| space.cells(of)).unwrap_or_default())
        .collect();
    let mut blocks = Vec::new();
    let tables: BTreeSet<&String> = kept.iter().flat_map(|epoch| epoch.weights.keys()).collect();
    let rows = space.zip(trace.config.as_ref()).map(|(space, config)| config.rows(space)).unwrap_or_default();
    for table in tables {
        blocks.extend(heat(table, rows.iter().find(|rows| rows.table == *table), &kept, &names, &plans));
    }
    blocks.extend(match kept.is_empty() {
        false => drawn(&names, &plans, &architectures),
        true => found(trace, space),
    });
    blocks
}

/// An architecture, if it is one of the space.
fn sound(space: Option<&dyn Space>, answers: &[usize]) -> Option<Architecture> {
    let architecture = Architecture { answers: answers.to_vec() };
    space.is_some_and(|space| space.check(&architecture).is_ok()).then_some(architecture)
}

/// The plan of the cells that a table is of: by name, or the only one.
fn plan_of<'a>(table: &str, plans: &'a [CellPlan]) -> Option<&'a CellPlan> {
    match plans {
        [only] => Some(only),
        _ => plans.iter().find(|plan| table.ends_with(&plan.name)),
    }
}

fn heat(
    table: &str,
    known: Option<&Rows>,
    kept: &[&SearchEpoch],
    names: &[String],
    plans: &[Vec<CellPlan>],
) -> Option<Block> {
    let first = kept.iter().find_map(|epoch| epoch.weights.get(table))?;
    let (rows, columns) = (first.len(), first.first().map_or(0, Vec::len));
    let is_sound =
        |weights: &Vec<Vec<Option<f64>>>| weights.len() == rows && weights.iter().all(|row| row.len() == columns);
    if rows * columns == 0 || rows.checked_mul(columns).is_none_or(|all| all > MOST) {
        return None;
    }
    let known = known.filter(|known| known.rows.len() == rows && known.columns.len() == columns);
    let options = known.map(|known| known.columns.clone());
    let options = options.unwrap_or_else(|| (1..=columns).map(|option| format!("option {option}")).collect());
    let row_names = match known {
        Some(known) => known.rows.iter().map(|row| row.decides.long()).collect(),
        None if rows == 1 => vec![table.to_owned()],
        None => (1..=rows).map(|row| format!("row {row}")).collect(),
    };
    // Numbers that are not finite, and epochs in which the table has another shape, have no colour.
    let values = kept.iter().map(|epoch| match epoch.weights.get(table).filter(|weights| is_sound(weights)) {
        Some(weights) => weights.iter().flatten().map(|weight| thousandths(*weight)).collect(),
        None => vec![0; rows * columns],
    });
    // What a derived cell takes of a row, if the row is an edge of it.
    let taken = |plans: &Vec<CellPlan>| -> Vec<Option<usize>> {
        let Some((plan, known)) = plan_of(table, plans).zip(known) else { return vec![None; rows] };
        let option = |row: &Row| {
            let Decides::Edge { from, to, inputs } = row.decides else { return None };
            let is_it = |edge: &&(usize, usize, String)| (edge.0, edge.1 + plan.inputs) == (from, to);
            let (.., operation) = plan.edges.iter().find(|edge| plan.inputs == inputs && is_it(edge))?;
            row.options.iter().position(|option| option == operation)
        };
        known.rows.iter().map(option).collect()
    };
    let chosen: Vec<Vec<Option<usize>>> = plans.iter().map(taken).collect();
    let dots = match chosen.iter().flatten().any(Option::is_some) {
        true => " A dot marks what the derived architecture takes.",
        false => "",
    };
    Some(Block::Figure(Figure {
        id: format!("weights-{table}"),
        title: format!("Weights of {table}"),
        caption: format!(
            "Weight of each option (column) in each decision (row), by epoch: the darker, the more; a row adds up to 1 where the method's \
             weights do.{dots} The chosen row is drawn over time below."
        ),
        plot: Plot::Heat { steps: names.to_vec(), values: values.collect(), chosen, rows: row_names, columns: options },
    }))
}

fn thousandths(weight: Option<f64>) -> u16 {
    (1000.0 * weight.unwrap_or(0.0)).clamp(0.0, 65_535.0).round() as u16
}

/// The cells by epoch, each drawn once.
fn drawn(names: &[String], plans: &[Vec<CellPlan>], architectures: &[Option<Architecture>]) -> Option<Block> {
    let (mut known, mut drawings): (Vec<&Vec<CellPlan>>, Vec<Vec<Drawing>>) = (Vec::new(), Vec::new());
    let (mut steps, mut shown, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    let mut before: Option<&Architecture> = None;
    for ((name, plans), architecture) in names.iter().zip(plans).zip(architectures) {
        let Some(architecture) = architecture.as_ref().filter(|_| !plans.is_empty()) else { continue };
        let at = known.iter().position(|known| *known == plans).or_else(|| {
            drawings.push(draw(plans)?);
            known.push(plans);
            Some(known.len() - 1)
        })?;
        let differs = |before: &Architecture| {
            before.answers.iter().zip(&architecture.answers).filter(|(before, now)| before != now).count()
        };
        steps.push(name.clone());
        shown.push(at);
        changed.push(before.map_or(0, differs));
        before = Some(architecture);
    }
    let caption = "The cells that α stood for after each epoch, as they are derived: the last of them is what was found, unless the search \
                   ended otherwise."
        .to_owned();
    (!steps.is_empty()).then(|| {
        Block::Figure(Figure {
            id: "cells".to_owned(),
            title: "Cells by epoch".to_owned(),
            caption,
            plot: Plot::Cells { steps, shown, changed, drawings },
        })
    })
}

fn draw(plans: &[CellPlan]) -> Option<Vec<Drawing>> {
    plans.iter().map(|plan| drawing(&cell(plan).ok()?).ok()).collect()
}

/// The cells of the architecture found.
fn found(trace: &Trace, space: Option<&dyn Space>) -> Option<Block> {
    let text = match trace.came.as_ref()? {
        crate::run::trace::Came::Search(summary) => summary.genotype.as_str(),
        crate::run::trace::Came::Training(summary) => summary["genotype"].as_str()?,
        crate::run::trace::Came::Random(_) => return None,
    };
    let plans = space?.sketch(text).ok()?.cells;
    let drawings = draw(&plans).filter(|drawings| !drawings.is_empty())?;
    Some(Block::Figure(Figure {
        id: "cells".to_owned(),
        title: "Cells".to_owned(),
        caption: "The cells of the network.".to_owned(),
        plot: Plot::Cells {
            steps: vec!["found".to_owned()],
            shown: vec![0],
            changed: vec![0],
            drawings: vec![drawings],
        },
    }))
}
