//! XML 1.0, both ways: escaping text straight into a buffer, and walking a reply that may be hostile.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

/// The deepest nesting that a reply may have.
pub const MAX_DEPTH: usize = 64;
/// The most attributes that an element of a reply may have.
const MAX_ATTRIBUTES: usize = 64;
/// The most characters that are told of what is wrong: a name in a reply may be as long as the reply.
const LONGEST_REASON: usize = 200;
/// The namespace of `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A character that XML 1.0 cannot carry, not even as a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("U+{:04X}", u32::from(*.0))]
pub struct IllegalChar(pub char);

/// What a byte asks of the writer.
const PLAIN: u8 = 0;
const ESCAPE: u8 = 1;
const ILLEGAL: u8 = 2;
/// The lead byte of something that may be a line break or a noncharacter.
const LOOK: u8 = 3;

#[expect(clippy::indexing_slicing, reason = "a constant: what does not fit does not compile")]
static CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        class[byte] = ILLEGAL;
        byte += 1;
    }
    class[b'\t' as usize] = PLAIN;
    class[b'\n' as usize] = ESCAPE;
    class[b'\r' as usize] = ESCAPE;
    class[b'&' as usize] = ESCAPE;
    class[b'<' as usize] = ESCAPE;
    class[b'>' as usize] = ESCAPE;
    class[0xC2] = LOOK;
    class[0xE2] = LOOK;
    class[0xEF] = LOOK;
    class
};

/// Appends text as element content. Line breaks of every kind become references, so that a document stays on one line.
///
/// # Errors
/// When the text has a character that XML cannot carry; the buffer then holds what came before it.
pub fn escape(text: &str, out: &mut Vec<u8>) -> Result<(), IllegalChar> {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // The table has a place for every byte.
        #[expect(clippy::indexing_slicing, reason = "256 places, indexed by a byte")]
        let class = CLASS[usize::from(byte)];
        if class == PLAIN {
            at += 1;
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let reference: &[u8] = match rest {
            [b'&', ..] => b"&amp;",
            [b'<', ..] => b"&lt;",
            [b'>', ..] => b"&gt;",
            [b'\n', ..] => b"&#10;",
            [b'\r', ..] => b"&#13;",
            [0xC2, 0x85, ..] => b"&#133;",
            [0xE2, 0x80, 0xA8, ..] => b"&#8232;",
            [0xE2, 0x80, 0xA9, ..] => b"&#8233;",
            [0xEF, 0xBF, 0xBE | 0xBF, ..] | [0..0x20, ..] => {
                out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
                return Err(IllegalChar(text.get(at..).and_then(|text| text.chars().next()).unwrap_or_default()));
            }
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        out.extend_from_slice(reference);
        at += if byte < 0x80 { 1 } else { text.get(at..).and_then(|text| text.chars().next()).map_or(1, char::len_utf8) };
        from = at;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(())
}

/// Why a reply cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub Cow<'static, str>);

fn unreadable<T>(why: impl Into<Cow<'static, str>>) -> Result<T, Unreadable> {
    Err(Unreadable(why.into()))
}

/// A step of a walk through a document.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'w> {
    /// An element begins.
    Open {
        /// Its namespace; empty when it has none or its prefix is not declared.
        namespace: &'w str,
        /// Its name without the prefix.
        name: &'w str,
        /// Whether it says `xsi:nil`.
        nil: bool,
    },
    /// An element ends; this is the text since the last beginning or end.
    Close {
        /// The text, with its references resolved.
        text: &'w str,
    },
    /// The document ends.
    End,
}

/// Walks through a document without recursion, without expanding entities, within limits.
pub struct Walk<'b> {
    reader: NsReader<&'b [u8]>,
    text: String,
    /// Whether the text belongs to an element that has ended.
    stale: bool,
    depth: usize,
    seen_root: bool,
    namespace: String,
    name: String,
}

