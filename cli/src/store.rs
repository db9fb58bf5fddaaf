//! Objects and web servers: options of connections, messages, and the upload.

use std::path::Path;

use clap::Args;

use crate::remote::is_remote;

/// Heading of these options in the help.
const HEADING: &str = "Object stores";

/// Options of connections, for inputs and the output. They are there without the feature `store`, too: the command line means
/// the same, and the error names the feature.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    /// Profile of the shared AWS configuration files [default: AWS_PROFILE, then default]
    ///
    /// The files are ~/.aws/credentials and ~/.aws/config. Keys in the environment take precedence over the default profile,
    /// but not over a profile that is named.
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    aws_profile: Option<String>,

    /// Region of the S3 bucket [default: AWS_REGION, then that of the profile, then us-east-1]
    #[arg(long, value_name = "REGION", help_heading = HEADING)]
    region: Option<String>,

    /// URL of the service [default: that of AWS, Google, or Azure]
    ///
    /// For S3-compatible stores such as MinIO, Ceph, or R2. Example: --endpoint http://localhost:9000
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    endpoint: Option<String>,

    /// Send requests without credentials
    #[arg(long, help_heading = HEADING)]
    no_sign_request: bool,

    /// Option of the connection (repeatable)
    ///
    /// Names are those of object_store, and GDAL's AWS_*, GS_*, and AZURE_* options. Other users of the machine can see the
    /// command line: pass secrets in the environment instead. Example: --store-option virtual_hosted_style_request=true
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, help_heading = HEADING)]
    store_option: Vec<(String, String)>,
}

/// Options of a command that writes.
#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,

    /// Upload parts of equal size in the order of the file, for stores that accept no others
    ///
    /// Compressed tiles wait in memory up to --tile-memory, and beyond it in a temporary file, until all rows have been read.
    /// Always the case for Cloudflare R2.
    #[arg(long, help_heading = HEADING)]
    contiguous_parts: bool,
}

/// Parses `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as timeout=600s".into()),
    }
}

/// Returns whether a path is the address of an object.
pub(crate) fn is_object(path: &Path) -> bool {
    #[cfg(feature = "store")]
    return path.to_str().is_some_and(cogsmith_store::Target::is_address);
    #[cfg(not(feature = "store"))]
    return cogsmith::Address::of(path) == Some(cogsmith::Address::Object);
}

impl ConnectionArguments {
    /// Rejects options that have no effect on any of the inputs and the output.
    pub(crate) fn check(&self, paths: &[&Path]) -> Result<(), String> {
        let (has_object, has_web) =
            (paths.iter().any(|path| is_object(path)), paths.iter().any(|path| is_remote(path)));
        let of_stores = [
            ("--aws-profile", self.aws_profile.is_some()),
            ("--region", self.region.is_some()),
            ("--endpoint", self.endpoint.is_some()),
            ("--no-sign-request", self.no_sign_request),
        ];
        let of_stores = of_stores.into_iter().filter(|_| !has_object);
        let of_all = [("--store-option", !self.store_option.is_empty() && !has_object && !has_web)];
        match of_stores.chain(of_all).find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(format!(
                "{option} has no effect unless an input or the output is an object, such as s3://bucket/scene.tif"
            )),
            None => Ok(()),
        }
    }
}

impl StoreArguments {
    /// Rejects options that have no effect, and addresses that are not of an object.
    pub(crate) fn check(&self, inputs: &[&Path], output: &Path, sync: bool) -> Result<(), String> {
        self.connection.check(&[inputs, &[output]].concat())?;
        if is_object(output) {
            if sync {
                return Err("--sync has no effect if OUTPUT is an object: it is durable once it appears".into());
            }
            #[cfg(feature = "store")]
            return upload::target(output).map(|_| ()).map_err(|error| error.to_string());
            #[cfg(not(feature = "store"))]
            return Ok(());
        }
        if self.contiguous_parts {
            return Err(
                "--contiguous-parts has no effect unless OUTPUT is an object, such as s3://bucket/scene.tif".into()
            );
        }
        Ok(())
    }
}

