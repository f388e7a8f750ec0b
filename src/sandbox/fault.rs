//! The ways in which the sandbox can misbehave, and the small language that asks for them.
//!
//! A fault is a name, and after a colon the settings that narrow or shape it: `drop-rows`,
//! `http-500-html:times=2`, `timeout:number=PO-17,times=1`. What each fault does on the wire is in
//! [`misbehave`](super::misbehave) and in the folder of the vendor; this file only knows their names.

use std::fmt;
use std::str::FromStr;

/// Who can misbehave in a certain way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// Every vendor: the network, a proxy or a web server is to blame.
    Anyone,
    Tipalti,
    Amazon,
    Aws,
}

/// Declares the kinds of fault once: whose they are, the variant, its name, the settings of its own
/// that it takes, and what it does.
macro_rules! kinds {
    ($($party:ident { $($variant:ident $name:literal [$($setting:literal)*] $text:literal;)* })*) => {
        /// What goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[doc = $text] $variant,)*)*
        }

        /// Every fault with the explanation that `--help` prints.
        pub const FAULTS: &[(&str, &str)] = &[$($(($name, $text),)*)*];

        impl FaultKind {
            /// The name that the fault goes by on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($($name => Some(Self::$variant),)*)* _ => None }
            }

            /// The settings that this kind takes beside those that every kind takes.
            fn settings(self) -> &'static [&'static str] {
                match self { $($(Self::$variant => &[$($setting),*],)*)* }
            }

            /// Whose misbehaviour it is.
            fn party(self) -> Party {
                match self { $($(Self::$variant => Party::$party,)*)* }
            }

            /// Whether this vendor can misbehave so. Elsewhere the fault does nothing.
            pub(super) fn is_known_to(self, vendor: Party) -> bool {
                self.party() == Party::Anyone || self.party() == vendor
            }
        }
    };
}

