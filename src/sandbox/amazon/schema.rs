//! The shape of a body, by a JSON Schema of the project's own (`wsdl/amazon`), and what a validator of
//! the vendor's sort says about one that has another shape: it names elements, and never tells which
//! invoice of the call is meant.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::json::shorten;
use super::reply::{Problem, Refusal};

const TEXT: &str = include_str!("../../../wsdl/amazon/submit-invoices.schema.json");

/// The errors that one answer lists at most.
const MOST_PROBLEMS: usize = 20;

/// Built when the first body comes, so that a sandbox for other vendors starts without it.
static VALIDATOR: LazyLock<Result<Validator, String>> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(TEXT).map_err(|error| error.to_string())?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| error.to_string())
});

/// Whether a body has the right shape.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let validator = match &*VALIDATOR {
        Ok(validator) => validator,
        Err(why) => return Err(Refusal::input(format!("The sandbox cannot read its own schema: {why}"))),
    };
    let mut problems: Vec<Problem> = Vec::new();
    for error in validator.iter_errors(body) {
        problems.extend(messages(&error).into_iter().map(|message| Problem::new("InvalidInput", message)));
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    let fractions = spelt_as_fractions(body).map(|value| no_value_of(&value.to_string(), "integer"));
    problems.extend(fractions.map(|message| Problem::new("InvalidInput", message)));
    problems.truncate(MOST_PROBLEMS);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Refusal { status: hyper::http::StatusCode::BAD_REQUEST, problems }),
    }
}

/// What the vendor's validator would say. A value that does not fit is told of twice: by the rule that
/// it breaks, and by the element that has it.
fn messages(error: &ValidationError<'_>) -> Vec<String> {
    let element = error.instance_path().segments().filter_map(name).last().unwrap_or_else(|| "body".to_owned());
    let value = shorten(&text_of(error.instance()));
    let of_element = format!("The value '{value}' of element '{element}' is not valid.");
    let incomplete =
        |wanted: &str| vec![format!("The content of element '{element}' is not complete. One of '{{{wanted}}}' is expected.")];
    match error.kind() {
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let options = options.iter().map(text_of).collect::<Vec<_>>().join(", ");
            let rule =
                format!("Value '{value}' is not valid with respect to enumeration '[{options}]'. It must be one of these.");
            vec![rule, of_element]
        }
        ValidationErrorKind::Pattern { pattern } => {
            vec![format!("Value '{value}' is not valid with respect to pattern '{pattern}'."), of_element]
        }
        ValidationErrorKind::Format { format } => vec![no_value_of(&value, format), of_element],
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(_) => "one of several types".to_owned(),
            };
            vec![no_value_of(&value, &wanted), of_element]
        }
        ValidationErrorKind::Minimum { limit } => {
            vec![format!("Value '{value}' is not valid with respect to minInclusive '{limit}'."), of_element]
        }
        ValidationErrorKind::Required { property } => incomplete(&text_of(property)),
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. } => incomplete("an entry"),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let invalid = |name: &String| {
                let name = shorten(name);
                format!("Invalid content was found starting with element '{name}' in '{element}'. It is not expected there.")
            };
            unexpected.iter().map(invalid).collect()
        }
        _ => vec![of_element],
    }
}

fn no_value_of(value: &str, of: &str) -> String {
    format!("'{value}' is not a valid value for '{of}'.")
}

fn name(segment: LocationSegment<'_>) -> Option<String> {
    match segment {
        LocationSegment::Property(name) => Some(shorten(&name)),
        LocationSegment::Index(_) => None,
    }
}

/// A text as it is, anything else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The whole numbers that are spelt with a fraction or an exponent. To JSON Schema `1.0` is an
/// integer, to the vendor's platform it is not.
fn spelt_as_fractions(body: &Value) -> impl Iterator<Item = &Value> {
    let items = list(body, "invoices").iter().flat_map(|invoice| list(invoice, "items"));
    let numbers = items.flat_map(|item| {
        ["/itemSequenceNumber", "/invoicedQuantity/amount", "/invoicedQuantity/unitSize"].map(|path| item.pointer(path))
    });
    numbers.flatten().filter(|value| value.is_number() && !value.is_i64() && !value.is_u64())
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_can_be_read() {
        assert!(VALIDATOR.as_ref().is_ok());
    }
}
