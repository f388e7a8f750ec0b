//! The rules of mappings: what can be wrong on the way from a source to a document.

use super::{Rule, rule};

/// All of them.
pub(super) const RULES: &[Rule] = &[
    rule(
        "MAP-COLUMN",
        "A column of the source is not in the mapping",
        "What stands in it would be lost, and a misspelt name may hide a value that the mapping looks for.",
        "Correct the heading, or add the column to the mapping, under `ignore` if it is not to be read.",
    ),
    rule(
        "MAP-TWICE",
        "A column stands twice in one record",
        "It cannot be known which of the two is meant, and the values behind it may stand in the wrong columns.",
        "Keep one of the two.",
    ),
    rule(
        "MAP-ROW",
        "A row cannot be taken apart",
        "It has another number of cells than the heading, or a quote in it is not closed, so its values may stand in the wrong columns.",
        "Correct the row, or export the file again. In a file whose rows are grouped, the documents on both sides are refused too.",
    ),
    rule(
        "MAP-TABLE",
        "A table within a column cannot be read",
        "It is neither JSON nor XML, is broken, or has more rows than can be.",
        "Write its rows as a JSON list of objects, or as XML elements.",
    ),
    rule(
        "MAP-TYPE",
        "A value of the source is of the wrong type",
        "A table stands where one value is wanted, or something else where a yes or no is.",
        "Correct the value, or the mapping.",
    ),
    rule(
        "MAP-WORD",
        "A word of the source is not in the mapping's table",
        "The mapping says what each word becomes. One that it does not know is not guessed.",
        "Correct the word, or add it to the [map.…] of the mapping.",
    ),
    rule(
        "MAP-DECIMAL",
        "A number does not have the declared separators",
        "The mapping says what stands before the places and between groups of three digits. 1,234 is one thing or the other.",
        "Correct the number, or decimal_char and group_char under [source.formats].",
    ),
    rule(
        "MAP-DATE",
        "A date does not have the declared form",
        "The mapping says how dates are written. 03/04/2026 is one day or the other.",
        "Correct the date, or the format of the field or under [source.formats].",
    ),
    rule(
        "MAP-CONFLICT",
        "Rows of one document differ in its header",
        "The header is said once for each row, and two rows say different things.",
        "Correct the rows. header_conflict = \"first\" takes what the first one says.",
    ),
];
