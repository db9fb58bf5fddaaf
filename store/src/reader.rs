//! Objects and files on web servers as inputs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cogsmith::{Address, Addresses, ErrorKind, OpenAddress, ReadAt, redact};
use object_store::ObjectStore;
use reqwest::Client;
use tokio::sync::Semaphore;

use crate::cache::{Cache, Id, MAX_REQUEST, Request};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::fetch::{Answer, Counters, Known, Means, Way};
use crate::location::Location;
use crate::options::StorageOptions;
use crate::reader_options::ReaderOptions;
use crate::retry::Retries;
use crate::store::reading;
use crate::target::{Service, Target};
use crate::upload::{Requests, TICK, cancelled, is_set, received, stopped};
use crate::web::{WebFile, WebOptions};

/// Bytes of the first request for an object. The header of a COG with up to about 4,000 tiles is not larger.
const FIRST: u64 = 64 << 10;

/// The most by which the part of a file that is read as its header grows at once.
const MAX_GROWTH: u64 = 1 << 20;

/// Bytes of a request for less, and what its start is aligned to; of a header, as many as at the start of a file.
const MIN_REQUEST: u64 = 16 << 10;

/// Requests made and bytes received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Traffic {
    /// Number of requests, with redirects and repetitions, without those for credentials.
    pub requests: u64,
    /// Bytes of the answers, without their headers.
    pub bytes: u64,
}

/// Objects and files on web servers as inputs, with common connections, requests in flight, and memory.
///
/// ```no_run
/// use std::sync::Arc;
/// use cogsmith::{CogOptions, ReadOptions};
/// use cogsmith_store::{Objects, ReaderOptions};
/// let objects = Objects::new(&ReaderOptions::new())?;
/// let read = ReadOptions::new().addresses(objects.addresses());
/// cogsmith::convert("s3://imagery/scene.tif", "scene.tif", &CogOptions::new().read_options(read))?;
/// println!("{} requests", objects.traffic().requests);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones share everything. What has been fetched stays in memory until there is no room, even if the input is closed and opened
/// again; an input that has changed in between is an error.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    requests: Requests,
    options: ReaderOptions,
    core: Arc<Core>,
    connections: Mutex<Connections>,
    known: Mutex<HashMap<String, Arc<Opened>>>,
    announced: Mutex<Announced>,
}

/// Inputs that will be opened soon.
#[derive(Default)]
struct Announced {
    waiting: VecDeque<String>,
    begun: HashMap<String, Opening>,
}

/// An input whose first request has been sent.
struct Opening {
    way: Arc<Way>,
    retries: Retries,
    answer: Receiver<Result<Answer>>,
}

/// Connections that inputs share.
#[derive(Default)]
struct Connections {
    stores: HashMap<Bucket, (Arc<dyn ObjectStore>, Retries)>,
    web: Option<(Client, Retries)>,
}

/// Service, bucket, and account.
type Bucket = (Service, String, Option<String>);

/// State that requests and readers share.
struct Core {
    state: Mutex<State>,
    arrived: Condvar,
    means: Means,
    cancelled: Vec<Arc<AtomicBool>>,
}

struct State {
    cache: Cache,
    /// Requests that failed, until somebody asks for their bytes.
    failed: BTreeMap<(Id, u64), (u64, StoreError)>,
    /// The end of the last read that had to wait, and the bytes that it requested.
    sequences: HashMap<Id, Sequence>,
}

/// Reads one after the other that were not announced.
#[derive(Debug, Clone, Copy, Default)]
struct Sequence {
    end: u64,
    len: u64,
}

