//! XML 1.0, both ways: escaping text straight into a buffer, and walking a reply that may be hostile.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

/// The deepest nesting that a reply may have.
pub const MAX_DEPTH: usize = 64;
/// The most attributes that an element of a reply may have.
const MAX_ATTRIBUTES: usize = 64;
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
    /// An element ends; this is the text since the last beginning.
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
        Ok(Self { reader, text: String::new(), depth: 0, seen_root: false, namespace: String::new(), name: String::new() })
    }

    /// The next step.
    ///
    /// # Errors
    /// When the document is not well-formed, or does what only an attack does.
    pub fn step(&mut self) -> Result<Step<'_>, Unreadable> {
        loop {
            let (resolved, event) = match self.reader.read_resolved_event() {
                Ok(event) => event,
                Err(error) => return unreadable(format!("the reply is not well-formed XML ({error})")),
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

/// Indents a document for eyes. Text stays as it is; only white space between elements is added.
pub fn pretty(document: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(document) else { return document.to_vec() };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut writer = quick_xml::Writer::new_with_indent(Vec::with_capacity(document.len() * 2), b' ', 2);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => {
                if writer.write_event(event).is_err() {
                    return document.to_vec();
                }
            }
            // Only documents of our own making come here; one that cannot be read is shown as it is.
            Err(_) => return document.to_vec(),
        }
    }
    writer.into_inner()
}
