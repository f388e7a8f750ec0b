//! The key of a call: lower-case hex HMAC-SHA256 over the payer's name and the timestamp, under the master key's bytes.
//!
//! `CreateOrUpdatePurchaseOrders` has no further term to sign (the documentation: "EAT: None").

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::wire::Secret;

/// What is signed: the payer's name and the timestamp, nothing between them.
///
/// ```
/// use payables_bridge::vendors::tipalti::sign::string_to_sign;
///
/// assert_eq!(string_to_sign("MyPayer", 1521234048), "MyPayer1521234048");
/// ```
pub fn string_to_sign(payer_name: &str, unix_seconds: u64) -> String {
    format!("{payer_name}{unix_seconds}")
}

/// The key for what is signed. The master key looks like base64 and is taken as it is, byte for byte.
pub fn key(master_key: &Secret, string_to_sign: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master_key.expose().as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        for nibble in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published with another client's tests, then vectors computed with Python's hmac.
    #[test]
    fn keys_equal_the_vectors() {
        for (secret, payer, time, expected) in [
            ("boguskey", "MyPayer", 1_521_234_048, "bbffdacec3452b3ea2a23302589166c3fdee0224c5c07dd66b04a357d8bc1162"),
            ("secret-key-123", "AcmeCorp", 1_700_000_000, "8a8aef893601e200061970af6864c4f49a8996d8a18e42293e0ed033d1af8274"),
            ("schlüssel", "Müller GmbH", 1_700_000_000, "e3e0ea7663c24d21c2704d701adad4536198ad4511e6201872a24e9c1f6ef7f1"),
        ] {
            assert_eq!(key(&Secret::new(secret), &string_to_sign(payer, time)), expected);
        }
    }
}
