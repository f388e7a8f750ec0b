//! Tipalti's error codes: what each means for a clerk, and what may be done after it.
//!
//! Codes travel as names (`WSErrors` of the schema) and their list grows with every version, so an unknown one is kept
//! as it is and believed nothing. The numbers of the documentation stand beside the names where it gives them.

/// What may be done after a call failed with a code and named no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It did not fail.
    Ok,
    /// The caller was refused; nothing else will pass either.
    Stop,
    /// A document of the call is at fault; nothing of the call was done.
    Document,
    /// Too many calls; the same one may be made again later.
    BackOff,
    /// Nothing can be concluded.
    Doubt,
}

impl Class {
    /// What the bridge does when a call ends with such a code and names no order.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "the orders of the call are accepted.",
            Self::Stop => "the run is stopped (77): nothing was sent, and nothing would be taken. Never tried again by itself.",
            Self::Document => "the call is cut in two until the order at fault stands alone, which is then rejected.",
            Self::BackOff => "the call is made again after a pause, a few times; what is left goes with the next run.",
            Self::Doubt => "the call is replayed after a pause, up to three times; what is still open is in doubt.",
        }
    }
}

/// A code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The name as it travels.
    pub name: &'static str,
    /// What may be done after it.
    pub class: Class,
    /// What it means and what to do.
    pub meaning: &'static str,
}

const fn code(name: &'static str, class: Class, meaning: &'static str) -> Code {
    Code { name, class, meaning }
}

use Class::{BackOff, Document, Doubt, Ok, Stop};

