//! The sink that uploads a file while it is encoded.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cogsmith::{Backlog, CogPlan, FinishedFile, SectionId, SpooledSink, StoreOptions, TileSink};
use object_store::Attributes;

use crate::error::{StoreError, StoreErrorKind};
use crate::parts::{Divider, Limits, Part, PartPlan};
use crate::store::Store;
use crate::target::Target;
use crate::upload::{Settings, Upload};

/// Default size of a part in bytes: with four in flight, one for each level and the file's own buffers, an upload stays below
/// 100 MiB of memory, and 10,000 parts are enough for about 29 GiB before compression
/// (bounds are twice that, and overviews a third more).
const PART_SIZE: u64 = 8 << 20;

/// Default number of parts in flight.
const IN_FLIGHT: usize = 4;

/// Bytes of parts in flight: fewer parts are in flight where they are large.
const IN_FLIGHT_BYTES: u64 = 256 << 20;

/// The most bytes that are held back when parts may have gaps; beyond them, as with hundreds of bands one after the other,
/// tiles wait in a temporary file instead.
const MAX_HELD: u64 = 1 << 30;

/// Options of an upload.
#[derive(Clone, Debug)]
#[must_use]
pub struct UploadOptions {
    overwrite: bool,
    contiguous_parts: bool,
    part_size: u64,
    min_part_size: Option<u64>,
    in_flight: usize,
    cache_control: Option<String>,
    storage_class: Option<String>,
    cancelled: Vec<Arc<AtomicBool>>,
    spool: StoreOptions,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            contiguous_parts: false,
            part_size: PART_SIZE,
            min_part_size: None,
            in_flight: IN_FLIGHT,
            cache_control: None,
            storage_class: None,
            cancelled: Vec::new(),
            spool: StoreOptions::default(),
        }
    }
}

impl UploadOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether an existing object is replaced (default false). Otherwise, the key is checked at the start, and again
    /// when the object appears: atomically on S3 and Azure.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Sets whether parts have equal sizes and contiguous numbers (default false; always so on Cloudflare R2, in directory
    /// buckets, and with checksums of parts). All tiles then wait in memory or in a temporary file until the header is
    /// known.
    pub fn contiguous_parts(mut self, contiguous_parts: bool) -> Self {
        self.contiguous_parts = contiguous_parts;
        self
    }

    /// Sets the size of a part in bytes (default 8 MiB). It grows to the minimum of the store, and for large images until the
    /// store's number of parts suffices.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes;
        self
    }

    /// Sets the smallest part that the store accepts, in bytes (default 5 MiB, and none on Azure). Only stores with their own
    /// rules need it, such as Ceph with another `rgw_multipart_min_part_size`.
    pub fn min_part_size(mut self, bytes: u64) -> Self {
        self.min_part_size = Some(bytes);
        self
    }

    /// Sets how many parts are sent at once (default 4, at least 1). There are fewer if they are larger than 64 MiB.
    pub fn in_flight(mut self, count: usize) -> Self {
        self.in_flight = count.max(1);
        self
    }

    /// Sets the object's Cache-Control, such as `public, max-age=3600`.
    pub fn cache_control(mut self, value: impl Into<String>) -> Self {
        self.cache_control = Some(value.into());
        self
    }

    /// Sets the object's storage class, such as `STANDARD_IA`, or Azure's access tier.
    pub fn storage_class(mut self, class: impl Into<String>) -> Self {
        self.storage_class = Some(class.into());
        self
    }

    /// Stops waiting for the store once `flag` is set, from any thread. There may be several flags.
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled.push(flag);
        self
    }

    /// Sets the memory limit and the directory of tiles that wait, for [`contiguous_parts`](Self::contiguous_parts).
    pub fn spool(mut self, options: StoreOptions) -> Self {
        self.spool = options;
        self
    }

    /// Returns the settings of an upload with this many parts in flight.
    pub(crate) fn settings(&self, store: &Store, max_in_flight: usize) -> Settings {
        let (attributes, cancelled) = (self.attributes(store), self.cancelled.clone());
        Settings { attributes, overwrite: self.overwrite, cancelled, max_in_flight }
    }

    /// Returns the attributes of the object.
    pub(crate) fn attributes(&self, store: &Store) -> Attributes {
        store.attributes(self.cache_control.as_deref(), self.storage_class.as_deref())
    }

    /// Returns whether an existing object is replaced.
    pub(crate) fn overwrites(&self) -> bool {
        self.overwrite
    }

    /// Returns the wanted size of parts in bytes.
    pub(crate) fn wanted_part_size(&self) -> u64 {
        self.part_size
    }

    /// Returns whether parts of one size are wanted.
    pub(crate) fn wants_contiguous_parts(&self) -> bool {
        self.contiguous_parts
    }

    /// Returns the minimum size of a part in bytes, by the rules of the store or those that replace them.
    pub(crate) fn smallest_part(&self, limits: Limits) -> u64 {
        self.min_part_size.unwrap_or(limits.min_part).min(limits.max_part / 2)
    }
}

