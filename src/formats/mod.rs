//! Formats that vendors share: XML and SOAP, JSON, and what addresses and forms want.

pub mod json;
pub mod percent;
pub mod soap;
pub mod xml;
