//! What AWS says when it refuses: a code, words, and for values that are wrong the fields.
//!
//! Source: the API's model of 2024-12-01. Codes and reasons that it does not list are kept as they are.

use serde::Deserialize;
use serde_json::Number;

use crate::model::{Fault, Path, shorten};

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Whether it could be read as what AWS says.
    pub is_whole: bool,
    /// The code, such as `ConflictException`.
    pub code: String,
    /// The words.
    pub message: String,
    /// Why a value is wrong, such as `duplicateInvoiceUnit`.
    pub reason: Option<String>,
    /// The fields that are wrong, each with what is wrong with it.
    pub fields: Vec<(String, String)>,
    /// Which resource it is about.
    pub resource: Option<String>,
    /// When to come again, in seconds.
    pub retry_after_s: Option<u64>,
}

/// Codes that AWS's services have in common for whoever may not ask; they come with several statuses.
const DENIED: [&str; 14] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "UnrecognizedClientException",
];

/// What a refusal means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Whoever asks may not.
    Denied,
    /// It is not there.
    Missing,
    /// It is there already, or somebody else is changing it.
    Conflict,
    /// Too much at once; nothing was done.
    Throttled,
    /// AWS failed; whether anything was done is not known.
    Broken,
    /// It is not taken as it is.
    Invalid,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "__type", default)]
    kind: Option<String>,
    #[serde(default, alias = "Message")]
    message: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(rename = "fieldList", default)]
    fields: Option<Vec<Field>>,
    #[serde(rename = "resourceId", alias = "resourceName", default)]
    resource: Option<String>,
    #[serde(rename = "retryAfterSeconds", default)]
    retry_after_s: Option<Number>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Seconds; a part of one counts whole.
fn whole_seconds(number: &Number) -> Option<u64> {
    let text = number.to_string();
    match text.split_once('.') {
        None => text.parse().ok(),
        Some((whole, part)) if part.bytes().all(|digit| digit.is_ascii_digit()) => {
            whole.parse::<u64>().ok()?.checked_add(u64::from(part.bytes().any(|digit| digit != b'0')))
        }
        Some(_) => None,
    }
}

impl Refusal {
    /// Reads an answer. One that has another shape is a refusal without words.
    pub fn read(status: u16, code: Option<&str>, body: &[u8]) -> Self {
        let Ok(said) = serde_json::from_slice::<Body>(body) else {
            let code = code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
            return Self { status, code, message: shorten(&String::from_utf8_lossy(body)), ..Self::default() };
        };
        let short = |kind: &str| kind.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        let kind = said.kind.as_deref().map(short).filter(|kind| !kind.is_empty());
        Self {
            status,
            is_whole: true,
            code: kind.or_else(|| code.map(short)).unwrap_or_else(|| format!("HTTP {status}")),
            message: said.message.unwrap_or_default(),
            reason: said.reason,
            fields: said
                .fields
                .unwrap_or_default()
                .into_iter()
                .map(|field| (field.name.unwrap_or_default(), field.message.unwrap_or_default()))
                .collect(),
            resource: said.resource,
            retry_after_s: said.retry_after_s.as_ref().and_then(whole_seconds),
        }
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning {
        match self.code.as_str() {
            "ResourceNotFoundException" => Meaning::Missing,
            "ConflictException" => Meaning::Conflict,
            "ThrottlingException" | "TooManyRequestsException" => Meaning::Throttled,
            "ValidationException" if self.reason.as_deref() == Some("duplicateInvoiceUnit") => Meaning::Conflict,
            "ValidationException" | "ServiceQuotaExceededException" => Meaning::Invalid,
            "InternalServerException" => Meaning::Broken,
            _ => match self.status {
                // Signatures and tokens that are not taken have many codes.
                401 | 403 => Meaning::Denied,
                429 => Meaning::Throttled,
                500.. => Meaning::Broken,
                _ if DENIED.contains(&self.code.as_str()) => Meaning::Denied,
                _ => Meaning::Invalid,
            },
        }
    }

    /// What is told of it, a fault for each field.
    pub fn faults(&self) -> Vec<Fault> {
        let code = match &self.reason {
            Some(reason) => format!("{} {reason}", self.code),
            None => self.code.clone(),
        };
        let fault = |path: String, words: &str| {
            let told = if words.is_empty() {
                "AWS refused it without a word".to_owned()
            } else {
                format!("AWS refused it: {}", shorten(words))
            };
            Fault::error("AWS-060", path, told).vendor(Some(&code), Some(words))
        };
        if self.fields.is_empty() {
            return vec![fault(Path::ROOT.to_string(), &self.message)];
        }
        self.fields.iter().map(|(name, words)| fault(snake(name), words)).collect()
    }
}

/// A path in AWS's names as one in ours.
fn snake(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    let mut before = '.';
    for c in path.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        before = c;
    }
    out
}

