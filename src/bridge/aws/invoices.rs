//! AWS's own invoices: what it lists for an account, and their documents.

use std::collections::HashSet;

use aws_sdk_invoicing::types::{
    DateInterval, InvoiceSummariesFilter, InvoiceSummariesSelector, InvoiceSummary, ListInvoiceSummariesResourceType,
};
use aws_smithy_types::DateTime;

use super::ask::pages;
use super::{Account, Trouble, moment};
use crate::transport::{Permit, Transport as _};
use crate::vendors::aws::AwsInvoice;
use crate::wire::{Method, SendError, WireRequest};

/// The longest time that one question may span is a month; the shortest month has so many seconds.
const LONGEST: i64 = 28 * 86_400;

/// A document of an invoice. Its address lets whoever knows it fetch it, so it is not shown.
pub struct Paper {
    /// What it is: the invoice itself, or a kind of AWS's with its id.
    pub name: String,
    address: String,
}

impl Account {
    /// The invoices of an account that were issued from one moment to another, in seconds since 1970. An invoice that stands at
    /// the seam of two questions comes once.
    ///
    /// # Errors
    /// When AWS does not tell.
    pub async fn invoices(&self, account: &str, since: i64, until: i64) -> Result<Vec<AwsInvoice>, Trouble> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        let mut from = since;
        loop {
            let to = until.min(from + LONGEST);
            for summary in self.summaries(account, from, to).await? {
                let key = (summary.invoice_id.clone(), summary.account_id.clone());
                if key.0.is_none() || seen.insert(key) {
                    all.push(invoice(summary));
                }
            }
            if to >= until {
                break;
            }
            // Whether the ends of a span belong to it is not said, so the next one begins where this one ends.
            from = to;
        }
        all.sort_by(|one, other| one.issued_at.cmp(&other.issued_at).then_with(|| one.invoice.cmp(&other.invoice)));
        Ok(all)
    }

    async fn summaries(&self, account: &str, from: i64, to: i64) -> Result<Vec<InvoiceSummary>, Trouble> {
        let unbuilt = |error| Trouble::NotSent(format!("the request cannot be made: {error}"));
        let kind = ListInvoiceSummariesResourceType::AccountId;
        let selector = InvoiceSummariesSelector::builder().resource_type(kind).value(account).build().map_err(unbuilt)?;
        let span = DateInterval::builder().start_date(DateTime::from_secs(from)).end_date(DateTime::from_secs(to));
        let filter = InvoiceSummariesFilter::builder().time_interval(span.build().map_err(unbuilt)?).build();
        pages(async |next| {
            let question =
                self.client.list_invoice_summaries().selector(selector.clone()).filter(filter.clone()).set_next_token(next);
            let answer = self.ask(|| question.clone().send()).await?;
            Ok((answer.invoice_summaries, answer.next_token))
        })
        .await
    }

    /// The documents of an invoice.
    ///
    /// # Errors
    /// When AWS does not tell.
    pub async fn papers(&self, invoice: &str) -> Result<Vec<Paper>, Trouble> {
        let question = self.client.get_invoice_pdf().invoice_id(invoice);
        let Some(pdf) = self.ask(|| question.clone().send()).await?.invoice_pdf else { return Ok(Vec::new()) };
        let mut papers: Vec<Paper> = pdf.document_url.map(|address| Paper { name: String::new(), address }).into_iter().collect();
        for document in pdf.supplemental_documents.unwrap_or_default() {
            let kind = document.document_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
            let name = format!("{kind}-{}", document.document_id.unwrap_or_default());
            papers.extend(document.document_url.map(|address| Paper { name, address }));
        }
        Ok(papers)
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn fetch(&self, paper: &Paper) -> Result<Vec<u8>, Trouble> {
        let is_safe = url::Url::parse(&paper.address).is_ok_and(|address| {
            address.scheme() == "https" || matches!(address.host(), Some(url::Host::Ipv4(ip)) if ip.is_loopback())
        });
        if !is_safe {
            return Err(Trouble::NotSent("AWS gives an address for it that is not https".to_owned()));
        }
        let request = WireRequest { method: Method::Get, url: paper.address.clone(), ..WireRequest::default() };
        match self.http.send(request, Permit::new(|| true)).await {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => Err(Trouble::NotSent(format!("the document cannot be fetched (HTTP {})", answer.status))),
            Err(SendError::NotSent(why) | SendError::MaybeSent(why)) => Err(Trouble::NotSent(why)),
        }
    }
}

fn invoice(summary: InvoiceSummary) -> AwsInvoice {
    let amount = summary.payment_currency_amount.or(summary.base_currency_amount);
    let (total, currency) = amount.map(|amount| (amount.total_amount, amount.currency_code)).unwrap_or_default();
    AwsInvoice {
        account: summary.account_id,
        invoice: summary.invoice_id,
        kind: summary.invoice_type.map(|word| word.as_str().to_owned()),
        issued_at: summary.issued_date.as_ref().map(moment),
        due_at: summary.due_date.as_ref().map(moment),
        original_invoice: summary.original_invoice_id,
        purchase_order: summary.purchase_order_number,
        delivery: summary.einvoice_delivery_status.map(|word| word.as_str().to_owned()),
        tax_authority: summary.tax_authority_status.map(|word| word.as_str().to_owned()),
        currency,
        total,
        missing: None,
        files: Vec::new(),
        unsaved: Vec::new(),
    }
}
