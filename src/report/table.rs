//! Tables of plain text with aligned columns.

/// A table for a terminal.
///
/// ```
/// use cellwright::report::table::Table;
/// let mut table = Table::new(&["network", "parameters"]);
/// table.row(["supernet", "1930618"]);
/// table.row(["derived", "3349342"]);
/// assert_eq!(table.render(), "network   parameters\n────────  ──────────\nsupernet     1930618\nderived      3349342\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with a heading for each column.
    pub fn new(headers: &[&str]) -> Self {
        Self { headers: headers.iter().map(|h| clean(h)).collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty; cells beyond the headings get columns without heading.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell.into())).collect());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with headings, a rule and the rows, two spaces between columns, each line ended.
    ///
    /// A column in which every filled cell begins like a number is aligned to the right. Characters are
    /// counted as one place wide each.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0).max(self.headers.len());
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widths: Vec<usize> = (0..columns)
            .map(|c| cells(c).chain(self.headers.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let right: Vec<bool> = (0..columns)
            .map(|c| {
                let mut filled = cells(c).filter(|cell| !matches!(cell.as_str(), "" | "-" | "–")).peekable();
                filled.peek().is_some() && filled.all(|cell| is_number(cell))
            })
            .collect();
        let write = |row: &[String]| {
            let cells = (0..columns).map(|c| {
                let (cell, width) = (row.get(c).map_or("", String::as_str), widths[c]);
                if right[c] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        let rule: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
        let mut text = String::new();
        if !self.headers.is_empty() {
            text.push_str(&write(&self.headers));
            text.push_str(&write(&rule));
        }
        text.extend(self.rows.iter().map(|row| write(row)));
        text
    }
}

/// Whether a cell reads as a number: `-1.5`, `94.37 %`, `2.76 ± 0.09`, `1.9 M`, `inf`, `NaN`.
fn is_number(cell: &str) -> bool {
    let rest = cell.trim_start_matches(['+', '-', '−', '<', '>', '~', '≈', ' ', '$']);
    let named = ["nan", "inf"].iter().any(|word| rest.to_ascii_lowercase() == *word);
    // `3x32x32` and `2024-01-01` begin with a digit too, but are names.
    let joined = |c: char| c == 'x' || c == '×' || c == '/' || c == ':' || c == '_';
    named
        || (rest.starts_with(|c: char| c.is_ascii_digit())
            && !rest.contains(joined)
            && !rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('-'))
}

/// Line breaks and other control characters would break the columns, or worse, the terminal.
fn clean(cell: &str) -> String {
    cell.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_to_the_right_and_names_to_the_left() {
        let mut table = Table::new(&["kernel", "GFLOP/s", "shape", "note"]);
        table.row(["depthwise_conv_forward", "12.5", "3x32x32", ""]);
        table.row(["add", "-", "16x8x8", "slow"]);
        table.row(["matmul", "1024.0 ± 3", "1x1x1"]);
        insta::assert_snapshot!(table.render(), @r#"
        kernel                     GFLOP/s  shape    note
        ──────────────────────  ──────────  ───────  ────
        depthwise_conv_forward        12.5  3x32x32
        add                              -  16x8x8   slow
        matmul                  1024.0 ± 3  1x1x1
        "#);
    }

    #[test]
    fn odd_rows_and_characters_keep_the_columns() {
        let mut table = Table::new(&["a"]);
        table.row(["x\ny", "beyond"]);
        table.row(Vec::<String>::new());
        assert_eq!(table.render(), "a\n───  ──────\nx y  beyond\n\n");
        assert_eq!(Table::default().render(), "");
        assert_eq!((table.len(), table.is_empty()), (2, false));
    }
}