/// What a code or a reason of AWS's means.
pub fn explain(code: &str) -> Option<String> {
    let (code, meaning, next) = CODES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(code))?;
    Some(format!("{code} (AWS Invoicing): {meaning}.\n\nWhat to do: {next}\n"))
}

/// Code or reason, what it means, what to do.
const CODES: [(&str, &str, &str); 12] = [
    (
        "ConflictException",
        "the preference is there already, or somebody else is changing it",
        "The bridge reads back what is there. Where it is what was wanted, it is done; else make a new plan.",
    ),
    (
        "ServiceQuotaExceededException",
        "the account may not have more of them",
        "Delete one that is not needed, or ask AWS for more.",
    ),
    (
        "ResourceNotFoundException",
        "AWS holds nothing under this ARN",
        "Look at `payables portal list`; somebody may have deleted it.",
    ),
    ("InternalServerException", "AWS failed", "The bridge asks again with the same token and then reads back what is there."),
    ("duplicateInvoiceUnit", "there is an invoice unit of this name", "The bridge reads back what is there."),
    (
        "maxInvoiceUnitsExceeded",
        "the account may not have more invoice units",
        "Delete one that is not needed, or ask AWS for more.",
    ),
    ("maxAccountsExceeded", "the invoice unit has too many accounts", "Make two of it."),
    (
        "mutualExclusionError",
        "an account is in another invoice unit",
        "Take it out there first; an account belongs to one unit at most.",
    ),
    ("accountMembershipError", "an account does not belong to this organization", "Correct the account in the file."),
    (
        "taxSettingsError",
        "the tax settings of the accounts do not go together",
        "Compare the accounts' tax settings with tax_inheritance_disabled.",
    ),
    ("fieldValidationFailed", "a field is not taken as it is", "Mend the field that the message names."),
    ("nonMemberPresent", "an account is not a member of the organization", "Correct the account in the file."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_whatever_it_looks_like() {
        let body = br#"{"__type":"com.amazonaws.invoicing#ValidationException","message":"No.","reason":"fieldValidationFailed",
            "fieldList":[{"name":"EinvoiceDeliveryPreference.Protocol","message":"unknown"},{"message":"odd"}]}"#;
        let refusal = Refusal::read(400, None, body);
        let faults: Vec<(String, String)> = refusal.faults().into_iter().map(|fault| (fault.path, fault.message)).collect();
        let expected = [("einvoice_delivery_preference.protocol", "AWS refused it: unknown"), ("", "AWS refused it: odd")];
        assert_eq!(faults, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
        assert_eq!(refusal.meaning(), Meaning::Invalid);
        let odd = Refusal::read(502, None, b"<html>");
        assert_eq!((odd.code.as_str(), odd.message.as_str(), odd.meaning()), ("HTTP 502", "<html>", Meaning::Broken));
        assert_eq!(Refusal::read(400, Some("ThrottlingException"), b"{}").meaning(), Meaning::Throttled);
        assert_eq!(Refusal::read(400, Some("UnrecognizedClientException"), b"{}").meaning(), Meaning::Denied);
        assert_eq!(Refusal::read(400, Some("ExpiredTokenException"), b"{}").meaning(), Meaning::Denied);
        for (seconds, expected) in [("5", Some(5)), ("2.0", Some(2)), ("1.5", Some(2)), ("-1", None), ("1e300", None)] {
            let body = format!(r#"{{"message":"Slow.","retryAfterSeconds":{seconds}}}"#);
            let refusal = Refusal::read(429, None, body.as_bytes());
            assert_eq!((refusal.message.as_str(), refusal.retry_after_s), ("Slow.", expected), "{seconds}");
        }
        let duplicate = br#"{"__type":"ValidationException","reason":"duplicateInvoiceUnit"}"#;
        assert_eq!(Refusal::read(400, None, duplicate).meaning(), Meaning::Conflict);
        assert_eq!(
            Refusal::read(400, None, br#"{"__type":"ConflictException:http://x","resourceId":"arn"}"#).resource.as_deref(),
            Some("arn")
        );
    }

    #[test]
    fn paths_have_our_names() {
        assert_eq!(snake("Contacts[0].Email"), "contacts[0].email");
        assert_eq!(snake("EinvoiceDeliveryPreference"), "einvoice_delivery_preference");
        assert_eq!(snake(""), "");
    }
}
