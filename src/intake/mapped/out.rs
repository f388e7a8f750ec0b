//! The document in the making: fields are put in by their ways, and it is written as canonical JSON.

use crate::mappings::source::Step;

/// A value of the document in the making.
#[derive(Debug)]
pub(super) enum Out {
    /// A place in a list for which nothing was given.
    Hole,
    /// JSON text.
    Json(String),
    Object(Vec<(String, Out)>),
    List(Vec<Out>),
}

/// A part of a list that has another place than the mapping says, or that is gone.
pub(super) struct Moved {
    pub(super) from: String,
    pub(super) to: Option<String>,
}

impl Out {
    pub(super) fn text(text: &str) -> Self {
        Self::Json(serde_json::Value::from(text).to_string())
    }

    /// Puts a value where a way leads; objects and lists on the way are made.
    pub(super) fn put(&mut self, path: &[Step], value: Out) {
        let Some((step, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        match step {
            Step::Field(name) => {
                if !matches!(self, Self::Object(_)) {
                    *self = Self::Object(Vec::new());
                }
                let Self::Object(members) = self else { return };
                if !members.iter().any(|(known, _)| known == name) {
                    members.push((name.clone(), Self::Hole));
                }
                if let Some((_, member)) = members.iter_mut().find(|(known, _)| known == name) {
                    member.put(rest, value);
                }
            }
            Step::Index(index) => {
                if !matches!(self, Self::List(_)) {
                    *self = Self::List(Vec::new());
                }
                let Self::List(elements) = self else { return };
                // A mapping has no index above 99.
                while elements.len() <= *index {
                    elements.push(Self::Hole);
                }
                if let Some(element) = elements.get_mut(*index) {
                    element.put(rest, value);
                }
            }
        }
    }

    /// Moves the elements of lists up where something between them is not given: an address whose second line is empty has
    /// two lines. An empty first text stays, so that the document is told to begin with it.
    pub(super) fn close_gaps(&mut self, at: &str, moved: &mut Vec<Moved>) {
        match self {
            Self::Hole | Self::Json(_) => {}
            Self::Object(members) => {
                for (name, member) in members {
                    let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                    member.close_gaps(&below, moved);
                }
            }
            Self::List(elements) => {
                let is_text = elements.iter().any(|element| matches!(element, Self::Json(_)));
                let before = std::mem::take(elements);
                for (index, element) in before.into_iter().enumerate() {
                    let is_gap = matches!(element, Self::Hole) && !(is_text && index == 0);
                    if is_gap {
                        moved.push(Moved { from: format!("{at}[{index}]"), to: None });
                        continue;
                    }
                    if elements.len() < index {
                        moved.push(Moved { from: format!("{at}[{index}]"), to: Some(format!("{at}[{}]", elements.len())) });
                    }
                    elements.push(element);
                }
            }
        }
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Hole => out.push_str("\"\""),
            Self::Json(text) => out.push_str(text),
            Self::Object(members) => {
                out.push('{');
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    // The names are those of the model's fields, which need no escape.
                    out.push('"');
                    out.push_str(name);
                    out.push_str("\":");
                    member.write(out);
                }
                out.push('}');
            }
            Self::List(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Step {
        Step::Field(name.into())
    }

    #[test]
    fn values_find_their_place_and_gaps_close() {
        let mut out = Out::Object(Vec::new());
        out.put(&[field("number")], Out::text("a\"b"));
        out.put(&[field("payee"), field("id")], Out::text("7"));
        out.put(&[field("payee"), field("lines"), Step::Index(0)], Out::text("one"));
        out.put(&[field("payee"), field("lines"), Step::Index(2)], Out::text("three"));
        let mut moved = Vec::new();
        out.close_gaps("", &mut moved);
        let mut text = String::new();
        out.write(&mut text);
        assert_eq!(text, r#"{"number":"a\"b","payee":{"id":"7","lines":["one","three"]}}"#);
        let moved: Vec<_> = moved.into_iter().map(|moved| (moved.from, moved.to)).collect();
        assert_eq!(moved, [("payee.lines[1]".into(), None), ("payee.lines[2]".into(), Some("payee.lines[1]".into()))]);
    }

    #[test]
    fn an_empty_first_text_stays() {
        let mut out = Out::Object(Vec::new());
        out.put(&[field("lines"), Step::Index(1)], Out::text("two"));
        out.close_gaps("", &mut Vec::new());
        let mut text = String::new();
        out.write(&mut text);
        assert_eq!(text, r#"{"lines":["","two"]}"#);
    }
}
