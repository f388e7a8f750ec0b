//! What several fields are checked for.

use crate::model::{Fault, Path, Text, shorten};
use crate::vendors::aws::Tags;

/// The longest text of most fields.
const LONGEST: usize = 1024;
const MOST_TAGS: usize = 200;

/// Collects faults.
pub(super) struct Checker<'c> {
    pub(super) faults: &'c mut Vec<Fault>,
}

impl Checker<'_> {
    pub(super) fn error(&mut self, rule: &'static str, at: &Path<'_>, message: impl Into<String>) {
        self.faults.push(Fault::error(rule, at, message));
    }

    pub(super) fn warn(&mut self, rule: &'static str, at: &Path<'_>, message: impl Into<String>) {
        self.faults.push(Fault::warning(rule, at, message));
    }

    /// Whether the text of a field, or of what it is part of, was refused; then it says nothing more.
    fn was_refused(&self, at: &Path<'_>) -> bool {
        let path = at.to_string();
        self.faults
            .iter()
            .any(|fault| fault.rule.starts_with("DOC-") && (path.starts_with(&fault.path) && !fault.path.is_empty()))
    }

    /// Whether a field that has to be there is.
    pub(super) fn required(&mut self, is_given: bool, at: &Path<'_>, hint: &str) -> bool {
        if !is_given && !self.was_refused(at) {
            self.error("AWS-001", at, format!("is not given; {hint}"));
        }
        is_given
    }

    /// One of the words that the API takes.
    pub(super) fn word(&mut self, text: &Text<'_>, words: &[&str], at: &Path<'_>) {
        if text.is_given() && !words.contains(&text.as_str()) {
            let message = format!("{:?} is not one of: {}", shorten(text), words.join(" "));
            self.faults.push(Fault::error("AWS-002", at, message).found(text.as_str()));
        }
    }

    /// A text without blanks, and not too long.
    pub(super) fn solid(&mut self, text: &Text<'_>, at: &Path<'_>) {
        if text.chars().any(char::is_whitespace) {
            let message = format!("{:?} has a blank in it, which AWS does not take", shorten(text));
            self.faults.push(Fault::error("AWS-003", at, message).found(text.as_str()));
        }
        self.length(text, LONGEST, at);
    }

    pub(super) fn length(&mut self, text: &Text<'_>, most: usize, at: &Path<'_>) {
        let count = text.chars().count();
        if count > most {
            self.error("AWS-003", at, format!("has {count} characters; AWS takes {most}"));
        }
    }

    pub(super) fn count(&mut self, count: usize, most: usize, at: &Path<'_>) {
        if count > most {
            self.error("AWS-019", at, format!("has {count} entries; AWS takes {most}"));
        }
    }

    /// An address that AWS can send to from the outside. Returns its host.
    pub(super) fn endpoint(&mut self, text: &Text<'_>, at: &Path<'_>) -> Option<String> {
        let text = text.given()?;
        if text.contains('@') {
            // It may be a secret, so it is not shown.
            self.error("AWS-006", at, "the address has a user or a password in it; AWS has a field for the secret");
            return None;
        }
        if text.contains(char::is_whitespace) || text.chars().count() > LONGEST {
            self.error("AWS-003", at, format!("the address has a blank in it, or more than {LONGEST} characters"));
            return None;
        }
        let Ok(address) = url::Url::parse(text) else {
            self.error("AWS-006", at, "is not an address; write it as https://host/path");
            return None;
        };
        if address.query().is_some() {
            self.warn(
                "AWS-006",
                at,
                "the address has a ? in it; what stands behind it is shown wherever the address is, so no secret may",
            );
        }
        let mut refuse = |says: &str| {
            let message = format!("{:?} {says}", shorten(text));
            self.faults.push(Fault::error("AWS-006", at, message).found(text));
            None
        };
        if address.scheme() != "https" {
            return refuse("does not begin with https://");
        }
        if address.fragment().is_some() {
            return refuse("has a # in it");
        }
        let host = address.host_str().unwrap_or_default().to_owned();
        let is_named = matches!(address.host(), Some(url::Host::Domain(_)));
        if !is_named || host == "localhost" || host.ends_with(".localhost") {
            return refuse("names no host that AWS can reach; write the portal's name");
        }
        Some(host)
    }

    pub(super) fn account(&mut self, text: &Text<'_>, at: &Path<'_>) {
        if text.is_given() && !(text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())) {
            let message =
                format!("{:?} is no account of AWS: those have 12 digits (in quotes, so that zeros stay)", shorten(text));
            self.faults.push(Fault::error("AWS-031", at, message).found(text.as_str()));
        }
    }

    pub(super) fn tags(&mut self, tags: Option<&Tags<'_>>, at: &Path<'_>) {
        let Some(tags) = tags else { return };
        self.count(tags.0.len(), MOST_TAGS, at);
        for (name, value) in &tags.0 {
            let at = at.field(name);
            if !(1..=128).contains(&name.chars().count()) {
                self.error("AWS-020", &at, "the name of a tag has 1 to 128 characters");
            }
            if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
                self.error("AWS-020", &at, "tags whose names begin with aws: are set by AWS only; take it out");
            }
            if value.chars().count() > 256 {
                self.error("AWS-020", &at, "the value of a tag has at most 256 characters");
            }
        }
    }
}
