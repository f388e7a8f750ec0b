//! Goes through a JSON object to a list within it, without keeping what stands before.

use std::io::{self, Read};

use super::window::Window;
use crate::model::{Fault, Path};

/// A name of a member that is longer is none that anybody asks for.
const LONGEST_NAME: usize = 64 << 10;

/// Goes to the list and takes its opening bracket.
pub(super) fn enter<R: Read>(window: &mut Window<R>, members: &[String]) -> io::Result<Result<(), Box<Fault>>> {
    for (index, member) in members.iter().enumerate() {
        if window.skip_blanks()? != Some(b'{') || !find_member(window, member)? {
            return Ok(Err(missing(window, members, index)));
        }
    }
    if window.skip_blanks()? != Some(b'[') {
        return Ok(Err(missing(window, members, members.len())));
    }
    window.take(1);
    Ok(Ok(()))
}

fn missing<R: Read>(window: &Window<R>, members: &[String], found: usize) -> Box<Fault> {
    let path = members.join("/");
    let what = match members.get(found) {
        Some(member) => format!("there is no `{member}` in the file"),
        None => "what stands there is no list".to_owned(),
    };
    let message = format!(
        "the list of records is not at /{path}, where the mapping says (records_at): {what}, from line {} on; correct the mapping, \
         or export the file again",
        window.line
    );
    Box::new(Fault::error("MAP-TABLE", Path::ROOT, message))
}

/// Goes through an object to the value of a member; `false` when there is none.
fn find_member<R: Read>(window: &mut Window<R>, member: &str) -> io::Result<bool> {
    window.take(1);
    loop {
        if window.skip_blanks()? == Some(b',') {
            window.take(1);
        }
        if window.skip_blanks()? != Some(b'"') {
            return Ok(false);
        }
        let Some(length) = string_length(window)? else { return Ok(false) };
        let name: Option<String> = serde_json::from_slice(window.take(length)).ok();
        if window.skip_blanks()? != Some(b':') {
            return Ok(false);
        }
        window.take(1);
        window.skip_blanks()?;
        if name.as_deref() == Some(member) {
            return Ok(true);
        }
        skip_value(window)?;
    }
}

/// The length of the string that begins here, its quotes included.
fn string_length<R: Read>(window: &mut Window<R>) -> io::Result<Option<usize>> {
    let (mut at, mut escaped) = (1, false);
    loop {
        while let Some(byte) = window.unread().get(at) {
            at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return Ok(Some(at)),
                _ => {}
            }
        }
        if at > LONGEST_NAME || !window.fill()? {
            return Ok(None);
        }
    }
}

/// Skips a value and keeps nothing of it. What is broken in it is not looked for.
fn skip_value<R: Read>(window: &mut Window<R>) -> io::Result<()> {
    let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
    loop {
        let mut at = 0;
        let unread = window.unread();
        for byte in unread {
            let ends = depth == 0 && !in_string && matches!(byte, b',' | b'}' | b']');
            if ends {
                window.take(at);
                return Ok(());
            }
            at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        window.take(at);
        if !window.fill()? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(text: &str, pointer: &[&str]) -> Option<String> {
        let mut window = Window::new(text.as_bytes());
        let members: Vec<String> = pointer.iter().map(|member| (*member).to_owned()).collect();
        let found = enter(&mut window, &members).unwrap();
        found.ok().map(|()| String::from_utf8(window.unread().to_vec()).unwrap())
    }

    #[test]
    fn a_list_is_found_behind_other_members() {
        let text = r#"{"a": {"value": [1, "]}"]}, "b\"": "x,}", "d": {"n": 1, "value": [{"id": 1}]}}"#;
        assert_eq!(entered(text, &["d", "value"]).as_deref(), Some("{\"id\": 1}]}}"));
        assert_eq!(entered(text, &["a", "value"]).as_deref().map(|rest| &rest[..1]), Some("1"));
        assert_eq!(entered(text, &["d"]), None);
        assert_eq!(entered(text, &["nobody"]), None);
        assert_eq!(entered("[]", &["a"]), None);
        assert_eq!(entered("{\"a", &["a"]), None);
        assert_eq!(entered("{\"a\" 1}", &["a"]), None);
    }
}
