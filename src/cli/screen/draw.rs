//! A run on a terminal of any size: progress always, then as much as there is room for.

use super::shown::{Curve, Shown};
use crate::cli::output::one_line;
use cellwright::graph::Row;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LineGauge, Paragraph};
use std::time::Instant;

/// Panes: curves, architecture weights, the best, what was said.
const PANES: usize = 4;
/// From so many columns and lines on all panes are shown; else one, by turns.
const ROOM: [u16; 2] = [72, 20];
/// Colours of curves, told apart by anybody; a curve's name and marker tell it too.
const COLOURS: [Color; 4] = [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green];
const MARKERS: [Marker; 2] = [Marker::Braille, Marker::Dot];
/// Heights of a weight within a line.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws all of it; `pane` is the one that is shown where there is room for one.
pub fn draw(frame: &mut Frame<'_>, shown: &Shown, pane: usize, now: Instant) {
    let lines = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [title, progress, state, body, keys] = Layout::vertical(lines).areas(frame.area());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::styled(format!("cellwright  {}", shown.title), bold), title);
    draw_progress(frame, shown, progress, now);
    let said = if shown.stops { "saving: it goes on with --resume" } else { shown.state.as_str() };
    frame.render_widget(Line::raw(said), state);
    let stop = if shown.stops { "q: end at once" } else { "q: save and stop" };
    let is_wide = body.width >= ROOM[0] && body.height >= ROOM[1];
    let turns = if is_wide { "" } else { "   Tab: next pane" };
    frame.render_widget(Line::styled(format!("{stop}{turns}"), Style::new().add_modifier(Modifier::DIM)), keys);
    if !is_wide {
        return draw_pane(frame, shown, body, pane);
    }
    let [upper, lower] = Layout::vertical([Constraint::Fill(1), Constraint::Length(5)]).areas(body);
    let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(upper);
    draw_pane(frame, shown, left, 0);
    // Half of it each, unless there is only one.
    match (shown.tables.is_empty(), shown.board.rows.is_empty()) {
        (true, _) => draw_pane(frame, shown, right, 2),
        (false, true) => draw_pane(frame, shown, right, 1),
        (false, false) => {
            let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(right);
            draw_pane(frame, shown, above, 1);
            draw_pane(frame, shown, below, 2);
        }
    }
    draw_pane(frame, shown, lower, 3);
}

fn draw_pane(frame: &mut Frame<'_>, shown: &Shown, area: Rect, pane: usize) {
    match pane % PANES {
        0 => draw_curves(frame, shown, area),
        1 => draw_weights(frame, shown, area),
        2 => draw_board(frame, shown, area),
        _ => draw_said(frame, shown, area),
    }
}

fn draw_progress(frame: &mut Frame<'_>, shown: &Shown, area: Rect, now: Instant) {
    let Some(stage) = &shown.stage else {
        return frame.render_widget(Line::raw("beginning"), area);
    };
    let ratio = if stage.total == 0 { 0.0 } else { (stage.taken as f64 / stage.total as f64).clamp(0.0, 1.0) };
    let left = stage.left(now).map_or(String::new(), |left| format!("  {} left", clock(left.as_secs())));
    let text = format!("{}  {}/{}{left}", stage.name, stage.taken, stage.total);
    // On a narrow terminal the numbers say more than the line.
    if usize::from(area.width) < text.chars().count() + 8 {
        return frame.render_widget(Line::raw(text), area);
    }
    let gauge = LineGauge::default().ratio(ratio).label(text).filled_style(Style::new().fg(COLOURS[0]));
    frame.render_widget(gauge, area);
}

fn draw_curves(frame: &mut Frame<'_>, shown: &Shown, area: Rect) {
    let curves: Vec<(&str, &Curve)> =
        shown.curves.iter().map(|(name, curve)| (*name, curve)).filter(|(_, curve)| !curve.points.is_empty()).collect();
    let points = || curves.iter().flat_map(|(_, curve)| &curve.points);
    let bounds = |number: fn(&(f64, f64)) -> f64| {
        let [low, high] = points().map(number).fold([f64::MAX, f64::MIN], |[low, high], n| [low.min(n), high.max(n)]);
        if low < high { [low, high] } else { [low - 0.5, low + 0.5] }
    };
    // What they stand at names them, so that no legend covers them.
    let mut title = vec![Span::raw("Curves")];
    for (index, (name, curve)) in curves.iter().enumerate() {
        let last = curve.points.last().map_or(0.0, |point| point.1);
        title.push(Span::styled(format!("  {name} {}", brief(last)), Style::new().fg(COLOURS[index % COLOURS.len()])));
    }
    let block = Block::bordered().title(Line::from(title));
    if curves.is_empty() {
        return frame.render_widget(Paragraph::new("nothing yet").block(block), area);
    }
    let datasets = curves.iter().enumerate().map(|(index, (_, curve))| {
        Dataset::default()
            .data(&curve.points)
            .graph_type(GraphType::Line)
            .marker(MARKERS[index % MARKERS.len()])
            .style(Style::new().fg(COLOURS[index % COLOURS.len()]))
    });
    let ([left, right], [low, high]) = (bounds(|point| point.0), bounds(|point| point.1));
    let axis = |[from, to]: [f64; 2]| Axis::default().bounds([from, to]).labels([brief(from), brief(to)]);
    let chart = Chart::new(datasets.collect()).block(block).x_axis(axis([left, right])).y_axis(axis([low, high]));
    frame.render_widget(chart, area);
}

