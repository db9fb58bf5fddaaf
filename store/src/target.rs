//! Addresses of objects: URLs, and GDAL's names for them.

use std::fmt;

use cogsmith::redact;
use object_store::path::Path;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Result, StoreError, StoreErrorKind};

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Amazon S3, and all stores with its interface.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// The address of an object: the kind of store, the bucket, and the key.
///
/// ```
/// use cogsmith_store::{Service, Target};
/// let target = Target::parse("s3://imagery/2026/scene.tif")?;
/// assert_eq!((target.service(), target.bucket(), target.key()), (Service::S3, "imagery", "2026/scene.tif"));
/// assert_eq!(Target::parse("/vsigs/imagery/scene.tif")?.to_string(), "gs://imagery/scene.tif");
/// # Ok::<(), cogsmith_store::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    service: Service,
    bucket: String,
    key: Path,
    /// The storage account, if the address contains it (Azure).
    account: Option<String>,
    /// The URL of the service, if the address contains another than the usual one (Azure).
    endpoint: Option<String>,
}

/// The starts of addresses, with what follows them.
const SCHEMES: [(&str, Service); 12] = [
    ("s3://", Service::S3),
    ("s3a://", Service::S3),
    ("/vsis3/", Service::S3),
    ("/vsis3_streaming/", Service::S3),
    ("gs://", Service::Gcs),
    ("gcs://", Service::Gcs),
    ("/vsigs/", Service::Gcs),
    ("az://", Service::Azure),
    ("azure://", Service::Azure),
    ("abfs://", Service::Azure),
    ("abfss://", Service::Azure),
    ("/vsiaz/", Service::Azure),
];

/// Hosts of Azure's accounts: `ACCOUNT.blob.core.windows.net`, or `.dfs.`.
const AZURE_HOSTS: [&str; 2] = [".blob.core.windows.net", ".dfs.core.windows.net"];

impl Target {
    /// Parses an address: `s3://bucket/key`, `gs://bucket/key`, `az://container/key`,
    /// `abfs[s]://container@account.dfs.core.windows.net/key`, `https://account.blob.core.windows.net/container/key`,
    /// or GDAL's `/vsis3/bucket/key`, `/vsigs/bucket/key` and `/vsiaz/container/key`.
    ///
    /// # Errors
    /// [`StoreErrorKind::InvalidTarget`] if the text is not such an address, or names no key or a folder.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(url) = azure_url(text) {
            return Self::from_azure_url(text, &url);
        }
        let found = SCHEMES.iter().find_map(|(start, service)| {
            let head = text.get(..start.len())?;
            head.eq_ignore_ascii_case(start).then(|| (*service, &text[start.len()..], start.starts_with('/')))
        });
        let Some((service, rest, is_gdal)) = found else {
            return Err(invalid(
                text,
                "is not the address of an object; use s3://bucket/key, gs://bucket/key or az://container/key",
            ));
        };
        // GDAL's names are not URLs: any character belongs to the key.
        if !is_gdal && rest.contains(['?', '#']) {
            return Err(invalid(
                text,
                "has a query or a fragment; credentials belong in the environment or in options",
            ));
        }
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, host) = match authority.split_once('@') {
            Some((bucket, host)) if service == Service::Azure => (bucket, Some(host)),
            Some(_) => {
                return Err(invalid(
                    text,
                    "contains user information; credentials belong in the environment or in options",
                ));
            }
            None => (authority, None),
        };
        let account = match host {
            None => None,
            Some(host) => Some(account_of(host).ok_or_else(|| {
                invalid(text, "does not name a storage account; use abfs://container@account.dfs.core.windows.net/key")
            })?),
        };
        Self::new(text, service, bucket, key, account)
    }

    /// Returns whether a text looks like an address of an object store, valid or not.
    #[must_use]
    pub fn is_address(text: &str) -> bool {
        let starts = |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        SCHEMES.iter().any(|(start, _)| starts(start)) || azure_url(text).is_some()
    }

    fn from_azure_url(text: &str, url: &Url) -> Result<Self> {
        if url.query().is_some() || url.password().is_some() || !url.username().is_empty() {
            return Err(invalid(text, "contains credentials; pass them in the environment or in options"));
        }
        let account = url.host_str().and_then(account_of);
        let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
        let (container, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
        Self::new(text, Service::Azure, container, key, account)
    }

    fn new(text: &str, service: Service, bucket: &str, key: &str, account: Option<String>) -> Result<Self> {
        if bucket.is_empty() {
            return Err(invalid(text, "names no bucket"));
        }
        if !bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._$".contains(&byte)) {
            return Err(invalid(text, "has a bucket with characters that no bucket can have"));
        }
        if key.is_empty() {
            return Err(invalid(text, "names a bucket without a key; add the name of the file"));
        }
        if key.ends_with('/') {
            return Err(invalid(text, "ends with '/', so it names a folder; add the name of the file"));
        }
        let key = Path::parse(key)
            .map_err(|_| invalid(text, "has a key with an empty, '.' or '..' segment, or with control characters"))?;
        Ok(Self { service, bucket: bucket.to_owned(), key, account, endpoint: None })
    }

    /// Returns the kind of store.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }

    /// Returns the bucket, or Azure's container.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the key of the object in the bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_ref()
    }

    /// Returns the key as the path of the client.
    pub(crate) fn path(&self) -> &Path {
        &self.key
    }

    /// Returns the storage account that the address names (Azure).
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.service {
            Service::S3 => "s3",
            Service::Gcs => "gs",
            Service::Azure => "az",
        };
        write!(f, "{scheme}://{}/{}", self.bucket, self.key)
    }
}

