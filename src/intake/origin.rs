//! Where the values of a mapped document came from: for each field the line, the column and what stood there.

use crate::model::{Fault, Source, shorten};

/// Where the value of one field came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The field, such as `lines[0].price`.
    pub path: String,
    /// The line in the source, counted from 1.
    pub line: u64,
    /// The column by its heading; within a table `Items[0].NetCostAmount`. Empty for a constant of the mapping.
    pub column: String,
    /// What stood there, cut after 120 characters; empty when nothing did.
    pub raw: String,
    /// What the document says, `None` when the field is not given or is a part with fields of its own.
    pub value: Option<String>,
}

/// Where a mapped document came from, and what the mapping had to say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// One for each field that the mapping knows, in the order in which they were read.
    pub cells: Vec<Cell>,
    /// Values that could not be taken, and columns that nobody knows. Their places are in them.
    pub faults: Vec<Fault>,
}

impl Origin {
    /// The cell that a field came from; failing that, the first of the fields within it, its identifier before all; failing
    /// that, the cell of the nearest part around it.
    pub fn locate(&self, path: &str) -> Option<&Cell> {
        let exact = |path: &str| self.cells.iter().find(|cell| cell.path == path);
        let is_below = |cell: &&Cell| cell.path.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
        let below = || self.cells.iter().find(is_below).filter(|_| !path.is_empty());
        let around = || {
            let mut part = path;
            while let Some(cut) = part.rfind(['.', '[']) {
                part = part.get(..cut).unwrap_or_default();
                if let Some(cell) = exact(part) {
                    return Some(cell);
                }
            }
            None
        };
        exact(path).or_else(|| exact(&format!("{path}.id"))).or_else(below).or_else(around)
    }

    /// Says where in the source the value stands that a fault is about; `line` is that of the document.
    pub(super) fn place(&self, fault: &mut Fault, line: u64) {
        let source = fault.source.get_or_insert_default();
        let Some(cell) = self.locate(&fault.path) else {
            source.line = Some(line);
            source.column = None;
            return;
        };
        source.line = Some(cell.line);
        if cell.path == fault.path && !cell.raw.is_empty() {
            source.raw = Some(cell.raw.clone());
        }
        if !cell.column.is_empty() {
            source.column = Some(cell.column.clone());
            // The clerk has the source before him, and not the document that became of it.
            fault.message.push_str(&format!(" (line {}, column {})", cell.line, cell.column));
        }
    }
}

/// The source of a fault of the mapping.
pub(super) fn source_of(line: u64, column: &str, raw: &str) -> Source {
    let column = (!column.is_empty()).then(|| column.to_owned());
    Source { file: None, line: Some(line), column, raw: Some(shorten(raw)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Path;

    #[test]
    fn a_fault_finds_the_cell_or_what_is_nearest_to_it() {
        let cell = |path: &str, line, column: &str| Cell {
            path: path.into(),
            line,
            column: column.into(),
            raw: "x".into(),
            value: None,
        };
        let origin = Origin {
            cells: vec![cell("payee.id", 2, "Payee"), cell("lines", 2, "Items"), cell("lines[0].price", 3, "Items[0].Price")],
            faults: vec![],
        };
        let find = |path: &str| origin.locate(path).map(|cell| &*cell.column);
        assert_eq!(find("lines[0].price"), Some("Items[0].Price"));
        assert_eq!(find("lines[0].unit"), Some("Items"));
        assert_eq!(find("payee"), Some("Payee"));
        assert_eq!(find("number"), None);
        assert_eq!(find(""), None);
        let mut fault = Fault::error("DOC-DECIMAL", Path::ROOT.field("number"), "m");
        origin.place(&mut fault, 9);
        assert_eq!(fault.source.unwrap().line, Some(9));
    }
}
