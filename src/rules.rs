//! The rules and their stable codes: what each one means, and what to do about it. `payables explain CODE` prints them.

mod mapping;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Fault, Severity};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The stable code.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it means and why it is there.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether a configuration may change its level. Rules without which no document could be made may not.
    pub adjustable: bool,
}

/// How much a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The document is not sent.
    Error,
    /// The person is told.
    Warn,
    /// Nobody is told.
    Off,
}

/// Levels that differ from the built-in ones, by the code of the rule.
pub type Levels = BTreeMap<String, Level>;

/// Gives faults the levels that the configuration asks for.
pub fn apply_levels(levels: &Levels, faults: &mut Vec<Fault>) {
    if levels.is_empty() {
        return;
    }
    faults.retain_mut(|fault| match levels.get(&*fault.rule) {
        Some(Level::Error) => {
            fault.severity = Severity::Error;
            true
        }
        Some(Level::Warn) => {
            fault.severity = Severity::Warning;
            true
        }
        Some(Level::Off) => false,
        None => true,
    });
}

/// Looks a rule up.
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// All rules, those of mappings last.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(mapping::RULES)
}

const fn rule(code: &'static str, title: &'static str, meaning: &'static str, remedy: &'static str) -> Rule {
    Rule { code, title, meaning, remedy, adjustable: false }
}

const fn adjustable(code: &'static str, title: &'static str, meaning: &'static str, remedy: &'static str) -> Rule {
    Rule { code, title, meaning, remedy, adjustable: true }
}