/// Returns the URL of a blob, if the text is one.
fn azure_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https")?;
    account_of(url.host_str()?).is_some().then_some(url)
}

/// Returns the storage account of a host.
fn account_of(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let account = AZURE_HOSTS.iter().find_map(|suffix| host.strip_suffix(suffix))?;
    (!account.is_empty() && !account.contains('.')).then(|| account.to_owned())
}

fn invalid(text: &str, problem: &str) -> StoreError {
    StoreError::new(StoreErrorKind::InvalidTarget, format!("'{}' {problem}", redact(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_all_kinds_are_parsed() {
        for (text, shown, account) in [
            ("s3://b/a/c.tif", "s3://b/a/c.tif", None),
            ("S3A://b/c.tif", "s3://b/c.tif", None),
            ("/vsis3/b/a b.tif", "s3://b/a b.tif", None),
            ("gs://b/c.tif", "gs://b/c.tif", None),
            ("/vsigs/b/c.tif", "gs://b/c.tif", None),
            ("az://c/d/e.tif", "az://c/d/e.tif", None),
            ("/vsiaz/c/e.tif", "az://c/e.tif", None),
            ("abfs://c@acc.dfs.core.windows.net/e.tif", "az://c/e.tif", Some("acc")),
            ("abfss://c@acc.dfs.core.windows.net/d/e.tif", "az://c/d/e.tif", Some("acc")),
            ("https://acc.blob.core.windows.net/c/d/e%20f.tif", "az://c/d/e f.tif", Some("acc")),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.to_string().as_str(), target.account()), (shown, account), "{text}");
            assert!(Target::is_address(text));
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for (text, problem) in [
            ("s3://bucket", "without a key"),
            ("s3://bucket/", "without a key"),
            ("s3:///key", "no bucket"),
            ("s3://bucket/folder/", "names a folder"),
            ("s3://bucket/a//b.tif", "segment"),
            ("s3://bucket/../b.tif", "segment"),
            ("s3://key:secret@bucket/k.tif", "user information"),
            ("s3://bucket/k.tif?X-Amz-Signature=secret", "query"),
            ("s3://buck et/k.tif", "characters"),
            ("abfs://c@other.example/k.tif", "storage account"),
            ("https://acc.blob.core.windows.net/c/k.tif?sig=secret", "credentials"),
            ("https://example.com/k.tif", "not the address"),
            ("/data/k.tif", "not the address"),
        ] {
            let error = Target::parse(text).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::InvalidTarget);
            assert!(error.to_string().contains(problem), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(!Target::is_address("/data/k.tif") && !Target::is_address("https://example.com/k.tif"));
    }
}
