//! JSON of somebody else's as a tree: numbers in their own digits, and what nobody took still there to be told.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The most parts that a tree has, whatever was sent.
const MOST_PARTS: usize = 200_000;
/// The deepest nesting that is looked into.
const DEEPEST: usize = 32;

/// A value of JSON.
///
/// ```
/// use payables_bridge::formats::tree::Tree;
///
/// let mut order = Tree::read(r#"{"number": "4Z32PABC", "cost": {"amount": 12.50, "currency": null}}"#).unwrap();
/// assert_eq!(order.take_text("number").as_deref(), Some("4Z32PABC"));
/// assert_eq!(order.leaves(), [("cost.amount".to_owned(), "12.50".to_owned())]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tree {
    /// `null`
    #[default]
    Null,
    /// A text, or a number, `true` or `false` as they were written.
    Scalar(String),
    /// A list.
    List(Vec<Tree>),
    /// An object; a name may stand in it twice.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a text; `None` where it is no JSON, or too much of it.
    pub fn read(text: &str) -> Option<Self> {
        grow(serde_json::from_str(text).ok()?, DEEPEST, &mut MOST_PARTS.clone())
    }

    /// Takes a member out of an object.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else { return None };
        let place = members.iter().position(|(known, _)| known == name)?;
        Some(members.remove(place).1)
    }

    /// A member of an object; the first of its name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a member, if it has one that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Scalar(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Takes the text of a member out of an object. What is no text stays.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        self.text(name)?;
        match self.take(name) {
            Some(Self::Scalar(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes the elements of a member out of an object. What is no list stays.
    pub fn take_list(&mut self, name: &str) -> Vec<Self> {
        let Self::Object(members) = self else { return Vec::new() };
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, Self::List(list))) => std::mem::take(list),
            _ => Vec::new(),
        }
    }

    /// Puts a member back into an object, unless nothing is left of it.
    pub fn put(&mut self, name: &str, value: Self) {
        let is_nothing = matches!(&value, Self::Null) || matches!(&value, Self::Object(members) if members.is_empty());
        if let (Self::Object(members), false) = (self, is_nothing) {
            members.push((name.to_owned(), value));
        }
    }

    /// Every text that is left and not empty, with the way to it.
    pub fn leaves(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        self.gather(String::new(), &mut all);
        all
    }

    fn gather(&self, path: String, all: &mut Vec<(String, String)>) {
        match self {
            Self::Null => {}
            Self::Scalar(text) if text.is_empty() => {}
            Self::Scalar(text) => all.push((path, text.clone())),
            Self::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    value.gather(format!("{path}[{index}]"), all);
                }
            }
            Self::Object(members) => {
                let dot = if path.is_empty() { "" } else { "." };
                for (name, value) in members {
                    value.gather(format!("{path}{dot}{name}"), all);
                }
            }
        }
    }
}

fn grow(raw: &RawValue, depth: usize, left: &mut usize) -> Option<Tree> {
    *left = left.checked_sub(1)?;
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'{' => {
            let Members(members) = serde_json::from_str(text).ok()?;
            let depth = depth.checked_sub(1)?;
            let mut grown = Vec::new();
            for (name, value) in members {
                grown.push((name, grow(value, depth, left)?));
            }
            Tree::Object(grown)
        }
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let depth = depth.checked_sub(1)?;
            let grown: Option<Vec<Tree>> = list.into_iter().map(|value| grow(value, depth, left)).collect();
            Tree::List(grown?)
        }
        b'"' => Tree::Scalar(serde_json::from_str(text).ok()?),
        b'n' => Tree::Null,
        _ => Tree::Scalar(text.to_owned()),
    })
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_nothing_is_lost() {
        let text = r#"{"a": [1.10, 1e400, true, null, ""], "b": {"c": "x\n", "d": {}}, "a": "twice"}"#;
        let mut tree = Tree::read(text).unwrap();
        let owned = |list: &[(&str, &str)]| list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>();
        assert_eq!(
            tree.leaves(),
            owned(&[("a[0]", "1.10"), ("a[1]", "1e400"), ("a[2]", "true"), ("b.c", "x\n"), ("a", "twice")])
        );
        assert_eq!(tree.take_text("a"), None, "the first of that name is no text");
        assert_eq!(tree.take_list("a").len(), 5);
        assert_eq!(tree.take("b").unwrap().take_text("c").as_deref(), Some("x\n"));
        assert_eq!(tree.leaves(), owned(&[("a", "twice")]));
        assert_eq!((tree.take("z"), tree.take_list("z"), Tree::Null.take("z")), (None, vec![], None));
    }

    #[test]
    fn too_much_is_refused() {
        assert!(Tree::read(&format!("{}1{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST))).is_some());
        assert!(Tree::read(&format!("{}1{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1))).is_none());
        assert!(Tree::read(&"[".repeat(1_000_000)).is_none());
        assert!(Tree::read(&format!("[{}0]", "0,".repeat(MOST_PARTS))).is_none());
        for broken in ["", "{", "{\"a\"}", "nul", "\"\\ud800\"", "1 2"] {
            assert!(Tree::read(broken).is_none(), "{broken}");
        }
    }
}
