//! What AWS holds, as the text of a file: everything but secrets, of which only the names of variables are written.

use super::held::Held;
use super::resource::{Resource, SECRET, TEST_SECRET};
use super::{InvoiceUnit, Preference, Reference};

/// What can be written as a file.
pub trait Writable: Resource {
    /// The same with a reference for each secret that there is: that of a file that speaks of it already, if there is one.
    fn with_references(self, held: &[&'static str], known: Option<&Self>) -> Self;
}

impl Writable for Preference<'_> {
    fn with_references(mut self, held: &[&'static str], known: Option<&Self>) -> Self {
        let name = self.identity().unwrap_or_default();
        let variable =
            |end: &str| Reference::new(format!("env:{}_{end}", slug(&name, '_').to_ascii_uppercase())).unwrap_or_default();
        let known: Vec<_> = known.map(Resource::secrets).unwrap_or_default();
        let reference = |field: &str, end: &str| {
            let known = known.iter().find(|(known, _)| *known == field);
            let known = known.and_then(|(_, reference)| Reference::new(reference.given()?.to_owned()));
            known.unwrap_or_else(|| variable(end))
        };
        if held.contains(&SECRET) {
            self.procurement_portal_shared_secret = reference(SECRET, "SECRET");
        }
        if let Some(test) = self.test_env_preference.as_mut().filter(|_| held.contains(&TEST_SECRET)) {
            test.procurement_portal_shared_secret = reference(TEST_SECRET, "TEST_SECRET");
        }
        self
    }
}

impl Writable for InvoiceUnit<'_> {
    fn with_references(self, _: &[&'static str], _: Option<&Self>) -> Self {
        self
    }
}

/// The name of a file for something that AWS holds.
pub fn file_name<T: Resource>(held: &Held<T>) -> String {
    let name = held.content.name().unwrap_or_default();
    // Two of one name are told apart by what their ARNs end with.
    let end = held.arn().rsplit('/').next().unwrap_or_default();
    format!("{}-{}.toml", slug(&name, '-'), slug(end, '-'))
}

/// The text of a file that says what AWS holds. `known` is what a file has said of it until now: where its secrets are stays.
///
/// # Errors
/// When it cannot be written as TOML.
pub fn file_text<T: Writable + Clone>(held: &Held<T>, known: Option<&T>) -> Result<String, String> {
    let mut text = String::new();
    for status in &held.statuses {
        let reason = status.reason.as_ref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
        text.push_str(&format!("# {}: {}{reason}\n", status.part, one_line(&status.word)));
    }
    for (name, value) in &held.facts {
        text.push_str(&format!("# {name}: {}\n", one_line(value)));
    }
    let secrets: Vec<&'static str> = held.secrets.iter().map(|(field, _)| *field).collect();
    if !secrets.is_empty() {
        text.push_str(
            "# Secrets are not written here. Set the variables that stand in their place, or say where else they are.\n",
        );
    }
    let mut content = held.content.clone().with_references(&secrets, known);
    content.take_tags(held.content.tags());
    let body = toml::to_string(&content).map_err(|error| error.to_string())?;
    Ok(text + &body)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text as a part of a name: letters and digits of ASCII, and one sign for whatever else there is.
fn slug(text: &str, sign: char) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with(sign) {
            slug.push(sign);
        }
    }
    slug.trim_end_matches(sign).chars().take(80).collect()
}
