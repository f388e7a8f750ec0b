//! Where a secret is. A file never holds the secret itself, and one that does is not repeated to anybody.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::gather::{Gather, Sink, is_not_given};
use crate::model::value::Present;
use crate::model::{Fault, Path, Text, Token};
use crate::wire::Secret;

/// The longest secret (`SensitiveBasicStringWithoutSpace`).
const LONGEST: usize = 1024;

/// Where a secret is: `env:NAME`, `file:PATH` or `cmd:COMMAND`.
///
/// ```
/// use payables_bridge::vendors::aws::Reference;
///
/// assert!(Reference::new("env:COUPA_SECRET").is_some());
/// assert!(Reference::new("hunter2").is_none());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reference<'a>(Option<Cow<'a, str>>);

impl<'a> Reference<'a> {
    /// A reference, if the text is one.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        let is_reference = ["env:", "file:", "cmd:"].iter().any(|kind| text.len() > kind.len() && text.starts_with(kind));
        is_reference.then_some(Self(Some(text)))
    }

    /// What is wrong with a secret that AWS would not take. It is not shown.
    pub fn refuses(secret: &Secret) -> Option<String> {
        let secret = secret.expose();
        if secret.chars().any(char::is_whitespace) {
            return Some("the secret has a blank in it, which AWS does not take".to_owned());
        }
        let count = secret.chars().count();
        (count > LONGEST).then(|| format!("the secret has {count} characters; AWS takes {LONGEST}"))
    }

    /// The reference, if there is one.
    pub fn given(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.given().unwrap_or("none"))
    }
}

impl Present for Reference<'_> {
    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<'a> Gather<'a> for Reference<'a> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        if is_not_given(raw) {
            return Self::default();
        }
        let reference = match Token::of(raw.get()) {
            Token::Text(text) => Self::new(text),
            _ => None,
        };
        reference.unwrap_or_else(|| {
            // What stands there may be the secret.
            let says = "what stands here is not shown, since it may be the secret itself; say where the secret is: env:NAME, file:PATH \
                        or cmd:COMMAND";
            sink.faults.push(Fault::error("AWS-008", at, says));
            Self::default()
        })
    }
}

impl Serialize for Reference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.given().serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Reference<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        if !text.is_given() {
            return Ok(Self::default());
        }
        Self::new(text.to_string()).ok_or_else(|| serde::de::Error::custom("this is no reference to a secret"))
    }
}

impl JsonSchema for Reference<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Reference".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is, never the secret itself",
            "anyOf": [{ "type": "string", "pattern": "^(env|file|cmd):." }, { "enum": [null, ""] }],
        })
    }
}