/// The named codes, in the order of the schema.
pub const CODES: &[Code] = &[
    code(
        "UnknownError",
        Doubt,
        "Tipalti failed inside and does not say why; an over-long text can cause it. Look the order up in Tipalti",
    ),
    code("OK", Ok, "done"),
    code("UnknownCountryCode", Document, "a country is not in ISO 3166 (1001); correct its two letters"),
    code("CountryNotSupported", Document, "Tipalti does not serve the country (1002), for instance because of sanctions"),
    code("UnknownState", Document, "a state is not known (1003); correct it"),
    code("PayerUnknown", Stop, "the payer's name is not known (1004); correct payer_name, letter case included"),
    code("PayeeUnknown", Document, "the payee is not known (1005); correct the seller's id"),
    code("EncryptionKeyFailedValidation", Stop, "the key is wrong (1006); check master_key, payer_name and this machine's clock"),
    code("ParameterError", Document, "a value is missing or invalid (1007); compare the order with what Tipalti has set up"),
    code("FeeScheduleUnknown", Document, "the fee schedule is not known"),
    code(
        "StringContainsNonEBCDICCharacters",
        Document,
        "a text has characters that banks do not take (1009); use letters, digits, / - ? : ( ) . , ' + and blanks",
    ),
    code(
        "PreferredEntityIsNotValid",
        Document,
        "the payer's entity is not known, or there is no default (1010); correct buyer.entity or payer_entity",
    ),
    code("InvoiceRefCodeUnknown", Document, "the bill's reference is not known, or it has no lines (1011)"),
    code("InvoiceCannotBeCancelled", Document, "the bill is paid and cannot be cancelled (1012)"),
    code("UnknownCurrencyCode", Document, "the currency is not known (1013); write its ISO 4217 code"),
    code("InvalidJson", Document, "a value that should be JSON is not (1014)"),
    code("InvoiceValidationError", Document, "the bill breaks a rule (1015)"),
    code("ValidationError", Document, "the order breaks a rule of Tipalti's"),
    code("ValidationWarning", Doubt, "Tipalti warns of something; look the order up in Tipalti"),
    code("BillsModuleMustBeEnabled", Stop, "the payer's account has no bills module; ask Tipalti to enable it"),
    code("FileNotFound", Doubt, "a file is missing at Tipalti"),
    code("InvoiceFileNotFound", Doubt, "a bill's file is missing at Tipalti"),
    code("CannotReadFile", Doubt, "Tipalti could not read a file"),
    code("CannotDeleteFile", Doubt, "Tipalti could not delete a file"),
    code("CannotWriteFile", Doubt, "Tipalti could not write a file"),
    code("PaymentAmountTotalMismatch", Document, "the amounts do not add up to the total"),
    code(
        "InvalidPayerIpAddress",
        Stop,
        "calls from this machine's address are not allowed; have it added to the allowed addresses in Tipalti",
    ),
    code("EnahncedSecurityNotConfigured", Stop, "enhanced security is not set up for the payer; ask Tipalti"),
    code("SubPayerIsNotFound", Stop, "the sub-payer is not known"),
    code("SubPayerDoensNotSupportDynamicKey", Stop, "the sub-payer cannot use dynamic keys"),
    code("PayerDoesntSupportInvoiceModule", Stop, "the payer's account has no invoice module; ask Tipalti to enable it"),
    code("CustomFieldDoesNotExist", Document, "a custom field is not set up in Tipalti; the key must equal its title"),
    code("DuplicateInvoiceRefCode", Document, "the bill's reference is used already"),
    code("PaidOrInProcessInvoiceCannotBeUpdated", Document, "a paid bill, or one in process, cannot be changed"),
    code("CanApproveNotSupported", Document, "approval is not supported for this payer"),
    code("AuthorizationError", Stop, "the key may not make this call; use the master key, not a read-only one"),
    code("InvoiceNotApprovedbyPayee", Document, "the payee has not approved the bill"),
    code("PaymentAmountCannotBeNegative", Document, "an amount is negative; correct it"),
    code("RequestLimitReached", BackOff, "too many calls; Tipalti wants a pause"),
    code("ItemAlreadyInProcess", Doubt, "Tipalti is working on the order already"),
    code("RequestDoesNotExist", Doubt, "the request is not known"),
    code("RequestStillInProgress", Doubt, "the request is still in progress"),
    code("CustomFieldValueIsNotUnique", Document, "a custom field's value must be unique and is not (998)"),
    code("BillStatusIsNotSupported", Document, "the status is not supported"),
    code("GLAccountAssignedToActiveBill", Document, "the GL account is in use by an active bill"),
    code("CustomFieldValidationError", Document, "a custom field is wrong; compare its key and value with the field in Tipalti"),
    code("CustomFieldValueValidationError", Document, "a custom field's value is not one that the field takes"),
    code(
        "GlAccountValidationError",
        Document,
        "the GL account is wrong; compare account.external_id with the account in Tipalti",
    ),
    code("APAccountNotFound", Document, "the AP account is not known"),
    code("SyncDirectionInvalid", Document, "the direction of the synchronisation is not known"),
    code("ErrorTypeInvalid", Document, "the kind of error is not known"),
    code("IntegrationNameInvalid", Document, "the name of the integration is wrong"),
    code("IntegrationVersionOverMaxLength", Document, "the version of the integration is too long"),
    code("CreationTimestampInvalid", Document, "the time of creation is wrong"),
    code("ErrorDetailsInvalid", Document, "the details of the error are wrong"),
    code("PaymentTermNotFound", Document, "the payment term is not known"),
    code("CustomFieldInvalidDateFormat", Document, "a custom field's date has the wrong form"),
    code("PaymentTermValidationError", Document, "the payment term is wrong"),
    code("TaxCodeValidationError", Document, "the tax code is wrong"),
    code("TaxCodeExternalIdNotFoundError", Document, "the tax code is not known; create it in Tipalti, or correct tax.code"),
    code("IllegalErpCurrencyUpdate", Document, "the currency of the ERP may not be changed"),
    code("PurchaseOrderNotFound", Document, "the order is not known; check previous_number"),
    code("GoodsReceivedNotificationNotFound", Document, "the goods receipt is not known"),
    code("PayeeAlreadyInvited", Document, "the payee has been invited already"),
    code("MissingEmail", Document, "an e-mail address is missing"),
    code("PayeeAlreadyRegistered", Document, "the payee has registered already"),
    code("PayeeEmailNotUnique", Document, "the payee's e-mail address is in use already"),
    code("SupplierPortalDisabled", Stop, "the supplier portal is switched off"),
    code("ReportNotFound", Doubt, "the report is not known"),
];

/// Looks a code up as it came: blanks and a closing period aside, in any letter case ("OK", "Ok", "OK.").
pub fn look_up(code: &str) -> Option<&'static Code> {
    let code = code.trim().trim_end_matches('.');
    CODES.iter().find(|known| known.name.eq_ignore_ascii_case(code))
}

/// Looks a code up by its number in the documentation, which stands in brackets in its meaning.
pub fn by_number(number: &str) -> Option<&'static Code> {
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let marked = format!("({number})");
    CODES.iter().find(|code| is_number && code.meaning.contains(&marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_comes_in_several_spellings() {
        for ok in ["OK", "Ok", " ok. ", "OK."] {
            assert_eq!(look_up(ok).map(|code| code.class), Some(Class::Ok));
        }
        // Zero means OK in one of Tipalti's tables and FeesExceedAmount in another.
        assert_eq!(look_up("0"), None);
        assert_eq!(look_up(""), None);
        assert_eq!(by_number("1006").map(|code| code.name), Some("EncryptionKeyFailedValidation"));
        assert_eq!(by_number("0"), None);
    }

    #[test]
    fn the_list_is_the_schemas() {
        assert_eq!(CODES.len(), 69);
        assert!(CODES.iter().all(|code| look_up(code.name) == Some(code)));
    }
}
