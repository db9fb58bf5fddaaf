//! Explanations of a file: where its bytes are, what reading it costs, and what other options would make of it.

mod trial;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::check::{self, ByteMap, Info};
use crate::error::Result;
use crate::read::{DiskFile, ReadAt};
use crate::source::geotiff::{GeoTiffSource, ReadOptions};

pub use trial::{Trial, TrialSample};

/// Most regions of the map of bytes.
const MAX_REGIONS: usize = 2000;
/// Least part of a file's bytes that an alternative must save to be suggested.
const WORTHWHILE: f64 = 0.1;

/// Options for [`explain`](fn@explain).
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use]
pub struct ExplainOptions {
    trials: bool,
    read: ReadOptions,
    cancel: Option<Arc<AtomicBool>>,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self { trials: true, read: ReadOptions::new(), cancel: None }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl ExplainOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether a sample of pixels is encoded with other options. Default: `true`.
    pub fn trials(mut self, trials: bool) -> Self {
        self.trials = trials;
        self
    }

    /// Sets how the file is read, such as [`ReadOptions::addresses`].
    pub fn read_options(mut self, read: ReadOptions) -> Self {
        self.read = read;
        self
    }

    /// Sets a flag that cancels the work when it becomes `true`.
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }
}

/// A suggestion to improve a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// The reason, one sentence.
    pub reason: String,
    /// Options of `cogsmith create`, or the command `repack`, that follow the suggestion.
    pub arguments: Vec<String>,
}

/// An explanation of a file, returned by [`explain`](fn@explain).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The description of the file.
    pub info: Info,
    /// The bytes of the file, and the cost of reading them.
    pub map: ByteMap,
    /// The pixels that were tried; `None` without trials.
    pub sample: Option<TrialSample>,
    /// Other options on the sample, smallest first; lossless ones before lossy ones.
    pub trials: Vec<Trial>,
    /// Suggestions, the most useful first; empty if there is nothing to improve.
    pub advice: Vec<Advice>,
}

/// Explains a TIFF file: where its bytes are, the requests for reading it, and the sizes that other codecs and tile sizes
/// would give, from trials on at most three windows of full resolution on one thread.
///
/// ```no_run
/// use cogsmith::ExplainOptions;
/// let explanation = cogsmith::explain("scene.tif", &ExplainOptions::new())?;
/// for advice in &explanation.advice {
///     println!("{}: cogsmith {}", advice.reason, advice.arguments.join(" "));
/// }
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`check::inspect`]; with trials also those of [`GeoTiffSource::open`] and of decoding, and
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
pub fn explain(path: impl AsRef<Path>, options: &ExplainOptions) -> Result<Explanation> {
    let path = path.as_ref();
    let reader: Arc<dyn ReadAt> = match options.read.open_address(path) {
        Some(reader) => reader?,
        None => Arc::new(DiskFile::open(path)?),
    };
    let info = check::inspect(&*reader)?;
    let map = check::map_bytes(&*reader, MAX_REGIONS)?;
    let (mut sample, mut trials) = (None, Vec::new());
    if options.trials {
        let source = GeoTiffSource::read(Arc::clone(&reader), &options.read, None)?;
        let tried = trial::run(source, &*reader, &info, options.cancel.as_ref())?;
        (sample, trials) = (Some(tried.0), tried.1);
    }
    let advice = advice(&info, sample.as_ref(), &trials);
    Ok(Explanation { info, map, sample, trials, advice })
}

/// Returns suggestions.
fn advice(info: &Info, sample: Option<&TrialSample>, trials: &[Trial]) -> Vec<Advice> {
    let mut all = Vec::new();
    let smaller = sample.and_then(|sample| {
        let best = trial::recommended(trials)?;
        #[expect(clippy::cast_precision_loss, reason = "bytes of a sample")]
        let saved = 1.0 - best.bytes as f64 / sample.stored_bytes as f64;
        (sample.stored_bytes > 0 && saved >= WORTHWHILE).then_some((best, saved))
    });
    let is_tiled = info.levels.iter().all(|level| level.tiled);
    let full_is_large = info.width.max(info.height) > 1024;
    let has_overviews = info.levels.len() > 1;
    let mut reasons = Vec::new();
    let mut arguments = Vec::new();
    if let Some((best, saved)) = smaller {
        reasons.push(format!("{} makes the sample {:.0} % smaller than it is stored", best.name, saved * 100.0));
        arguments.clone_from(&best.arguments);
    }
    if !is_tiled {
        reasons.push("the file has strips, so that a small window needs whole rows".to_owned());
    }
    if full_is_large && !has_overviews {
        let bytes = info.whole_view.bytes;
        reasons.push(format!("there are no overviews: the whole image at 1024x1024 pixels takes {bytes} bytes"));
    }
    if !reasons.is_empty() {
        arguments.insert(0, "create".to_owned());
        all.push(Advice { reason: reasons.join("; "), arguments });
    } else if !info.gdal_layout {
        let reason = "directories, overviews, and tiles are not in the order of a COG; the tiles can stay as they are";
        all.push(Advice { reason: reason.to_owned(), arguments: vec!["repack".to_owned()] });
    }
    all
}