/// A sink that uploads the tiles of a file as parts while it is encoded. The object appears on
/// [`commit`](TileSink::commit); dropping the sink before that aborts the upload.
///
/// Requests are sent on the thread of the [`Store`], and the calling thread waits for them: do not use a sink on the threads
/// of an asynchronous runtime. [`write`](crate::write()) does the work elsewhere.
pub struct ObjectSink {
    target: String,
    sender: Shared,
    division: Division,
    part_size: u64,
    /// The whole file, if it is small.
    single: Option<Vec<Vec<u8>>>,
}

/// The division of the file into parts.
enum Division {
    /// Parts with gaps between their numbers, sent as soon as they are full; `None` once they all are.
    Gaps(Option<Divider>),
    /// Parts in the order of the file, sent once the header is known.
    Contiguous(Box<SpooledSink<Shared>>),
}

impl fmt::Debug for ObjectSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectSink").field("target", &self.target).finish_non_exhaustive()
    }
}

impl ObjectSink {
    /// Makes a sink for a file by a plan. Checks that the object does not exist, unless it may be replaced, and begins the
    /// upload if the file may be larger than one part.
    ///
    /// # Errors
    /// [`ErrorKind::TargetExists`](cogsmith::ErrorKind::TargetExists); [`StoreErrorKind::TooLarge`] as the cause if the image
    /// could have more than 10,000 parts of 2.5 GiB; any error of the store.
    pub fn new(store: &Store, target: &Target, plan: &CogPlan, options: &UploadOptions) -> cogsmith::Result<Self> {
        let (sections, max_header) = (plan.max_section_bytes(), plan.max_header_bytes()?);
        let name = target.to_string();
        Self::begin(store, target, (max_header, &sections), options).map_err(|error| error.at("write", &name))
    }

    fn begin(
        store: &Store,
        target: &Target,
        (max_header, sections): (u64, &[(SectionId, u64)]),
        options: &UploadOptions,
    ) -> Result<Self, StoreError> {
        let mut limits = store.limits();
        limits.min_part = options.smallest_part(limits);
        let parts = PartPlan::new(limits, options.part_size, max_header, sections)?;
        let part_size = parts.part_size;
        let fitting = usize::try_from(IN_FLIGHT_BYTES / part_size).unwrap_or(usize::MAX).max(2);
        let settings = options.settings(store, options.in_flight.min(fitting));
        let mut upload = Upload::new(store.clone(), target.clone(), settings)?;
        let bound = sections.iter().map(|(_, bound)| *bound).fold(max_header, u64::saturating_add);
        if bound > part_size {
            // Before any pixel is read: a bucket that is missing or may not be written to is found now.
            upload.begin()?;
        }
        let is_contiguous = options.contiguous_parts
            || store.needs_equal_parts()
            || parts.max_held(sections) > MAX_HELD.max(8 * part_size);
        let sender = Shared::new(upload, part_size);
        let division = if is_contiguous {
            Division::Contiguous(Box::new(SpooledSink::new(sender.clone(), options.spool.clone())))
        } else {
            Division::Gaps(Some(Divider::new(parts)))
        };
        Ok(Self { target: target.to_string(), sender, division, part_size, single: None })
    }

