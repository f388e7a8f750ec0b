//! The thorough reader: goes through a whole document and collects every fault instead of stopping at the first.
//!
//! Documents are read with serde, which is fast and stops at the first thing it dislikes. A document that it refuses
//! comes here. Both readers make the same values of the same text; only this one can say all that is wrong with it.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::{Fault, MOST_FAULTS, Path, Source};
use super::text::Text;
use super::value::Token;

/// Collects the faults of one document and knows where in its text they stand.
pub(crate) struct Sink<'a> {
    text: &'a str,
    pub(crate) faults: Vec<Fault>,
    /// The place of the last fault and its offset, from which the next one is counted.
    last: (usize, u64, usize),
}

impl<'a> Sink<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, faults: Vec::new(), last: (0, 1, 1) }
    }

    /// A value that cannot be taken; `says` ends the sentence that begins with it.
    pub(crate) fn refuse(&mut self, rule: &'static str, at: &Path<'_>, raw: &'a RawValue, says: &str) {
        let shown = super::fault::shorten(raw.get());
        self.push(Fault::error(rule, at, format!("{shown} {says}")), raw.get());
    }

    fn push(&mut self, fault: Fault, raw: &'a str) {
        if self.faults.len() >= MOST_FAULTS {
            return;
        }
        // Every raw value is a slice of the text, so its place is the distance between the two.
        let offset = (raw.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let mut fault = fault.found(raw.trim_matches('"'));
        if let Some(source) = fault.source.as_mut() {
            let (line, column) = self.place(offset);
            *source = Source { raw: source.raw.take(), line: Some(line), column: Some(column.to_string()), file: None };
        }
        self.faults.push(fault);
    }

    /// Line and column (both from 1) of an offset. Faults mostly come in the order of the text, so it is read once.
    fn place(&mut self, offset: usize) -> (u64, usize) {
        let (mut from, mut line, mut column) = self.last;
        if offset < from {
            (from, line, column) = (0, 1, 1);
        }
        for c in self.text.get(from..offset).unwrap_or_default().chars() {
            if c == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        self.last = (offset, line, column);
        (line, column)
    }
}

/// Something that can be read from JSON while faults are collected.
pub(crate) trait Gather<'a>: Default {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self;
}

impl<'a> Gather<'a> for Text<'a> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        match Token::of(raw.get()) {
            Token::Text(text) => Text::from(text),
            Token::Null => Text::default(),
            Token::Number(_) => {
                sink.refuse("DOC-TYPE", at, raw, "is a number; text is wanted here, so put it in quotes");
                Text::default()
            }
            other => {
                let says = format!("is {}; text is wanted here", other.describe());
                sink.refuse("DOC-TYPE", at, raw, &says);
                Text::default()
            }
        }
    }
}

impl<'a, T: Gather<'a>> Gather<'a> for Vec<T> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        if is_not_given(raw) {
            return Vec::new();
        }
        match serde_json::from_str::<Vec<&'a RawValue>>(raw.get()) {
            Ok(items) => {
                let mut list = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let at = at.index(index);
                    // Nothing takes two bytes to write and the room of a whole line to keep.
                    if is_not_given(item) {
                        sink.refuse("DOC-TYPE", &at, item, "is nothing, in a list; take it out");
                    } else {
                        list.push(T::gather(item, &at, sink));
                    }
                    if sink.faults.len() >= MOST_FAULTS {
                        break;
                    }
                }
                list
            }
            Err(_) => {
                sink.refuse("DOC-TYPE", at, raw, "is not a list; write it in [ ]");
                Vec::new()
            }
        }
    }
}

impl<'a, T: Gather<'a>> Gather<'a> for Option<T> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        (!is_not_given(raw)).then(|| T::gather(raw, at, sink))
    }
}

pub(crate) fn is_not_given(raw: &RawValue) -> bool {
    matches!(raw.get(), "null" | "\"\"")
}

