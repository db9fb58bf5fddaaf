//! Conformance tests: of implementations of this crate's traits, and of decoders.
//!
//! ```
//! use cogsmith::conformance::{SinkHarness, check_sink};
//! use cogsmith::{CogPlan, MemorySink, Result};
//!
//! struct InMemory;
//!
//! impl SinkHarness for InMemory {
//!     type Sink = MemorySink;
//!
//!     fn make(&mut self, _plan: &CogPlan) -> Result<MemorySink> {
//!         Ok(MemorySink::new())
//!     }
//!
//!     fn file(&mut self, sink: MemorySink) -> Result<Option<Vec<u8>>> {
//!         Ok(Some(sink.into_bytes()).filter(|bytes| !bytes.is_empty()))
//!     }
//!
//!     fn is_atomic(&self) -> bool {
//!         false
//!     }
//! }
//!
//! check_sink(&mut InMemory);
//! ```

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and makes small numbers"
)]

use std::ops::ControlFlow;

use crate::codec::{Compressor, Layout};
use crate::encode::TileSink;
use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::options::{BigTiff, Compression, EncodeOptions, Interleave, Overviews, TileSize};
use crate::plan::CogPlan;
use crate::sample::DataType;
use crate::sink::StoreOptions;
use crate::sink::writer::{Progress, encode_to_sink, encode_to_vec};
use crate::spec::ImageSpec;
use crate::view::SliceSource;

/// Columns and rows of the test image: neither is a multiple of the tile size.
const SIZE: (u32, u32) = (200, 150);

/// Makes the sinks of a test, and finds the files that they leave.
pub trait SinkHarness {
    /// The implementation under test.
    type Sink: TileSink;

    /// Makes a sink for a file by this plan. The target has no file yet, or one that may be replaced.
    ///
    /// # Errors
    /// Whatever keeps the sink from being made; the test fails.
    fn make(&mut self, plan: &CogPlan) -> Result<Self::Sink>;

    /// Returns the file that a sink has left, if there is one. The sink is to be dropped first where that matters.
    ///
    /// # Errors
    /// Whatever keeps the file from being read; the test fails.
    fn file(&mut self, sink: Self::Sink) -> Result<Option<Vec<u8>>>;

    /// Returns true, the default, if nothing of the file is visible before [`TileSink::commit`].
    fn is_atomic(&self) -> bool {
        true
    }
}

/// Compresses the bytes of tiles one after the other with one encoder, as a thread of the writer does, and returns the
/// payload of each. For testing a codec with bytes that no image has.
///
/// `row_bytes` and `planes` are the bytes per row, and the planes of a row that the floating-point predictor makes; 0 for
/// bytes without rows. They guide the search for matches: any values give valid output.
///
/// ```
/// use cogsmith::Compression;
/// let payloads = cogsmith::conformance::compress_tiles(Compression::None, 4, 0, &[b"abcd", b""])?;
/// assert_eq!(payloads, [b"abcd".to_vec(), Vec::new()]);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidOption`] if the codec does not compress bytes, or its level is out of range.
pub fn compress_tiles(
    compression: Compression,
    row_bytes: usize,
    planes: usize,
    tiles: &[&[u8]],
) -> Result<Vec<Vec<u8>>> {
    let mut compressor = Compressor::default();
    let payload = |tile: &&[u8]| {
        let mut payload = Vec::new();
        let compressed = compressor.compress(compression, Layout { row_bytes, planes }, tile, &mut payload);
        compressed.map(|()| payload).map_err(|reason| Error::option(OptionField::Compression, reason))
    };
    tiles.iter().map(payload).collect()
}

/// Checks that a sink makes the files that [`encode_to_vec`] makes, for all interleaves, with and
/// without masks, overviews, compression, and statistics, on one thread and on several; and that it leaves no file after
/// an encoding that was stopped.
///
/// # Panics
/// Where the sink fails, or a file differs.
pub fn check_sink<H: SinkHarness>(harness: &mut H) {
    let tile_size = TileSize::square(64);
    let base = EncodeOptions { tile_size, ..EncodeOptions::default() };
    let cases = [
        base.clone(),
        EncodeOptions { compression: Compression::None, ..base.clone() },
        EncodeOptions { compression: Compression::None, statistics: true, ..base.clone() },
        EncodeOptions { overviews: Overviews::None, big_tiff: BigTiff::Yes, statistics: true, ..base },
    ];
    for case in cases {
        for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
            for mask in [false, true] {
                let options = EncodeOptions { interleave, ..case.clone() };
                check_plan(harness, &options, mask);
            }
        }
    }
}

/// Checks the files by one plan.
fn check_plan<H: SinkHarness>(harness: &mut H, options: &EncodeOptions, mask: bool) {
    let (width, height) = SIZE;
    let spec = ImageSpec { mask, ..ImageSpec::new(width, height, 2, DataType::U16) };
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), options).expect("a valid plan");
    let samples: Vec<u16> = (0..width * height * 2).map(|sample| (sample.wrapping_mul(40_503) >> 7) as u16).collect();
    let valid: Vec<u8> = (0..width * height).map(|pixel| u8::from(pixel % 7 > 0)).collect();
    let source = || {
        let source = SliceSource::new(spec.clone(), &samples).expect("a valid source");
        if mask { source.with_mask(&valid).expect("a valid mask") } else { source }
    };
    let expected = encode_to_vec(&mut source(), &plan).expect("a file in memory");
    let store = StoreOptions { batch: 1, ..StoreOptions::in_memory() };
    let atomic = harness.is_atomic();
    let executors = [Executor::serial(), Executor::threads(2).unwrap_or_default()];
    for executor in &executors {
        let case = format!("{options:?}, mask {mask}, {} threads", executor.thread_count());
        let mut run = |stop_at: Option<u32>| {
            let mut sink = harness.make(&plan).unwrap_or_else(|error| panic!("{case}: {error}"));
            let progress = &mut |progress: Progress| match stop_at {
                Some(row) if progress.rows_done >= row => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            };
            let outcome = encode_to_sink(&mut source(), &plan, executor, &store, &mut sink, progress);
            let file = harness.file(sink).unwrap_or_else(|error| panic!("{case}: {error}"));
            (outcome, file)
        };
        for row in [0, height / 2, height] {
            let (outcome, file) = run(Some(row));
            let cancelled = outcome.is_err_and(|error| matches!(error.kind(), ErrorKind::Cancelled));
            assert!(cancelled, "{case}: an encoding stopped at row {row} must fail");
            assert!(!atomic || file.is_none(), "{case}: an encoding stopped at row {row} has left a file");
        }
        let (outcome, file) = run(None);
        let summary = outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(file.is_some_and(|file| file == expected), "{case}: the file is missing or differs");
        assert_eq!(summary.bytes, expected.len() as u64, "{case}");
    }
}
