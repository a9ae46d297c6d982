//! Lines whose cells have fixed widths.

use datafusion::parquet::errors::ParquetError;

use super::typist::{Raw, Typist};
use super::worker::NOT_UTF8;

/// Takes every line that is not blank to the typist.
pub(super) fn records(text: &[u8], first: u64, widths: &[usize], typist: &mut Typist) -> Result<(), ParquetError> {
    for (bytes, line) in text.split(|byte| *byte == b'\n').zip(first..) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            typist.bad_line(line, &String::from_utf8_lossy(bytes), NOT_UTF8.to_owned());
            continue;
        };
        if !text.trim().is_empty() {
            let cells = cells(text, widths);
            match cells.split_last() {
                Some((&"", cells)) => typist.row(line, |cell| Raw::Text(cells[cell]))?,
                _ => {
                    let (found, wanted) = (text.trim_end().chars().count(), widths.iter().sum::<usize>());
                    typist.bad_line(line, "", format!("the line has {found} characters, but the widths make {wanted}"));
                }
            }
        }
        if typist.stopped {
            break;
        }
    }
    Ok(())
}

/// The cells of a line without the blanks around them, and what is behind the last. Blanks at the end of a line may be
/// missing.
pub(crate) fn cells<'t>(line: &'t str, widths: &[usize]) -> Vec<&'t str> {
    let mut rest = line;
    let mut cells = Vec::with_capacity(widths.len() + 1);
    for width in widths {
        let end = rest.char_indices().nth(*width).map_or(rest.len(), |(at, _)| at);
        let (cell, behind) = rest.split_at(end);
        cells.push(cell.trim());
        rest = behind;
    }
    cells.push(rest.trim());
    cells
}