/// The members of a JSON object in their order, doubled keys and all.
pub(crate) struct Members<'a>(pub(crate) Vec<(Text<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Reads the members of an object and hands each known one to `take` (which says whether it knew the name).
pub(crate) fn object<'a>(
    raw: &'a RawValue,
    at: &Path<'_>,
    sink: &mut Sink<'a>,
    names: &[&'static str],
    mut take: impl FnMut(&str, &'a RawValue, &Path<'_>, &mut Sink<'a>),
) {
    if is_not_given(raw) {
        return;
    }
    let Ok(Members(members)) = serde_json::from_str::<Members<'a>>(raw.get()) else {
        sink.refuse("DOC-TYPE", at, raw, "is not an object; write it in { }");
        return;
    };
    let mut seen: HashSet<&str> = HashSet::with_capacity(members.len());
    for (name, value) in &members {
        let at = at.field(name);
        if !seen.insert(name) {
            let message = format!("the key `{}` stands twice in one object; keep one of the two", name.as_str());
            sink.push(Fault::error("DOC-TWICE", at, message), value.get());
            continue;
        }
        if names.contains(&name.as_str()) {
            take(name, value, &at, sink);
        } else {
            let hint = closest(name, names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let message = format!("`{}` is not a field here{hint}", super::fault::shorten(name));
            sink.push(Fault::error("DOC-FIELD", at, message), value.get());
        }
    }
}

/// The known name that a misspelt one most likely means: at most a third of its letters differ.
pub(crate) fn closest<'n>(wrong: &str, names: &[&'n str]) -> Option<&'n str> {
    if wrong.len() > 40 {
        return None;
    }
    let nearest = names.iter().map(|&name| (distance(wrong, name), name)).min()?;
    (nearest.0 <= nearest.1.len().div_ceil(3)).then_some(nearest.1)
}

/// Levenshtein's distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let best = (left + 1).min(*cell + 1).min(diagonal + usize::from(x != y));
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Declares a part of the model: its fields, how both readers fill it, and its schema.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident<$a:lifetime> { $($(#[$fmeta:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Debug, Clone, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
        pub struct $name<$a> { $(
            $(#[$fmeta])*
            #[serde(default, skip_serializing_if = "crate::model::value::Present::is_absent")]
            pub $field: $type,
        )+ }
        $crate::model::gather::record!(@rest [<$a>] $a [$name<$a>] $($field)+);
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Debug, Clone, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        pub struct $name { $(
            $(#[$fmeta])*
            #[serde(default, skip_serializing_if = "crate::model::value::Present::is_absent")]
            pub $field: $type,
        )+ }
        $crate::model::gather::record!(@rest [] 'a [$name] $($field)+);
    };
    (@rest [$($generics:tt)*] $a:lifetime [$full:ty] $($field:ident)+) => {
        impl $($generics)* $crate::model::value::Present for $full {
            fn is_absent(&self) -> bool {
                $($crate::model::value::Present::is_absent(&self.$field))&&+
            }
        }
        impl<$a> $crate::model::gather::Gather<$a> for $full {
            fn gather(
                raw: &$a ::serde_json::value::RawValue,
                at: &$crate::model::Path<'_>,
                sink: &mut $crate::model::gather::Sink<$a>,
            ) -> Self {
                // A field called `r#type` is `type` in the text.
                const NAMES: &[&str] = &[$($crate::model::gather::plain(stringify!($field))),+];
                let mut record = Self::default();
                $crate::model::gather::object(raw, at, sink, NAMES, |name, value, at, sink| {
                    $(if name == const { $crate::model::gather::plain(stringify!($field)) } {
                        record.$field = $crate::model::gather::Gather::gather(value, at, sink);
                    })+
                });
                record
            }
        }
    };
}
pub(crate) use record;

/// The name of a field without the `r#` that Rust wants before a keyword.
pub(crate) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_gets_a_hint() {
        let names = &["quantity", "price", "unit"];
        assert_eq!(closest("quantty", names), Some("quantity"));
        assert_eq!(closest("qty", names), None);
        assert_eq!(closest("Price", names), Some("price"));
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let mut sink = Sink::new("{\n  \"ü\": 1");
        assert_eq!(sink.place(10), (2, 8));
        assert_eq!(sink.place(10), (2, 8));
        assert_eq!(sink.place(1), (1, 2));
    }
}
