//! Connections to stores, and the requests of an upload.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, Certificate, ClientConfigKey, ClientOptions, MultipartId, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, RetryConfig,
};
use url::Url;

use crate::crypto::{CRYPTO, Crypto, prepare_tls};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::options::{Resolved, StorageOptions};
use crate::parts::Limits;
use crate::profile;
use crate::retry::Retries;
use crate::role::Provider;
use crate::target::{Service, Target};
use crate::upload::Requests;

/// The media type of a COG (OGC 21-026, requirement for its registration).
const MEDIA_TYPE: &str = "image/tiff; application=geotiff; profile=cloud-optimized";

/// Google's endpoint.
const GOOGLE: &str = "https://storage.googleapis.com";

/// A connection to a bucket.
///
/// [`open`](Self::open) makes one from an address; [`from_store`](Self::from_store) wraps another store of the crate
/// `object_store`. Clones share the connection.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// The clients of a connection, and their thread.
pub(crate) struct Inner {
    requests: Requests,
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    pub(crate) api: Api,
    /// For requests of our own.
    pub(crate) http: Option<HttpClient>,
    pub(crate) retries: Retries,
    /// Cache-Control and storage class of objects, unless an upload has its own.
    cache_control: Option<String>,
    storage_class: Option<String>,
}

/// The interface that completes an upload.
pub(crate) enum Api {
    S3 {
        store: AmazonS3,
        is_anonymous: bool,
        needs_equal_parts: bool,
    },
    Gcs {
        store: GoogleCloudStorage,
        base_url: String,
        bucket: String,
        is_anonymous: bool,
    },
    Azure {
        store: MicrosoftAzure,
        account: String,
        container: Url,
        is_anonymous: bool,
    },
    /// That of the client, which numbers parts without gaps and replaces objects.
    Client,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("store", &self.inner.objects.to_string()).finish_non_exhaustive()
    }
}

/// The answer to the question whether an object exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Existing {
    No,
    /// Its size and ETag.
    Yes(u64, Option<String>),
    /// The credentials do not permit the question.
    Unknown,
}

