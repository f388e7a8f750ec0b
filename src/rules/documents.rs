//! Rules that hold for a document whatever its target, and for the run that carries it.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
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
        "DOC-FORGOTTEN",
        "The document may have been sent, and been forgotten",
        "The journal was put back from an older copy, and the vendor takes a document once. What was sent after the copy was made is not \
         in it, and this document is old enough to be among that.",
        "Look whether the vendor has it. Release it when it is not there; else leave it out.",
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
        "DOC-FETCHED",
        "An order was changed while orders were fetched, or cannot be read",
        "It came twice with different content, and the later one is what counts; or nothing can be made of what came.",
        "Use the later one. If one cannot be read, look at it at the vendor.",
    ),
];
