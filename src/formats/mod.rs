//! Formats that vendors share: XML and SOAP, JSON, times, and what addresses and forms want.

pub mod clock;
pub mod json;
pub mod percent;
pub mod soap;
pub mod tree;
pub mod xml;
