//! The canonical model: purchase orders and invoices, in the words of EN 16931 and UBL 2.1.
//!
//! It knows no vendor. [`read`] makes a document of JSON text and collects every fault of it; [`check`] says what is
//! missing or contradictory in a document whatever its target may be.

mod check;
mod date;
pub mod decimal;
mod fault;
pub(crate) mod gather;
mod invoice;
mod party;
mod purchase_order;
mod schema;
mod text;
mod totals;
pub(crate) mod value;
mod words;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

pub use check::check;
pub(crate) use check::{check_details, is_currency, minor_unit};
pub use date::{Date, DateError};
pub(crate) use fault::{ErrorCount, MOST_FAULTS};
pub use fault::{Fault, Path, Severity, Source, shorten};
pub use invoice::{AdditionalDetail, Allowance, Charge, Credit, Invoice, InvoiceLine, PaymentTerms, Tax, Weight};
pub use party::{Address, Item, Party, TaxRegistration};
pub use purchase_order::{Account, Approver, CustomField, LineTax, OrderLine, PurchaseOrder};
pub use schema::{document_schema, invoice_schema, purchase_order_schema};
pub use text::Text;
pub use totals::{InvoiceSum, derived_amount, invoice_sum, order_total};
pub use value::{Given, Number, Problem, Scalar, Token};
pub use words::{
    AllowanceType, ChargeType, DetailType, InvoiceType, LineKind, OrderStatus, PaymentTermsType, TaxRegistrationType, TaxType,
};

use gather::{Gather, Sink};
pub(crate) use gather::{Members, closest};
use value::Present;

/// A canonical document of either kind.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one document at a time lives on the stack; a box would cost every one of them")]
pub enum Document<'a> {
    /// A purchase order.
    PurchaseOrder(PurchaseOrder<'a>),
    /// An invoice or a credit note.
    Invoice(Invoice<'a>),
}

impl Document<'_> {
    /// The kind, in the word of the documents.
    pub fn kind(&self) -> Kind {
        match self {
            Self::PurchaseOrder(_) => Kind::PurchaseOrder,
            Self::Invoice(_) => Kind::Invoice,
        }
    }

    /// The document's number.
    pub fn number(&self) -> &str {
        match self {
            Self::PurchaseOrder(order) => &order.number,
            Self::Invoice(invoice) => &invoice.number,
        }
    }

    /// When the document was issued, if it says so.
    pub fn issue_date(&self) -> Option<Date> {
        match self {
            Self::PurchaseOrder(order) => *order.issue_date,
            Self::Invoice(invoice) => *invoice.issue_date,
        }
    }

    /// The document's currency.
    pub fn currency(&self) -> &str {
        match self {
            Self::PurchaseOrder(order) => &order.currency,
            Self::Invoice(invoice) => &invoice.currency,
        }
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PurchaseOrder(order) => order.serialize(serializer),
            Self::Invoice(invoice) => invoice.serialize(serializer),
        }
    }
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `purchase_order`
    PurchaseOrder,
    /// `invoice`
    Invoice,
}

impl Kind {
    /// The word as it stands in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "purchase_order",
            Self::Invoice => "invoice",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::PurchaseOrder, Self::Invoice].into_iter().find(|kind| kind.word() == word)
    }
}

/// The most objects that a document may have in it: each costs far more memory than the two bytes that it takes to write.
const MOST_OBJECTS: usize = 1 << 16;
/// A text of so many bytes cannot have too many.
const FEW_BYTES: usize = 1 << 16;

/// What could be made out of a document that cannot be taken, and everything that is wrong with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable<'a> {
    /// Its kind, when that could be made out.
    pub kind: Option<Kind>,
    /// Its number, when that could be made out.
    pub number: Option<String>,
    /// All that is wrong; lines are counted from the document's first.
    pub faults: Vec<Fault>,
    /// What is left of it without the values that are wrong, so that more can be said of it. Never to be sent.
    pub rest: Option<Document<'a>>,
}

