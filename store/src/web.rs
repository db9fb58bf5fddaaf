//! Files on web servers: requests for ranges, and redirects.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use cogsmith::redact;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, LOCATION, RANGE,
};
use percent_encoding::percent_decode_str;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy, Response};
use url::Url;

use crate::crypto::prepare_tls;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::fetch::{Answer, Counters, Version};
use crate::options::StorageOptions;
use crate::retry::Retries;

/// The most redirects of a request.
const MAX_REDIRECTS: usize = 5;

/// Time to connect, and between two pieces of an answer.
const CONNECT_TIME: Duration = Duration::from_secs(30);
const READ_TIME: Duration = Duration::from_secs(60);

/// Statuses of a URL that was valid for some time only.
const EXPIRED: [u16; 5] = [400, 401, 403, 404, 410];

/// The options for web servers.
pub(crate) struct WebOptions {
    pub(crate) retries: Retries,
    timeouts: (Duration, Duration),
    proxy: Option<String>,
    accepts_invalid_certificates: bool,
}

impl WebOptions {
    /// Takes the options that concern HTTP. Those of stores are left to them.
    pub(crate) fn new(options: &StorageOptions) -> Result<Self> {
        let mut web = Self {
            retries: options.default_retries(),
            timeouts: (CONNECT_TIME, READ_TIME),
            proxy: None,
            accepts_invalid_certificates: false,
        };
        for (name, value) in options.pairs() {
            let invalid = |expected: &str| {
                let message = format!("option '{name}' has a value that is not {expected}");
                StoreError::new(StoreErrorKind::InvalidOption, message)
            };
            let seconds = || {
                let number = value.trim().trim_end_matches('s').trim();
                number.parse().map(Duration::from_secs).map_err(|_| invalid("a number of seconds"))
            };
            match name.to_ascii_lowercase().as_str() {
                "max_retries" => web.retries.max = value.trim().parse().map_err(|_| invalid("a number"))?,
                "retry_timeout" => web.retries.time = seconds()?,
                "connect_timeout" => web.timeouts.0 = seconds()?,
                "timeout" => web.timeouts.1 = seconds()?,
                "proxy_url" => web.proxy = Some(value.clone()),
                "allow_invalid_certificates" => {
                    web.accepts_invalid_certificates = value.trim().parse().map_err(|_| invalid("true or false"))?;
                }
                _ if StorageOptions::is_known(name, value) => {}
                _ => {
                    let message = format!("option '{name}' is unknown");
                    return Err(StoreError::new(StoreErrorKind::InvalidOption, message));
                }
            }
        }
        Ok(web)
    }

    /// Makes a client that follows no redirects.
    pub(crate) fn client(&self) -> Result<Client> {
        // The client takes the provider of TLS even for plain HTTP.
        prepare_tls(false)?;
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| Certificate::from_der(root));
        let roots = roots.collect::<reqwest::Result<Vec<_>>>().map_err(failed)?;
        let mut builder = Client::builder()
            .user_agent(concat!("cogsmith/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(self.timeouts.0)
            .read_timeout(self.timeouts.1)
            // In addition to the system's, which may be missing in a container.
            .tls_certs_merge(roots)
            .danger_accept_invalid_certs(self.accepts_invalid_certificates);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(failed)?);
        }
        builder.build().map_err(failed)
    }
}

/// Puts an error of the client into words, without the URL.
fn failed(error: reqwest::Error) -> StoreError {
    StoreError::unreachable(&error.without_url())
}

/// A file on a web server.
pub(crate) struct WebFile {
    client: Client,
    url: Url,
    /// The user information of the URL, for its host only.
    authorization: Option<HeaderValue>,
    /// The end of the redirects.
    current: Mutex<Option<Url>>,
}

impl WebFile {
    pub(crate) fn new(client: Client, mut url: Url) -> Result<Self> {
        prepare_tls(url.scheme() == "https")?;
        let authorization = authorization(&url);
        // Neither can fail for a URL with a host.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_fragment(None);
        Ok(Self { client, url, authorization, current: Mutex::new(None) })
    }

