//! Finds where a JSON value ends, in pieces as they come in.

/// Looks for the end of a JSON value by its brackets; whether it is well-formed is for the reader to say.
#[derive(Default)]
pub(super) struct Scan {
    at: usize,
    depth: u32,
    in_string: bool,
}

impl Scan {
    /// The length of the value, when its end is among the bytes.
    pub(super) fn find_end(&mut self, bytes: &[u8], in_list: bool) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.at) {
            if self.in_string {
                let rest = bytes.get(self.at..).unwrap_or_default();
                match memchr::memchr2(b'"', b'\\', rest) {
                    Some(skip) if rest.get(skip) == Some(&b'"') => {
                        self.in_string = false;
                        self.at += skip + 1;
                    }
                    // The escaped character may not be there yet.
                    Some(skip) if rest.len() > skip + 1 => self.at += skip + 2,
                    Some(skip) => {
                        self.at += skip;
                        return None;
                    }
                    None => self.at = bytes.len(),
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
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
}

/// Whether a line holds one object and nothing else.
pub(super) fn is_one_document(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.first() == Some(&b'{') && Scan::default().find_end(line, false) == Some(line.len())
}
