//! An upload in progress: parts in flight on a runtime, and their order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::{Attributes, MultipartId, PutPayload};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

use crate::complete::Completion;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::parts::Part;
use crate::store::{Existing, Store};
use crate::target::{Service, Target};

/// Time between looks at the flag that cancels.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// The longest wait for the answer to the creation of an upload after a flag that cancels.
const CREATE_TIME: Duration = Duration::from_secs(10);

/// The longest that an abort may take, as when an upload is dropped.
pub(crate) const ABORT_TIME: Duration = Duration::from_secs(20);

/// The runtime for the requests of a connection. Connections in the client's pool belong to one runtime and end with it, so a
/// client must not be used on several.
pub(crate) struct Requests {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Requests {
    /// Starts a runtime with one thread.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("cogsmith-store").enable_all().build();
        let runtime = runtime.map_err(|error| {
            StoreError::new(StoreErrorKind::Other, format!("cannot start a thread for requests: {error}"))
        })?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Starts a request.
    pub(crate) fn spawn(&self, request: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(request);
    }

    /// Runs a request to its end while the calling thread waits. Once a flag is set, the wait ends after `grace`.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        cancelled: &[Arc<AtomicBool>],
        grace: Duration,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut since = None;
        self.run(request, || {
            if is_set(cancelled) {
                since.get_or_insert_with(Instant::now);
            }
            since.is_some_and(|since| since.elapsed() >= grace)
        })
    }

    /// Runs a request to its end while the calling thread waits, for at most `time`.
    pub(crate) fn wait_at_most<T: Send + 'static>(
        &self,
        time: Duration,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let began = Instant::now();
        self.run(request, || began.elapsed() >= time)
    }

    /// Runs a request until it ends, or until `is_over` says so.
    fn run<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T>> + Send + 'static,
        is_over: impl FnMut() -> bool,
    ) -> Result<T> {
        let (sender, answer) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let _ = sender.send(request.await);
        });
        // A request that has ended cannot be aborted any more.
        received(&answer, is_over).inspect_err(|_| task.abort())
    }
}

/// Waits for the outcome of a request until it arrives, or until `is_over` says so.
pub(crate) fn received<T>(outcome: &Receiver<Result<T>>, mut is_over: impl FnMut() -> bool) -> Result<T> {
    loop {
        match outcome.recv_timeout(TICK) {
            Ok(outcome) => return outcome,
            Err(RecvTimeoutError::Disconnected) => return Err(stopped()),
            Err(RecvTimeoutError::Timeout) if is_over() => return Err(cancelled()),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its threads is not allowed everywhere, and there is nothing to wait for.
            runtime.shutdown_background();
        }
    }
}

/// Returns whether one of the flags is set.
pub(crate) fn is_set(flags: &[Arc<AtomicBool>]) -> bool {
    flags.iter().any(|flag| flag.load(Ordering::Relaxed))
}

pub(crate) fn cancelled() -> StoreError {
    StoreError::new(StoreErrorKind::Cancelled, "canceled")
}

pub(crate) fn stopped() -> StoreError {
    StoreError::new(StoreErrorKind::Other, "the runtime for requests has stopped")
}

/// The outcome of sending a part.
type Sent = (u32, Result<String>);

/// The settings of an upload.
pub(crate) struct Settings {
    pub(crate) attributes: Attributes,
    pub(crate) overwrite: bool,
    pub(crate) cancelled: Vec<Arc<AtomicBool>>,
    pub(crate) max_in_flight: usize,
}

/// An upload in progress. Dropping it aborts it.
pub(crate) struct Upload {
    store: Store,
    target: Target,
    settings: Settings,
    id: Option<MultipartId>,
    in_flight: HashMap<u32, AbortHandle>,
    sent: BTreeMap<u32, String>,
    results: (SyncSender<Sent>, Receiver<Sent>),
    size: u64,
}

impl Upload {
    /// Prepares an upload, and checks that the object does not exist unless it may be replaced.
    pub(crate) fn new(store: Store, target: Target, settings: Settings) -> Result<Self> {
        // Room for every part in flight, so that no task ever waits for the receiver.
        let results = sync_channel(settings.max_in_flight + 1);
        let upload = Self {
            store,
            target,
            settings,
            id: None,
            in_flight: HashMap::new(),
            sent: BTreeMap::new(),
            results,
            size: 0,
        };
        if !upload.settings.overwrite {
            let (store, key) = (upload.store.clone(), upload.target.path().clone());
            match upload.wait(async move { store.existing(&key).await })? {
                Existing::No => {}
                Existing::Yes(..) => return Err(StoreError::new(StoreErrorKind::Exists, "the object already exists")),
                // Google's completion takes no condition, so that nothing else would protect an object.
                Existing::Unknown if upload.target.service() == Service::Gcs => {
                    return Err(StoreError::new(
                        StoreErrorKind::AccessDenied,
                        "the credentials do not permit to check whether the object exists",
                    ));
                }
                Existing::Unknown => {}
            }
        }
        Ok(upload)
    }

