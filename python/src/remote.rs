//! Inputs that are addresses: objects in stores, and files on web servers.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cogsmith::{Addresses, DiskFile, Error, ErrorKind, ReadAt};
use cogsmith_store::{Objects, ReaderOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::store::storage;

/// Returns whether a text is the address of an input, such as `s3://bucket/key` or `https://host/file`.
#[pyfunction]
pub(crate) fn is_address(text: &str) -> bool {
    Objects::is_address(text)
}

/// Returns a text without the user information and the query strings of the URLs in it.
#[pyfunction]
pub(crate) fn redact(text: &str) -> String {
    cogsmith::redact(text)
}

/// The means to open inputs that are addresses.
pub(crate) struct Remote(Option<Objects>);

impl Remote {
    /// Prepares to open those of some inputs that are addresses. Waiting for servers ends once the flag is set.
    pub(crate) fn new<'a>(
        inputs: impl IntoIterator<Item = &'a Path>,
        options: &BTreeMap<String, String>,
        cancelled: Arc<AtomicBool>,
    ) -> cogsmith::Result<Self> {
        if !inputs.into_iter().any(is_remote) {
            return Ok(Self(None));
        }
        let reader = ReaderOptions::new().storage(storage(options)).cancelled_by(cancelled);
        let objects = Objects::new(&reader).map_err(|error| {
            let source = io::Error::other(error);
            Error::from(ErrorKind::Io { action: "open a connection", path: None, source })
        })?;
        Ok(Self(Some(objects)))
    }

    /// Returns the way to open addresses, as an option for reading.
    pub(crate) fn addresses(&self) -> Option<Addresses> {
        self.0.as_ref().map(Objects::addresses)
    }

    /// Opens a file or an address.
    pub(crate) fn open(&self, path: &Path) -> cogsmith::Result<Box<dyn ReadAt>> {
        match (&self.0, path.to_str()) {
            (Some(objects), Some(address)) if is_remote(path) => Ok(Box::new(objects.open(address)?)),
            _ => Ok(Box::new(DiskFile::open(path)?)),
        }
    }

    /// Adds the requests made and the bytes received to a result, if there is an address among the inputs.
    pub(crate) fn add_traffic(&self, result: &Bound<'_, PyDict>) -> PyResult<()> {
        let Some(objects) = &self.0 else { return Ok(()) };
        let (read, traffic) = (PyDict::new(result.py()), objects.traffic());
        read.set_item("requests", traffic.requests)?;
        read.set_item("bytes", traffic.bytes)?;
        result.set_item("read", read)
    }
}

/// Returns whether a path is an address.
pub(crate) fn is_remote(path: &Path) -> bool {
    path.to_str().is_some_and(Objects::is_address) && !path.exists()
}
