//! Numbers as the static part of a page and its words write them, never apart from their units. The script writes them likewise.

use super::document::{Cell, Column, Form, Number};

/// A value of a column.
pub(super) fn cell(column: &Column, cell: &Cell) -> String {
    match (cell, column.form) {
        (Cell::Text(text), _) => text.clone(),
        (Cell::Number(Number(value)), _) if !value.is_finite() => "–".to_owned(),
        (Cell::Number(Number(value)), Form::Choice) => {
            column.options.get(*value as usize).cloned().unwrap_or_else(|| "–".to_owned())
        }
        (Cell::Number(Number(value)), form) => number(*value, form),
    }
}

/// A number in a form.
pub(super) fn number(value: f64, form: Form) -> String {
    match form {
        Form::Share => format!("{:.2}\u{a0}%", 100.0 * value),
        Form::Whole => whole(value),
        Form::Seconds if value >= 100.0 => format!("{}\u{a0}s", whole(value)),
        Form::Seconds => format!("{value:.1}\u{a0}s"),
        Form::Duration => duration(value),
        Form::Bytes => bytes(value),
        Form::Text | Form::Number | Form::Choice => significant(value),
    }
}

/// With a comma between thousands.
pub(super) fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("−{text}") } else { text }
}

fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = if value < 1.0 { 0 } else { ((value.log2() / 10.0) as usize).min(units.len() - 1) };
    let scaled = value / 1024_f64.powi(power as i32);
    if power == 0 || scaled >= 100.0 {
        format!("{}\u{a0}{}", whole(scaled), units[power])
    } else {
        format!("{scaled:.1}\u{a0}{}", units[power])
    }
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}\u{a0}s"),
        (0, _) => format!("{minutes}\u{a0}min {:02}\u{a0}s", seconds % 60),
        (1..48, _) => format!("{hours}\u{a0}h {:02}\u{a0}min", minutes % 60),
        _ => format!("{}\u{a0}d {:02}\u{a0}h", hours / 24, hours % 24),
    }
}

/// Four significant digits.
fn significant(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e6).contains(&size) {
        format!("{value:.2e}")
    } else {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

/// A word for one or several.
pub(super) fn count(count: usize, one: &str) -> String {
    format!("{} {one}{}", whole(count as f64), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_readers() {
        for (value, form, expected) in [
            (0.991_643, Form::Share, "99.16 %"),
            (323_968.0, Form::Whole, "323,968"),
            (-1_234.0, Form::Whole, "−1,234"),
            (7.25, Form::Seconds, "7.2 s"),
            (3_600.0, Form::Seconds, "3,600 s"),
            (59.4, Form::Duration, "59 s"),
            (187.0, Form::Duration, "3 min 07 s"),
            (3_725.0, Form::Duration, "1 h 02 min"),
            (266_400.0, Form::Duration, "3 d 02 h"),
            (512.0, Form::Bytes, "512 B"),
            (1_572_864.0, Form::Bytes, "1.5 MiB"),
            (0.123_456, Form::Number, "0.1235"),
            (12.0, Form::Number, "12"),
            (1.5e-7, Form::Number, "1.50e-7"),
        ] {
            assert_eq!(number(value, form).replace('\u{a0}', " "), expected);
        }
        let column = Column { options: vec!["a".into()], ..Column::new("x", Form::Choice) };
        assert_eq!(cell(&column, &Cell::number(Some(0.0))), "a");
        assert_eq!(cell(&column, &Cell::number(Some(7.0))), "–");
        assert_eq!((count(1, "trial"), count(1200, "trial")), ("1 trial".to_owned(), "1,200 trials".to_owned()));
    }
}
