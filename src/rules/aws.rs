//! Rules of AWS Invoicing's. The tens group them: 00 to 02 procurement portal preferences, 03 invoice units, 04 files.

use super::{Rule, adjustable, rule};

pub(super) const RULES: &[Rule] = &[
    rule("AWS-001", "A field that has to be there is not given", "AWS refuses a request without it.", "Fill it in."),
    adjustable(
        "AWS-002",
        "A word is not one that AWS takes",
        "The API's model lists the words. It grows now and then; where it has grown, lower the level of this rule.",
        "Write one of the words that the message lists.",
    ),
    rule(
        "AWS-003",
        "A text is too long, or has a blank in it",
        "The API's model has limits for every text.",
        "Shorten it, or take the blank out.",
    ),
    rule(
        "AWS-004",
        "There is not exactly one contact",
        "The pages speak of a list, and the model takes one entry.",
        "Keep one contact.",
    ),
    rule("AWS-005", "An e-mail address has an unusual form", "AWS takes ASCII letters and digits.", "Correct it."),
    rule(
        "AWS-006",
        "An address cannot be reached from AWS",
        "AWS sends to https addresses with a name, without a user in them.",
        "Write the address of the portal.",
    ),
    adjustable(
        "AWS-007",
        "The address does not look like Coupa's",
        "Coupa takes invoices at https://<customer>.coupahost.com/cxml/invoices.",
        "Compare it with Coupa's settings.",
    ),
    rule(
        "AWS-008",
        "What stands there is not where a secret is",
        "A file never holds a secret. It is not shown either, since it may be one.",
        "Write env:NAME, file:PATH or cmd:COMMAND. If it was the secret, change it.",
    ),
    adjustable(
        "AWS-009",
        "Something is missing that delivery needs",
        "The API takes the request, but nothing can be delivered like that.",
        "Fill it in.",
    ),
    adjustable(
        "AWS-010",
        "The test environment is not described",
        "The connection is to be tested there.",
        "Fill in test_env_preference.",
    ),
    adjustable(
        "AWS-011",
        "An id is that of both environments",
        "Portals give the test environment an id of its own.",
        "Compare it with the portal.",
    ),
    adjustable(
        "AWS-012",
        "Documents and their orders do not match",
        "Each kind of document that is delivered is listed once, with whether it waits for an order.",
        "Make both lists speak of the same documents.",
    ),
    adjustable(
        "AWS-013",
        "An attachment goes with nothing",
        "PDFs of invoices go with invoices and credit memos, those of requests with requests for payment.",
        "Take it out, or add the document.",
    ),
    adjustable(
        "AWS-014",
        "The activation date has passed",
        "AWS may take it and deliver at once.",
        "Write the day from which invoices are to be delivered.",
    ),
    adjustable(
        "AWS-015",
        "The preference does nothing",
        "Neither are invoices delivered nor orders fetched.",
        "Enable one of the two, or delete the preference.",
    ),
    rule(
        "AWS-016",
        "The approval of purchases is described wrongly",
        "It is for Coupa only, and its address is on the host of the portal.",
        "Correct marketplace_punch_out_preference.",
    ),
    adjustable(
        "AWS-017",
        "An id does not look like one of SAP Business Network",
        "Those are AN and 11 digits.",
        "Compare it with the portal.",
    ),
    adjustable(
        "AWS-018",
        "An id of the test environment stands in the place of a real one",
        "SAP marks them with -T at their end.",
        "Move it to test_env_preference, and write the real id.",
    ),
    rule("AWS-019", "A list is too long", "The API's model has a limit for every list.", "Split it."),
    rule("AWS-020", "A tag is too long or has no name", "Names have 1 to 128 characters, values at most 256.", "Shorten it."),
    rule("AWS-022", "An ARN is none", "import writes it; nobody has to write it by hand.", "Leave arn out, or import again."),
    rule(
        "AWS-030",
        "The name of an invoice unit has characters that AWS does not take",
        "It has 1 to 50 letters, digits, blanks, - and _.",
        "Choose another name.",
    ),
    rule(
        "AWS-031",
        "An account is none",
        "Accounts have 12 digits, and some begin with a zero.",
        "Write it in quotes, with all its digits.",
    ),
    rule(
        "AWS-032",
        "An account is in several invoice units",
        "Its charges come on one invoice only.",
        "Keep it in one of the units.",
    ),
    rule("AWS-040", "A file is not TOML", "The message says where it stops being TOML.", "Correct the file."),
    rule("AWS-041", "Two files describe the same thing", "Nobody knows which one is right.", "Keep one of them."),
];
