//! Completion of uploads by requests of our own: with the real numbers of the parts, and on the condition that the object
//! does not exist.
//!
//! An answer may be lost after the store has completed an upload. A repeated request then meets an upload that is gone, or
//! an object that exists. Whether that object is ours is decided by what the store says about it: on S3 the ETag, which
//! follows from those of the parts; on Azure the names of its blocks, which are random. An upload that is gone was completed
//! by us if the object has our size, since nobody else knows its identifier.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cogsmith::redact;
use http::{Method, Request};
use md5::{Digest, Md5};
use object_store::Attribute;
use object_store::Attributes;
use object_store::azure::{AzureAuthorizer, AzureCredential};
use object_store::client::{HttpErrorKind, HttpRequest, HttpRequestBody};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::error::{Result, StoreError, StoreErrorKind, element};
use crate::store::{Api, Existing, Store, crypto};

/// Time for which a signed request is valid.
const SIGNATURE_TIME: Duration = Duration::from_secs(900);

/// An upload whose parts have all been sent.
pub(crate) struct Completion<'a> {
    pub(crate) key: &'a Path,
    pub(crate) id: &'a str,
    /// Numbers and identifications of the parts, in order.
    pub(crate) parts: &'a [(u32, String)],
    /// Size of the object in bytes.
    pub(crate) size: u64,
    pub(crate) attributes: &'a Attributes,
    pub(crate) overwrite: bool,
    /// True if an earlier attempt, whose outcome was lost, may have completed the upload.
    pub(crate) may_be_done: bool,
}

/// The outcome of one attempt.
enum Attempt {
    Done,
    /// The store has said that it did nothing, and may be asked again.
    Again(StoreError),
    /// The store may have completed the upload.
    Unknown(StoreError),
    /// The upload is gone.
    Gone(StoreError),
    /// The object exists.
    Exists(StoreError),
    Failed(StoreError),
}

impl Store {
    /// Completes an upload, with repetitions.
    pub(crate) async fn complete(&self, upload: &Completion<'_>) -> Result<()> {
        if let Api::Client = self.inner.api {
            if !upload.overwrite && matches!(self.existing(upload.key).await?, Existing::Yes(..)) {
                return Err(exists());
            }
            return self.complete_by_client(upload.key, &upload.id.to_owned(), upload.parts).await;
        }
        if let (Api::Gcs { .. }, false) = (&self.inner.api, upload.overwrite) {
            // The request itself takes no condition there.
            if matches!(self.existing(upload.key).await?, Existing::Yes(..)) {
                return Err(exists());
            }
        }
        let (mut backoff, mut may_be_done) = (self.inner.retries.start(), upload.may_be_done);
        loop {
            let error = match self.attempt(upload).await {
                Attempt::Done => return Ok(()),
                Attempt::Gone(_) if may_be_done && self.is_ours(upload, true).await => return Ok(()),
                Attempt::Exists(_) if may_be_done && self.is_ours(upload, false).await => return Ok(()),
                Attempt::Gone(error) | Attempt::Exists(error) | Attempt::Failed(error) => return Err(error),
                Attempt::Again(error) => error,
                Attempt::Unknown(error) => {
                    may_be_done = true;
                    error
                }
            };
            if !backoff.wait(usize::MAX).await {
                if may_be_done && self.is_ours(upload, false).await {
                    return Ok(());
                }
                return Err(error);
            }
        }
    }

    /// Sends one request.
    async fn attempt(&self, upload: &Completion<'_>) -> Attempt {
        let request = match self.request(upload).await {
            Ok(request) => request,
            Err(error) => return Attempt::Failed(error),
        };
        let answer = match self.send(request).await {
            Ok(answer) => answer,
            Err((error, true)) => return Attempt::Again(error),
            Err((error, false)) => return Attempt::Unknown(error),
        };
        let is_azure = matches!(self.inner.api, Api::Azure { .. });
        let code = element(&answer.1, "Code").unwrap_or_default();
        let error = StoreError::from_answer(answer.0, &answer.1);
        match answer.0 {
            200..=299 if is_azure || answer.1.contains("CompleteMultipartUploadResult") => Attempt::Done,
            // The status was sent before the outcome was known.
            200..=299 if code.is_empty() || RETRIED.contains(&code) => Attempt::Unknown(error),
            200..=299 => Attempt::Failed(error),
            404 if code == "NoSuchUpload" => Attempt::Gone(error),
            400 if code == "InvalidBlockList" => Attempt::Gone(error),
            412 => Attempt::Exists(exists()),
            409 if code == "BlobAlreadyExists" => Attempt::Exists(exists()),
            409 => Attempt::Again(error),
            408 | 429 | 500..=599 => Attempt::Unknown(error),
            _ => Attempt::Failed(error),
        }
    }

