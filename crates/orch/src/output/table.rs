//! A table of columns: as wide as its cells, cut at the edge of the terminal.

use super::style::Style;
use super::text::plain;

/// Blanks between columns.
const GAP: usize = 2;
/// The last column keeps at least this many columns, however narrow the terminal.
const LAST_AT_LEAST: usize = 20;

/// Rows under headings.
#[derive(Debug, Clone)]
pub struct Table {
    headings: &'static [&'static str],
    rows: Vec<Vec<String>>,
    state_column: Option<usize>,
}

impl Table {
    /// An empty table. Cells beyond the headings are not shown.
    pub fn new(headings: &'static [&'static str]) -> Self {
        let state_column = headings.iter().position(|h| matches!(*h, "STATE" | "STATUS"));
        Self { headings, rows: Vec::new(), state_column }
    }

    /// Adds a row; control characters are taken out of its cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. `width`: columns of the terminal; `None` cuts nothing.
    pub fn render(&self, style: Style, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut text = String::new();
        let headings: Vec<String> = self.headings.iter().map(ToString::to_string).collect();
        push_row(&mut text, &headings, &widths, |_, cell| style.dim(cell));
        for row in &self.rows {
            push_row(&mut text, row, &widths, |column, cell| {
                if Some(column) == self.state_column { style.state(cell) } else { cell.to_owned() }
            });
        }
        text
    }

    fn widths(&self, terminal: Option<usize>) -> Vec<usize> {
        let columns = self.headings.len();
        let mut widths: Vec<usize> = self.headings.iter().map(|h| h.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if let Some(terminal) = terminal {
            let before: usize = widths[..columns - 1].iter().map(|w| w + GAP).sum();
            let last = terminal.saturating_sub(before).max(LAST_AT_LEAST);
            widths[columns - 1] = widths[columns - 1].min(last);
        }
        widths
    }
}

fn push_row(
    text: &mut String,
    cells: &[String],
    widths: &[usize],
    paint: impl Fn(usize, &str) -> String,
) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = cut(cell, *width);
        text.push_str(&paint(column, &cell));
        if column + 1 < widths.len() {
            text.push_str(&" ".repeat(width + GAP - cell.chars().count()));
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

fn cut(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    let mut short: String = cell.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["KEY", "STATE", "TITLE"]);
        table.row(["A-1".into(), "running".into(), "Größe\x1b[31m ändern".into()]);
        table.row(["A-12".into(), "done".into(), "x".repeat(30)]);
        table
    }

    #[test]
    fn columns_line_up_and_escapes_are_taken_out() {
        let text = sample().render(Style::plain(), None);
        let expected = "KEY   STATE    TITLE\n\
                        A-1   running  Größe\u{fffd}[31m ändern\n\
                        A-12  done     xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_last_column_is_cut_at_the_edge_of_the_terminal() {
        let text = sample().render(Style::plain(), Some(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("xxx…"), "{text}");
    }
}
