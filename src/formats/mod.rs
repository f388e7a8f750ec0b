//! Formats that vendors share: XML and SOAP.

pub mod soap;
pub mod xml;
