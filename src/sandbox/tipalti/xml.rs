//! Reads XML element by element and refuses all that a SOAP message has no business with: a DOCTYPE,
//! text between elements, attributes that mean nothing, references to entities of its own.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::value::{is_space, trim};

/// The namespaces that the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Soap12,
    Soap11,
    Tipalti,
    Other,
}

const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const TIPALTI: &str = "http://Tipalti.org/";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// No element of the schema has use for more.
const MOST_ATTRIBUTES: usize = 64;
/// Far more than any text of an order, and little enough for the answer to carry it back.
pub(super) const MOST_TEXT: usize = 1 << 20;
const DEEPEST_HEADER: usize = 64;

/// Why a request cannot be read: the three fault codes of SOAP 1.2 that blame its writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Sender(String),
    VersionMismatch,
    MustUnderstand(String),
}

/// The start of an element.
#[derive(Debug)]
pub(super) struct Start<'i> {
    tag: BytesStart<'i>,
    pub(super) space: Space,
    pub(super) nil: bool,
    must_understand: bool,
}

impl Start<'_> {
    pub(super) fn name(&self) -> &str {
        self.tag.local_name().into_inner()
    }

    pub(super) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name() == name
    }
}

/// A place in the request.
pub(super) struct Cursor<'i> {
    reader: NsReader<&'i [u8]>,
    text: &'i str,
    at_start: bool,
}

impl<'i> Cursor<'i> {
    /// At the beginning of a body that must be UTF-8 without characters that XML forbids.
    pub(super) fn new(body: &'i [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|error| unreadable(body, error.valid_up_to(), "Invalid UTF-8."))?;
        // The XML library does not look for them.
        if let Some(position) = text.find(|char| !is_xml_char(char)) {
            return Err(unreadable(body, position, "An invalid character was found."));
        }
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        Ok(Self { reader, text, at_start: true })
    }

    /// A refusal that names this place.
    pub(super) fn refuse(&self, why: &str) -> Refusal {
        let position = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        unreadable(self.text.as_bytes(), position, why)
    }

