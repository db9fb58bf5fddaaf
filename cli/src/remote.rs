//! Inputs that are addresses: objects in stores, and files on web servers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cogsmith::{Addresses, Error, ReadAt, redact};
use serde::Serialize;

use crate::report::{count, size};
use crate::store::ConnectionArguments;

/// Requests made and bytes received: `read` in the objects that `--json` prints.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Traffic {
    requests: u64,
    bytes: u64,
}

impl Traffic {
    /// Returns what has been added since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { requests: self.requests - before.requests, bytes: self.bytes - before.bytes }
    }

    /// Returns the numbers as text.
    pub(crate) fn text(self) -> String {
        format!("{}, {}", count(usize::try_from(self.requests).unwrap_or(usize::MAX), "request"), size(self.bytes))
    }
}

/// Returns a path or an address for messages, without secrets.
pub(crate) fn name(path: &Path) -> String {
    redact(&path.to_string_lossy())
}

/// Returns whether a path is an address that can be opened, if there is the feature `store`.
pub(crate) fn is_remote(path: &Path) -> bool {
    #[cfg(feature = "store")]
    return path.to_str().is_some_and(cogsmith_store::Objects::is_address) && !path.exists();
    #[cfg(not(feature = "store"))]
    return matches!(cogsmith::Address::of(path), Some(cogsmith::Address::Web | cogsmith::Address::Object))
        && !path.exists();
}

/// The means to open addresses. Without the feature `store`, they are opened like files, and the error names the feature.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    #[cfg(feature = "store")]
    objects: Option<cogsmith_store::Objects>,
}

#[cfg(feature = "store")]
impl Remote {
    /// Prepares to open those of some inputs that are addresses.
    pub(crate) fn new<'a>(
        inputs: impl IntoIterator<Item = &'a Path>,
        connection: &ConnectionArguments,
        cancelled: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        if !inputs.into_iter().any(is_remote) {
            return Ok(Self::default());
        }
        let options = cogsmith_store::ReaderOptions::new().storage(connection.storage()).cancelled_by(cancelled);
        let objects = cogsmith_store::Objects::new(&options).map_err(|error| {
            let source = std::io::Error::other(error);
            Error::from(cogsmith::ErrorKind::Io { action: "open a connection", path: None, source })
        })?;
        Ok(Self { objects: Some(objects) })
    }

    /// Returns the way to open addresses, as an option for reading.
    pub(crate) fn addresses(&self) -> Option<Addresses> {
        self.objects.as_ref().map(cogsmith_store::Objects::addresses)
    }

    /// Opens a path if it is an address.
    pub(crate) fn open(&self, path: &Path) -> Option<Result<Box<dyn ReadAt>, Error>> {
        let objects = self.objects.as_ref().filter(|_| is_remote(path))?;
        Some(objects.open(path.to_str()?).map(|object| Box::new(object) as _))
    }

    /// Returns the requests made and bytes received so far; `None` if no input is an address.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        let traffic = self.objects.as_ref()?.traffic();
        Some(Traffic { requests: traffic.requests, bytes: traffic.bytes })
    }
}

#[cfg(not(feature = "store"))]
impl Remote {
    /// Opens nothing.
    pub(crate) fn new<'a>(
        _: impl IntoIterator<Item = &'a Path>,
        _: &ConnectionArguments,
        _: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        Ok(Self::default())
    }

    /// Returns nothing.
    pub(crate) fn addresses(&self) -> Option<Addresses> {
        None
    }

    /// Returns nothing.
    pub(crate) fn open(&self, _: &Path) -> Option<Result<Box<dyn ReadAt>, Error>> {
        None
    }

    /// Returns nothing.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        None
    }
}

/// Opens an input of a command that reads files as they are.
pub(crate) fn open(file: &Path, remote: &Remote) -> Result<Box<dyn ReadAt>, Error> {
    match remote.open(file) {
        Some(opened) => opened,
        None => Ok(Box::new(cogsmith::DiskFile::open(file)?)),
    }
}