kinds! {
    Anyone {
        ConnectionResetBefore "connection-reset-before" []
            "reset the connection before the body is read; nothing is applied";
        ResetAfter "reset-after" ["applied"]
            "apply the documents, then reset the connection without a response";
        Late "late" ["ms"]
            "reset the connection at once and apply the documents only after ms= milliseconds (1000)";
        Timeout "timeout" ["applied"]
            "apply the documents and never answer";
        TimeoutUnapplied "timeout-unapplied" []
            "never answer, and apply nothing";
        Slow "slow" ["ms"]
            "answer rightly, but ms= milliseconds (1000) late; goes together with any other fault";
        Truncated "truncated" ["applied"]
            "apply the documents, then close the connection in the middle of the response";
        SlowDrip "slow-drip" ["ms" "applied"]
            "apply the documents and send the response one byte every ms= milliseconds (1000)";
        Http500Html "http-500-html" ["applied"]
            "HTTP 500 with an HTML error page";
        Http503 "http-503" ["after" "applied"]
            "HTTP 503 with Retry-After: after= seconds (1)";
        Http429 "http-429" ["after" "applied"]
            "HTTP 429 with Retry-After: after= seconds (1)";
        HttpStatus "http-status" ["status" "applied"]
            "an empty response with status= (403)";
        Html200 "html-200" ["applied"]
            "HTTP 200 with an HTML login page";
        Empty200 "empty-200" ["applied"]
            "HTTP 200 with an empty body";
        Garbage "garbage" ["applied"]
            "HTTP 200 with bytes that are no text";
        BigHeaders "big-headers" ["kb" "applied"]
            "the right response under kb= kilobytes (1024) of headers";
        Redirect "redirect" ["port" "applied"]
            "HTTP 307 to another path, and with port= to another loopback port";
        Gzip "gzip" ["applied"]
            "the right response with Content-Encoding: gzip, whether asked for or not";
        GzipBomb "gzip-bomb" ["mb" "applied"]
            "a small gzip body that unpacks to mb= megabytes (1024)";
        HugeBody "huge-body" ["mb" "applied"]
            "the right answer with a text of mb= megabytes (100) before it";
        Endless "endless" ["applied"]
            "the right answer, and then more without end";
    }
    Tipalti {
        SoapFaultSender "soap-fault-sender" ["applied"]
            "a SOAP 1.2 fault that blames the sender, HTTP 400";
        SoapFaultServer "soap-fault-server" ["applied"]
            "a SOAP 1.2 fault that blames the receiver, HTTP 500";
        Soap11Fault "soap11-fault" ["applied"]
            "a fault in a SOAP 1.1 envelope, HTTP 500";
        CallError "call-error" ["code" "applied"]
            "errorCode code= (UnknownError) for the whole call, without rows";
        EntityBomb "entity-bomb" ["applied"]
            "a response whose DOCTYPE declares nested entities";
        DeepXml "deep-xml" ["depth" "applied"]
            "a response of depth= (1000000) nested elements";
        DropRows "drop-rows" []
            "apply the orders, but leave out one row: that of number=, else the last";
        LostRow "lost-row" []
            "like drop-rows, and the order is not applied either; spares calls of one order";
        NoRows "no-rows" []
            "apply the orders, and list no rows at all";
        DoubleRows "double-rows" []
            "list the row of number=, else every row, twice";
        ContradictRows "contradict-rows" []
            "list the row of number=, else every row, a second time with the opposite verdict";
        ReorderRows "reorder-rows" []
            "list the rows in the reverse order";
        UnknownRow "unknown-row" []
            "add a row for a number that was not sent";
        Reject "reject" []
            "reject the order number=, else every order, with Succeeded=false";
        SucceededMissing "succeeded-missing" []
            "leave Succeeded out of the row of number=, else of every row";
        WrongTypes "wrong-types" []
            "write `maybe` for Succeeded in the row of number=, else in every row";
        WrongNamespace "wrong-namespace" []
            "the right response in a namespace that is not the vendor's";
        Soap12Prefix "soap12-prefix" []
            "the right response with the prefix soap12 in place of soap";
        Nil "nil" []
            "write every absent member as xsi:nil, and add a nil row";
    }
    Amazon {
        NoTransaction "no-transaction" ["applied"]
            "Amazon: apply the invoices, and answer HTTP 202 without a transactionId";
        TransactionFailure "transaction-failure" ["code"]
            "Amazon: the verdict is Failure, with code= (NotAvailable) six times over";
        TransactionSuccess "transaction-success" []
            "Amazon: the verdict is Success, which the real one never says of invoices";
        TokenExpired "token-expired" []
            "Amazon: HTTP 403 as for an expired token, although the token is good";
        TokenDown "token-down" []
            "Amazon: HTTP 503 where tokens are asked for";
        InvalidClient "invalid-client" []
            "Amazon: HTTP 401 with invalid_client where tokens are asked for";
        Poll500 "poll-500" []
            "Amazon: HTTP 500 with an HTML page where a verdict is asked for";
    }
    Aws {
        Stale "stale" ["ms"]
            "AWS Invoicing: for ms= milliseconds (1000) after a change, answer questions as before it";
    }
}

/// How much of a call is applied by a fault that replaces the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Every document that is valid.
    Yes,
    /// None of them.
    No,
    /// The first half of them, rounded up: the vendor died in the middle.
    Half,
}

impl Applied {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Half => "half",
        }
    }
}

/// One wanted misbehaviour: its kind, when it strikes, and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Strike only so many times (`times=`).
    pub times: Option<u64>,
    /// Strike only at each so-many-th call that matches (`every=`).
    pub every: Option<u64>,
    /// Strike only calls that hold this document, and there only this document (`number=`).
    pub number: Option<String>,
    /// How much of the call is applied, where the kind's own habit is not wanted (`applied=`).
    pub applied: Option<Applied>,
    /// The code to answer with (`code=`).
    pub code: Option<String>,
    /// The size of the fault, in the unit that its explanation names: `ms=`, `mb=`, `kb=`,
    /// `after=`, `depth=`, `port=` or `status=`.
    pub size: Option<u64>,
}