/// An input that was opened.
struct Opened {
    id: Id,
    name: String,
    way: Arc<Way>,
    retries: Retries,
    known: Known,
    /// True once ranges were announced: from then on, reads are no longer those of a header.
    is_announced: AtomicBool,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Objects {
    /// Prepares to open inputs. Nothing is sent yet. Requests run on a thread of their own.
    ///
    /// # Errors
    /// [`StoreErrorKind::Other`] if the system cannot start a thread.
    pub fn new(options: &ReaderOptions) -> Result<Self> {
        let state = State { cache: Cache::new(options.memory), failed: BTreeMap::new(), sequences: HashMap::new() };
        let means = Means { permits: Arc::new(Semaphore::new(options.in_flight)), counters: Counters::default() };
        let cancelled = options.cancelled.clone();
        let core = Core { state: Mutex::new(state), arrived: Condvar::new(), means, cancelled };
        let inner = Inner {
            requests: Requests::start()?,
            options: options.clone(),
            core: Arc::new(core),
            connections: Mutex::default(),
            known: Mutex::default(),
            announced: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens an input: `s3://…`, `gs://…`, `az://…`, `abfs[s]://…`, `https://…`, `http://…`, or GDAL's `/vsis3/…`,
    /// `/vsigs/…`, `/vsiaz/…`, and `/vsicurl/…`. Its first 64 KiB are requested, unless they are in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] with a [`StoreError`] as the cause, for which see [`StoreError::of`].
    pub fn open(&self, address: &str) -> cogsmith::Result<Object> {
        let name = redact(address);
        self.opened(address, &name).map_err(|error| error.at("read", &name))
    }

    fn opened(&self, address: &str, name: &str) -> Result<Object> {
        if let Some(opened) = lock(&self.inner.known).get(address) {
            return Ok(Object { objects: self.clone(), opened: Arc::clone(opened) });
        }
        let begun = lock(&self.inner.announced).begun.remove(address);
        let Opening { way, retries, answer } = begun.map_or_else(|| self.begin(address), Ok)?;
        self.begin_announced();
        let answer = received(&answer, || self.inner.core.is_cancelled())?;
        let mut all = lock(&self.inner.known);
        let id = Id::try_from(all.len()).unwrap_or(Id::MAX);
        let known = Known { size: answer.size, version: answer.version };
        let opened = Opened { id, name: name.to_owned(), way, retries, known, is_announced: AtomicBool::new(false) };
        // Two threads may open one input at the same time.
        let opened = Arc::clone(all.entry(address.to_owned()).or_insert_with(|| Arc::new(opened)));
        if opened.id == id {
            self.inner.core.lock().cache.insert(id, answer.bytes);
        }
        Ok(Object { objects: self.clone(), opened })
    }

    /// Sends the first request for an input.
    fn begin(&self, address: &str) -> Result<Opening> {
        let (way, retries) = self.way(address)?;
        let (way, core) = (Arc::new(way), Arc::clone(&self.inner.core));
        let (sender, answer) = sync_channel(1);
        let asked = Arc::clone(&way);
        self.inner.requests.spawn(async move {
            let _ = sender.send(asked.fetch(0..FIRST, None, retries, &core.means).await);
        });
        Ok(Opening { way, retries, answer })
    }

    /// Sends the first requests for inputs that were announced, a few more than are in flight at once.
    fn begin_announced(&self) {
        let most = self.inner.options.in_flight.saturating_mul(2);
        let mut announced = lock(&self.inner.announced);
        while announced.begun.len() < most
            && let Some(address) = announced.waiting.pop_front()
        {
            // An input that cannot be opened is an error when it is opened.
            let is_new = !announced.begun.contains_key(&address) && !lock(&self.inner.known).contains_key(&address);
            if let Some(opening) = is_new.then(|| self.begin(&address)).and_then(Result::ok) {
                announced.begun.insert(address, opening);
            }
        }
    }

    /// Returns the way to an input over the connections that it shares with others.
    fn way(&self, address: &str) -> Result<(Way, Retries)> {
        let (storage, mut connections) = (&self.inner.options.storage, lock(&self.inner.connections));
        match Location::parse(address)? {
            Location::Web(url) => {
                if connections.web.is_none() {
                    let options = WebOptions::new(storage)?;
                    connections.web = Some((options.client()?, options.retries));
                }
                let Some((client, retries)) = connections.web.clone() else { return Err(stopped()) };
                Ok((Way::Web(WebFile::new(client, url)?), retries))
            }
            Location::Object(target) => {
                let bucket = bucket(&target);
                if !connections.stores.contains_key(&bucket) {
                    connections.stores.insert(bucket.clone(), reading(&target, storage)?);
                }
                let Some((store, retries)) = connections.stores.get(&bucket).cloned() else { return Err(stopped()) };
                Ok((Way::Object { store, key: target.path().clone() }, retries))
            }
        }
    }

    /// Returns these inputs as an option for reading: [`ReadOptions::addresses`](cogsmith::ReadOptions::addresses).
    pub fn addresses(&self) -> Addresses {
        Addresses::new(Arc::new(self.clone()))
    }

    /// Returns the requests made and bytes received so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let (requests, bytes) = self.inner.core.means.counters.get();
        Traffic { requests, bytes }
    }

    /// Returns whether a text looks like the address of an input, valid or not.
    #[must_use]
    pub fn is_address(text: &str) -> bool {
        Location::is_address(text)
    }
}

impl OpenAddress for Objects {
    fn announce(&self, addresses: &mut dyn Iterator<Item = &str>) {
        let addresses = addresses.filter(|address| Self::is_address(address)).map(str::to_owned);
        lock(&self.inner.announced).waiting.extend(addresses);
        self.begin_announced();
    }

    fn open_address(&self, address: &str) -> cogsmith::Result<Arc<dyn ReadAt>> {
        let path = PathBuf::from(address);
        match Address::of(&path) {
            Some(kind) if !Self::is_address(address) => Err(ErrorKind::Address { path, address: kind }.into()),
            _ => Ok(Arc::new(self.open(address)?)),
        }
    }
}

/// Returns what objects with the same connection have in common.
fn bucket(target: &Target) -> Bucket {
    (target.service(), target.bucket().to_owned(), target.account().map(str::to_owned))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn is_cancelled(&self) -> bool {
        is_set(&self.cancelled)
    }
}

/// An object, or a file on a web server, whose bytes can be read at any offset by many threads.
///
/// ```no_run
/// use cogsmith_store::{Object, StorageOptions};
/// let object = Object::open("https://example.com/scene.tif", &StorageOptions::new())?;
/// println!("{:?}", cogsmith::check::inspect(&object)?.levels);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// Reads wait for the requests on another thread: do not use an object on the threads of an asynchronous runtime. Every request
/// after the first one has the condition that the object is still the same one. Clones share everything.
#[derive(Clone)]
pub struct Object {
    objects: Objects,
    opened: Arc<Opened>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("name", &self.opened.name).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Object {
    /// Opens an input that shares nothing with others. See [`Objects::open`].
    ///
    /// # Errors
    /// As for [`Objects::open`].
    pub fn open(address: &str, options: &StorageOptions) -> cogsmith::Result<Self> {
        let name = redact(address);
        let objects = Objects::new(&options.clone().into()).map_err(|error| error.at("read", &name))?;
        objects.open(address)
    }

    /// Returns the address without user information and query string, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.opened.name
    }

    /// Returns the requests made and bytes received so far, with those of all inputs that were opened together.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.objects.traffic()
    }

    /// Sends requests.
    fn send(&self, requests: Vec<Request>) {
        for Request { range, .. } in requests {
            let (core, opened) = (Arc::clone(&self.objects.inner.core), Arc::clone(&self.opened));
            self.objects.inner.requests.spawn(async move {
                let Range { start, end } = range;
                let answer = opened.way.fetch(range, Some(&opened.known), opened.retries, &core.means).await;
                let mut state = core.lock();
                match answer {
                    Ok(answer) => state.cache.land(opened.id, start, Some(answer.bytes)),
                    Err(error) => {
                        state.cache.land(opened.id, start, None);
                        state.failed.insert((opened.id, start), (end, error));
                    }
                }
                drop(state);
                core.arrived.notify_all();
            });
        }
    }

    /// Returns the range to request for a read of `wanted` that was not announced.
    fn demanded(&self, state: &mut State, wanted: Range<u64>) -> Range<u64> {
        let (id, size) = (self.opened.id, self.opened.known.size);
        let header = state.cache.end_of(id, 0);
        let grown = header.saturating_mul(4).min(header + MAX_GROWTH);
        let is_header = !self.opened.is_announced.load(Ordering::Relaxed);
        let block = if is_header { FIRST } else { MIN_REQUEST };
        if is_header && header > 0 && wanted.start <= grown {
            // Values of the header that are not there: as much again, and the values after them.
            let after = wanted.end.saturating_sub(header) / 2;
            return header..wanted.end.saturating_add(after).max(grown).min(size);
        }
        let sequence = state.sequences.entry(id).or_default();
        // As the system does for files: reads one after the other get longer.
        let len = if wanted.start == sequence.end { sequence.len.saturating_mul(2).min(MAX_REQUEST) } else { 0 };
        let start = if len > 0 { wanted.start } else { wanted.start / block * block };
        let end = wanted.end.max(wanted.start + len).div_ceil(block).saturating_mul(block).min(size);
        *sequence = Sequence { end, len: (end - start).max(block) };
        start..end
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let (id, size) = (self.opened.id, self.opened.known.size);
        // Of a long read, no more than is in flight at once.
        let most = MAX_REQUEST.saturating_mul(self.objects.inner.options.in_flight as u64);
        let len = (buffer.len() as u64).min(size.saturating_sub(offset)).min(most);
        if len == 0 {
            return Ok(0);
        }
        let buffer = buffer.get_mut(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or_default();
        let core = &self.objects.inner.core;
        let mut state = core.lock();
        loop {
            if let Some(count) = state.cache.read(id, offset, buffer) {
                return Ok(count);
            }
            if let Some(error) = state.take_failure(id, offset) {
                return Err(error);
            }
            if core.is_cancelled() {
                return Err(cancelled());
            }
            if state.cache.is_flying(id, offset) {
                state = core.arrived.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let range = self.demanded(&mut state, offset..offset + len);
            let requests = state.cache.demand(id, range);
            if requests.is_empty() {
                return Err(stopped());
            }
            drop(state);
            self.send(requests);
            state = core.lock();
        }
    }
}

impl State {
    /// Returns the error of a request for the byte at an offset. Another read tries again, unless the object has changed.
    fn take_failure(&mut self, id: Id, offset: u64) -> Option<StoreError> {
        let (key, (end, error)) = self.failed.range((id, 0)..=(id, offset)).next_back()?;
        if offset >= *end {
            return None;
        }
        let (key, error) = (*key, error.clone());
        if error.kind() != StoreErrorKind::Changed {
            self.failed.remove(&key);
        }
        Some(error)
    }
}

impl ReadAt for Object {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(offset, buffer).map_err(io::Error::other)
    }

    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = Range<u64>>) {
        self.opened.is_announced.store(true, Ordering::Relaxed);
        let size = self.opened.known.size;
        let mut inside = ranges.map(|range| range.start.min(size)..range.end.min(size));
        let requests = self.objects.inner.core.lock().cache.announce(self.opened.id, &mut inside);
        self.send(requests);
    }

    fn len(&self) -> u64 {
        self.opened.known.size
    }
}