    fn current(&self) -> Url {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().unwrap_or(&self.url).clone()
    }

    fn set_current(&self, url: Option<Url>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Requests a range once. `known` is what the first answer said.
    pub(crate) async fn fetch(
        &self,
        range: &Range<u64>,
        known: Option<&Version>,
        counters: &Counters,
    ) -> Result<Answer> {
        let mut start = self.current();
        loop {
            let response = self.follow(start.clone(), range, known, counters).await?;
            if EXPIRED.contains(&response.status().as_u16()) && start != self.url {
                // The redirect's target may have been signed for some minutes.
                self.set_current(None);
                start = self.url.clone();
                continue;
            }
            return answer(response, range, counters).await;
        }
    }

    /// Sends a request, and follows redirects.
    async fn follow(
        &self,
        start: Url,
        range: &Range<u64>,
        known: Option<&Version>,
        counters: &Counters,
    ) -> Result<Response> {
        let mut url = start;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self
                .client
                .get(url.clone())
                .header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)))
                .header(ACCEPT_ENCODING, "identity");
            if let Some(authorization) = self.authorization.as_ref().filter(|_| url.origin() == self.url.origin()) {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some((name, value)) = known.and_then(condition) {
                request = request.header(name, value);
            }
            counters.count_request();
            let response = request.send().await.map_err(failed)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let next = target(&url, response.headers())?;
            self.set_current(Some(next.clone()));
            url = next;
        }
        self.set_current(None);
        let message = format!("the server redirects more than {MAX_REDIRECTS} times");
        Err(StoreError::new(StoreErrorKind::Other, message))
    }
}

/// Returns the credentials of a URL.
fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = decoded(url.username());
    pair.push(b':');
    pair.extend(decoded(url.password().unwrap_or_default()));
    let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns the condition that the file is still the same one.
fn condition(known: &Version) -> Option<(HeaderName, HeaderValue)> {
    let strong = known.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
    let (name, value) = match (strong, &known.modified) {
        (Some(etag), _) => (IF_MATCH, etag),
        (None, Some(modified)) => (IF_UNMODIFIED_SINCE, modified.as_str()),
        (None, None) => return None,
    };
    Some((name, HeaderValue::from_str(value).ok()?))
}

/// Returns where an answer redirects to.
fn target(url: &Url, headers: &HeaderMap) -> Result<Url> {
    let other = |message: String| StoreError::new(StoreErrorKind::Other, message);
    let location = text(headers, &LOCATION).ok_or_else(|| other("the server redirects to nowhere".to_owned()))?;
    let mut next =
        url.join(&location).map_err(|error| other(format!("the server redirects to an invalid URL ({error})")))?;
    let shown = redact(next.as_str());
    match (url.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => {
            return Err(other(format!("the server redirects from https to plain http ('{shown}'), which is not safe")));
        }
        _ => return Err(other(format!("the server redirects to '{shown}', which is neither http nor https"))),
    }
    // Nobody but the user gives credentials.
    let _ = (next.set_username(""), next.set_password(None));
    next.set_fragment(None);
    Ok(next)
}

