//! Columns of fixed widths.

use datafusion::arrow::datatypes::Schema;

use crate::hir::Value;

/// The columns of a file of fixed widths, in characters.
pub(super) struct Fixed {
    columns: Vec<Column>,
    /// Cut what is too long instead of refusing it.
    cut: bool,
}

struct Column {
    width: usize,
    /// None: numbers to the right, everything else to the left.
    right: Option<bool>,
    pad: char,
}

impl Fixed {
    /// From `widths`, `align` and `pad`, which `list` gives; `None` without widths.
    pub fn new<'v>(list: &impl Fn(&str) -> Option<&'v [Value]>, cut: bool) -> Result<Option<Self>, String> {
        let Some(widths) = list("widths") else { return Ok(None) };
        for name in ["align", "pad"] {
            if let Some(given) = list(name).filter(|given| given.len() != widths.len()) {
                return Err(format!("`{name}` is for {} columns, `widths` for {}", given.len(), widths.len()));
            }
        }
        let mut columns = Vec::with_capacity(widths.len());
        for (at, width) in widths.iter().enumerate() {
            let Value::Int(width @ 1..=100_000) = width else { return Err("a width is a number from 1 on".into()) };
            let text = |name: &str| match list(name)?.get(at)? {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            };
            let right = match text("align") {
                None => None,
                Some("left") => Some(false),
                Some("right") => Some(true),
                Some(other) => return Err(format!("`{other}` is no alignment: there are left and right")),
            };
            let mut signs = text("pad").unwrap_or(" ").chars();
            let (Some(pad), None) = (signs.next(), signs.next()) else {
                return Err("a column is padded with one sign".into());
            };
            columns.push(Column { width: width.unsigned_abs() as usize, right, pad });
        }
        Ok(Some(Self { columns, cut }))
    }

    /// Whether there is a width for each of so many columns.
    pub fn fits(&self, columns: usize) -> Result<(), String> {
        match self.columns.len() == columns {
            true => Ok(()),
            false => Err(format!("the rows have {columns} columns, but there are {} widths", self.columns.len())),
        }
    }

    /// The line with the names of columns, which are cut where they are too long.
    pub fn header(&self, schema: &Schema) -> String {
        let mut line = String::new();
        for (column, field) in self.columns.iter().zip(schema.fields()) {
            column.pad(field.name(), false, ' ', &mut line);
        }
        line + "\n"
    }

    /// Adds a cell to a line; the error says why it cannot.
    pub fn add(&self, at: usize, cell: &str, is_number: bool, line: &mut String) -> Result<(), String> {
        let Some(column) = self.columns.get(at) else { return Ok(()) };
        if cell.contains(['\n', '\r']) {
            return Err("holds a line end".to_string());
        }
        let length = cell.chars().count();
        // A number that lost its last digits would be another number.
        if length > column.width && (is_number || !self.cut) {
            return Err(format!("is {length} characters long, the column has {}", column.width));
        }
        column.pad(cell, column.right.unwrap_or(is_number), column.pad, line);
        Ok(())
    }
}

impl Column {
    fn pad(&self, cell: &str, right: bool, pad: char, line: &mut String) {
        let length = cell.chars().count();
        let room = self.width.saturating_sub(length);
        let padding = std::iter::repeat_n(pad, room);
        match (right, cell.strip_prefix('-')) {
            // The sign of a number stands before the zeros.
            (true, Some(digits)) if pad == '0' => {
                line.push('-');
                line.extend(padding);
                line.push_str(digits);
            }
            (true, _) => {
                line.extend(padding);
                line.push_str(cell);
            }
            (false, _) => {
                line.extend(cell.chars().take(self.width));
                line.extend(padding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_their_widths() {
        let given = |name: &str| -> Option<Vec<Value>> {
            let texts = |texts: [&str; 3]| texts.map(|text| Value::Text(text.to_string())).to_vec();
            match name {
                "widths" => Some(vec![Value::Int(6), Value::Int(4), Value::Int(3)]),
                "align" => Some(texts(["right", "left", "right"])),
                _ => Some(texts(["0", ".", " "])),
            }
        };
        let (widths, align, pad) = (given("widths"), given("align"), given("pad"));
        let list = |name: &str| match name {
            "widths" => widths.as_deref(),
            "align" => align.as_deref(),
            _ => pad.as_deref(),
        };
        let line = |cells: [(&str, bool); 3], cut: bool| {
            let fixed = Fixed::new(&list, cut).unwrap().unwrap();
            let mut line = String::new();
            let add = |(at, (cell, number)): (usize, (&str, bool))| fixed.add(at, cell, number, &mut line);
            cells.into_iter().enumerate().try_for_each(add).map(|()| line)
        };
        assert_eq!(line([("-1.5", true), ("Zoë", false), ("", false)], false).unwrap(), "-001.5Zoë.   ");
        assert!(line([("1", true), ("longer", false), ("", false)], false).unwrap_err().contains("6 characters"));
        assert_eq!(line([("1", true), ("longer", false), ("x", false)], true).unwrap(), "000001long  x");
        assert!(line([("1234567", true), ("", false), ("", false)], true).is_err(), "no number is cut");
        assert!(line([("1", true), ("a\nb", false), ("", false)], true).is_err());
    }
}
