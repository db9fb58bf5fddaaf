//! Options of a connection to a store, from arguments and from the environment.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::retry::Retries;
use crate::role::Source;
use crate::target::Service;

/// Time for one request, of which the largest sends a part: 30 s, as clients have by default, are not enough for 8 MiB over
/// 2 Mbit/s.
const REQUEST_TIMEOUT: &str = "300s";

/// Options of a connection to a store: endpoint, region, credentials.
///
/// Without options, everything comes from the environment, as with GDAL and the vendors' tools; see
/// [`option`](Self::option) for the names.
///
/// ```
/// use cogsmith_store::StorageOptions;
/// let options = StorageOptions::new()
///     .endpoint("http://localhost:9000")
///     .option("access_key_id", "minio")
///     .option("secret_access_key", "minio123");
/// // Values do not appear.
/// assert!(!format!("{options:?}").contains("minio123"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct StorageOptions {
    values: Vec<(String, String)>,
    use_environment: bool,
    retries: Retries,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self { values: Vec::new(), use_environment: true, retries: Retries { max: 10, time: Duration::from_secs(180) } }
    }
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.values.iter().map(|(name, _)| name).collect();
        f.debug_struct("StorageOptions")
            .field("names", &names)
            .field("use_environment", &self.use_environment)
            .field("retries", &self.retries)
            .finish()
    }
}

impl StorageOptions {
    /// Returns options that take everything from the environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by name. Later values replace earlier ones, and all replace the environment.
    ///
    /// Names are those of the crate `object_store`, such as `access_key_id`, `session_token`, `endpoint`,
    /// `virtual_hosted_style_request`, `service_account_path`, `sas_token` or `timeout`, in lower or upper case and with or
    /// without the prefix of the service (`aws_`, `google_`, `azure_`); GDAL's configuration options (`AWS_S3_ENDPOINT`,
    /// `AWS_HTTPS`, `AWS_NO_SIGN_REQUEST`, `AWS_REQUEST_PAYER`, `AWS_PROFILE`,
    /// `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE`, `GS_NO_SIGN_REQUEST`, `CPL_GS_ENDPOINT`,
    /// `AZURE_STORAGE_ACCOUNT`, `AZURE_STORAGE_ACCESS_TOKEN`, `AZURE_STORAGE_CONNECTION_STRING`,
    /// `AZURE_NO_SIGN_REQUEST`); `max_retries` and `retry_timeout` (seconds), as [`retries`](Self::retries); `cache_control` and `storage_class` of the object (Azure: the access tier);
    /// and fsspec's `key`, `secret`, `token`, `anon`, `profile` and `endpoint_url`.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// Sets the URL of the service, such as `http://localhost:9000`, or `https://ACCOUNT.r2.cloudflarestorage.com`. By
    /// default that of the service's vendor.
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        self.option("endpoint", url)
    }

    /// Sets the region of an S3 bucket (default `us-east-1`).
    pub fn region(self, region: impl Into<String>) -> Self {
        self.option("region", region)
    }

    /// Uses a profile of the shared AWS configuration files (`~/.aws/credentials` and `~/.aws/config`).
    pub fn aws_profile(self, profile: impl Into<String>) -> Self {
        self.option("profile", profile)
    }

    /// Sends requests without credentials.
    pub fn anonymous(self) -> Self {
        self.option("skip_signature", "true")
    }

    /// Sets whether environment variables and shared configuration files are read (default true).
    pub fn use_environment(mut self, use_environment: bool) -> Self {
        self.use_environment = use_environment;
        self
    }

    /// Sets how often a failed request is repeated (default 10), and for how long in total (default 3 minutes).
    pub fn retries(mut self, count: usize, time: Duration) -> Self {
        self.retries = Retries { max: count, time };
        self
    }

    /// Checks the names and values that were set, for the service of a target, without the environment and without any
    /// request.
    ///
    /// # Errors
    /// [`StoreErrorKind::InvalidOption`] for a name that is unknown, or a value that cannot be parsed.
    pub fn check(&self, service: Service) -> Result<()> {
        self.clone().use_environment(false).resolve(service).map(drop)
    }

    /// Returns the options that were set, by the names that were used.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.values
    }

    /// Returns how often a failed request is repeated, and for how long in total, unless an option says otherwise.
    pub(crate) fn default_retries(&self) -> Retries {
        self.retries
    }

    /// Returns whether an option is known to one of the services.
    pub(crate) fn is_known(name: &str, value: &str) -> bool {
        let services = [Service::S3, Service::Gcs, Service::Azure];
        services.into_iter().any(|service| Resolved::new(service, Retries::NONE).apply(name, value).is_ok())
    }

    /// Returns the options of a service by their canonical names, the environment's first.
    pub(crate) fn resolve(&self, service: Service) -> Result<Resolved> {
        let mut resolved = Resolved::new(service, self.retries);
        resolved.set("timeout", REQUEST_TIMEOUT);
        if self.use_environment {
            // In the order of names, so that the result does not depend on that of the environment.
            let mut variables: Vec<_> = std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            variables.sort();
            for (name, value) in variables {
                if is_variable(service, &name) {
                    // Other tools have variables with the same prefixes.
                    let _ = resolved.apply(&name, &value);
                }
            }
            resolved.uses_files = true;
        }
        for (name, value) in &self.values {
            resolved.apply(name, value)?;
        }
        resolved.settle();
        Ok(resolved)
    }
}