/// The rules of documents and of vendors.
pub const RULES: &[Rule] = &[
    rule(
        "DOC-JSON",
        "The text is no document",
        "The line or the file is not valid JSON, is cut off, or holds something else than an object.",
        "Export the file again; if the line was written by hand, look for a missing quote, comma or bracket near the place that is named.",
    ),
    rule(
        "DOC-ENCODING",
        "The text is not UTF-8",
        "The file was written in another encoding, such as windows-1252 or UTF-16. Guessing it could change names and amounts.",
        "Export the file again as UTF-8.",
    ),
    rule(
        "DOC-SIZE",
        "The document is too large",
        "One document may have 8 MiB. A larger one is a broken export, not an order.",
        "Look at the file near the line that is named.",
    ),
    rule(
        "DOC-KIND",
        "The document does not say what it is",
        "Every document has \"kind\": \"purchase_order\" or \"kind\": \"invoice\".",
        "Add the kind, or correct it.",
    ),
    rule(
        "DOC-FIELD",
        "A field is not known",
        "A field that nobody knows may be a misspelt one, and dropping it could drop money.",
        "Correct the name, or take the field out; `payables schema` lists the fields.",
    ),
    rule(
        "DOC-TWICE",
        "A key stands twice in one object",
        "It cannot be known which of the two values is meant.",
        "Keep one of the two.",
    ),
    rule(
        "DOC-TYPE",
        "A value has the wrong type",
        "Text stands in quotes, lists in [ ], objects in { }, true and false without quotes. Identifiers are text: a number would lose leading zeros.",
        "Write the value in the type that is named.",
    ),
    rule(
        "DOC-DECIMAL",
        "A value is no exact decimal",
        "Amounts, quantities, prices and rates are decimals with at most 28 digits, with a point and without separators.",
        "Write it like 1234.50.",
    ),
    rule(
        "DOC-DATE",
        "A value is no date",
        "Dates are YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, with an optional offset such as +02:00 or Z, and days of the calendar.",
        "Write the date like 2026-03-31.",
    ),
    rule(
        "DOC-WORD",
        "A value is not one of the words of its list",
        "The field takes one of a few words, in small letters with underscores.",
        "Write one of the words that the message lists.",
    ),
    rule(
        "DOC-REQUIRED",
        "A required field is not given",
        "Absent, null, \"\" and blanks are the same: nothing was given.",
        "Fill the field in.",
    ),
    rule(
        "DOC-BLANK",
        "A number begins or ends with a blank",
        "One system keeps the blank and the other drops it, and then they speak of two documents.",
        "Take the blank out.",
    ),
    rule(
        "DOC-CURRENCY",
        "A currency is not in ISO 4217",
        "Currencies are three capital letters.",
        "Write the code, such as EUR.",
    ),
    rule("DOC-COUNTRY", "A country is not in ISO 3166", "Countries are two capital letters.", "Write the code, such as DE."),
    rule("DOC-ADDRESS", "An address has too many lines", "An address has one to three lines.", "Join lines."),
    rule(
        "DOC-LINE-ID",
        "Two lines have the same id",
        "Later changes, receipts and bills name a line by its id, so it must be unique within the document.",
        "Give every line an id of its own.",
    ),
    rule(
        "DOC-DUPLICATE",
        "A number stands in the run twice, with different content",
        "It cannot be known which version is right, so all of them are held.",
        "Keep the right version and run again.",
    ),
    rule(
        "DOC-CHANGED",
        "The number was sent before with other content",
        "The vendor takes a number once. What it has, or may have, under this number is something else.",
        "Give the document a number of its own. If it is meant to go as it is, release it.",
    ),
    rule(
        "DOC-MANY",
        "The document has more faults than anybody would read",
        "A thousand faults are listed; there are more.",
        "Mend the export rather than the document.",
    ),
    rule(
        "DOC-EMPTY",
        "An input has no byte in it",
        "An export that failed often leaves an empty file behind. Nothing of the run is sent.",
        "Look at the export. If there is really nothing to send, say --allow-empty.",
    ),
    rule(
        "DOC-NOT-SENT",
        "The document was certainly not received",
        "The vendor or the network is down, or the run was stopped.",
        "Nothing: the next run sends it.",
    ),
    rule(
        "DOC-DOUBT",
        "It is not known whether the document was received",
        "The call broke after it had left, or its answer could not be understood, and replaying it did not settle the matter.",
        "Look the document up at the vendor. Send it again when it is not there.",
    ),
    rule(
        "TIP-KIND",
        "The target takes purchase orders only",
        "Tipalti is sent purchase orders.",
        "Send invoices to a target that takes them.",
    ),
    adjustable(
        "TIP-ENTITY",
        "The payer's entity is not given",
        "several_entities says that the payer has several entities. Tipalti then wants one on every order.",
        "Fill in buyer.entity, or set payer_entity for all orders.",
    ),
    adjustable(
        "TIP-ACCOUNT",
        "The GL account is not given",
        "several_gl_accounts says that the payer has several GL accounts. Tipalti then wants one on every line.",
        "Fill in account.number.",
    ),
    rule(
        "TIP-PAYEE-ID",
        "The payee id has a form that Tipalti refuses",
        "A payee id (Idap) has at most 64 letters, digits, commas, periods, underscores and dashes (Tipalti's errors 11, 13 and 18).",
        "Correct seller.id.",
    ),
    rule(
        "TIP-PAYEE",
        "The payee is not known",
        "Tipalti creates a payee for an id that it does not know, without a word. A slip of the pen would make a new supplier.",
        "Check seller.id. If the payee is really new, add it to the file of known_payees, or run once with --allow-new-payees.",
    ),
    rule(
        "TIP-UNDO",
        "A default would undo what the last version said",
        "The call writes every field anew. A status, a closed line, or what has been billed goes back to its default when a new version does not give it.",
        "Give the field, or release the order. on_missing = \"default\" lets all defaults pass.",
    ),
    adjustable(
        "TIP-VANISHED",
        "Lines of the last version are not in this one",
        "The call replaces the order as a whole, so they are gone from it afterwards.",
        "Nothing, if they are to go. Else put them back.",
    ),
    adjustable(
        "TIP-APPROVER",
        "An approver has neither a name nor an e-mail address",
        "Tipalti could not tell who it is.",
        "Give the name or the address, or leave the approver out.",
    ),
    rule(
        "TIP-PLACES",
        "A number has more than four decimal places",
        "Tipalti takes four. Rounding a price in silence changes what is paid.",
        "Round it where it comes from.",
    ),
    adjustable(
        "TIP-ROUNDED",
        "A computed amount was rounded",
        "The amount was not given, and price × quantity has more than four decimal places. It was rounded half away from zero.",
        "Nothing, unless the ERP rounds otherwise; then give the amount.",
    ),
    rule(
        "TIP-AMOUNT",
        "The amount is not price × quantity",
        "Tipalti says that Amount is Rate × Quantity. It is a warning when the three disagree, and an error when the product has more digits than can be carried.",
        "Check which of the three is wrong.",
    ),
    adjustable(
        "TIP-NET",
        "The net amount is not amount − discount",
        "Tipalti says that NetValue is the amount including any discounts.",
        "Check which of the three is wrong.",
    ),
    adjustable(
        "TIP-LINE-ID",
        "A line has no id",
        "Tipalti matches bills and receipts to lines by PoLineId, and a later version of the order could not name the line.",
        "Fill in the line's id.",
    ),
    rule(
        "TIP-TEXT",
        "A text has a character that XML cannot carry",
        "Control characters such as U+0001 cannot be sent, not even in another spelling.",
        "Take the character out; it often comes with text copied from a terminal or a PDF.",
    ),
    rule(
        "TIP-VENDOR",
        "Tipalti refused the order",
        "Its own words stand in the message.",
        "Correct the order, or the account in Tipalti, and run again.",
    ),
    rule(
        "TIP-AUTH",
        "Tipalti refused the caller",
        "The key, the payer's name, this machine's clock or its address was not accepted. No order was looked at.",
        "Correct payer_name and master_key, set the clock, or have the address allowed in Tipalti.",
    ),
    rule(
        "TIP-BUSY",
        "Tipalti asked for a pause",
        "Too many calls were made.",
        "Nothing: the next run sends what is left. Lower requests_per_second if it happens often.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Path;

    #[test]
    fn codes_are_unique_and_found_in_any_case() {
        for rule in all() {
            assert_eq!(find(&rule.code.to_lowercase()), Some(rule));
        }
    }

    #[test]
    fn levels_change_and_silence() {
        let faults = || {
            vec![
                Fault::warning("TIP-NET", Path::ROOT, "a"),
                Fault::error("TIP-ENTITY", Path::ROOT, "b"),
                Fault::warning("TIP-LINE-ID", Path::ROOT, "c"),
            ]
        };
        let levels = Levels::from([
            ("TIP-NET".into(), Level::Error),
            ("TIP-ENTITY".into(), Level::Warn),
            ("TIP-LINE-ID".into(), Level::Off),
        ]);
        let mut changed = faults();
        apply_levels(&levels, &mut changed);
        assert_eq!(
            changed.iter().map(|fault| (&*fault.rule, fault.is_error())).collect::<Vec<_>>(),
            [("TIP-NET", true), ("TIP-ENTITY", false)]
        );
        let mut same = faults();
        apply_levels(&Levels::new(), &mut same);
        assert_eq!(same, faults());
    }
}