#[cfg(feature = "store")]
pub(crate) mod upload {
    use std::ops::ControlFlow;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use cogsmith::{CogPlan, Error, ErrorKind, Executor, Progress, StoreOptions, Summary, encode_to_sink};
    use cogsmith_store::{ObjectSink, StorageOptions, Store, StoreError, StoreErrorKind, Target, UploadOptions};

    use super::{ConnectionArguments, StoreArguments};
    use crate::create::Source;

    /// Returns the object that a path addresses.
    pub(super) fn target(path: &Path) -> Result<Target, StoreError> {
        Target::parse(path.to_str().unwrap_or_default())
    }

    impl ConnectionArguments {
        /// Returns the options of connections.
        pub(crate) fn storage(&self) -> StorageOptions {
            let mut options = StorageOptions::new();
            for (name, value) in &self.store_option {
                options = options.option(name, value);
            }
            if let Some(profile) = &self.aws_profile {
                options = options.aws_profile(profile);
            }
            if let Some(region) = &self.region {
                options = options.region(region);
            }
            if let Some(endpoint) = &self.endpoint {
                options = options.endpoint(endpoint);
            }
            if self.no_sign_request { options.anonymous() } else { options }
        }
    }

    impl StoreArguments {
        /// Encodes a source to an object.
        pub(crate) fn write(
            &self,
            output: &Path,
            overwrite: bool,
            (source, plan): (&mut Source, &CogPlan),
            (executor, store): (&Executor, &StoreOptions),
            cancelled: Arc<AtomicBool>,
            progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
        ) -> Result<Summary, Error> {
            let target = target(output).map_err(|error| failed(output, error))?;
            let connection = Store::open(&target, &self.connection.storage()).map_err(|error| failed(output, error))?;
            let upload = UploadOptions::new()
                .overwrite(overwrite)
                .contiguous_parts(self.contiguous_parts)
                .spool(store.clone())
                .cancelled_by(cancelled);
            let mut sink = ObjectSink::new(&connection, &target, plan, &upload)?;
            encode_to_sink(source, plan, executor, store, &mut sink, progress)
        }
    }

    fn failed(output: &Path, error: StoreError) -> Error {
        let (action, path) = ("open", Some(PathBuf::from(output)));
        Error::from(ErrorKind::Io { action, path, source: std::io::Error::other(error) })
    }

    /// Returns what to do about an error of a store.
    pub(crate) fn hint(error: &Error) -> Option<&'static str> {
        let is_reading = matches!(error.kind(), ErrorKind::Io { action, .. } if action.starts_with("read"));
        Some(match StoreError::of(error)?.kind() {
            StoreErrorKind::NoBucket if is_reading => "check its name, --region, and --endpoint",
            StoreErrorKind::AccessDenied if is_reading => {
                "the credentials need the right to read the object (s3:GetObject), or the URL its signature; another profile \
                 can be chosen with --aws-profile, and --no-sign-request reads public objects without credentials"
            }
            StoreErrorKind::NotFound => "check the address; names are case-sensitive",
            StoreErrorKind::Changed => "run the command again",
            StoreErrorKind::NoRanges => "download the file first",
            StoreErrorKind::NoBucket => "create the bucket first, or check its name, --region, and --endpoint",
            StoreErrorKind::AccessDenied => {
                "the credentials need the rights to write objects and to abort uploads (s3:PutObject, \
                 s3:AbortMultipartUpload); another profile can be chosen with --aws-profile"
            }
            StoreErrorKind::NoCredentials => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, or \
                 AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_ACCESS_KEY; or pass --aws-profile or --no-sign-request"
            }
            StoreErrorKind::InvalidCredentials => "log in again, or check the keys",
            StoreErrorKind::WrongRegion => "pass the bucket's region with --region",
            StoreErrorKind::ClockSkew => "set the clock of this machine",
            StoreErrorKind::Unreachable => "check the network and --endpoint, and try again later",
            StoreErrorKind::PartsRefused => "pass --contiguous-parts",
            StoreErrorKind::InvalidOption => "docs/stores.md lists the options of each store",
            _ => return None,
        })
    }
}
