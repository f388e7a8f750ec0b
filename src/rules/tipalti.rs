//! Rules of Tipalti's.

use super::{Rule, adjustable, rule};

pub(super) const RULES: &[Rule] = &[
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
