//! Finds where a JSON value ends, in pieces as they come in, also where it is broken.

/// Looks for the end of a value by its brackets; whether it is well-formed is for the reader to say.
///
/// A broken value must not swallow those behind it. Text never goes over a line break, so a value ends there. And where
/// another document seems to begin within it, the place is kept: should the value turn out to be broken, it ends there.
#[derive(Default)]
pub(super) struct Scan {
    /// How far it has looked.
    pub(super) at: usize,
    /// Where another document seems to begin.
    pub(super) suspect: Option<usize>,
    depth: u32,
    in_string: bool,
}

/// So many bytes after a bracket it is known whether a document begins with it.
const LOOK_AHEAD: usize = 64;

impl Scan {
    /// The length of the value, when its end is among the bytes. `all` says that no more bytes will come.
    pub(super) fn find_end(&mut self, bytes: &[u8], in_list: bool, all: bool) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.at) {
            let rest = bytes.get(self.at..).unwrap_or_default();
            if self.in_string {
                match memchr::memchr3(b'"', b'\\', b'\n', rest) {
                    Some(skip) => match rest.get(skip..).unwrap_or_default() {
                        [b'"', ..] => {
                            self.in_string = false;
                            self.at += skip + 1;
                        }
                        [b'\n', ..] => return Some(self.at + skip),
                        [_, b'\n', ..] => return Some(self.at + skip + 1),
                        [_, _, ..] => self.at += skip + 2,
                        // The escaped character is not there yet.
                        _ => {
                            self.at += skip;
                            return None;
                        }
                    },
                    None => self.at = bytes.len(),
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' if self.depth > 0 && self.suspect.is_none() => {
                    let line_ends = || memchr::memchr(b'\n', rest).is_some();
                    let begins_line = self.begins_line(bytes);
                    if !all && (rest.len() < LOOK_AHEAD || begins_line && rest.len() < LONGEST_LINE && !line_ends()) {
                        return None;
                    }
                    if begins_document(rest) || begins_line && holds_document(rest) {
                        self.suspect = Some(self.at);
                    }
                    self.depth += 1;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth <= 1 => {
                    // A bracket too many ends a bare word before it.
                    return Some(self.at + usize::from(self.depth == 1 || self.at == 0));
                }
                b'}' | b']' => self.depth -= 1,
                b'\n' if self.depth == 0 => return Some(self.at),
                b',' if self.depth == 0 && in_list => return Some(self.at),
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    fn begins_line(&self, bytes: &[u8]) -> bool {
        let before = bytes.get(..self.at).unwrap_or_default();
        before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).any(|byte| *byte == b'\n')
    }
}

/// A line that is longer is not looked through for a document.
const LONGEST_LINE: usize = 256 << 10;

/// Whether the first of these lines is a document, and perhaps the separator behind it.
fn holds_document(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or_default().trim_ascii_end();
    let line = line.strip_suffix(b"]").or_else(|| line.strip_suffix(b",")).unwrap_or(line);
    is_one_document(line)
}

/// Whether bytes are JSON.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Whether these bytes are the beginning of a document that says its kind first.
fn begins_document(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..LOOK_AHEAD).unwrap_or(bytes);
    let after = |bytes: &[u8], mark: &[u8]| bytes.trim_ascii_start().strip_prefix(mark).map(<[u8]>::to_vec);
    let kind = after(bytes, b"{").and_then(|rest| after(&rest, b"\"kind\"")).and_then(|rest| after(&rest, b":"));
    kind.is_some_and(|kind| {
        [&b"\"purchase_order\""[..], b"\"invoice\""].iter().any(|word| kind.trim_ascii_start().starts_with(word))
    })
}

/// Whether the first value among the bytes is closed by its own bracket.
pub(super) fn closes(bytes: &[u8]) -> bool {
    let mut scan = Scan::default();
    let value = scan.find_end(bytes, false, true).and_then(|end| bytes.get(..end));
    value.is_some_and(|value| (value.ends_with(b"}") || value.ends_with(b"]")) && (scan.suspect.is_none() || is_json(value)))
}

/// Whether a line holds one object and nothing else.
pub(super) fn is_one_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.first() == Some(&b'{') && Scan::default().find_end(line, false, true) == Some(line.len())
}

/// Whether a line holds one object that says it is a document.
pub(super) fn is_one_document(line: &[u8]) -> bool {
    let says = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    says(b"\"kind\"") && (says(b"\"purchase_order\"") || says(b"\"invoice\"")) && is_one_object(line)
}