impl<'b> Walk<'b> {
    /// Begins a walk.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn new(bytes: &'b [u8]) -> Result<Self, Unreadable> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let Ok(text) = simdutf8::basic::from_utf8(bytes) else { return unreadable("the reply is not UTF-8") };
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_end_names = true;
        Ok(Self {
            reader,
            text: String::new(),
            stale: false,
            depth: 0,
            seen_root: false,
            namespace: String::new(),
            name: String::new(),
        })
    }

    /// The next step.
    ///
    /// # Errors
    /// When the document is not well-formed, or does what only an attack does.
    pub fn step(&mut self) -> Result<Step<'_>, Unreadable> {
        if std::mem::take(&mut self.stale) {
            self.text.clear();
        }
        loop {
            let (resolved, event) = match self.reader.read_resolved_event() {
                Ok(event) => event,
                Err(error) => {
                    let why = error.to_string();
                    let why: String = why.chars().take(LONGEST_REASON).collect();
                    return unreadable(format!("the reply is not well-formed XML ({why})"));
                }
            };
            match event {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return unreadable("the reply is nested too deeply");
                    }
                    if self.depth == 1 && self.seen_root {
                        return unreadable("the reply has more than one root");
                    }
                    self.seen_root = true;
                    self.text.clear();
                    self.namespace.clear();
                    if let ResolveResult::Bound(namespace) = resolved {
                        self.namespace.push_str(namespace.as_ref());
                    }
                    self.name.clear();
                    self.name.push_str(start.local_name().as_ref());
                    let nil = is_nil(&self.reader, &start)?;
                    return Ok(Step::Open { namespace: &self.namespace, name: &self.name, nil });
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    self.stale = true;
                    return Ok(Step::Close { text: &self.text });
                }
                Event::Text(text) => {
                    if self.depth == 0 && !text.trim().is_empty() {
                        return unreadable("the reply is not XML");
                    }
                    append(&mut self.text, &text)?;
                }
                Event::CData(text) => {
                    append(&mut self.text, &text)?;
                }
                Event::GeneralRef(reference) => {
                    let c = resolve(&reference)?;
                    append(&mut self.text, c.encode_utf8(&mut [0; 4]))?;
                }
                Event::Decl(declaration) => {
                    if let Some(Ok(encoding)) = declaration.encoding()
                        && !encoding.eq_ignore_ascii_case("utf-8")
                    {
                        return unreadable("the reply is not in UTF-8");
                    }
                }
                Event::DocType(_) => return unreadable("the reply has a document type declaration"),
                Event::Eof if self.depth > 0 => return unreadable("the reply is cut off"),
                Event::Eof if !self.seen_root => return unreadable("the reply is empty"),
                Event::Eof => return Ok(Step::End),
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            }
        }
    }
}

fn append(out: &mut String, text: &str) -> Result<(), Unreadable> {
    let illegal = |c: &char| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.chars().any(|c| illegal(&c)) {
        return unreadable("the reply has characters that XML does not allow");
    }
    out.push_str(text);
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Unreadable> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Ok(c);
    }
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => unreadable("the reply has an entity that is not declared"),
    }
}

