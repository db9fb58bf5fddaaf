//! The asynchronous way to write a COG.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cogsmith::{
    CogOptions, CogPlan, Error, ErrorKind, Executor, GeoRef, ImageSpec, Metadata, PixelSource, RasterSource, Stripe,
    Summary, write_to_sink,
};

use crate::error::{StoreError, StoreErrorKind};
use crate::sink::{ObjectSink, UploadOptions};
use crate::store::Store;
use crate::target::Target;

/// Options of [`write()`]: how the file is encoded, and how it is uploaded.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct WriteOptions {
    cog: CogOptions,
    upload: UploadOptions,
}

impl WriteOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the file is encoded. Options for files ([`CogOptions::overwrite`], [`CogOptions::sync`]) are errors.
    pub fn cog(mut self, options: CogOptions) -> Self {
        self.cog = options;
        self
    }

    /// Sets how the file is uploaded.
    pub fn upload(mut self, options: UploadOptions) -> Self {
        self.upload = options;
        self
    }
}

impl From<CogOptions> for WriteOptions {
    fn from(cog: CogOptions) -> Self {
        Self::new().cog(cog)
    }
}

/// Writes a source to an object in one pass: parts are uploaded while rows are read and encoded.
///
/// Encoding runs on a blocking thread of the current tokio runtime and the pool of threads, requests on the thread of the
/// [`Store`]. If the future is dropped,
/// reading stops before the next rows, and the upload is aborted; the object then does not appear.
///
/// ```no_run
/// use cogsmith::{CogOptions, GeoTiffSource, ReadOptions};
/// use cogsmith_store::{StorageOptions, Store, Target, WriteOptions, write};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let target = Target::parse("s3://imagery/scene.tif")?;
/// let store = Store::open(&target, &StorageOptions::new())?;
/// let source = GeoTiffSource::open("scene.tif", &ReadOptions::new())?;
/// let summary = write(&store, &target, source, &WriteOptions::new()).await?;
/// println!("{} bytes", summary.bytes);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::TargetExists`] if the object exists and [`UploadOptions::overwrite`] is not set; the errors of
/// [`cogsmith::write_to_sink`]; any error of the store, for which see [`StoreError::of`].
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn write<S>(store: &Store, target: &Target, source: S, options: &WriteOptions) -> cogsmith::Result<Summary>
where
    S: RasterSource + Send + 'static,
{
    let cancelled = Arc::new(AtomicBool::new(false));
    let guard = CancelOnDrop(Arc::clone(&cancelled));
    let (store, target, cog) = (store.clone(), target.clone(), options.cog.clone());
    let upload = options.upload.clone().cancelled_by(Arc::clone(&cancelled));
    let name = target.to_string();
    let encoding = tokio::task::spawn_blocking(move || {
        let source = Cancellable { source, cancelled };
        let sink = |plan: &CogPlan| ObjectSink::new(&store, &target, plan, &upload);
        write_to_sink(sink, source, &cog).map(|(summary, _)| summary)
    });
    let outcome = encoding.await;
    drop(guard);
    outcome.unwrap_or_else(|error| {
        Err(StoreError::new(StoreErrorKind::Other, format!("the encoding has stopped: {error}")).at("write", &name))
    })
}

/// Sets a flag when it is dropped.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A source that fails once a flag is set.
struct Cancellable<S> {
    source: S,
    cancelled: Arc<AtomicBool>,
}

impl<S: PixelSource> PixelSource for Cancellable<S> {
    fn spec(&self) -> &ImageSpec {
        self.source.spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> cogsmith::Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::from(ErrorKind::Cancelled));
        }
        self.source.read_rows(first_row, stripe, executor)
    }

    fn read_sparse_rows(
        &mut self,
        first_row: u32,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
    ) -> cogsmith::Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::from(ErrorKind::Cancelled));
        }
        self.source.read_sparse_rows(first_row, stripe, executor)
    }
}

impl<S: RasterSource> RasterSource for Cancellable<S> {
    fn geo(&self) -> &GeoRef {
        self.source.geo()
    }

    fn metadata(&self) -> &Metadata {
        self.source.metadata()
    }

    fn warnings(&self) -> &[String] {
        self.source.warnings()
    }
}
