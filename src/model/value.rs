//! What a field can hold: a scalar that is given or not, and the one place that decides how JSON becomes one.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::date::Date;
use super::decimal;
use super::gather::{Gather, Sink};
use super::{Path, Text};

/// A scalar that is given or not: absent, `null` and `""` all mean "not given".
///
/// ```
/// use payables_bridge::model::Given;
///
/// let quantity: Given<i32> = serde_json::from_str("\"\"").unwrap();
/// assert!(quantity.is_none());
/// assert_eq!(Given::from(7).unwrap_or(0), 7);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Given<T>(pub Option<T>);

/// An amount, a quantity, a price or a rate: exact, or not given.
pub type Number = Given<Decimal>;

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Given<T> {
    type Target = Option<T>;
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: fmt::Debug> fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a field has nothing in it, so that it is left out when the document is written.
pub(crate) trait Present {
    fn is_absent(&self) -> bool;
}

impl<T> Present for Given<T> {
    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl Present for Text<'_> {
    fn is_absent(&self) -> bool {
        !self.is_given()
    }
}

impl<T> Present for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Present for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// A JSON scalar as it stands in the text, before anything is made of it. Numbers keep their digits.
#[derive(Debug, Clone, PartialEq)]
pub enum Token<'t> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// The digits of a number, exactly as written.
    Number(&'t str),
    /// A string, its escapes resolved.
    Text(Cow<'t, str>),
    /// An object or a list.
    Nested,
    /// A string whose escapes make no text (half a surrogate pair).
    Broken,
}

impl<'t> Token<'t> {
    /// Looks at the JSON text of one value, which a JSON reader has already accepted.
    pub(crate) fn of(raw: &'t str) -> Self {
        match raw.as_bytes() {
            [b'"', text @ .., b'"'] if memchr::memchr(b'\\', text).is_none() => {
                Self::Text(Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or_default()))
            }
            [b'"', ..] => serde_json::from_str(raw).map_or(Self::Broken, |text: String| Self::Text(Cow::Owned(text))),
            b"null" => Self::Null,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            [b'{' | b'[', ..] => Self::Nested,
            _ => Self::Number(raw),
        }
    }

    /// What kind of thing stands there, in words.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a yes or no",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Nested => "an object or a list",
            Self::Broken => "text with a broken escape",
        }
    }

    fn is_not_given(&self) -> bool {
        matches!(self, Self::Null) || matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// Why a value cannot be taken: the rule, and the end of a sentence that begins with the value.
#[derive(Debug)]
pub struct Problem {
    /// The rule's stable code.
    pub rule: &'static str,
    /// Such as "is not a date; write it as …".
    pub says: Cow<'static, str>,
}

impl Problem {
    fn new(rule: &'static str, says: impl fmt::Display) -> Self {
        Self { rule, says: Cow::Owned(says.to_string()) }
    }
}

/// A scalar of the canonical model: how it is read from JSON, written to it and described in its schema.
pub trait Scalar: Sized {
    /// What is expected, with its article: "a date", "true or false".
    const EXPECTED: &'static str;
    /// Makes a value of what stands in the text.
    ///
    /// # Errors
    /// When that is no such value.
    fn parse(token: &Token<'_>) -> Result<Self, Problem>;
    /// Writes it.
    ///
    /// # Errors
    /// When the serializer fails.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    /// Its JSON Schema, without the `null` and `""` that every field takes.
    fn schema() -> Schema;
    /// The value came as the wrong JSON type.
    #[doc(hidden)]
    fn wrong_type(token: &Token<'_>) -> Problem {
        Problem::new("DOC-TYPE", format_args!("is {}; {} is wanted here", token.describe(), Self::EXPECTED))
    }
}

impl<T: Scalar> Given<T> {
    fn read(raw: &str) -> Result<Self, Problem> {
        let token = Token::of(raw);
        if token.is_not_given() { Ok(Self(None)) } else { T::parse(&token).map(Self::from) }
    }
}

impl<'de, T: Scalar> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The raw text keeps the digits of a number; every other way through serde ends in a binary float.
        let refuse = |problem: Problem| D::Error::custom(problem.says);
        if deserializer.is_human_readable() {
            return <&RawValue>::deserialize(deserializer).and_then(|raw| Self::read(raw.get()).map_err(refuse));
        }
        Err(D::Error::custom("canonical documents are JSON"))
    }
}