impl Store {
    /// Connects to the bucket of a target. Nothing is sent yet. Requests run on a thread of the connection's own.
    ///
    /// # Errors
    /// [`StoreErrorKind::InvalidOption`], [`StoreErrorKind::NoCredentials`], and [`StoreErrorKind::NoTls`].
    pub fn open(target: &Target, options: &StorageOptions) -> Result<Self> {
        let resolved = resolve(target, options)?;
        let (objects, parts, api, http) = connect(target, &resolved, resolved.retries.max)?;
        let retries = resolved.retries;
        let own = |name| resolved.own(name).map(str::to_owned);
        let inner = Inner {
            requests: Requests::start()?,
            objects,
            parts,
            api,
            http: Some(http),
            retries,
            cache_control: own("cache_control"),
            storage_class: own("storage_class"),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Wraps a store of the crate `object_store`, such as its `InMemory`. Parts are sent in order, with equal sizes and
    /// contiguous numbers, and the check that an object does not exist is not atomic: a store that is opened by its
    /// [address](Self::open) has neither limitation.
    ///
    /// Requests run on a runtime of the connection's own. A client with a pool of HTTP connections should not be used on another
    /// one at the same time.
    ///
    /// # Errors
    /// [`StoreErrorKind::Other`] if the system cannot start a thread.
    pub fn from_store<S: ObjectStore + MultipartStore>(store: Arc<S>) -> Result<Self> {
        let (objects, parts) = (Arc::clone(&store), store);
        let (requests, api) = (Requests::start()?, Api::Client);
        let (cache_control, storage_class) = (None, None);
        let inner =
            Inner { requests, objects, parts, api, http: None, retries: Retries::NONE, cache_control, storage_class };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns whether an object exists; false if the credentials do not permit the question.
    ///
    /// # Errors
    /// Any error of the store.
    pub fn exists(&self, target: &Target) -> Result<bool> {
        let (own, key) = (self.clone(), target.path().clone());
        let existing = self.requests().wait(&[], Duration::ZERO, async move { own.existing(&key).await })?;
        Ok(matches!(existing, Existing::Yes(..)))
    }

    /// Returns the runtime for requests.
    pub(crate) fn requests(&self) -> &Requests {
        &self.inner.requests
    }

    /// Returns the rules for parts.
    pub(crate) fn limits(&self) -> Limits {
        if matches!(self.inner.api, Api::Azure { .. }) { Limits::AZURE } else { Limits::S3 }
    }

    /// Returns whether parts must be sent with equal sizes and contiguous numbers.
    pub(crate) fn needs_equal_parts(&self) -> bool {
        matches!(self.inner.api, Api::S3 { needs_equal_parts: true, .. } | Api::Client)
    }

    /// Asks whether an object exists.
    pub(crate) async fn existing(&self, key: &Path) -> Result<Existing> {
        match self.inner.objects.head(key).await {
            Ok(meta) => Ok(Existing::Yes(meta.size, meta.e_tag)),
            Err(object_store::Error::NotFound { .. }) => Ok(Existing::No),
            // Without the right to list a bucket, S3 denies that an object is missing.
            Err(object_store::Error::PermissionDenied { .. }) => Ok(Existing::Unknown),
            Err(error) => Err(StoreError::from_client(&error)),
        }
    }

    /// Writes a whole object in one request. Returns false if it exists and `overwrite` is off.
    pub(crate) async fn put(
        &self,
        key: &Path,
        payload: PutPayload,
        attributes: Attributes,
        overwrite: bool,
    ) -> Result<()> {
        let mode = if overwrite { PutMode::Overwrite } else { PutMode::Create };
        let bytes: bytes::Bytes = payload.clone().into();
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        match self.inner.objects.put_opts(key, payload, options).await {
            Ok(_) => Ok(()),
            // A request whose answer was lost is repeated, and then meets its own object.
            Err(object_store::Error::AlreadyExists { .. }) if self.has(key, &bytes).await => Ok(()),
            Err(error) => Err(StoreError::from_client(&error)),
        }
    }

    /// Returns whether an object has exactly these bytes.
    async fn has(&self, key: &Path, bytes: &[u8]) -> bool {
        let Ok(Existing::Yes(size, _)) = self.existing(key).await else { return false };
        if size != bytes.len() as u64 {
            return false;
        }
        match self.inner.objects.get(key).await {
            Ok(found) => found.bytes().await.is_ok_and(|found| found == bytes),
            Err(_) => false,
        }
    }

    /// Returns the attributes of an object, with these values in place of those of the connection.
    pub(crate) fn attributes(&self, cache_control: Option<&str>, storage_class: Option<&str>) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, MEDIA_TYPE.into());
        for (attribute, value) in [
            (Attribute::CacheControl, cache_control.or(self.inner.cache_control.as_deref())),
            (Attribute::StorageClass, storage_class.or(self.inner.storage_class.as_deref())),
        ] {
            if let Some(value) = value {
                attributes.insert(attribute, value.to_owned().into());
            }
        }
        attributes
    }

    /// Begins a multipart upload.
    pub(crate) async fn create(&self, key: &Path, attributes: Attributes) -> Result<MultipartId> {
        // Azure takes the attributes when the upload is completed.
        let attributes = if matches!(self.inner.api, Api::Azure { .. }) { Attributes::new() } else { attributes };
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let created = self.inner.parts.create_multipart_opts(key, options).await;
        created.map_err(|error| StoreError::from_client(&error))
    }

    /// Sends a part, and returns its identification for the completion.
    pub(crate) async fn put_part(
        &self,
        key: &Path,
        id: &MultipartId,
        number: u32,
        payload: PutPayload,
    ) -> Result<String> {
        if let Api::Azure { .. } = self.inner.api {
            return self.put_block(key, id, number, payload).await;
        }
        // The client counts from 0.
        let index = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        let part = self.inner.parts.put_part(key, id, index, payload).await;
        part.map(|part| part.content_id).map_err(|error| StoreError::from_client(&error))
    }

    /// Aborts an upload, so that its parts are deleted.
    pub(crate) async fn abort(&self, key: &Path, id: &MultipartId) -> Result<()> {
        match self.inner.parts.abort_multipart(key, id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StoreError::from_client(&error)),
        }
    }