    /// Returns whether tiles wait until the header is known, because parts must be
    /// [contiguous](UploadOptions::contiguous_parts).
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        matches!(self.division, Division::Contiguous(_))
    }

    /// Aborts the upload after an error, and adds to the error what is left if that fails.
    fn fail(&self, error: StoreError) -> cogsmith::Error {
        let error = match self.sender.lock().upload.abort() {
            Ok(()) => error,
            Err(left) => error.and(&left.to_string()),
        };
        error.at("write", &self.target)
    }

    /// Names the object in an error of the temporary file's sink that comes from the store.
    fn name(&self, error: cogsmith::Error) -> cogsmith::Error {
        match StoreError::of(&error).cloned() {
            Some(error) => self.fail(error),
            None => error,
        }
    }

    fn incomplete(&self) -> cogsmith::Error {
        self.fail(StoreError::new(StoreErrorKind::Other, "the tiles that arrived are not those of the file"))
    }
}

impl TileSink for ObjectSink {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> cogsmith::Result<()> {
        let outcome = match &mut self.division {
            Division::Gaps(Some(divider)) => {
                let upload = &mut self.sender.lock().upload;
                divider.append(section, tile, &mut |part| upload.send(part))
            }
            Division::Gaps(None) => return Err(self.incomplete()),
            Division::Contiguous(sink) => return sink.append(section, tile),
        };
        outcome.map_err(|error| self.fail(error))
    }

    fn advance(&mut self) -> cogsmith::Result<Backlog> {
        let polled = self.sender.lock().upload.poll();
        polled.map(|()| Backlog::Empty).map_err(|error| self.fail(error))
    }

    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> cogsmith::Result<()>) -> cogsmith::Result<()> {
        let outcome = match &mut self.division {
            Division::Contiguous(sink) => {
                let written = sink.finish(file, step);
                written.map_err(|error| self.name(error))?;
                self.sender.lock().finish().map(|single| self.single = single)
            }
            Division::Gaps(divider) => {
                let Some(divider) = divider.take() else { return Err(self.incomplete()) };
                if !divider.section_lens().eq(file.sections.iter().copied()) {
                    return Err(self.incomplete());
                }
                let upload = &mut self.sender.lock().upload;
                let is_small = divider.len() + file.header.len() as u64 <= self.part_size;
                if is_small && !upload.has_begun() && divider.holds_everything() {
                    self.single = Some(divider.into_pieces(file.header.clone()));
                    Ok(())
                } else {
                    divider.finish(file.header.clone(), &mut |part| upload.send(part))
                }
            }
        };
        outcome.map_err(|error| self.fail(error))?;
        loop {
            step()?;
            let settled = self.sender.lock().upload.settle_one();
            match settled {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    fn commit(&mut self) -> cogsmith::Result<()> {
        let committed = {
            let upload = &mut self.sender.lock().upload;
            match self.single.take() {
                Some(pieces) => upload.put(pieces),
                None => upload.complete(),
            }
        };
        committed.map_err(|error| self.fail(error))
    }

    fn spooled(&self) -> u64 {
        match &self.division {
            Division::Contiguous(sink) => sink.spooled(),
            Division::Gaps(_) => 0,
        }
    }
}

/// Sends what is written as parts of one size, numbered from 1.
struct PartSender {
    upload: Upload,
    part_size: u64,
    buffer: Vec<u8>,
    next: u32,
}

impl PartSender {
    fn send(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let number = self.next;
        self.next += 1;
        self.upload.send(Part { number, pieces: vec![bytes] })
    }

    /// Sends the rest; or returns it, if it is the whole file and no upload has begun.
    fn finish(&mut self) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let rest = mem::take(&mut self.buffer);
        if !self.upload.has_begun() {
            return Ok(Some(vec![rest]));
        }
        if rest.is_empty() { Ok(None) } else { self.send(rest).map(|()| None) }
    }
}

/// A sender that a sink and the writer of its temporary file share.
#[derive(Clone)]
struct Shared(Arc<Mutex<PartSender>>);

impl Shared {
    fn new(upload: Upload, part_size: u64) -> Self {
        Self(Arc::new(Mutex::new(PartSender { upload, part_size, buffer: Vec::new(), next: 1 })))
    }

    fn lock(&self) -> MutexGuard<'_, PartSender> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sender = self.lock();
        let room = usize::try_from(sender.part_size).unwrap_or(usize::MAX) - sender.buffer.len();
        let count = room.min(bytes.len());
        sender.buffer.extend_from_slice(&bytes[..count]);
        if sender.buffer.len() as u64 >= sender.part_size {
            let full = mem::take(&mut sender.buffer);
            sender.send(full).map_err(io::Error::other)?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