impl<T: Scalar> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: Scalar> JsonSchema for Given<T> {
    fn schema_name() -> Cow<'static, str> {
        "Given".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::schema(), { "enum": [null, ""] }] })
    }
}

impl<'a, T: Scalar> Gather<'a> for Given<T> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        Self::read(raw.get()).unwrap_or_else(|problem| {
            sink.refuse(problem.rule, at, raw, &problem.says);
            Self(None)
        })
    }
}

impl Scalar for Decimal {
    const EXPECTED: &'static str = "a decimal";
    fn parse(token: &Token<'_>) -> Result<Self, Problem> {
        match token {
            Token::Number(text) => decimal::parse(text),
            Token::Text(text) => decimal::parse(text),
            other => return Err(Self::wrong_type(other)),
        }
        .map_err(|why| Problem::new("DOC-DECIMAL", why))
    }
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&decimal::to_text(*self))
    }
    fn schema() -> Schema {
        json_schema!({
            "description": "An exact decimal of at most 28 significant digits, as text or as a number",
            "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$" }],
        })
    }
}

impl Scalar for Date {
    const EXPECTED: &'static str = "a date, as text";
    fn parse(token: &Token<'_>) -> Result<Self, Problem> {
        match token {
            Token::Text(text) => text.parse().map_err(|why| Problem::new("DOC-DATE", why)),
            other => Err(Self::wrong_type(other)),
        }
    }
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
        })
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false, without quotes";
    fn parse(token: &Token<'_>) -> Result<Self, Problem> {
        match token {
            Token::Bool(value) => Ok(*value),
            other => Err(Self::wrong_type(other)),
        }
    }
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }
    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

macro_rules! whole_number {
    ($($type:ty, $schema:tt;)*) => {$(
        impl Scalar for $type {
            const EXPECTED: &'static str = "a whole number";
            fn parse(token: &Token<'_>) -> Result<Self, Problem> {
                let text: &str = match token {
                    Token::Number(text) => text,
                    Token::Text(text) => text,
                    other => return Err(Self::wrong_type(other)),
                };
                text.parse().map_err(|_| {
                    Problem::new("DOC-TYPE", format_args!("is not a whole number from {} to {}", <$type>::MIN, <$type>::MAX))
                })
            }
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
            fn schema() -> Schema {
                json_schema!({ "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": $schema }] })
            }
        }
    )*};
}

whole_number! {
    i32, "^[+-]?[0-9]+$";
    u32, "^[+]?[0-9]+$";
    u64, "^[+]?[0-9]+$";
}

/// Declares a closed list of words: an enum whose values are written in `snake_case` in documents.
macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* #[doc = concat!("`", $word, "`")] $variant,)+ }

        impl $name {
            /// Every word of the list, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in documents.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value for a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::model::value::Scalar for $name {
            const EXPECTED: &'static str = "one of the words of its list, as text";
            fn parse(token: &$crate::model::value::Token<'_>) -> Result<Self, $crate::model::value::Problem> {
                let $crate::model::value::Token::Text(text) = token else { return Err(Self::wrong_type(token)) };
                Self::from_word(text).ok_or_else(|| $crate::model::value::Problem {
                    rule: "DOC-WORD",
                    says: ::std::borrow::Cow::Borrowed(concat!("is not one of:", $(" ", $word,)+)),
                })
            }
            fn write<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
            fn schema() -> ::schemars::Schema {
                ::schemars::json_schema!({ "enum": [$($word),+] })
            }
        }
    )+};
}
pub(crate) use words;