/// Returns whether an environment variable concerns a service.
fn is_variable(service: Service, name: &str) -> bool {
    let prefixes: &[&str] = match service {
        Service::S3 => &["AWS_", "COGSMITH_CREDENTIAL_PROCESS"],
        Service::Gcs => &["GOOGLE_", "GS_", "CPL_GS_"],
        Service::Azure => &["AZURE_"],
    };
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Options by canonical names.
#[derive(Clone)]
pub(crate) struct Resolved {
    service: Service,
    /// Canonical names of the client's options and their values.
    pub(crate) values: Vec<(String, String)>,
    /// The profile of the shared AWS files, if one is named.
    pub(crate) profile: Option<String>,
    /// True if shared configuration files may be read.
    pub(crate) uses_files: bool,
    pub(crate) retries: Retries,
    /// The source of a profile's credentials, if the client has none like it.
    pub(crate) source: Option<Arc<Source>>,
    /// Options that the client does not know, by their names.
    own: Vec<(&'static str, String)>,
    is_plain_http: bool,
    is_virtual_hosted: Option<bool>,
    gdal_endpoint: Option<String>,
}

impl Resolved {
    fn new(service: Service, retries: Retries) -> Self {
        Self {
            service,
            retries,
            values: Vec::new(),
            profile: None,
            uses_files: false,
            source: None,
            own: Vec::new(),
            is_plain_http: false,
            is_virtual_hosted: None,
            gdal_endpoint: None,
        }
    }

    /// Returns a value by its canonical name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of an option that the client does not know.
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        self.own.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether a canonical name has a true value.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "true")
    }

    /// Sets a value by its canonical name.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Sets an option by one of its names.
    fn apply(&mut self, name: &str, value: &str) -> Result<()> {
        let lower = name.to_ascii_lowercase();
        match (self.service, lower.as_str()) {
            (Service::S3, "aws_profile" | "aws_default_profile" | "profile") => self.profile = Some(value.to_owned()),
            (Service::S3, "aws_config_file" | "config_file") => self.own.push(("config_file", value.to_owned())),
            (Service::S3, "aws_shared_credentials_file" | "shared_credentials_file") => {
                self.own.push(("shared_credentials_file", value.to_owned()));
            }
            (Service::S3, "aws_endpoint_url_sso" | "endpoint_url_sso") => {
                self.own.push(("endpoint_url_sso", value.to_owned()));
            }
            (_, "cache_control") => self.own.push(("cache_control", value.to_owned())),
            (_, "storage_class") => self.own.push(("storage_class", value.to_owned())),
            (Service::S3, "sso_cache") => self.own.push(("sso_cache", value.to_owned())),
            (Service::S3, "cogsmith_credential_process" | "credential_process") => {
                self.own.push(("credential_process", truth(name, value)?.to_string()));
            }
            (Service::S3, "aws_s3_endpoint") => self.gdal_endpoint = Some(value.to_owned()),
            (Service::S3, "aws_https") => self.is_plain_http = !truth(name, value)?,
            (Service::S3, "aws_virtual_hosting") => self.is_virtual_hosted = Some(truth(name, value)?),
            (
                Service::S3,
                "aws_no_sign_request" | "no_sign_request" | "anon" | "aws_skip_signature" | "skip_signature",
            )
            | (
                Service::Gcs,
                "gs_no_sign_request" | "no_sign_request" | "anon" | "google_skip_signature" | "skip_signature",
            )
            | (
                Service::Azure,
                "azure_no_sign_request" | "no_sign_request" | "anon" | "azure_skip_signature" | "skip_signature",
            ) => {
                let is_set = truth(name, value)?;
                self.set("skip_signature", if is_set { "true" } else { "false" });
            }
            (Service::S3, "aws_request_payer" | "request_payer" | "requester_pays") => {
                let pays = value.eq_ignore_ascii_case("requester") || truth(name, value)?;
                self.set("request_payer", if pays { "true" } else { "false" });
            }
            (_, "max_retries") => {
                self.retries.max = value.trim().parse().map_err(|_| unparsed(name, "a number"))?;
            }
            (_, "retry_timeout") => {
                let seconds =
                    value.trim().trim_end_matches('s').parse().map_err(|_| unparsed(name, "a number of seconds"))?;
                self.retries.time = Duration::from_secs(seconds);
            }
            (Service::S3, "key") => self.set("access_key_id", value),
            (Service::S3, "secret") => self.set("secret_access_key", value),
            (Service::Gcs, "cpl_gs_endpoint" | "endpoint" | "endpoint_url") => {
                self.set("base_url", value.trim_end_matches('/'));
            }
            (Service::Azure, "azure_storage_account") => self.set("account_name", value),
            (Service::Azure, "azure_storage_access_token") => self.set("bearer_token", value),
            (Service::Azure, "endpoint_url") => self.set("endpoint", value),
            (Service::Azure, "azure_storage_connection_string" | "connection_string") => {
                self.connection_string(value)?
            }
            _ => {
                let known = self.canonical(&lower);
                let Some(known) = known else { return Err(self.unknown(name)) };
                self.set(&known, value.trim());
            }
        }
        Ok(())
    }

    /// Returns the canonical name of an option of the client.
    fn canonical(&self, name: &str) -> Option<String> {
        fn plain<K: FromStr + AsRef<str>>(name: &str, prefix: &str) -> Option<String> {
            let key = name.parse::<K>().or_else(|_| format!("{prefix}{name}").parse::<K>()).ok()?;
            Some(key.as_ref().to_owned())
        }
        let (known, prefixes): (_, &[&str]) = match self.service {
            Service::S3 => (plain::<AmazonS3ConfigKey>(name, "aws_"), &["aws_"]),
            Service::Gcs => (plain::<GoogleConfigKey>(name, "google_"), &["google_"]),
            Service::Azure => (plain::<AzureConfigKey>(name, "azure_storage_"), &["azure_storage_", "azure_"]),
        };
        let known = known?;
        let short = prefixes.iter().find_map(|prefix| known.strip_prefix(prefix)).unwrap_or(&known);
        Some(
            match short {
                "endpoint_url" => "endpoint",
                "default_region" => "region",
                "account_key" => "access_key",
                "sas_key" => "sas_token",
                "token" if self.service == Service::Azure => "bearer_token",
                "token" => "session_token",
                short => short,
            }
            .to_owned(),
        )
    }

    fn unknown(&self, name: &str) -> StoreError {
        let service = match self.service {
            Service::S3 => "S3",
            Service::Gcs => "Google Cloud Storage",
            Service::Azure => "Azure",
        };
        StoreError::new(StoreErrorKind::InvalidOption, format!("option '{name}' of {service} is unknown"))
    }

    /// Sets the options of one of Azure's connection strings.
    fn connection_string(&mut self, text: &str) -> Result<()> {
        let (mut protocol, mut suffix) = ("https".to_owned(), "core.windows.net".to_owned());
        for pair in text.split(';').filter(|pair| !pair.trim().is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                StoreError::new(StoreErrorKind::InvalidOption, "the connection string is not a list of NAME=VALUE;")
            })?;
            match name.trim().to_ascii_lowercase().as_str() {
                "accountname" => self.set("account_name", value),
                "accountkey" => self.set("access_key", value),
                "sharedaccesssignature" => self.set("sas_token", value),
                "blobendpoint" => self.set("endpoint", value.trim_end_matches('/')),
                "defaultendpointsprotocol" => value.clone_into(&mut protocol),
                "endpointsuffix" => value.clone_into(&mut suffix),
                "usedevelopmentstorage" => self.set("use_emulator", "true"),
                _ => {}
            }
        }
        if let Some(account) = self.get("account_name").filter(|_| self.get("endpoint").is_none()) {
            let endpoint = format!("{protocol}://{account}.blob.{suffix}");
            self.set("endpoint", &endpoint);
        }
        Ok(())
    }

    /// Combines the options that depend on each other.
    fn settle(&mut self) {
        if let Some(host) = self.gdal_endpoint.clone().filter(|_| self.get("endpoint").is_none()) {
            let scheme = if self.is_plain_http { "http" } else { "https" };
            let url = if host.contains("://") { host } else { format!("{scheme}://{host}") };
            self.set("endpoint", &url);
        }
        if let Some(is_virtual_hosted) = self.is_virtual_hosted.filter(|_| self.get("endpoint").is_none()) {
            self.set("virtual_hosted_style_request", if is_virtual_hosted { "true" } else { "false" });
        }
        // An endpoint without TLS is the user's choice.
        let is_plain = ["endpoint", "base_url", "endpoint_url_s3"]
            .iter()
            .any(|name| self.get(name).is_some_and(|url| url.starts_with("http://")));
        if is_plain {
            self.set("allow_http", "true");
        }
    }

    /// Returns whether requests need TLS.
    pub(crate) fn needs_tls(&self) -> bool {
        // Servers for credentials are reached by HTTPS unless an option names another address.
        let is_plain = |url: Option<&str>| url.is_some_and(|url| url.starts_with("http://"));
        let plain_credentials = match self.source.as_deref() {
            Some(Source::Role(role)) => is_plain(Some(&role.endpoint)),
            Some(Source::Session(session)) => is_plain(Some(&session.endpoint)),
            _ => true,
        };
        !plain_credentials || (!self.is_true("allow_http") && !self.is_true("use_emulator"))
    }
}

