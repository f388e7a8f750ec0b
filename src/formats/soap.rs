//! SOAP 1.2, and faults of SOAP 1.1 and 1.2: a server that speaks one answers in the other when it is upset enough.

use super::xml::{Step, Unreadable, Walk};

/// The namespace of a SOAP 1.2 envelope.
pub const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// The namespace of a SOAP 1.1 envelope.
pub const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The media type of a SOAP 1.2 message.
pub const CONTENT_TYPE: &str = "application/soap+xml; charset=utf-8";

/// What stands before the content of a body.
pub const OPEN: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?>"#,
    r#"<soap12:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" "#,
    r#"xmlns:xsd="http://www.w3.org/2001/XMLSchema" "#,
    r#"xmlns:soap12="http://www.w3.org/2003/05/soap-envelope"><soap12:Body>"#,
);
/// What stands after it.
pub const CLOSE: &str = "</soap12:Body></soap12:Envelope>";

/// A fault of either version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    /// The code without its prefix: Sender, Receiver, Client, Server, VersionMismatch …
    pub code: String,
    /// What the server says of it.
    pub reason: String,
}

impl Fault {
    /// Whether the server blames the message, so that it did not act on it.
    pub fn is_senders(&self) -> bool {
        // SOAP 1.1 lets servers refine a code after a point: `Client.Validation`.
        matches!(self.code.split('.').next(), Some("Sender" | "Client"))
    }
}

/// What the body of a reply holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<T> {
    /// A fault.
    Fault(Fault),
    /// What the reader of the content made of it.
    Content(T),
}

/// Reads the content of a body: it is handed every element below `Body`, with its depth counted from there.
pub trait Content: Default {
    /// An element begins; the body's child has depth 1.
    fn open(&mut self, depth: usize, namespace: &str, name: &str, nil: bool);
    /// The element of this depth ends, with this text.
    fn close(&mut self, depth: usize, text: &str);
    /// Whether the body held what was expected in it.
    fn is_complete(&self) -> bool;
}

/// Reads a reply.
///
/// # Errors
/// When it is no SOAP message, or its body holds neither a fault nor the expected content.
pub fn read<T: Content>(bytes: &[u8]) -> Result<Body<T>, Unreadable> {
    let mut walk = Walk::new(bytes)?;
    let mut content = T::default();
    let mut fault = FaultReader::default();
    let (mut depth, mut in_body) = (0_usize, false);
    loop {
        match walk.step()? {
            Step::Open { namespace, name, nil } => {
                depth += 1;
                let is_soap = namespace == SOAP12 || namespace == SOAP11;
                match depth {
                    1 if !(is_soap && name == "Envelope") => return Err(Unreadable("the reply is not a SOAP message".into())),
                    1 => {}
                    2 => in_body = is_soap && name == "Body",
                    3 if in_body && is_soap && name == "Fault" => fault.inside = true,
                    _ if in_body && fault.inside => fault.open(depth - 3, name),
                    _ if in_body => content.open(depth - 2, namespace, name, nil),
                    _ => {}
                }
            }
            Step::Close { text } => {
                if in_body && fault.inside && depth > 3 {
                    fault.close(depth - 3, text);
                } else if in_body && !fault.inside && depth > 2 {
                    content.close(depth - 2, text);
                }
                depth = depth.saturating_sub(1);
            }
            Step::End if fault.inside => return Ok(Body::Fault(fault.fault)),
            Step::End if content.is_complete() => return Ok(Body::Content(content)),
            Step::End => return Err(Unreadable("the reply is a SOAP message without the expected result".into())),
        }
    }
}

/// Reads a fault of either version: SOAP 1.1 has `faultcode` and `faultstring`, SOAP 1.2 has `Code/Value` and `Reason/Text`.
#[derive(Default)]
struct FaultReader {
    inside: bool,
    path: Vec<String>,
    fault: Fault,
}

impl FaultReader {
    fn open(&mut self, depth: usize, name: &str) {
        self.path.truncate(depth - 1);
        self.path.push(name.to_owned());
    }

    fn close(&mut self, depth: usize, text: &str) {
        let path: Vec<&str> = self.path.iter().take(depth).map(String::as_str).collect();
        let text = text.trim();
        match path.as_slice() {
            ["faultcode"] | ["Code", "Value"] => text.rsplit(':').next().unwrap_or_default().clone_into(&mut self.fault.code),
            ["faultstring"] | ["Reason", "Text"] if self.fault.reason.is_empty() => text.clone_into(&mut self.fault.reason),
            _ => {}
        }
        self.path.truncate(depth.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Seen(Vec<String>);
    impl Content for Seen {
        fn open(&mut self, depth: usize, _: &str, name: &str, _: bool) {
            self.0.push(format!("{depth}{name}"));
        }
        fn close(&mut self, depth: usize, text: &str) {
            self.0.push(format!("{depth}{text}"));
        }
        fn is_complete(&self) -> bool {
            !self.0.is_empty()
        }
    }

    fn fault(body: &str) -> Fault {
        match read::<Seen>(body.as_bytes()).unwrap() {
            Body::Fault(fault) => fault,
            Body::Content(seen) => unreachable!("{seen:?}"),
        }
    }

    #[test]
    fn faults_of_both_versions_are_read_whatever_the_prefix() {
        let twelve = fault(&format!(
            "<e:Envelope xmlns:e='{SOAP12}'><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>x:Y</e:Value></e:Subcode></e:Code>\
             <e:Reason><e:Text xml:lang='en'>bad</e:Text><e:Text xml:lang='de'>schlecht</e:Text></e:Reason><e:Detail><Code><Value>no</Value></Code></e:Detail></e:Fault></e:Body></e:Envelope>"
        ));
        assert_eq!(twelve, Fault { code: "Sender".into(), reason: "bad".into() });
        assert!(twelve.is_senders());
        let eleven = fault(&format!(
            "<soap:Envelope xmlns:soap='{SOAP11}'><soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring>oops</faultstring><detail/></soap:Fault></soap:Body></soap:Envelope>"
        ));
        assert_eq!(eleven, Fault { code: "Server".into(), reason: "oops".into() });
        assert!(!eleven.is_senders());
    }

    #[test]
    fn what_is_no_soap_message_is_unreadable() {
        for wrong in [
            "<html><body/></html>".to_owned(),
            format!("<Envelope xmlns='{SOAP12}'/>"),
            "<Envelope><Body/></Envelope>".to_owned(),
        ] {
            assert!(read::<Seen>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
