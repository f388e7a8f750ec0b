//! The SDK of AWS over our own HTTP client: one TLS stack in the program, no call repeated behind our back, and no secret to a
//! machine that is not this one without TLS.
//!
//! Credentials come from the ordinary chain (environment, profile, single sign-on, container, instance role), whose own requests
//! go through the same client. Regions and endpoints are the SDK's matter.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_sdk_invoicing::Client;
use aws_sdk_invoicing::config::{Builder, Credentials, HttpClient, Region, SharedHttpClient, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::http::{Watched, read, reason};
use super::{Http, HttpError, Permit};
use crate::wire::{Secret, SendError};

/// Where AWS Invoicing is for all regions. It matters only with an endpoint of one's own.
const REGION: &str = "us-east-1";

/// How AWS is reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The profile; the usual one when there is none.
    pub profile: Option<String>,
    /// The region; the profile's when there is none.
    pub region: Option<String>,
    /// An endpoint of one's own.
    pub endpoint: Option<String>,
    /// The longest that a request may take.
    pub timeout: Duration,
    /// An access key and its secret, instead of the chain.
    pub key: Option<(String, Secret)>,
}

/// A client of the SDK, and what its requests go through.
///
/// # Errors
/// When TLS cannot be set up.
pub async fn connect(access: &Access) -> Result<(Client, Http), HttpError> {
    let is_plain = access.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    let http = match Http::new(access.timeout) {
        Err(_) if is_plain => Http::without_tls(access.timeout)?,
        made => made?,
    };
    let client = SharedHttpClient::new(Carrier(http.clone()));
    let builder = match &access.key {
        Some((id, secret)) => {
            let region = Region::new(access.region.clone().unwrap_or_else(|| REGION.to_owned()));
            let credentials = Credentials::new(id.clone(), secret.expose(), None, None, "payables");
            let builder = aws_sdk_invoicing::Config::builder().behavior_version(BehaviorVersion::latest());
            builder.region(region).credentials_provider(credentials).http_client(client)
        }
        None => {
            let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(client);
            if let Some(profile) = &access.profile {
                loader = loader.profile_name(profile);
            }
            if let Some(region) = &access.region {
                loader = loader.region(Region::new(region.clone()));
            }
            let loaded = loader.load().await;
            let builder = Builder::from(&loaded);
            if loaded.region().is_some() { builder } else { builder.region(Region::new(REGION)) }
        }
    };
    // A request is repeated where it is known what that does.
    let mut builder = builder.retry_config(RetryConfig::disabled());
    builder = builder.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &access.endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    Ok((Client::from_conf(builder.build()), http))
}

/// Our client, as the SDK wants to see one.
#[derive(Clone)]
struct Carrier(Http);

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

impl HttpClient for Carrier {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Carrier {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(http) = self.clone();
        HttpConnectorFuture::new(async move {
            carry(&http, request).await.map_err(|error| match &error {
                SendError::NotSent(_) => ConnectorError::io(error.into()).never_connected(),
                SendError::MaybeSent(_) => ConnectorError::io(error.into()),
            })
        })
    }
}

async fn carry(http: &Http, request: HttpRequest) -> Result<HttpResponse, SendError> {
    let refuse = |why: &str| SendError::NotSent(why.to_owned());
    let address = url::Url::parse(request.uri()).map_err(|_| refuse("the SDK made no address"))?;
    if address.scheme() == "http" && !is_near(&address) {
        return Err(refuse("plain http goes to this machine only; the secrets would be readable on the way"));
    }
    let method = reqwest::Method::from_bytes(request.method().as_bytes()).map_err(|_| refuse("the SDK made no method"))?;
    let body = request.body().bytes().ok_or_else(|| refuse("the SDK made no body"))?;
    let (left, has_body) = (Arc::new(AtomicBool::new(false)), !body.is_empty());
    let mut call = http.client.request(method, address);
    if has_body {
        // What is asked twice bears the same token, so nothing is lost by being late.
        let permit = Permit::new(|| true);
        let body = Watched { body: Some(Bytes::copy_from_slice(body)), left: Arc::clone(&left), permit };
        call = call.body(reqwest::Body::wrap(body));
    }
    for (name, value) in request.headers() {
        call = call.header(name, value);
    }
    let fail = |error: reqwest::Error| {
        let why = reason(&error);
        if left.load(Ordering::SeqCst) || !has_body { SendError::MaybeSent(why) } else { SendError::NotSent(why) }
    };
    let response = call.send().await.map_err(fail)?;
    let status = StatusCode::try_from(response.status().as_u16()).map_err(|_| SendError::MaybeSent("no status".to_owned()))?;
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = read(response, fail).await?;
    let mut answer = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in headers {
        // A header that the SDK does not take says nothing that is needed.
        let _taken = answer.headers_mut().try_append(name, value);
    }
    Ok(answer)
}

/// Whether an address is that of this machine, or of the one that lends it its credentials.
fn is_near(address: &url::Url) -> bool {
    match address.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_link_local(),
        // `fd00:ec2::/32` is the metadata service's.
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback() || ip.segments().starts_with(&[0xfd00, 0x0ec2]),
        Some(url::Host::Domain(domain)) => domain == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_near() {
        let near = |address: &str| is_near(&url::Url::parse(address).unwrap());
        for address in [
            "http://127.0.0.1:8080/",
            "http://localhost/",
            "http://[::1]/",
            "http://169.254.169.254/latest",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(near(address), "{address}");
        }
        for address in
            ["http://10.0.0.1/", "http://invoicing.us-east-1.api.aws/", "http://[fd00:ec3::1]/", "http://localhost.example.com/"]
        {
            assert!(!near(address), "{address}");
        }
    }
}
