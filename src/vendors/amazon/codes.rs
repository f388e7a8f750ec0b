//! What the codes of Amazon's answers mean. They are open words: one that is not here is told as it came.

/// Code, what it means, and what the bridge does.
const CODES: &[(&str, &str, &str)] = &[
    ("InvalidInput", "a value of the request is missing or not allowed; the words beside it name it", REFUSED),
    ("InvalidRequest", "the request as a whole is not what is wanted", REFUSED),
    (
        "NotAvailable",
        "the invoice was refused, and no reason is given; the usual ones are a bill-to party or a tax registration that is not as Amazon \
         has it, and goods that are not confirmed as shipped",
        REFUSED,
    ),
    ("INVALID_ORDER_ID", "a purchase order number is none of Amazon's, or not of this vendor", REFUSED),
    ("Unauthorized", "the token, the region or the role of the application was not accepted", STOPPED),
    (
        "ResourceNotFound",
        "the address, the transaction or the order is not known there",
        "the words beside the document say which",
    ),
    (
        "QuotaExceeded",
        "more calls were made than are allowed, perhaps by another program",
        "it waits, and calls again; nothing was looked at",
    ),
    (
        "InternalFailure",
        "something broke at Amazon's, and nobody knows how far it had come",
        "an invoice is in doubt and never sent again by itself; a question is asked again",
    ),
    ("invalid_client", "Login with Amazon does not know the client, or its secret has ended (after 180 days)", STOPPED),
    ("invalid_grant", "the refresh token is wrong, was withdrawn, or belongs to another client", STOPPED),
    ("unauthorized_client", "the application may not ask for tokens in this way", STOPPED),
    ("access_denied", "the vendor's account refused the application", STOPPED),
    ("server_error", "Login with Amazon broke", "it asks again, three times"),
    ("temporarily_unavailable", "Login with Amazon is overloaded", "it asks again, three times"),
];
const REFUSED: &str = "the invoice is rejected; mend it and send it again, under the same number";
const STOPPED: &str = "it ends with 77, and nothing is lost: what was not looked at goes with the next run";

/// What a code means, and what the bridge does about it.
pub(in crate::vendors) fn explain(code: &str) -> Option<String> {
    let (code, meaning, does) = CODES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(code))?;
    Some(format!("{code} (Amazon): {meaning}.\n\nWhat the bridge does: {does}.\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_any_case() {
        assert!(explain("notavailable").is_some_and(|text| text.starts_with("NotAvailable (Amazon): the invoice was refused")));
        assert!(CODES.iter().all(|(code, ..)| explain(code).is_some()) && explain("Nothing").is_none());
    }
}