    /// Sends a request, and returns status and body of the answer; in the error also whether the request never arrived.
    pub(crate) async fn send(&self, request: HttpRequest) -> std::result::Result<(u16, String), (StoreError, bool)> {
        let unreachable = |text: String| {
            StoreError::new(StoreErrorKind::Unreachable, format!("the server cannot be reached ({})", redact(&text)))
        };
        let Some(http) = &self.inner.http else { return Err((unreachable("no client".to_owned()), true)) };
        let response = http.execute(request).await;
        let response =
            response.map_err(|error| (unreachable(error.to_string()), error.kind() == HttpErrorKind::Connect))?;
        let status = response.status().as_u16();
        let body = response.into_body().bytes().await;
        body.map(|body| (status, String::from_utf8_lossy(&body).into_owned()))
            .map_err(|error| (unreachable(error.to_string()), false))
    }

    /// Makes the request.
    async fn request(&self, upload: &Completion<'_>) -> Result<HttpRequest> {
        match &self.inner.api {
            Api::S3 { store, is_anonymous, .. } => {
                let options = SignedUrlOptions::new().with_query([("uploadId", upload.id)]);
                let url = store.signed_url_opts(Method::POST, upload.key, SIGNATURE_TIME, &options).await;
                let mut url = url.map_err(|error| StoreError::from_client(&error))?;
                if *is_anonymous {
                    url.set_query(None);
                    url.query_pairs_mut().append_pair("uploadId", upload.id);
                }
                let request =
                    Request::builder().method(Method::POST).uri(url.as_str()).header("content-type", "application/xml");
                let request = if upload.overwrite { request } else { request.header("if-none-match", "*") };
                build(request, part_list(upload.parts))
            }
            Api::Gcs { store, base_url, bucket, is_anonymous } => {
                let key = utf8_percent_encode(upload.key.as_ref(), NON_ALPHANUMERIC);
                let id = utf8_percent_encode(upload.id, NON_ALPHANUMERIC);
                let url = format!("{base_url}/{}/{key}?uploadId={id}", utf8_percent_encode(bucket, NON_ALPHANUMERIC));
                let mut request =
                    Request::builder().method(Method::POST).uri(url).header("content-type", "application/xml");
                if !is_anonymous {
                    let credential = store.credentials().get_credential().await;
                    let credential = credential.map_err(|error| StoreError::from_client(&error))?;
                    request = request.header("authorization", format!("Bearer {}", credential.bearer));
                }
                build(request, part_list(upload.parts))
            }
            Api::Azure { .. } => {
                let body = block_list(upload.parts);
                let mut request = Request::builder().method(Method::PUT).header("content-length", body.len());
                for (attribute, value) in upload.attributes {
                    let name = match attribute {
                        Attribute::ContentType => "x-ms-blob-content-type",
                        Attribute::CacheControl => "x-ms-blob-cache-control",
                        Attribute::StorageClass => "x-ms-access-tier",
                        _ => continue,
                    };
                    request = request.header(name, value.as_ref());
                }
                if !upload.overwrite {
                    request = request.header("if-none-match", "*");
                }
                self.azure_request(request, upload.key, "comp=blocklist", body.into()).await
            }
            Api::Client => Err(StoreError::new(StoreErrorKind::Other, "the client completes uploads itself")),
        }
    }

    /// Makes a signed request for a blob of Azure.
    pub(crate) async fn azure_request(
        &self,
        request: http::request::Builder,
        key: &Path,
        query: &str,
        body: HttpRequestBody,
    ) -> Result<HttpRequest> {
        let Api::Azure { store, account, container, is_anonymous } = &self.inner.api else {
            return Err(StoreError::new(StoreErrorKind::Other, "the store is not Azure"));
        };
        let mut request = build(request.uri(blob_url(container, key, query).as_str()), body)?;
        if *is_anonymous {
            request.headers_mut().insert("x-ms-version", http::HeaderValue::from_static("2023-11-03"));
            return Ok(request);
        }
        let credential = store.credentials().get_credential().await.map_err(|error| StoreError::from_client(&error))?;
        let credential: &AzureCredential = &credential;
        let authorizer = AzureAuthorizer::new(credential, account).with_crypto(crypto());
        authorizer.try_authorize(&mut request).map_err(|error| StoreError::from_client(&error))?;
        Ok(request)
    }

