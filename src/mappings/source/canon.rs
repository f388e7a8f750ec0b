//! What the canonical documents have to offer a mapping: their fields, read off their own JSON Schemas, so that there is no
//! second list of them.

use serde_json::Value;

use crate::model::{Kind, closest, invoice_schema, purchase_order_schema};

/// A step of the way to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A field of a part.
    Field(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

/// An index that is higher names no list of a document.
const MAX_INDEX: usize = 99;

/// Reads a way such as `payee.address.lines[0]`.
pub(super) fn parse_path(text: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("`{text}` is no path; write it like `payee.address.lines[0]`");
    let mut steps = Vec::new();
    for part in text.split('.') {
        let mut pieces = part.split('[');
        let name = pieces.next().filter(|name| !name.is_empty()).ok_or_else(wrong)?;
        steps.push(Step::Field(name.to_owned()));
        for piece in pieces {
            let index: usize = piece.strip_suffix(']').and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
            if index > MAX_INDEX {
                return Err(format!("`{text}` has an index above {MAX_INDEX}"));
            }
            steps.push(Step::Index(index));
        }
    }
    Ok(steps)
}

/// What a field can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text.
    Text,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// A whole number.
    Whole,
    /// Yes or no.
    Bool,
    /// One of these words.
    Words(Vec<String>),
    /// A part with fields of its own.
    Part,
    /// A list of parts or of texts.
    List,
    /// What the mapping says elsewhere.
    Fixed,
}

/// The fields of one kind of document.
pub(super) struct Canon {
    schema: Value,
}

impl Canon {
    pub(super) fn new(kind: Kind) -> Self {
        let schema = match kind {
            Kind::PurchaseOrder => purchase_order_schema(),
            Kind::Invoice => invoice_schema(),
        };
        Self { schema: schema.to_value() }
    }

    /// The document itself.
    pub(super) fn root(&self) -> &Value {
        &self.schema
    }

    /// Goes from a part to one of its fields.
    pub(super) fn walk<'c>(&'c self, part: &'c Value, path: &[Step]) -> Result<&'c Value, String> {
        let mut here = self.resolve(part);
        for step in path {
            here = match step {
                Step::Index(_) => self.element(here).ok_or("an index is for a list only, and this is none")?,
                Step::Field(name) => {
                    let fields = here.get("properties").and_then(Value::as_object);
                    let fields = fields.ok_or_else(|| format!("`{name}` cannot be here: what stands before it has no fields"))?;
                    let field = fields.get(name).ok_or_else(|| {
                        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                        let hint = closest(name, &names)
                            .map_or_else(|| format!("there are: {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
                        format!("`{name}` is no field of the document here; {hint}")
                    })?;
                    self.resolve(field)
                }
            };
        }
        Ok(here)
    }

    /// What an element of a list is, when this is a list.
    pub(super) fn element<'c>(&'c self, list: &'c Value) -> Option<&'c Value> {
        self.resolve(list).get("items").map(|items| self.resolve(items))
    }

    /// What a field can hold.
    pub(super) fn holds(&self, field: &Value) -> Holds {
        let field = self.resolve(field);
        let is = |word: &str| match field.get("type") {
            Some(Value::String(kind)) => kind == word,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == word),
            _ => false,
        };
        if field.get("properties").is_some() {
            return Holds::Part;
        }
        if let Some(words) = field.get("enum").and_then(Value::as_array) {
            return Holds::Words(words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        match () {
            () if field.get("const").is_some() => Holds::Fixed,
            () if is("array") => Holds::List,
            () if is("number") => Holds::Decimal,
            () if is("integer") => Holds::Whole,
            () if is("boolean") => Holds::Bool,
            () if field.get("pattern").is_some() => Holds::Date,
            () => Holds::Text,
        }
    }

    /// The schema behind references and choices: of a choice, the first that is more than "not given".
    fn resolve<'c>(&'c self, mut node: &'c Value) -> &'c Value {
        loop {
            let reference = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"));
            let choices = node.get("anyOf").and_then(Value::as_array);
            let is_nothing = |choice: &&Value| {
                choice.get("type").is_some_and(|kind| kind == "null")
                    || choice.get("enum").and_then(Value::as_array).is_some_and(|words| words.iter().any(Value::is_null))
            };
            let next = match (reference, choices) {
                (Some(name), _) => self.schema.get("$defs").and_then(|definitions| definitions.get(name)),
                (None, Some(choices)) => choices.iter().find(|choice| !is_nothing(choice)),
                (None, None) => None,
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(kind: Kind, path: &str) -> Result<Holds, String> {
        let canon = Canon::new(kind);
        let path = parse_path(path)?;
        canon.walk(canon.root(), &path).map(|node| canon.holds(node))
    }

    #[test]
    fn fields_are_found_and_known_for_what_they_hold() {
        for (path, expected) in [
            ("number", Holds::Text),
            ("total", Holds::Decimal),
            ("issue_date", Holds::Date),
            ("payment_terms.net_due_days", Holds::Whole),
            ("payee.address", Holds::Part),
            ("payee.address.lines", Holds::List),
            ("payee.address.lines[2]", Holds::Text),
            ("taxes", Holds::List),
            ("lines[0].credit.goods_return_date", Holds::Date),
            ("lines[0].unit_size", Holds::Whole),
            ("type", Holds::Words(vec!["invoice".into(), "credit_note".into()])),
            ("kind", Holds::Fixed),
        ] {
            assert_eq!(holds(Kind::Invoice, path), Ok(expected), "{path}");
        }
        assert_eq!(holds(Kind::PurchaseOrder, "lines[0].closed"), Ok(Holds::Bool));
        assert!(holds(Kind::Invoice, "payee.adress").unwrap_err().contains("did you mean `address`"));
        assert!(holds(Kind::Invoice, "number[0]").is_err() && holds(Kind::Invoice, "number.x").is_err());
        assert!(parse_path("a..b").is_err() && parse_path("a[x]").is_err() && parse_path("a[100]").is_err());
    }
}