/// Each decision as a line of bars, an option each, and the option that is the heaviest.
fn draw_weights(frame: &mut Frame<'_>, shown: &Shown, area: Rect) {
    let [width, room] = [area.width, area.height].map(|side| usize::from(side.saturating_sub(2)));
    let mut lines = weights(shown, false);
    if lines.iter().any(|line| line.width() > width) {
        lines = weights(shown, true);
    }
    if lines.len() > room && room > 1 {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(Line::raw(format!("… {more} more lines")));
    }
    if lines.is_empty() {
        lines.push(Line::raw("none yet"));
    }
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("Architecture weights")), area);
}

/// The lines of all tables. Where there is little room, places lack what they begin with: `0.operation` is `layers.0.operation`.
fn weights(shown: &Shown, has_little_room: bool) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (name, rows) in &shown.tables {
        let known = shown.names.iter().find(|known| one_line(&known.table) == *name && known.rows.len() == rows.len());
        let label = |row: &Row| match row.decides.short() {
            name if has_little_room => one_line(name.split_once('.').map_or(name.as_str(), |(_, rest)| rest)),
            name => one_line(&name),
        };
        let names: Vec<String> = match known {
            Some(known) => known.rows.iter().map(label).collect(),
            None => (0..rows.len()).map(|row| row.to_string()).collect(),
        };
        // A decision alone is named by its place.
        if known.is_none() || rows.len() > 1 {
            lines.push(Line::styled(name.clone(), Style::new().add_modifier(Modifier::BOLD)));
        }
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (at, (name, weights)) in names.iter().zip(rows).enumerate() {
            let options = known.map_or(&[][..], |known| &known.rows[at].options);
            lines.push(Line::raw(format!("{name:>width$} {}", bars(weights, options))));
        }
    }
    lines
}

/// A bar for each weight, and the heaviest by its name.
fn bars(weights: &[f64], options: &[String]) -> String {
    let heaviest = weights.iter().copied().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let Some((option, most)) = heaviest.filter(|(_, most)| *most > 0.0) else { return String::new() };
    let bar = |weight: &f64| BARS[(8.0 * weight / most).round().clamp(0.0, 8.0) as usize];
    let name = options.get(option).map_or_else(|| format!("of option {option}"), |name| one_line(name));
    format!("{} {most:.2} {name}", weights.iter().map(bar).collect::<String>())
}