    /// Returns whether the object at the key is the result of an upload. `is_gone` says that the upload no longer exists.
    async fn is_ours(&self, upload: &Completion<'_>, is_gone: bool) -> bool {
        if let Api::Azure { .. } = self.inner.api {
            let request = Request::builder().method(Method::GET);
            let query = "comp=blocklist&blocklisttype=committed";
            let Ok(request) = self.azure_request(request, upload.key, query, HttpRequestBody::empty()).await else {
                return false;
            };
            let Ok((200, body)) = self.send(request).await else { return false };
            let mut names = upload.parts.iter().map(|(_, name)| BASE64_STANDARD.encode(name));
            return names.all(|name| body.contains(&format!("<Name>{name}</Name>")));
        }
        match self.existing(upload.key).await {
            Ok(Existing::Yes(size, etag)) if size == upload.size => {
                let etag = etag.unwrap_or_default().trim_matches('"').to_ascii_lowercase();
                match expected_etag(upload.parts) {
                    Some(expected) if matches!(self.inner.api, Api::S3 { .. }) && etag.contains('-') => {
                        etag == expected
                    }
                    _ => is_gone,
                }
            }
            _ => false,
        }
    }
}

/// Codes in an answer with status 200 that say that the request is to be repeated.
const RETRIED: [&str; 4] = ["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"];

fn exists() -> StoreError {
    StoreError::new(StoreErrorKind::Exists, "the object already exists")
}

fn build(request: http::request::Builder, body: impl Into<HttpRequestBody>) -> Result<HttpRequest> {
    let request = request.body(body.into());
    request.map_err(|_| StoreError::new(StoreErrorKind::Other, "an option has characters that no request can have"))
}

/// Returns the body that completes an upload to S3, and to Google's XML API.
fn part_list(parts: &[(u32, String)]) -> String {
    let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (number, etag) in parts {
        let etag = etag.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        body += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    body + "</CompleteMultipartUpload>"
}

/// Returns the body that makes a blob from its blocks.
fn block_list(parts: &[(u32, String)]) -> String {
    let mut body = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (_, name) in parts {
        body += &format!("<Uncommitted>{}</Uncommitted>", BASE64_STANDARD.encode(name));
    }
    body + "</BlockList>"
}

/// Returns the URL of a blob.
fn blob_url(container: &Url, key: &Path, query: &str) -> Url {
    let mut url = container.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(key.parts().map(|part| part.as_ref().to_owned()));
    }
    url.set_query(Some(query));
    url
}

/// Returns the ETag of an object on S3: the MD5 of the MD5s of its parts, and their number. `None` if the ETags of the parts
/// are not MD5s, as with encryption by KMS.
fn expected_etag(parts: &[(u32, String)]) -> Option<String> {
    let mut hash = Md5::new();
    for (_, etag) in parts {
        let etag = etag.trim_matches('"');
        if etag.len() != 32 || !etag.is_ascii() {
            return None;
        }
        for pair in etag.as_bytes().chunks(2) {
            hash.update([u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?]);
        }
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{digest}-{}", parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_of_objects_follow_from_those_of_parts() {
        // `printf '' | md5sum`, twice, and the MD5 of both digests one after the other (coreutils).
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned();
        let parts = [(3, empty.clone()), (9, empty)];
        assert_eq!(expected_etag(&parts).unwrap(), "5873dd45edd01f09c1ef2e7819369e8e-2");
        assert_eq!(expected_etag(&[(1, "\"opaque\"".to_owned())]), None);
    }

    #[test]
    fn bodies_have_the_numbers_and_names() {
        let parts = [(2, "\"a\"".to_owned()), (70, "b<&".to_owned())];
        let body = part_list(&parts);
        assert!(body.contains("<Part><PartNumber>2</PartNumber><ETag>\"a\"</ETag></Part>"));
        assert!(body.contains("<PartNumber>70</PartNumber><ETag>b&lt;&amp;</ETag>"));
        assert!(
            block_list(&parts).contains(&format!("<Uncommitted>{}</Uncommitted>", BASE64_STANDARD.encode("\"a\"")))
        );
    }

    #[test]
    fn blobs_have_encoded_urls() {
        let container = Url::parse("http://127.0.0.1:10000/acc/c").unwrap();
        let url = blob_url(&container, &Path::parse("d/e f.tif").unwrap(), "comp=blocklist");
        assert_eq!(url.as_str(), "http://127.0.0.1:10000/acc/c/d/e%20f.tif?comp=blocklist");
    }
}
