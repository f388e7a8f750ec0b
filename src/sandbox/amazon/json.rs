//! Reads JSON more strictly than most readers do: a name that stands twice in one object is refused,
//! since it is a matter of chance which of the two values a reader takes.

use std::collections::HashSet;

use serde_json::Value;

/// Reads a text, or says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "The request body is not UTF-8.".to_owned())?;
    let value = serde_json::from_str(text).map_err(|error| format!("The request body is not valid JSON: {error}."))?;
    match repeated_name(text) {
        None => Ok(value),
        Some(name) => Err(format!("The element '{}' is there twice.", shorten(&name))),
    }
}

/// What an error tells of a text.
pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
    }
}

/// The first name that stands twice in one object of a text that is JSON.
fn repeated_name(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // The names of the objects that are open; an array is open where there is `None`.
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    let mut string = "";
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                string = text.get(start..at).unwrap_or_default();
            }
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b':' => {
                let name: String = serde_json::from_str(string).unwrap_or_default();
                if let Some(Some(names)) = open.last_mut()
                    && !names.insert(name.clone())
                {
                    return Some(name);
                }
            }
            _ => {}
        }
    }
    None
}

/// Behind the quotation mark that ends the string.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_once_in_an_object() {
        for good in [r#"{"a":{"a":":{"},"b":[{"a":1},{"a":2}]}"#, "[]", "1", r#"{"a\"":1,"a":"\\"}"#] {
            assert!(read(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [r#"{"a":1,"a":2}"#, r#"[{"x":{"a" : [],"b":"\"","\u0061":2}}]"#, "{", "", "{} {}", "\u{feff}{}"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(b"\"\xff\"").unwrap_err().contains("UTF-8"));
    }
}
