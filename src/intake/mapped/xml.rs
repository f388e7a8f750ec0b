//! Tables that stand as XML within a column: elements and their texts, within limits, and nothing that only an attack needs.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Tables within tables are written no deeper.
const MAX_DEPTH: usize = 16;
/// An element takes far more memory than the four bytes that it takes to write.
const MAX_ELEMENTS: usize = 1 << 16;

/// An element: either text or further elements stand in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Reads elements that stand one after the other.
pub(super) fn parse(text: &str) -> Result<Vec<Element>, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = vec![Element::default()];
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|error| {
            let why: String = error.to_string().chars().take(100).collect();
            format!("is not well-formed XML ({why})")
        })?;
        match event {
            Event::Start(start) => {
                count += 1;
                if open.len() > MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err("has too many or too deeply nested elements".to_owned());
                }
                refuse_attributes(&start)?;
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::End(_) => {
                let done = open.pop().unwrap_or_default();
                if !done.children.is_empty() && !done.text.trim().is_empty() {
                    return Err(format!("has text between the elements in <{}>", done.name));
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Err("is not well-formed XML (an end without a beginning)".to_owned()),
                }
            }
            Event::Text(text) => append(&mut open, &text)?,
            Event::CData(text) => append(&mut open, &text)?,
            Event::GeneralRef(reference) => {
                let c = resolve(&reference).ok_or("has an entity that XML does not know by itself")?;
                append(&mut open, c.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err("has a document type declaration, which is not read".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(root), true) if root.text.trim().is_empty() => Ok(root.children),
        (Some(_), true) => Err("has text outside of its elements".to_owned()),
        _ => Err("is cut off: an element is not closed".to_owned()),
    }
}

/// What stands in attributes would be lost, so they are refused; but for those that say nothing of the data.
fn refuse_attributes(start: &BytesStart<'_>) -> Result<(), String> {
    for attribute in start.attributes().with_checks(false) {
        let Ok(attribute) = attribute else { return Err("is not well-formed XML (an attribute)".to_owned()) };
        let name = attribute.key.0;
        if name != "xmlns" && !name.starts_with("xmlns:") && !name.starts_with("xsi:") {
            let name: String = name.chars().take(40).collect();
            return Err(format!("has the attribute `{name}`; write columns as elements"));
        }
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<(), String> {
    if text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
        return Err("has characters that XML does not allow".to_owned());
    }
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(elements: &[Element]) -> String {
        let one = |element: &Element| {
            let inner = if element.children.is_empty() { element.text.clone() } else { shown(&element.children) };
            format!("{}({inner})", element.name)
        };
        elements.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn elements_and_their_texts_are_read() {
        let text = "<?xml version='1.0'?><a xmlns='urn:x'>\n <b>1 &lt; 2</b>\n <x:c xmlns:x='urn:y'><![CDATA[<&]]>&#33;</x:c><d/></a><!-- --><e>5</e>";
        assert_eq!(shown(&parse(text).unwrap()), "a(b(1 < 2) c(<&!) d()) e(5)");
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_would_be_lost_or_is_hostile_is_refused() {
        let deep = "<a>".repeat(100_000);
        let many = "<a/>".repeat(MAX_ELEMENTS + 1);
        for bad in [
            "<a>",
            "<a></b>",
            "</a>",
            "text",
            "<a/>text",
            "<a>text<b/></a>",
            "<a b='1'/>",
            "<a>&nope;</a>",
            "<a>&#1;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a",
            &deep,
            &many,
        ] {
            assert!(parse(bad).is_err(), "{}", bad.chars().take(40).collect::<String>());
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[<>/ab&;! ='\\[\\]-]{0,60}") {
            let _read_or_refused = parse(&text);
        }
    }
}