impl Fault {
    /// A fault of this kind that strikes every call.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, times: None, every: None, number: None, applied: None, code: None, size: None }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), FaultError> {
        match key {
            "times" => self.times = Some(number(key, value, 0, u64::MAX)?),
            "every" => self.every = Some(number(key, value, 1, u64::MAX)?),
            "number" if !value.is_empty() => self.number = Some(value.to_owned()),
            _ if !self.kind.settings().contains(&key) => {
                return Err(self.unknown_setting(key));
            }
            "applied" => {
                self.applied = Some(match value {
                    "yes" => Applied::Yes,
                    "no" => Applied::No,
                    "half" => Applied::Half,
                    _ => return Err(FaultError(format!("applied={value}: yes, no or half is wanted"))),
                });
            }
            "code" if !value.is_empty() => self.code = Some(value.to_owned()),
            "port" => self.size = Some(number(key, value, 1, 65_535)?),
            // A response with a status below 200 is not a response yet: the server would hang.
            "status" => self.size = Some(number(key, value, 200, 999)?),
            "mb" => self.size = Some(number(key, value, 1, 1 << 20)?),
            "kb" => self.size = Some(number(key, value, 1, 16 << 10)?),
            "depth" => self.size = Some(number(key, value, 1, 1 << 32)?),
            "ms" | "after" => self.size = Some(number(key, value, 0, 86_400_000)?),
            _ => return Err(FaultError(format!("`{key}=` has no value"))),
        }
        Ok(())
    }

    fn unknown_setting(&self, key: &str) -> FaultError {
        let mut known = vec!["times", "every", "number"];
        known.extend(self.kind.settings());
        FaultError(format!("the fault `{}` takes {}, not `{key}`", self.kind.name(), known.join(", ")))
    }
}

fn number(key: &str, value: &str, least: u64, most: u64) -> Result<u64, FaultError> {
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(FaultError(format!("{key}={value}: a whole number from {least} to {most} is wanted"))),
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let kind = FaultKind::from_name(name).ok_or_else(|| FaultError(format!("there is no fault `{name}`")))?;
        let mut fault = Self::new(kind);
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let (key, value) =
                setting.split_once('=').ok_or_else(|| FaultError(format!("`{setting}` is not of the form key=value")))?;
            fault.set(key, value)?;
        }
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sized = self.kind.settings().iter().find(|key| !["applied", "code"].contains(key));
        let settings = [
            ("times", self.times.map(|n| n.to_string())),
            ("every", self.every.map(|n| n.to_string())),
            ("number", self.number.clone()),
            ("applied", self.applied.map(|applied| applied.name().to_owned())),
            ("code", self.code.clone()),
            (sized.copied().unwrap_or("size"), self.size.map(|n| n.to_string())),
        ];
        f.write_str(self.kind.name())?;
        let mut before = ':';
        for (key, value) in settings {
            if let Some(value) = value {
                write!(f, "{before}{key}={value}")?;
                before = ',';
            }
        }
        Ok(())
    }
}

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_a_fault_and_says_what_it_does() {
        for (name, text) in FAULTS {
            let fault: Fault = name.parse().unwrap();
            assert_eq!(fault.to_string(), *name);
            assert!(!text.is_empty());
        }
    }

    #[test]
    fn settings_are_read_and_written_back() {
        for text in [
            "drop-rows:every=3",
            "slow:ms=500",
            "huge-body:mb=100",
            "reject:times=1,number=PO-17",
            "redirect:port=9",
            "timeout:times=2,every=3,number=PO:1=2,applied=half",
            "call-error:applied=yes,code=RequestLimitReached",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let fault: Fault = "http-500-html:times=2".parse().unwrap();
        assert_eq!((fault.kind, fault.times), (FaultKind::Http500Html, Some(2)));
    }

    #[test]
    fn what_is_not_a_fault_says_why() {
        for (text, part) in [
            ("droprows", "no fault `droprows`"),
            ("drop-rows:ms=1", "times, every, number, not `ms`"),
            ("slow:ms=soon", "a whole number"),
            ("slow:ms", "key=value"),
            ("slow:every=0", "from 1"),
            ("http-status:status=101", "from 200"),
            ("call-error:code=", "no value"),
            ("reject:number=", "not `number`"),
            ("timeout:applied=maybe", "yes, no or half"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
