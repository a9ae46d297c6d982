//! Rows as a table of text.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, TableStyle};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::text::{count, elapsed};
use crate::diag::safe_text;

/// Widest cell; longer ones are cut.
const WIDEST: usize = 40;

/// What stands for a null, which is not an empty text.
const NULL: &str = "·";

/// On which side the cells of a column stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Texts, dates.
    Left,
    /// Numbers.
    Right,
}

/// A column's head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Where its cells stand.
    pub align: Align,
}

impl Column {
    /// A column of texts.
    pub fn left(name: impl Into<String>) -> Self {
        Self { name: name.into(), align: Align::Left }
    }

    /// A column of numbers.
    pub fn right(name: impl Into<String>) -> Self {
        Self { name: name.into(), align: Align::Right }
    }
}

/// Rows that are shown, of a result that may have more.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows that are shown, each with a cell per column; `None` is null. Numbers are formatted already, see
    /// [`group_digits`](super::group_digits).
    pub rows: Vec<Vec<Option<String>>>,
    /// All rows of the result, shown or not.
    pub total: u64,
    /// How long it took.
    pub elapsed: Option<Duration>,
}

impl Table {
    /// The table in at most `width` columns of text, with a last line that says what is not shown. Columns that do not
    /// fit are named there.
    pub fn render(&self, width: usize) -> String {
        let fitting = self.fitting(width);
        let mut out = String::new();
        if fitting > 0 {
            out += &self.draw(fitting);
        }
        out + &self.footer(fitting)
    }

    /// When not all columns fit, those with these names come first, in this order; the others keep theirs.
    #[must_use]
    pub fn with_first(self, names: &[String], width: usize) -> Self {
        if self.fitting(width) == self.columns.len() {
            return self;
        }
        let position = |column: &Column| names.iter().position(|name| *name == column.name).unwrap_or(names.len());
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|at| position(&self.columns[*at]));
        let columns = order.iter().map(|at| self.columns[*at].clone()).collect();
        let arranged = |row: Vec<Option<String>>| order.iter().map(|at| row.get(*at).cloned().flatten()).collect();
        Self { columns, rows: self.rows.into_iter().map(arranged).collect(), ..self }
    }

    /// How many columns from the left fit.
    fn fitting(&self, width: usize) -> usize {
        let mut used = 0;
        for (at, column) in self.columns.iter().enumerate() {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| shown(cell.as_deref()).width());
            used += cells.chain([shown(Some(&column.name)).width()]).max().unwrap_or(0) + 3;
            // The last separator is not drawn.
            if used - 1 > width && at > 0 {
                return at;
            }
        }
        self.columns.len()
    }

    fn draw(&self, columns: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(
            TableStyle::new()
                .header_lines(ContentLineStyle::none().junction('│'))
                .header_separator(LineStyle::none().fill('─').junction('┼'))
                .content_lines(ContentLineStyle::none().junction('│')),
        );
        table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        let columns = &self.columns[..columns];
        table.set_header(columns.iter().map(|column| cell(shown(Some(&column.name)), column.align)));
        for row in &self.rows {
            table.add_row(columns.iter().zip(row).map(|(column, value)| cell(shown(value.as_deref()), column.align)));
        }
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// `  … 311 more · 312 rows · 9 ms`
    fn footer(&self, fitting: usize) -> String {
        let mut parts = Vec::new();
        let more = self.total.saturating_sub(self.rows.len() as u64);
        if more > 0 {
            parts.push(format!("… {} more", count(more)));
        }
        if fitting < self.columns.len() {
            let names: Vec<String> = self.columns[fitting..].iter().map(|column| shown(Some(&column.name))).collect();
            parts.push(format!("not shown: {}", names.join(", ")));
        }
        parts.push(super::plural(self.total, "row"));
        parts.extend(self.elapsed.map(elapsed));
        format!("  {}\n", parts.join(" · "))
    }
}

/// Columns of the terminal that standard output is; `None` if it is none.
pub fn terminal_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

fn cell(text: String, align: Align) -> Cell {
    Cell::new(text).set_alignment(match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    })
}

/// A value on one line, harmless to the terminal and not too wide.
fn shown(value: Option<&str>) -> String {
    let Some(value) = value else { return NULL.to_owned() };
    // Only as much is looked at as can be shown.
    let start: String = value.chars().take(WIDEST + 1).collect();
    let clean = safe_text(&start).replace('\n', "↵").replace('\t', " ");
    if clean.width() <= WIDEST && start.len() == value.len() {
        return clean;
    }
    let mut width = 0;
    let kept = clean.chars().take_while(|character| {
        width += character.width().unwrap_or(0);
        width < WIDEST
    });
    kept.collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Table {
        let row = |cells: [&str; 4]| cells.iter().map(|cell| Some((*cell).to_owned())).collect::<Vec<_>>();
        let mut rows = vec![row(["17", "Amélie", "gold", "812.50"]), row(["1,256", "娜 李", "silver", "1,020.00"])];
        rows.push(vec![Some("43".to_owned()), None, Some(String::new()), Some("0.10".to_owned())]);
        Table {
            columns: vec![
                Column::right("id"),
                Column::left("first_name"),
                Column::left("tier"),
                Column::right("spend"),
            ],
            rows,
            total: 1314,
            elapsed: Some(Duration::from_millis(9)),
        }
    }

    #[test]
    fn numbers_stand_right_and_the_rest_is_counted() {
        insta::assert_snapshot!(people().render(100));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let narrow = people().render(30);
        assert!(narrow.ends_with("  … 1,311 more · not shown: spend · 1,314 rows · 9 ms\n"), "{narrow}");
        assert!(narrow.lines().take(5).all(|line| line.width() <= 30), "{narrow}");
    }

    #[test]
    fn what_matters_comes_first_when_not_all_fits() {
        let first = ["spend".to_owned()];
        let narrow = people().with_first(&first, 30).render(30);
        assert!(narrow.trim_start().starts_with("spend │    id\n"), "{narrow}");
        assert!(narrow.contains("not shown: first_name, tier · "), "{narrow}");
        assert_eq!(people().with_first(&first, 100), people(), "what fits stays in its order");
    }

    #[test]
    fn cells_are_one_harmless_line() {
        let table = Table {
            columns: vec![Column::left("note")],
            rows: vec![vec![Some("two\nlines\u{1b}[2J".to_owned())], vec![Some("x".repeat(1_000_000))]],
            total: 2,
            elapsed: None,
        };
        let text = table.render(100);
        assert!(text.contains("two↵lines␛[2J"), "{text}");
        assert!(text.contains(&format!("{}…", "x".repeat(39))), "{text}");
        assert!(text.len() < 500);
    }

    #[test]
    fn nothing_is_a_table_too() {
        let table = Table { columns: vec![Column::left("id")], ..Table::default() };
        assert_eq!(table.render(100), " id\n────\n  0 rows\n");
    }
}
