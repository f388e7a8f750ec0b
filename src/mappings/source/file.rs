//! A mapping file as it is written: the sections, their options, and the JSON Schema that editors complete from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Table;

use crate::model::Kind;

/// A mapping file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingFile {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub(super) version: u32,
    /// What one record of the source, or one group of its rows, becomes.
    pub(super) document: Kind,
    /// What the mapping is for, in a few words.
    pub(super) title: String,
    /// How the source is written.
    #[serde(default)]
    pub(super) source: SourceSection,
    /// How flat rows make documents; without it every record is a document.
    #[serde(default)]
    pub(super) group: Option<GroupSection>,
    /// The fields of the document: `field = "Column"`, or a table of options. `ignore` lists columns that are not read.
    #[schemars(schema_with = "fields_schema")]
    pub(super) header: Table,
    /// The fields of a line. `at` names the column that holds the lines; without it there is a group, and each row is a line.
    #[serde(default)]
    #[schemars(schema_with = "fields_schema")]
    pub(super) lines: Option<Table>,
    /// The columns of tables within a column, for `table = "…"`.
    #[serde(default)]
    #[schemars(schema_with = "tables_schema")]
    pub(super) tables: BTreeMap<String, Table>,
    /// Words of the source and the words that they become, for `map = "…"`.
    #[serde(default, rename = "map")]
    pub(super) maps: BTreeMap<String, BTreeMap<String, String>>,
}

/// How the source is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SourceSection {
    /// CSV, JSON (one record, a list, or one after the other), JSON Lines, or whichever of them it turns out to be.
    pub(super) format: Format,
    /// The encoding by its WHATWG label, such as `windows-1252`; UTF-8 when it is not given.
    pub(super) encoding: Option<String>,
    /// Of JSON: where the list of records is, as a JSON Pointer such as `/QueryResponse/PurchaseOrder`.
    pub(super) records_at: Option<String>,
    /// Of CSV: how its cells are told apart.
    pub(super) dialect: DialectSection,
    /// How values are written.
    pub(super) formats: FormatsSection,
}

/// The forms that a source may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Found out by its first character: JSON begins with a bracket.
    #[default]
    Auto,
    /// Rows of cells, the first of which is the heading.
    Csv,
    /// Objects, in a list or one after the other.
    Json,
    /// Objects, one a line.
    Ndjson,
}

/// How the cells of CSV are told apart.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DialectSection {
    /// What stands between cells.
    pub(super) delimiter: char,
    /// What stands around a cell that has a delimiter or a line break in it.
    pub(super) quote_char: char,
    /// What stands before a quote within such a cell; when it is not given, such a quote is doubled.
    pub(super) escape_char: Option<char>,
    /// What a line begins with that is a remark.
    pub(super) comment_char: Option<char>,
    /// The line of the heading; what stands above it is skipped.
    pub(super) header_row: u32,
}

impl Default for DialectSection {
    fn default() -> Self {
        Self { delimiter: ',', quote_char: '"', escape_char: None, comment_char: None, header_row: 1 }
    }
}

/// How values are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FormatsSection {
    /// What stands before the places of a decimal.
    pub(super) decimal_char: char,
    /// What stands between groups of three digits.
    pub(super) group_char: Option<char>,
    /// Whether `(12.50)` is a negative number.
    pub(super) parentheses_negative: bool,
    /// `iso8601`, `rfc3339`, or a pattern of strptime such as `%d.%m.%Y`.
    pub(super) date: String,
    /// What means "not given" besides nothing, such as `- None -`.
    pub(super) missing_values: Vec<String>,
    /// What means yes.
    pub(super) true_values: Vec<String>,
    /// What means no.
    pub(super) false_values: Vec<String>,
    /// Whether blanks around values are taken off.
    pub(super) trim: bool,
}

impl Default for FormatsSection {
    fn default() -> Self {
        Self {
            decimal_char: '.',
            group_char: None,
            parentheses_negative: false,
            date: "iso8601".into(),
            missing_values: Vec::new(),
            true_values: vec!["true".into()],
            false_values: vec!["false".into()],
            trim: false,
        }
    }
}

/// How flat rows make documents.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupSection {
    /// Rows that follow one another with the same values here are one document.
    pub(super) key: Vec<String>,
    /// Whether a row without a key belongs to the document above it, and its header cells are empty.
    #[serde(default)]
    pub(super) fill_down: bool,
    /// Rows that are no lines, such as a row of totals.
    #[serde(default)]
    pub(super) skip_rows: Vec<SkipSection>,
    /// What happens when rows of one document differ in a column of the header.
    #[serde(default)]
    pub(super) header_conflict: HeaderConflict,
}

/// A row that is no line.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipSection {
    /// The column that is looked at.
    pub(crate) column: String,
    /// What stands in it.
    pub(crate) equals: String,
}

/// What happens when rows of one document differ in a column of the header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeaderConflict {
    /// The document is refused.
    #[default]
    Error,
    /// The first row counts.
    First,
}

/// How a field gets its value.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FieldSection {
    /// The column; of several, the first that has a value.
    pub(super) from: Option<Columns>,
    /// The value, whatever the source says.
    #[serde(rename = "const")]
    pub(super) constant: Option<String>,
    /// The value when the source gives none.
    pub(super) default: Option<String>,
    /// The section of `[map.…]` through which the value goes.
    pub(super) map: Option<String>,
    /// Of a date: how it is written, when that is not as `[source.formats]` says.
    pub(super) format: Option<String>,
    /// The section of `[tables.…]` that describes the table within the column.
    pub(super) table: Option<String>,
    /// Whether blanks around the value are taken off.
    pub(super) trim: Option<bool>,
}

/// The options by which a table of options is told from a part of the document.
pub(super) const FIELD_OPTIONS: &[&str] = &["from", "const", "default", "map", "format", "table", "trim"];

/// One column or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "the name of a column, or a list of them")]
pub(super) enum Columns {
    /// One.
    One(String),
    /// Several, the first that has a value counts.
    Several(Vec<String>),
}

/// The value of a key in `[header]`, `[lines]` and `[tables.…]`; only its schema is needed.
struct Entry;

impl JsonSchema for Entry {
    fn schema_name() -> Cow<'static, str> {
        "Entry".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (options, entry) = (generator.subschema_for::<FieldSection>(), generator.subschema_for::<Entry>());
        json_schema!({ "anyOf": [
            { "description": "The name of a column, exactly as it stands in the source", "type": "string" },
            options,
            { "description": "The fields of a part of the document", "type": "object", "additionalProperties": entry },
        ]})
    }
}

fn fields_schema(generator: &mut SchemaGenerator) -> Schema {
    let entry = generator.subschema_for::<Entry>();
    json_schema!({
        "type": "object",
        "properties": {
            "at": { "description": "Of [lines]: the column that holds them", "type": "string" },
            "ignore": { "description": "Columns that are not read", "type": "array", "items": { "type": "string" } },
        },
        "additionalProperties": entry,
    })
}

fn tables_schema(generator: &mut SchemaGenerator) -> Schema {
    let fields = fields_schema(generator);
    json_schema!({ "type": "object", "additionalProperties": fields })
}

/// The JSON Schema of a mapping file.
///
/// ```
/// let schema = payables_bridge::mappings::source::mapping_schema().to_value();
/// assert_eq!(schema["properties"]["version"]["const"], 1);
/// ```
pub fn mapping_schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<MappingFile>();
    schema.insert("title".into(), "Mapping of a source".into());
    schema
}
