//! Objects of object stores as targets.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cogsmith::{CogPlan, Error, ErrorKind, FileOptions};
use cogsmith_store::{ObjectSink, SharedUpload, StorageOptions, Store, StoreError, Target, UploadOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::encode::Work;
use crate::error::raise;

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
        let (storage, upload) =
            options(self.storage_options.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let store = Store::open(target, &storage).map_err(|error| failed(target, error))?;
        let upload = upload.overwrite(self.overwrite).spool(self.store(None)).cancelled_by(cancelled);
        ObjectSink::new(&store, target, plan, &upload)
    }
}

/// Returns the options of a connection, and those of an upload among them.
fn options<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> (StorageOptions, UploadOptions) {
    let (mut storage, mut upload) = (StorageOptions::new(), UploadOptions::new());
    for (name, value) in all {
        if name.eq_ignore_ascii_case(CONTIGUOUS) {
            upload = upload.contiguous_parts(value.eq_ignore_ascii_case("true"));
        } else {
            storage = storage.option(name, value);
        }
    }
    (storage, upload)
}

/// A connection to the bucket of an object, for uploads that several processes share.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Connection {
    target: Target,
    store: Store,
    upload: UploadOptions,
}

impl Connection {
    /// Runs requests without the GIL, and puts the object's name into their error.
    fn run<R: Send>(
        &self,
        py: Python<'_>,
        requests: impl FnOnce(&Store, &Target) -> cogsmith_store::Result<R> + Send,
    ) -> PyResult<R> {
        let outcome = py.detach(|| requests(&self.store, &self.target));
        outcome.map_err(|error| raise(error.at("write", &self.target.to_string())))
    }
}

#[pymethods]
impl Connection {
    /// Connects to the bucket of an object. Nothing is sent yet.
    #[new]
    fn new(target: &str, storage_options: BTreeMap<String, String>, overwrite: bool) -> PyResult<Self> {
        let target = Target::parse(target).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let all = storage_options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (storage, upload) = options(all);
        let store = Store::open(&target, &storage).map_err(|error| raise(failed(&target, error)))?;
        Ok(Self { target, store, upload: upload.overwrite(overwrite) })
    }

    /// Checks the address of an object and the options of its connection, without the environment and without a request.
    #[staticmethod]
    fn check_options(target: &str, storage_options: BTreeMap<String, String>) -> PyResult<()> {
        let target = Target::parse(target).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let all = storage_options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        options(all).0.check(target.service()).map_err(|error| raise(failed(&target, error)))
    }

    /// Checks that the object can be written: that its key is free, and that its bucket exists and may be written to.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |store, target| SharedUpload::check(store, target, &self.upload))
    }

    /// Returns whether the object exists, if the credentials permit the question.
    fn exists(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, |store, target| store.exists(target))
    }

    /// Begins an upload, and returns its identifier.
    fn begin(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |store, target| Ok(SharedUpload::begin(store, target, &self.upload)?.id().to_owned()))
    }

    /// Returns the end of each part of a file of `size` bytes, at `edges` where these are far enough apart.
    fn part_ends(&self, py: Python<'_>, size: u64, edges: Vec<u64>) -> PyResult<Vec<u64>> {
        self.run(py, |store, _| SharedUpload::part_ends(store, size, &edges, &self.upload))
    }

    /// Sends a part, and returns its identification.
    fn send(&self, py: Python<'_>, id: &str, number: u32, bytes: PyBackedBytes) -> PyResult<String> {
        self.run(py, |store, target| SharedUpload::resume(target, id).send(store, number, bytes.to_vec()))
    }

    /// Makes the object appear, from its parts in order.
    fn complete(&self, py: Python<'_>, id: &str, parts: Vec<(u32, String)>, size: u64) -> PyResult<()> {
        self.run(py, |store, target| SharedUpload::resume(target, id).complete(store, &parts, size, &self.upload))
    }

    /// Aborts an upload.
    fn abort(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.run(py, |store, target| SharedUpload::resume(target, id).abort(store))
    }

    /// Writes a file of one part.
    fn put(&self, py: Python<'_>, bytes: PyBackedBytes) -> PyResult<()> {
        self.run(py, |store, target| SharedUpload::put(store, target, bytes.to_vec(), &self.upload))
    }
}

/// Returns the options of a connection, without those of an upload.
pub(crate) fn storage(all: &BTreeMap<String, String>) -> StorageOptions {
    options(all.iter().map(|(name, value)| (name.as_str(), value.as_str()))).0
}

fn failed(target: &Target, error: StoreError) -> Error {
    let path = Some(PathBuf::from(target.to_string()));
    ErrorKind::Io { action: "open", path, source: io::Error::other(error) }.into()
}