fn is_nil(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<bool, Unreadable> {
    let mut nil = false;
    for (count, attribute) in start.attributes().with_checks(false).enumerate() {
        let Ok(attribute) = attribute else { return unreadable("the reply is not well-formed XML (an attribute)") };
        if count >= MAX_ATTRIBUTES {
            return unreadable("the reply has an element with too many attributes");
        }
        let QName(name) = attribute.key;
        if name.ends_with("nil") {
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            let is_xsi = matches!(namespace, ResolveResult::Bound(namespace) if namespace.as_ref() == XSI);
            nil |= is_xsi && local.as_ref() == "nil" && matches!(attribute.value.as_ref(), "true" | "1");
        }
    }
    Ok(nil)
}

/// Indents a document of our own making for eyes: every `<` in it begins a tag. Text stays as it is; only white space
/// between elements is added, never inside one that has text.
pub fn pretty(document: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.len() * 2);
    let mut depth = 0_usize;
    let mut after_open = false;
    let mut rest = document;
    while let Some(at) = memchr::memchr(b'<', rest) {
        let (text, tag) = rest.split_at(at);
        out.extend_from_slice(text);
        let (tag, after) = tag.split_at(memchr::memchr(b'>', tag).map_or(tag.len(), |end| end + 1));
        let closes = tag.starts_with(b"</");
        let opens = !closes && !tag.starts_with(b"<?") && !tag.ends_with(b"/>");
        depth -= usize::from(closes && depth > 0);
        // An end right after its beginning, or after text, stays on the line.
        let stays = closes && after_open;
        if !stays && !out.is_empty() {
            out.push(b'\n');
            out.resize(out.len() + 2 * depth, b' ');
        }
        out.extend_from_slice(tag);
        depth += usize::from(opens);
        after_open = opens;
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> Result<String, IllegalChar> {
        let mut out = Vec::new();
        escape(text, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    /// Walks through a document and writes down what it meets.
    fn walked(document: &str) -> Result<String, Unreadable> {
        let mut walk = Walk::new(document.as_bytes())?;
        let mut out = String::new();
        loop {
            match walk.step()? {
                Step::Open { namespace, name, nil } => out += &format!("({namespace}|{name}{}", if nil { "?" } else { "" }),
                Step::Close { text } => out += &format!("={text})"),
                Step::End => return Ok(out),
            }
        }
    }

    #[test]
    fn text_stays_on_one_line() {
        assert_eq!(escaped("a & b < c > d \"'\t").unwrap(), "a &amp; b &lt; c &gt; d \"'\t");
        assert_eq!(escaped("1\r\n2\u{85}3\u{2028}4\u{2029}5").unwrap(), "1&#13;&#10;2&#133;3&#8232;4&#8233;5");
        assert_eq!(escaped("ü–漢字🚚\u{fffd}").unwrap(), "ü–漢字🚚\u{fffd}");
        assert_eq!(escaped("a\u{1}"), Err(IllegalChar('\u{1}')));
        assert_eq!(escaped("\u{ffff}"), Err(IllegalChar('\u{ffff}')));
        assert_eq!(escaped("\u{fffe}"), Err(IllegalChar('\u{fffe}')));
    }

    #[test]
    fn a_walk_goes_by_namespace() {
        let document = "<?xml version='1.0'?><p:a xmlns:p='urn:1' xmlns:x='http://www.w3.org/2001/XMLSchema-instance'><b x:nil='true'/><c xmlns='urn:2'>1 &lt; 2<![CDATA[&]]>&#x21;</c></p:a>";
        assert_eq!(walked(document).unwrap(), "(urn:1|a(|b?=)(urn:2|c=1 < 2&!)=)");
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(1_000_000);
        let wide = format!("<a {}/>", (0..70).map(|n| format!("a{n}='' ")).collect::<String>());
        for hostile in [
            "",
            "   ",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<a>&#1;</a>",
            "<a>&#0;</a>",
            "<a>&nope;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            &deep,
            &wide,
        ] {
            assert!(walked(hostile).is_err(), "{}", hostile.chars().take(60).collect::<String>());
        }
        assert!(Walk::new(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn pretty_keeps_text() {
        let text = String::from_utf8(pretty(b"<?xml version=\"1.0\"?><a><b>1 &amp; 2&#10;</b><c></c></a>")).unwrap();
        assert_eq!(text, "<?xml version=\"1.0\"?>\n<a>\n  <b>1 &amp; 2&#10;</b>\n  <c></c>\n</a>");
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back(text in any::<String>()) {
            if let Ok(escaped) = escaped(&text) {
                prop_assert!(!escaped.contains(['\n', '\r']));
                // A carriage return and a line feed survive because both are references.
                let expected = format!("(|a={text})");
                prop_assert_eq!(walked(&format!("<a>{escaped}</a>")).unwrap(), expected);
            } else {
                let has_illegal = text.chars().any(|c| c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}'));
                prop_assert!(has_illegal);
            }
        }
    }
}