/// Takes the bytes of an answer.
async fn answer(mut response: Response, range: &Range<u64>, counters: &Counters) -> Result<Answer> {
    let status = response.status().as_u16();
    let headers = response.headers();
    match status {
        206 => {}
        200 => return Err(StoreError::no_ranges()),
        412 => return Err(StoreError::changed()),
        404 | 410 => {
            let message = format!("the server has no such file (HTTP {status})");
            return Err(StoreError::new(StoreErrorKind::NotFound, message));
        }
        416 if text(headers, &CONTENT_RANGE).as_deref() == Some("bytes */0") => {
            return Ok(Answer { bytes: Bytes::new(), size: 0, version: Version::default() });
        }
        401 => return Err(StoreError::new(StoreErrorKind::AccessDenied, "the server asks for a login (HTTP 401)")),
        403 => return Err(StoreError::new(StoreErrorKind::AccessDenied, "access is denied (HTTP 403)")),
        408 | 429 | 500..=599 => {
            return Err(StoreError::new(
                StoreErrorKind::Unreachable,
                format!("the server keeps failing (HTTP {status})"),
            ));
        }
        _ => {
            let message = format!("the server refuses the request (HTTP {status})");
            return Err(StoreError::new(StoreErrorKind::Other, message));
        }
    }
    if text(headers, &CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        let message = "the server compresses the parts of the file that it sends, so that they cannot be used";
        return Err(StoreError::new(StoreErrorKind::NoRanges, message));
    }
    let (sent, size) = text(headers, &CONTENT_RANGE).as_deref().and_then(content_range).ok_or_else(|| {
        let message = "the server does not say which part of the file it sends (Content-Range)";
        StoreError::new(StoreErrorKind::NoRanges, message)
    })?;
    let expected = range.start..range.end.min(size);
    if sent != expected {
        let message =
            format!("the server sends bytes {}-{} instead of {}-{}", sent.start, sent.end, range.start, range.end);
        return Err(StoreError::new(StoreErrorKind::NoRanges, message));
    }
    let version = Version { etag: text(headers, &ETAG), modified: text(headers, &LAST_MODIFIED) };
    let len = usize::try_from(expected.end - expected.start).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::with_capacity(len);
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        counters.count_bytes(chunk.len() as u64);
        if bytes.len() + chunk.len() > len {
            let message = format!("the server sends more than the {len} bytes that it announces");
            return Err(StoreError::new(StoreErrorKind::Unreachable, message));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < len {
        let message = format!("the answer ended after {} of {len} bytes", bytes.len());
        return Err(StoreError::new(StoreErrorKind::Unreachable, message));
    }
    Ok(Answer { bytes: bytes.freeze(), size, version })
}

/// Returns a header as text.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// Parses `bytes FIRST-LAST/SIZE` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size): (u64, u64, u64) =
        (first.trim().parse().ok()?, last.trim().parse().ok()?, size.trim().parse().ok()?);
    (first <= last && last < size).then_some((first..last + 1, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_keep_to_https_and_take_no_credentials_along() {
        let redirected = |from: &str, to: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_str(to).unwrap());
            target(&Url::parse(from).unwrap(), &headers)
        };
        for (from, to, expected) in [
            ("https://a/b", "https://c/d?sig=x", "https://c/d?sig=x"),
            ("https://a/b", "/d", "https://a/d"),
            ("https://a/b/c", "d#f", "https://a/b/d"),
            ("http://a/b", "https://c/d", "https://c/d"),
            ("http://a/b", "http://c/d", "http://c/d"),
            ("https://a/b", "https://user:secret@c/d", "https://c/d"),
        ] {
            assert_eq!(redirected(from, to).unwrap().as_str(), expected);
        }
        for (to, problem) in [
            ("http://c/d?sig=secret", "from https to plain http"),
            ("file:///etc/passwd", "neither http nor https"),
            ("https://[", "invalid URL"),
        ] {
            let error = redirected("https://a/b", to).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("secret"), "{error}");
        }
        assert!(target(&Url::parse("https://a/b").unwrap(), &HeaderMap::new()).is_err());
    }

    #[test]
    fn ranges_of_answers_are_parsed() {
        assert_eq!(content_range("bytes 0-9/100"), Some((0..10, 100)));
        for text in ["bytes 0-9/*", "bytes */100", "bytes 9-0/100", "bytes 0-100/100", "items 0-9/100", ""] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }

    #[test]
    fn options_that_nobody_knows_are_errors() {
        let options = |name: &str, value: &str| WebOptions::new(&StorageOptions::new().option(name, value));
        assert_eq!(options("max_retries", "2").unwrap().retries.max, 2);
        assert_eq!(options("TIMEOUT", "7s").unwrap().timeouts.1, Duration::from_secs(7));
        assert!(options("region", "eu-west-1").is_ok());
        for (name, value) in [("regoin", "secret"), ("timeout", "secret"), ("allow_invalid_certificates", "secret")] {
            let error = options(name, value).err().unwrap();
            assert!(error.kind() == StoreErrorKind::InvalidOption && !error.to_string().contains("secret"), "{error}");
        }
    }
}
