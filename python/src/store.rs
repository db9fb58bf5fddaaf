//! Objects of object stores as targets.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cogsmith::{CogPlan, Error, ErrorKind, FileOptions};
use cogsmith_store::{ObjectSink, StorageOptions, Store, StoreError, Target, UploadOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::encode::Work;

/// The option of an upload among those of the connection.
const CONTIGUOUS: &str = "contiguous_parts";

/// Returns whether a text is the address of an object, such as `s3://bucket/key`.
#[pyfunction]
pub(crate) fn is_object(text: &str) -> bool {
    Target::is_address(text)
}

/// Returns the object that a target addresses; `None` for paths, which are not `str` here, and file objects.
pub(crate) fn object(target: &Bound<'_, PyAny>) -> PyResult<Option<Target>> {
    let text = target.extract::<String>().ok().filter(|text| Target::is_address(text));
    text.map(|text| Target::parse(&text)).transpose().map_err(|error| PyValueError::new_err(error.to_string()))
}

impl Work {
    /// Returns a sink that uploads to an object.
    pub(crate) fn object_sink(
        &self,
        target: &Target,
        plan: &CogPlan,
        cancelled: Arc<AtomicBool>,
    ) -> cogsmith::Result<ObjectSink> {
        FileOptions::new().sync(self.sync).check_for_stream()?;
        let own = self.storage_options.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTIGUOUS));
        let is_contiguous = own.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
        let store = Store::open(target, &storage(&self.storage_options)).map_err(|error| failed(target, error))?;
        let upload = UploadOptions::new()
            .overwrite(self.overwrite)
            .contiguous_parts(is_contiguous)
            .spool(self.store(None))
            .cancelled_by(cancelled);
        ObjectSink::new(&store, target, plan, &upload)
    }
}

/// Returns the options of a connection, without that of an upload.
pub(crate) fn storage(options: &BTreeMap<String, String>) -> StorageOptions {
    let options = options.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(CONTIGUOUS));
    options.fold(StorageOptions::new(), |all, (name, value)| all.option(name, value))
}

fn failed(target: &Target, error: StoreError) -> Error {
    let path = Some(PathBuf::from(target.to_string()));
    ErrorKind::Io { action: "open", path, source: io::Error::other(error) }.into()
}