    /// Completes an upload through the client.
    pub(crate) async fn complete_by_client(&self, key: &Path, id: &MultipartId, parts: &[(u32, String)]) -> Result<()> {
        let parts = parts.iter().map(|(_, part)| PartId { content_id: part.clone() }).collect();
        let completed = self.inner.parts.complete_multipart(key, id, parts).await;
        completed.map(|_| ()).map_err(|error| StoreError::from_client(&error))
    }
}

/// Returns the options of a connection, with those of a profile.
fn resolve(target: &Target, options: &StorageOptions) -> Result<Resolved> {
    let mut resolved = options.resolve(target.service())?;
    if target.service() == Service::S3 {
        profile::apply(&mut resolved)?;
    }
    prepare_tls(resolved.needs_tls())?;
    Ok(resolved)
}

/// Makes the clients for a target.
fn connect(target: &Target, resolved: &Resolved, max_retries: usize) -> Result<Built> {
    let retry = RetryConfig {
        max_retries,
        retry_timeout: resolved.retries.time,
        backoff: BackoffConfig { init_backoff: resolved.retries.first_wait(), ..BackoffConfig::default() },
    };
    let build = match target.service() {
        Service::S3 => s3,
        Service::Gcs => gcs,
        Service::Azure => azure,
    };
    build(target, resolved, &retry)
}

/// Returns a client that only reads and repeats no request, with the repetitions that the options allow.
pub(crate) fn reading(target: &Target, options: &StorageOptions) -> Result<(Arc<dyn ObjectStore>, Retries)> {
    let resolved = resolve(target, options)?;
    let (objects, ..) = connect(target, &resolved, 0)?;
    Ok((objects, resolved.retries))
}

/// A client as objects, as parts, and for requests of our own.
type Built = (Arc<dyn ObjectStore>, Arc<dyn MultipartStore>, Api, HttpClient);