fn draw_board(frame: &mut Frame<'_>, shown: &Shown, area: Rect) {
    let board = &shown.board;
    let failed = if board.failed > 0 { format!(", {} failed", board.failed) } else { String::new() };
    let by = match shown.objectives.first().filter(|_| board.title == "Trials") {
        Some(objective) => format!(" by {}", one_line(&objective.name)),
        None => String::new(),
    };
    let front = match board.front.len() {
        0 => String::new(),
        on => format!(", {on} on the front*"),
    };
    let title = match board.measured + board.failed {
        0 => "The best".to_owned(),
        _ => format!("{}{by}: {}{failed}{front}", board.title, board.measured),
    };
    let rows = board.rows.iter().take(usize::from(area.height.saturating_sub(2))).enumerate().map(|(place, row)| {
        let mark = if board.is_on_front(row) { '*' } else { ' ' };
        Line::raw(format!("{:>3}{mark} {:>8}  {:<10}  {}", place + 1, row.written, row.name, row.more))
    });
    let mut lines: Vec<Line<'_>> = rows.collect();
    if lines.is_empty() {
        lines.push(Line::raw("nothing yet"));
    }
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

fn draw_said(frame: &mut Frame<'_>, shown: &Shown, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let lines = shown.said.iter().skip(shown.said.len().saturating_sub(room)).map(|line| Line::raw(line.as_str()));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(Block::bordered().title("Said")), area);
}

/// `1:02:03`, `2:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A number in a few digits.
fn brief(number: f64) -> String {
    match number.abs() {
        size if size >= 1000.0 || number.fract() == 0.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellwright::graph::{Decides, Rows};
    use cellwright::search::study::Objective;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;
    use std::time::Duration;

    /// A search half done, with trials where it is a study.
    fn run(is_study: bool) -> Shown {
        let now = Instant::now();
        let row = |to, option: &str| Row {
            decides: Decides::Edge { from: 0, to, inputs: 2 },
            options: ["none", option, "skip\u{1b}[2J"].map(str::to_owned).to_vec(),
        };
        let names = Rows {
            table: "alphas_normal".into(),
            columns: Vec::new(),
            rows: vec![row(2, "sep_conv_3x3"), row(13, "dil")],
        };
        let objectives = ["accuracy", "parameters"].map(Objective::new).to_vec();
        let mut shown = Shown { title: "runs/digits".into(), names: vec![names], objectives, ..Shown::default() };
        shown.begin("search", 40);
        for step in 1..=20 {
            shown.step(step, Some(&format!("loss {:.3}", 2.0 / step as f64)), now);
            shown.take(
                &json!({ "kind": "search step", "step": step, "train_loss": 2.0 / step as f64, "valid_loss": 1.0 }),
            );
        }
        let weights = json!({ "alphas_normal": [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]] });
        shown.take(&json!({ "kind": "search epoch", "epoch": 0, "weights": weights }));
        for trial in 0..if is_study { 30 } else { 0 } {
            let objectives = json!({ "accuracy": f64::from(trial) / 100.0, "parameters": 1000 + trial / 28 });
            shown.take(&json!({ "trial": trial, "state": "finished", "objectives": objectives }));
        }
        shown.say("digits: 1,438 + 359 pictures\nwarning: nothing of note");
        shown
    }

    fn text(shown: &Shown, pane: usize, [width, height]: [u16; 2]) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let now = Instant::now() + Duration::from_secs(60);
        terminal.draw(|frame| draw(frame, shown, pane, now)).unwrap();
        // Nothing is shown of nothing.
        if width == 0 || height == 0 { String::new() } else { terminal.backend().to_string() }
    }

    #[test]
    fn where_there_is_room_all_is_shown() {
        for (size, is_study) in [([80, 24], false), ([80, 24], true), ([200, 60], true)] {
            let screen = text(&run(is_study), 0, size);
            let mut parts = vec![
                "runs/digits",
                "search  20/40",
                "left",
                "loss 0.100",
                "training loss 0.100",
                "Architecture weights",
                "alphas_normal",
                " 2←0 ▁█▂ 0.70 sep_conv_3x3",
                "13←0 ▆▆█ 0.40 skip [2J",
                "warning: nothing of note",
                "q: save and stop",
            ];
            parts.extend(
                is_study
                    .then_some([
                        "Trials by accuracy: 30",
                        "1*  29.00 %  trial 30",
                        "2   28.00 %  trial 29",
                        "3*  27.00 %  trial 28",
                        "best 0.290",
                    ])
                    .into_iter()
                    .flatten(),
            );
            for part in parts {
                assert!(screen.contains(part), "{size:?} should show `{part}`:\n{screen}");
            }
            assert!(!screen.contains("Tab"));
        }
    }

    #[test]
    fn a_decision_alone_is_a_line_that_fits() {
        let row = Row {
            decides: Decides::Place("layers.0.operation".into()),
            options: ["conv_3x3", "sep_conv_3x3"].map(str::to_owned).to_vec(),
        };
        let names = Rows { table: "alphas_layer0".into(), columns: row.options.clone(), rows: vec![row] };
        let mut shown = Shown { names: vec![names], ..Shown::default() };
        let weights = json!({ "alphas_layer0": [[0.25, 0.75]], "alphas_of_another_program": [[0.75, 0.25]] });
        shown.take(&json!({ "kind": "search epoch", "epoch": 0, "weights": weights }));
        let wide = text(&shown, 1, [60, 12]);
        assert!(wide.contains("│layers.0.operation ▃█ 0.75 sep_conv_3x3 "), "{wide}");
        assert!(wide.contains("│alphas_of_another_program ") && wide.contains("│0 █▃ 0.75 of option 0"), "{wide}");
        let narrow = text(&shown, 1, [36, 12]);
        assert!(narrow.contains("│0.operation ▃█ 0.75 sep_conv_3x3 "), "{narrow}");
    }

    #[test]
    fn on_a_small_terminal_panes_take_turns() {
        let shown = run(true);
        let screens: Vec<String> = (0..PANES).map(|pane| text(&shown, pane, [40, 12])).collect();
        for (pane, part) in ["Curves", "Architecture weights", "Trials by accuracy: 30", "Said"].into_iter().enumerate()
        {
            for (other, screen) in screens.iter().enumerate() {
                assert_eq!(screen.contains(part), pane == other, "pane {other}, `{part}`:\n{screen}");
                assert!(screen.contains("Tab") && screen.contains("20/40"), "{screen}");
            }
        }
        let screen = text(&shown, 2, [20, 5]);
        assert!(screen.contains("search  20/40") && screen.contains("q: save and stop"), "{screen}");
    }

    #[test]
    fn no_size_is_too_small_and_no_run_too_young() {
        for shown in [Shown::default(), run(false), run(true)] {
            for size in [[0, 0], [1, 1], [2, 1], [1, 9], [3, 3], [20, 5], [79, 23], [300, 4], [9, 100]] {
                (0..PANES).for_each(|pane| drop(text(&shown, pane, size)));
            }
        }
        let mut shown = run(false);
        shown.stops = true;
        assert!(text(&shown, 0, [80, 24]).contains("saving: it goes on with --resume"));
    }

    #[test]
    fn times_and_numbers_are_short() {
        assert_eq!([59, 61, 3723].map(clock), ["0:59", "1:01", "1:02:03"]);
        assert_eq!([0.0, 1234.5, 12.34, 0.12345].map(brief), ["0", "1234", "12.3", "0.123"]);
    }
}