fn unparsed(name: &str, expected: &str) -> StoreError {
    StoreError::new(StoreErrorKind::InvalidOption, format!("option '{name}' has a value that is not {expected}"))
}

/// Parses a value that is true or false, as GDAL does.
fn truth(name: &str, value: &str) -> Result<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" | "" => Ok(false),
        _ => Err(unparsed(name, "yes or no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(service: Service, options: &[(&str, &str)]) -> Result<Resolved> {
        let empty = StorageOptions::new().use_environment(false);
        options.iter().fold(empty, |all, (name, value)| all.option(*name, *value)).resolve(service)
    }

    #[test]
    fn all_spellings_mean_the_same() {
        for (service, names, canonical) in [
            (Service::S3, vec!["access_key_id", "AWS_ACCESS_KEY_ID", "aws_access_key_id", "key"], "access_key_id"),
            (Service::S3, vec!["secret_access_key", "secret"], "secret_access_key"),
            (Service::S3, vec!["session_token", "token", "AWS_SESSION_TOKEN"], "session_token"),
            (Service::S3, vec!["region", "AWS_REGION", "AWS_DEFAULT_REGION"], "region"),
            (Service::S3, vec!["endpoint", "endpoint_url", "AWS_ENDPOINT_URL"], "endpoint"),
            (Service::Gcs, vec!["service_account", "GOOGLE_SERVICE_ACCOUNT"], "service_account"),
            (
                Service::Gcs,
                vec!["application_credentials", "GOOGLE_APPLICATION_CREDENTIALS"],
                "application_credentials",
            ),
            (
                Service::Azure,
                vec!["account_name", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"],
                "account_name",
            ),
            (Service::Azure, vec!["access_key", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"], "access_key"),
            (Service::Azure, vec!["sas_token", "AZURE_STORAGE_SAS_TOKEN"], "sas_token"),
            (Service::Azure, vec!["bearer_token", "AZURE_STORAGE_ACCESS_TOKEN"], "bearer_token"),
        ] {
            for name in names {
                let resolved = resolve(service, &[(name, "value")]).unwrap();
                assert_eq!(resolved.get(canonical), Some("value"), "{name}: {:?}", resolved.values);
            }
        }
        for (service, name) in [
            (Service::S3, "AWS_NO_SIGN_REQUEST"),
            (Service::S3, "anon"),
            (Service::Gcs, "GS_NO_SIGN_REQUEST"),
            (Service::Azure, "AZURE_NO_SIGN_REQUEST"),
        ] {
            assert!(resolve(service, &[(name, "YES")]).unwrap().is_true("skip_signature"));
            assert!(!resolve(service, &[(name, "NO")]).unwrap().is_true("skip_signature"));
        }
        assert!(resolve(Service::S3, &[("AWS_REQUEST_PAYER", "requester")]).unwrap().is_true("request_payer"));
    }

    #[test]
    fn gdal_endpoints_are_hosts() {
        let resolved = resolve(Service::S3, &[("AWS_S3_ENDPOINT", "localhost:9000"), ("AWS_HTTPS", "NO")]).unwrap();
        assert_eq!(resolved.get("endpoint"), Some("http://localhost:9000"));
        assert!(!resolved.needs_tls());
        let resolved = resolve(Service::S3, &[("AWS_S3_ENDPOINT", "s3.example.com")]).unwrap();
        assert_eq!(resolved.get("endpoint"), Some("https://s3.example.com"));
        assert!(resolved.needs_tls());
    }

    #[test]
    fn connection_strings_are_taken_apart() {
        let text =
            "DefaultEndpointsProtocol=http;AccountName=acc;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:1/acc;";
        let resolved = resolve(Service::Azure, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
        assert_eq!(resolved.get("account_name"), Some("acc"));
        assert_eq!(resolved.get("access_key"), Some("a2V5=="));
        assert_eq!(resolved.get("endpoint"), Some("http://127.0.0.1:1/acc"));
        let text = "AccountName=acc;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn";
        let resolved = resolve(Service::Azure, &[("connection_string", text)]).unwrap();
        assert_eq!(resolved.get("endpoint"), Some("https://acc.blob.core.chinacloudapi.cn"));
    }

    #[test]
    fn unknown_options_are_errors_without_their_values() {
        for (name, value) in [("acces_key", "secret"), ("anon", "secret")] {
            let error = resolve(Service::S3, &[(name, value)]).err().unwrap();
            assert_eq!(error.kind(), StoreErrorKind::InvalidOption);
            assert!(error.to_string().contains(name) && !error.to_string().contains("secret"), "{error}");
        }
    }
}