    fn wait<T: Send + 'static>(&self, request: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        self.store.requests().wait(&self.settings.cancelled, Duration::ZERO, request)
    }

    /// Begins the multipart upload, which shows whether the bucket exists and may be written to.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let (store, key, attributes) =
            (self.store.clone(), self.target.path().clone(), self.settings.attributes.clone());
        let created = async move { store.create(&key, attributes).await };
        // Without the answer, nobody could abort the upload.
        self.id = Some(self.store.requests().wait(&self.settings.cancelled, CREATE_TIME, created)?);
        Ok(())
    }

    /// Gives the multipart upload up to someone else, who has to complete or abort it.
    pub(crate) fn release(mut self) -> Option<MultipartId> {
        self.id.take()
    }

    /// Sends a part, after waiting for an earlier one if too many are in flight.
    pub(crate) fn send(&mut self, part: Part) -> Result<()> {
        if self.id.is_none() {
            self.begin()?;
        }
        let Some(id) = self.id.clone() else { return Err(stopped()) };
        while self.in_flight.len() >= self.settings.max_in_flight {
            self.receive(true)?;
        }
        self.size += part.len();
        let number = part.number;
        let payload: PutPayload = part.pieces.into_iter().map(Bytes::from).collect();
        let (store, key, sender) = (self.store.clone(), self.target.path().clone(), self.results.0.clone());
        let task = self.store.requests().handle.spawn(async move {
            let outcome = store.put_part(&key, &id, number, payload).await;
            let _ = sender.send((number, outcome));
        });
        self.in_flight.insert(number, task.abort_handle());
        Ok(())
    }

    /// Takes the outcome of a part, waiting for it if `waits`. Returns whether there was one.
    fn receive(&mut self, waits: bool) -> Result<bool> {
        loop {
            let received = if waits {
                self.results.1.recv_timeout(TICK)
            } else {
                self.results.1.try_recv().map_err(|_| RecvTimeoutError::Timeout)
            };
            match received {
                Ok((number, outcome)) => {
                    self.in_flight.remove(&number);
                    self.sent.insert(number, outcome?);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(stopped()),
                Err(RecvTimeoutError::Timeout) if !waits => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if is_set(&self.settings.cancelled) {
                return Err(cancelled());
            }
            // A task that panicked sends nothing.
            if self.in_flight.values().all(AbortHandle::is_finished) && !self.in_flight.is_empty() {
                match self.results.1.try_recv() {
                    Ok((number, outcome)) => {
                        self.in_flight.remove(&number);
                        self.sent.insert(number, outcome?);
                        return Ok(true);
                    }
                    Err(_) => return Err(stopped()),
                }
            }
        }
    }

    /// Takes the outcomes that are there, without waiting.
    pub(crate) fn poll(&mut self) -> Result<()> {
        while self.receive(false)? {}
        Ok(())
    }

    /// Waits until a part has arrived. Returns false if none is in flight.
    pub(crate) fn settle_one(&mut self) -> Result<bool> {
        if self.in_flight.is_empty() { Ok(false) } else { self.receive(true) }
    }

    /// Returns whether the multipart upload has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.id.is_some()
    }

    /// Writes the whole object in one request, without a multipart upload.
    pub(crate) fn put(&mut self, pieces: Vec<Vec<u8>>) -> Result<()> {
        let payload: PutPayload = pieces.into_iter().map(Bytes::from).collect();
        let (store, key) = (self.store.clone(), self.target.path().clone());
        let (attributes, overwrite) = (self.settings.attributes.clone(), self.settings.overwrite);
        self.wait(async move { store.put(&key, payload, attributes, overwrite).await })
    }

    /// Makes the object appear.
    pub(crate) fn complete(&mut self) -> Result<()> {
        while self.settle_one()? {}
        let Some(id) = self.id.clone() else { return Err(stopped()) };
        let (store, key) = (self.store.clone(), self.target.path().clone());
        let (attributes, overwrite, size) = (self.settings.attributes.clone(), self.settings.overwrite, self.size);
        let parts: Vec<_> = self.sent.iter().map(|(number, part)| (*number, part.clone())).collect();
        // From here on, a flag that cancels comes too late: the outcome of a request that was cut is unknown.
        self.store.requests().wait(&[], Duration::ZERO, async move {
            let (parts, attributes) = (parts.as_slice(), &attributes);
            let completion = Completion { key: &key, id: &id, parts, size, attributes, overwrite, may_be_done: false };
            store.complete(&completion).await
        })?;
        self.id = None;
        Ok(())
    }

    /// Aborts the multipart upload, if it has begun. If that fails too, the error says how to clean up.
    pub(crate) fn abort(&mut self) -> Result<()> {
        for (_, task) in self.in_flight.drain() {
            task.abort();
        }
        let Some(id) = self.id.take() else { return Ok(()) };
        let (store, key, upload) = (self.store.clone(), self.target.path().clone(), id.clone());
        let aborted = self.store.requests().wait_at_most(ABORT_TIME, async move { store.abort(&key, &upload).await });
        aborted.map_err(|error| {
            let left = clean_up(&self.target, &id);
            StoreError::new(error.kind(), format!("the upload could not be aborted ({error})")).and(&left)
        })
    }
}

/// Returns how to delete the parts of an upload.
pub(crate) fn clean_up(target: &Target, id: &str) -> String {
    let (bucket, key) = (target.bucket(), target.key());
    match target.service() {
        Service::S3 => format!(
            "its parts stay until `aws s3api abort-multipart-upload --bucket {bucket} --key {key} --upload-id {id}`"
        ),
        Service::Gcs => format!(
            "its parts stay until the upload {id} of gs://{bucket}/{key} is aborted, or a lifecycle rule does it"
        ),
        Service::Azure => "its blocks disappear within a week".to_owned(),
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Errors have been reported by then, and an abort that fails has no other way to say so.
        let _ = self.abort();
    }
}