impl Unreadable<'_> {
    /// Whether the text of a field, or of what the field is part of, was refused: nothing more can be said of it.
    pub fn has_refused(&self, path: &str) -> bool {
        self.faults.iter().any(|fault| {
            path.strip_prefix(&*fault.path)
                .is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']) || fault.path.is_empty())
        })
    }
}

/// Reads one document from JSON text, borrowing from it.
///
/// Whatever is wrong with the text is collected: unknown and doubled fields, wrong types, numbers that are no exact
/// decimals, dates that are none. What is missing is for [`check`] to say.
///
/// ```
/// use payables_bridge::model::{Document, read};
///
/// let text = r#"{"kind": "purchase_order", "number": "PO-1", "lines": [{"price": 12.50}]}"#;
/// let Ok(Document::PurchaseOrder(order)) = read(text) else { panic!() };
/// assert_eq!(order.lines[0].price.unwrap().to_string(), "12.50");
///
/// let faults = read(r#"{"kind": "purchase_order", "lines": [{"price": "12,50", "qty": 1}]}"#).unwrap_err().faults;
/// assert_eq!(faults.iter().map(|fault| &*fault.path).collect::<Vec<_>>(), ["lines[0].price", "lines[0].qty"]);
/// ```
///
/// # Errors
/// When the text is no document.
pub fn read(text: &str) -> Result<Document<'_>, Box<Unreadable<'_>>> {
    if text.len() > FEW_BYTES && memchr::memchr_iter(b'{', text.as_bytes()).count() > MOST_OBJECTS {
        let message = format!("the document has more than {MOST_OBJECTS} lines and parts; no order is that long");
        let fault = Fault::error("DOC-SIZE", Path::ROOT, message);
        return Err(Box::new(Unreadable { kind: None, number: None, faults: vec![fault], rest: None }));
    }
    let kind = kind_of(text);
    let fast = match kind {
        Some(Kind::PurchaseOrder) => serde_json::from_str(text).map(Document::PurchaseOrder),
        Some(Kind::Invoice) => serde_json::from_str(text).map(Document::Invoice),
        None => return read_thoroughly(text, None, None),
    };
    fast.or_else(|error| read_thoroughly(text, kind, Some(&error)))
}

/// The kind, without reading more of the text than it takes to find it.
fn kind_of(text: &str) -> Option<Kind> {
    struct Find(Option<Kind>);
    impl<'de> Visitor<'de> for &mut Find {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a document")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(name) = map.next_key::<Text<'de>>()? {
                if name.as_str() == "kind" {
                    self.0 = map.next_value::<Text<'de>>().ok().and_then(|word| Kind::from_word(&word));
                    // An error is the way to leave the rest unread.
                    return Err(A::Error::custom("found"));
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut find = Find(None);
    let _found_or_broken = serde_json::Deserializer::from_str(text).deserialize_map(&mut find);
    find.0
}

fn read_thoroughly<'a>(
    text: &'a str,
    kind: Option<Kind>,
    error: Option<&serde_json::Error>,
) -> Result<Document<'a>, Box<Unreadable<'a>>> {
    let raw: &'a RawValue = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return Err(no_json(text, kind, &error)),
    };
    let mut sink = Sink::new(text);
    let at = Path::ROOT;
    let document = match kind {
        Some(Kind::PurchaseOrder) => Document::PurchaseOrder(PurchaseOrder::gather(raw, &at, &mut sink)),
        Some(Kind::Invoice) => Document::Invoice(Invoice::gather(raw, &at, &mut sink)),
        None => return Err(no_kind(raw, sink)),
    };
    if sink.faults.is_empty() && !raw.get().starts_with('{') {
        sink.faults.push(not_an_object(raw));
    }
    if sink.faults.is_empty() && error.is_some_and(serde_json::Error::is_syntax) {
        // Text whose escapes make no characters is legal to skip and illegal to read.
        sink.faults.extend(error.map(|error| syntax_fault(text, error)));
    }
    if sink.faults.is_empty() {
        return Ok(document);
    }
    let number = document.number();
    let number = (!number.is_empty()).then(|| number.to_owned());
    Err(Box::new(Unreadable { kind, number, faults: sink.faults, rest: Some(document) }))
}