    fn event(&mut self) -> Result<Event<'i>, Refusal> {
        let event = self.reader.read_event().map_err(|error| self.refuse(&error.to_string()))?;
        let is_first = std::mem::replace(&mut self.at_start, false);
        match &event {
            Event::DocType(_) => return Err(self.refuse("For security reasons DTD is prohibited.")),
            Event::Decl(_) if !is_first => {
                return Err(self.refuse("Unexpected XML declaration."));
            }
            Event::Decl(declaration) => match declaration.encoding().transpose() {
                Ok(None) => {}
                Ok(Some(name)) if name.eq_ignore_ascii_case("utf-8") => {}
                _ => return Err(self.refuse("The encoding is not UTF-8.")),
            },
            _ => {}
        }
        Ok(event)
    }

    /// The next child of the element that the cursor is in, or `None` at that element's end.
    pub(super) fn child(&mut self) -> Result<Option<Start<'i>>, Refusal> {
        loop {
            match self.event()? {
                Event::Start(tag) => return self.start(tag).map(Some),
                Event::End(_) => return Ok(None),
                Event::Text(text) if text.chars().all(is_space) => {}
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => return Err(self.refuse("Unexpected end of file.")),
                _ => return Err(self.refuse("Text is not allowed between elements.")),
            }
        }
    }

    /// Makes sure that nothing follows the document.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.chars().all(is_space) => {}
                Event::Comment(_) | Event::PI(_) => {}
                _ => return Err(self.refuse("There is something after the root element.")),
            }
        }
    }

    /// The text of the element that the cursor is in, up to and with its end.
    pub(super) fn text(&mut self) -> Result<Cow<'i, str>, Refusal> {
        let mut all: Cow<'i, str> = Cow::Borrowed("");
        loop {
            let piece = match self.event()? {
                Event::Text(text) => text.xml10_content(),
                Event::CData(text) => text.xml10_content(),
                Event::GeneralRef(reference) => Cow::Owned(self.resolve(&reference)?.to_string()),
                Event::Comment(_) | Event::PI(_) => continue,
                Event::End(_) => return Ok(all),
                Event::Eof => return Err(self.refuse("Unexpected end of file.")),
                Event::Start(tag) => {
                    let name = shorten(tag.local_name().into_inner()).into_owned();
                    return Err(self.refuse(&format!("Element '{name}' stands where text is expected.")));
                }
                _ => return Err(self.refuse("Text is expected.")),
            };
            if all.len() + piece.len() > MOST_TEXT {
                return Err(self.refuse("The text of an element is too long."));
            }
            if all.is_empty() {
                all = piece;
            } else {
                all.to_mut().push_str(&piece);
            }
        }
    }

    fn resolve(&self, reference: &BytesRef<'_>) -> Result<char, Refusal> {
        match (&**reference, reference.resolve_char_ref()) {
            ("lt", _) => Ok('<'),
            ("gt", _) => Ok('>'),
            ("amp", _) => Ok('&'),
            ("quot", _) => Ok('"'),
            ("apos", _) => Ok('\''),
            (_, Ok(Some(char))) if is_xml_char(char) => Ok(char),
            (name, _) => Err(self.refuse(&format!("Reference to undeclared entity '{}'.", shorten(name)))),
        }
    }

    /// Passes over an element of the header that the cursor has just entered.
    pub(super) fn skip(&mut self, start: &Start<'_>) -> Result<(), Refusal> {
        if start.must_understand {
            return Err(Refusal::MustUnderstand(shorten(start.name()).into_owned()));
        }
        let mut depth = 1_usize;
        while depth > 0 {
            match self.event()? {
                Event::Start(_) if depth == DEEPEST_HEADER => {
                    return Err(self.refuse("The header is nested too deeply."));
                }
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.refuse("Unexpected end of file.")),
                _ => {}
            }
        }
        Ok(())
    }

    fn start(&self, tag: BytesStart<'i>) -> Result<Start<'i>, Refusal> {
        let (space, _) = self.reader.resolver().resolve_element(tag.name());
        let space = match space {
            ResolveResult::Bound(Namespace(SOAP12)) => Space::Soap12,
            ResolveResult::Bound(Namespace(SOAP11)) => Space::Soap11,
            ResolveResult::Bound(Namespace(TIPALTI)) => Space::Tipalti,
            ResolveResult::Bound(_) | ResolveResult::Unbound => Space::Other,
            ResolveResult::Unknown(prefix) => {
                return Err(self.refuse(&format!("'{}' is an undeclared prefix.", shorten(&prefix))));
            }
        };
        let mut start = Start { tag, space, nil: false, must_understand: false };
        if !trim(start.tag.attributes_raw()).is_empty() {
            (start.nil, start.must_understand) = self.attributes(&start)?;
        }
        Ok(start)
    }

    /// Whether the element is nil, and whether it must be understood.
    fn attributes(&self, start: &Start<'_>) -> Result<(bool, bool), Refusal> {
        let (mut nil, mut must_understand) = (false, false);
        for (index, attribute) in start.tag.attributes().enumerate() {
            if index == MOST_ATTRIBUTES {
                return Err(self.refuse("There are too many attributes."));
            }
            let attribute = attribute.map_err(|error| self.refuse(&error.to_string()))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (space, name) = self.reader.resolver().resolve_attribute(attribute.key);
            let truth = match attribute.value.as_ref() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            };
            match (space, name.into_inner(), truth) {
                (ResolveResult::Bound(Namespace(INSTANCE)), "nil", Some(truth)) => nil = truth,
                (ResolveResult::Bound(Namespace(SOAP12)), "mustUnderstand", Some(truth)) => {
                    must_understand = truth;
                }
                (ResolveResult::Bound(Namespace(INSTANCE)), "schemaLocation" | "type", _)
                | (ResolveResult::Bound(Namespace(SOAP12 | XML)), _, _) => {}
                // The blocks of a header are not the service's own.
                _ if start.space == Space::Other => {}
                (_, name, _) => {
                    let name = shorten(name);
                    return Err(
                        self.refuse(&format!("Attribute '{name}' of element '{}' is not expected.", shorten(start.name())))
                    );
                }
            }
        }
        Ok((nil, must_understand))
    }
}

fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Text of the request as it may stand in an answer: not longer than a line.
pub(super) fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}...", text.get(..end).unwrap_or_default())),
    }
}

/// The vendor's platform names the line and the column.
fn unreadable(body: &[u8], position: usize, why: &str) -> Refusal {
    let before = body.get(..position).unwrap_or(body);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    Refusal::Sender(format!(
        "Server was unable to read request. ---> There is an error in XML document ({line}, {column}). ---> {why}"
    ))
}