/// Returns the options of the HTTP client, and the client for requests of our own.
fn client(options: &Resolved) -> Result<(ClientOptions, HttpClient)> {
    let mut client = ClientOptions::new()
        .with_user_agent(http::HeaderValue::from_static(concat!("cogsmith/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in &options.values {
        if let Ok(key) = name.parse::<ClientConfigKey>() {
            client = client.with_config(key, value.as_str());
        }
    }
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter(|_| options.needs_tls()) {
        // In addition to the system's, which may be missing in a container.
        client = client.with_root_certificate(Certificate::from_der(root).map_err(failed)?);
    }
    let http = ReqwestConnector::default().connect(&client).map_err(failed)?;
    Ok((client, http))
}

fn failed(error: object_store::Error) -> StoreError {
    StoreError::from_client(&error)
}

/// Sets the options of a client by their canonical names, except those of HTTP.
fn configure<B, K: std::str::FromStr>(
    mut builder: B,
    options: &Resolved,
    prefix: &str,
    set: impl Fn(B, K, &str) -> B,
) -> Result<B> {
    for (name, value) in &options.values {
        if name.parse::<ClientConfigKey>().is_ok() {
            continue;
        }
        let key = name.parse::<K>().or_else(|_| format!("{prefix}{name}").parse::<K>());
        let key =
            key.map_err(|_| StoreError::new(StoreErrorKind::InvalidOption, format!("option '{name}' is unknown")))?;
        builder = set(builder, key, value);
    }
    Ok(builder)
}

fn s3(target: &Target, options: &Resolved, retry: &RetryConfig) -> Result<Built> {
    let (client, http) = client(options)?;
    let is_anonymous = options.is_true("skip_signature");
    let mut builder = configure(AmazonS3Builder::new(), options, "aws_", |builder, key: AmazonS3ConfigKey, value| {
        builder.with_config(key, value)
    })?;
    if is_anonymous {
        // Never sent: the address of a request is taken from a signed one, for which there must be a key.
        builder = builder.with_access_key_id("anonymous").with_secret_access_key("anonymous");
    }
    let mut builder = builder
        .with_bucket_name(target.bucket())
        .with_crypto_provider(Arc::new(Crypto))
        .with_client_options(client.clone())
        .with_retry(retry.clone());
    if let Some(source) = &options.source {
        // Of the container or the instance, since there are no keys.
        let own = builder.clone().build().map_err(failed)?.credentials().clone();
        let http = ReqwestConnector::default().connect(&client.with_allow_http(true)).map_err(failed)?;
        builder = builder.with_credentials(Arc::new(Provider::new(Arc::clone(source), http, Some(own))));
    }
    let store = builder.build().map_err(failed)?;
    let endpoint = options.get("endpoint").or_else(|| options.get("endpoint_url_s3")).unwrap_or_default();
    let needs_equal_parts = endpoint.contains(".r2.cloudflarestorage.com")
        || options.get("checksum_algorithm").is_some()
        || options.is_true("s3_express");
    let api = Api::S3 { store: store.clone(), is_anonymous, needs_equal_parts };
    Ok((Arc::new(store.clone()), Arc::new(store), api, http))
}

fn gcs(target: &Target, options: &Resolved, retry: &RetryConfig) -> Result<Built> {
    let (client, http) = client(options)?;
    let builder =
        configure(GoogleCloudStorageBuilder::new(), options, "google_", |builder, key: GoogleConfigKey, value| {
            builder.with_config(key, value)
        })?;
    let store = builder
        .with_bucket_name(target.bucket())
        .with_crypto_provider(Arc::new(Crypto))
        .with_client_options(client)
        .with_retry(retry.clone())
        .build()
        .map_err(failed)?;
    let base_url = options.get("base_url").unwrap_or(GOOGLE).to_owned();
    let (bucket, is_anonymous) = (target.bucket().to_owned(), options.is_true("skip_signature"));
    let api = Api::Gcs { store: store.clone(), base_url, bucket, is_anonymous };
    Ok((Arc::new(store.clone()), Arc::new(store), api, http))
}

fn azure(target: &Target, options: &Resolved, retry: &RetryConfig) -> Result<Built> {
    let (client, http) = client(options)?;
    let is_emulator = options.is_true("use_emulator");
    let account =
        target.account().or_else(|| options.get("account_name")).or(is_emulator.then_some("devstoreaccount1"));
    let account = account.map(str::to_owned).ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::NoCredentials,
            "no storage account is named; set AZURE_STORAGE_ACCOUNT, or use abfs://container@account.dfs.core.windows.net/key",
        )
    })?;
    let builder =
        configure(MicrosoftAzureBuilder::new(), options, "azure_storage_", |builder, key: AzureConfigKey, value| {
            builder.with_config(key, value)
        })?;
    let store = builder
        .with_account(&account)
        .with_container_name(target.bucket())
        .with_crypto_provider(Arc::new(Crypto))
        .with_client_options(client)
        .with_retry(retry.clone())
        .build()
        .map_err(failed)?;
    let service = match options.get("endpoint") {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None if is_emulator => {
            let url = std::env::var("AZURITE_BLOB_STORAGE_URL").unwrap_or_else(|_| "http://127.0.0.1:10000".to_owned());
            format!("{}/{account}", url.trim_end_matches('/'))
        }
        None => format!("https://{account}.blob.core.windows.net"),
    };
    let container = Url::parse(&format!("{service}/{}", target.bucket())).map_err(|error| {
        StoreError::new(StoreErrorKind::InvalidOption, format!("the endpoint is not a URL: {error}"))
    })?;
    let is_anonymous = options.is_true("skip_signature");
    let api = Api::Azure { store: store.clone(), account, container, is_anonymous };
    Ok((Arc::new(store.clone()), Arc::new(store), api, http))
}

/// Returns the provider of cryptography for requests of our own.
pub(crate) fn crypto() -> &'static Crypto {
    &CRYPTO
}