fn no_json(text: &str, kind: Option<Kind>, error: &serde_json::Error) -> Box<Unreadable<'static>> {
    Box::new(Unreadable { kind, number: None, faults: vec![syntax_fault(text, error)], rest: None })
}

fn syntax_fault(text: &str, error: &serde_json::Error) -> Fault {
    let says = error.to_string();
    let says = says.split(" at line ").next().unwrap_or_default();
    let what = if error.is_eof() { "is cut off in the middle" } else { "is not valid JSON" };
    let line = if text.contains('\n') { format!(" of its line {}", error.line()) } else { String::new() };
    let message = format!("the document {what} ({says}, character {}{line}); export it again", error.column());
    let mut fault = Fault::error("DOC-JSON", Path::ROOT, message).found(text.trim());
    if let Some(source) = fault.source.as_mut() {
        source.line = Some(error.line() as u64);
        source.column = Some(error.column().to_string());
    }
    fault
}

fn not_an_object(raw: &RawValue) -> Fault {
    let message = format!("{} is no document; a document is an object in {{ }}", shorten(raw.get()));
    Fault::error("DOC-JSON", Path::ROOT, message).found(raw.get())
}

/// A document that does not say what it is. It is read as what it most likely is, so that its other faults are told.
fn no_kind<'a>(raw: &'a RawValue, mut sink: Sink<'a>) -> Box<Unreadable<'a>> {
    let (mut found, mut is_invoice, mut rest) = (None, false, None);
    if let Ok(gather::Members(members)) = serde_json::from_str::<gather::Members<'a>>(raw.get()) {
        for (name, value) in members {
            match name.as_str() {
                "kind" => found = Some(value),
                "payee" | "total" | "type" | "payment_terms" | "ship_to" => is_invoice = true,
                _ => {}
            }
        }
        let at = Path::ROOT.field("kind");
        match found.filter(|found| !gather::is_not_given(found)) {
            Some(value) => sink.refuse("DOC-KIND", &at, value, "is not a kind of document; write purchase_order or invoice"),
            None => sink.faults.push(Fault::error(
                "DOC-KIND",
                at,
                "the document does not say what it is; add \"kind\": \"purchase_order\" or \"kind\": \"invoice\"",
            )),
        }
        rest = Some(if is_invoice {
            Document::Invoice(Invoice::gather(raw, &Path::ROOT, &mut sink))
        } else {
            Document::PurchaseOrder(PurchaseOrder::gather(raw, &Path::ROOT, &mut sink))
        });
    } else {
        sink.faults.push(not_an_object(raw));
    }
    let number = rest.as_ref().map(Document::number).filter(|number| !number.is_empty()).map(str::to_owned);
    Box::new(Unreadable { kind: None, number, faults: sink.faults, rest })
}

/// Declares the constant `kind` of a document.
macro_rules! tag {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name;

        impl Present for $name {
            fn is_absent(&self) -> bool {
                false
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = Text::deserialize(deserializer)?;
                if word.as_str() == $word { Ok(Self) } else { Err(D::Error::custom(concat!("the kind is not ", $word))) }
            }
        }
        impl<'a> Gather<'a> for $name {
            fn gather(_: &'a RawValue, _: &Path<'_>, _: &mut Sink<'a>) -> Self {
                // The kind decided which reader was taken, so it is right.
                Self
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "const": $word })
            }
        }
    )+};
}

tag! {
    /// The word `purchase_order`.
    OrderTag = "purchase_order";
    /// The word `invoice`.
    InvoiceTag = "invoice";
}
