//! Trials: a sample of full resolution, encoded with other options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::check::{self, Info};
use crate::codec::Compression;
use crate::error::{ErrorKind, Result};
use crate::executor::Executor;
use crate::front::{CogOptions, write_to_sink};
use crate::grid::Rectangle;
use crate::options::{DEFAULT_TILE_SIDE, Overviews, TileSize};
use crate::pixels::{PixelOptions, RowBuffer};
use crate::sample::{DataType, SampleKind, dispatch};
use crate::sink::MemorySink;
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, SliceSource, StripeLayout};

/// Samples of the sample, over all windows and bands: a second or two for the slowest codec.
const MAX_SAMPLES: u64 = 3 << 20;
/// Longest side of a window in pixels.
const MAX_SIDE: u32 = 1024;
/// Most by which the recommended options are larger than the smallest ones.
const NEARLY: f64 = 0.03;
/// Tile sides that are tried with the recommended codec, besides the default one.
const OTHER_TILE_SIDES: [u32; 2] = [256, 1024];

/// The pixels that are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrialSample {
    /// Windows of full resolution: column, row, width, height.
    pub windows: Vec<[u32; 4]>,
    /// Bytes of their samples, without mask.
    pub uncompressed_bytes: u64,
    /// Bytes that their tiles have in the file, masks included; tiles that are partly in a window count in part.
    pub stored_bytes: u64,
}

/// The sample with other options.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// Codec, its parameter, and the tile size where it is not 512.
    pub name: String,
    /// Options of `cogsmith create`.
    pub arguments: Vec<String>,
    /// The predictor that was chosen.
    pub predictor: String,
    /// Bytes of the tiles, masks included.
    pub bytes: u64,
    /// Seconds of encoding on one thread.
    pub seconds: f64,
    /// `true` if pixels change.
    pub lossy: bool,
}

/// A window in memory.
struct Window {
    spec: ImageSpec,
    /// Samples: (band, row, column).
    samples: Vec<u8>,
    mask: Option<Vec<u8>>,
}

/// Reads the sample, and encodes it with all options.
pub(super) fn run(
    mut source: impl RasterSource,
    reader: &dyn crate::read::ReadAt,
    info: &Info,
    cancel: Option<&Arc<AtomicBool>>,
) -> Result<(TrialSample, Vec<Trial>)> {
    let mut executor = Executor::all_cores()?;
    let mut serial = Executor::serial();
    if let Some(flag) = cancel {
        (executor, serial) = (executor.cancelled_by(Arc::clone(flag)), serial.cancelled_by(Arc::clone(flag)));
    }
    let windows = windows(source.spec(), info);
    let mut sample = TrialSample {
        windows: windows.iter().map(corners).collect(),
        uncompressed_bytes: 0,
        stored_bytes: check::stored_bytes(reader, &windows.iter().map(corners).collect::<Vec<_>>())?,
    };
    let mut held = Vec::new();
    for window in windows {
        if executor.is_cancelled() {
            return Err(ErrorKind::Cancelled.into());
        }
        let mut chosen = PixelOptions::new().window(window).apply(&mut source)?;
        let spec = chosen.spec().clone().overviews([]);
        let mut rows = RowBuffer::default();
        let mut stripe = rows.stripe(&spec, StripeLayout::Planar, spec.height as usize)?;
        chosen.read_rows(0, &mut stripe, &executor)?;
        let samples = stripe.planes.concat();
        let mask = stripe.mask.as_deref().map(<[u8]>::to_vec);
        sample.uncompressed_bytes += samples.len() as u64;
        held.push(Window { spec, samples, mask });
    }
    let candidates = candidates(source.spec());
    let mut trials = Vec::new();
    for candidate in &candidates {
        trials.extend(trial(&held, &serial, candidate, DEFAULT_TILE_SIDE)?);
    }
    let best = recommended(&trials).map(|best| best.name.clone());
    if let Some(best) = candidates.iter().find(|candidate| best.as_deref() == Some(candidate.name)) {
        for side in OTHER_TILE_SIDES {
            trials.extend(trial(&held, &serial, best, side)?);
        }
    }
    sort(&mut trials);
    Ok((sample, trials))
}

/// Returns the lossless trial to recommend: the fastest of those that are nearly as small as the smallest.
pub(super) fn recommended(trials: &[Trial]) -> Option<&Trial> {
    let lossless = || trials.iter().filter(|trial| !trial.lossy);
    #[expect(clippy::cast_precision_loss, reason = "bytes of a sample")]
    let limit = lossless().map(|trial| trial.bytes).min()? as f64 * (1.0 + NEARLY);
    #[expect(clippy::cast_precision_loss, reason = "bytes of a sample")]
    let small = lossless().filter(|trial| trial.bytes as f64 <= limit);
    small.min_by(|a, b| a.seconds.total_cmp(&b.seconds))
}

/// Lossless trials first, by size. The shorter name wins where sizes are equal.
fn sort(trials: &mut [Trial]) {
    trials.sort_by_key(|trial| (trial.lossy, trial.bytes, trial.name.len()));
}

fn corners(window: &Rectangle) -> [u32; 4] {
    let Rectangle { columns, rows } = window;
    [columns.start, rows.start, columns.end - columns.start, rows.end - rows.start]
}

/// Returns three windows, at a sixth, a half, and five sixths of the image, that begin at tiles.
fn windows(spec: &ImageSpec, info: &Info) -> Vec<Rectangle> {
    let most = MAX_SAMPLES / 3 / u64::from(spec.bands).max(1);
    let side = u32::try_from(most.isqrt()).unwrap_or(u32::MAX).clamp(64, MAX_SIDE);
    let tile = info.levels.first().map_or((side, side), |level| {
        let clamped = |tile: u64| u32::try_from(tile).unwrap_or(u32::MAX).clamp(1, side);
        (clamped(level.tile_width), clamped(level.tile_height))
    });
    let range = |length: u32, tile: u32, sixths: u64| {
        let wanted = (side / tile * tile).min(length);
        let middle = u64::from(length) * sixths / 6;
        let start = u32::try_from(middle).unwrap_or(u32::MAX).saturating_sub(wanted / 2).min(length - wanted);
        let start = start / tile * tile;
        start..start + wanted
    };
    let mut all: Vec<Rectangle> = [1, 3, 5]
        .map(|sixths| Rectangle {
            columns: range(spec.width, tile.0, sixths),
            rows: range(spec.height, tile.1, sixths),
        })
        .to_vec();
    all.dedup();
    all
}

/// Options to try.
struct Candidate {
    name: &'static str,
    compression: Compression,
    /// Options of `cogsmith create`.
    arguments: &'static [&'static str],
}

/// Returns the options to try.
fn candidates(spec: &ImageSpec) -> Vec<Candidate> {
    let candidate = |name, compression, arguments| Candidate { name, compression, arguments };
    let mut all = vec![
        candidate("deflate 6", Compression::Deflate { level: 6 }, &["--compress", "deflate"]),
        candidate("deflate 9", Compression::Deflate { level: 9 }, &["--compress", "deflate", "--level", "9"]),
        candidate("zstd 9", Compression::Zstd { level: 9 }, &["--compress", "zstd"]),
        candidate("zstd 15", Compression::Zstd { level: 15 }, &["--compress", "zstd", "--level", "15"]),
        candidate("lzw", Compression::Lzw, &["--compress", "lzw"]),
    ];
    let kind = spec.data_type.kind();
    if kind == SampleKind::Float && spec.data_type != DataType::F16 {
        all.push(candidate(
            "lerc_zstd, exact",
            Compression::LERC_ZSTD,
            &["--compress", "lerc_zstd", "--max-z-error", "0"],
        ));
    }
    let is_byte = spec.data_type == DataType::U8 && spec.bits() == 8 && !spec.has_color_map();
    if is_byte && matches!(spec.bands, 3 | 4) {
        all.push(candidate("webp, lossless", Compression::WEBP_LOSSLESS, &["--compress", "webp", "--lossless"]));
    }
    if is_byte && matches!(spec.bands, 1 | 3) {
        all.push(candidate("jpeg 75", Compression::JPEG, &["--compress", "jpeg"]));
    }
    all
}

/// Encodes the sample; `None` if this build or this image does not go with the codec.
fn trial(windows: &[Window], executor: &Executor, candidate: &Candidate, tile_side: u32) -> Result<Option<Trial>> {
    let Candidate { name, compression, arguments } = candidate;
    let options = CogOptions::new()
        .compression(*compression)
        .tile_size(TileSize::square(tile_side))
        .overviews(Overviews::None)
        .executor(executor.clone());
    let (mut bytes, mut predictor, mut seconds) = (0, "none", 0.0);
    for Window { spec, samples, mask } in windows {
        let summary = dispatch!(spec.data_type, T => {
            let samples: Vec<T> = bytemuck::pod_collect_to_vec(samples);
            let source = SliceSource::planar(spec.clone(), &samples)?;
            let source = if let Some(mask) = mask { source.with_mask(mask)? } else { source };
            let start = Instant::now();
            let written = write_to_sink(|_| Ok(MemorySink::new()), source, &options);
            seconds += start.elapsed().as_secs_f64();
            written.map(|(summary, _)| summary)
        });
        let summary = match summary {
            Ok(summary) => summary,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidOption { .. } | ErrorKind::Unsupported { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        bytes += summary.levels.iter().map(|level| level.bytes).sum::<u64>();
        predictor = summary.predictor.name();
    }
    let (mut name, mut arguments): (_, Vec<_>) =
        ((*name).to_owned(), arguments.iter().map(|word| (*word).to_owned()).collect());
    if tile_side != DEFAULT_TILE_SIDE {
        name += &format!(", tiles of {tile_side}");
        arguments.extend(["--blocksize".to_owned(), tile_side.to_string()]);
    }
    let lossy = matches!(compression, Compression::Jpeg { .. });
    Ok(Some(Trial { name, arguments, predictor: predictor.to_owned(), bytes, seconds, lossy }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(name: &str, bytes: u64, seconds: f64, lossy: bool) -> Trial {
        Trial { name: name.to_owned(), arguments: Vec::new(), predictor: "none".to_owned(), bytes, seconds, lossy }
    }

    #[test]
    fn the_fastest_of_the_small_ones_is_recommended() {
        let trials = [
            trial("a", 100, 9.0, false),
            trial("b", 102, 1.0, false),
            trial("c", 110, 0.1, false),
            trial("d", 9, 0.0, true),
        ];
        assert_eq!(recommended(&trials).map(|trial| trial.name.as_str()), Some("b"));
        assert!(recommended(&trials[3..]).is_none());
    }

    #[test]
    fn windows_are_within_the_image_and_begin_at_tiles() {
        let pixels = vec![0u8; 3000 * 700];
        let spec = ImageSpec::new(3000, 700, 1, DataType::U8);
        let source = SliceSource::new(spec.clone(), &pixels).unwrap();
        let (summary, sink) = write_to_sink(|_| Ok(MemorySink::new()), source, &CogOptions::new()).unwrap();
        let bytes = sink.into_bytes();
        let info = check::inspect(&bytes).unwrap();
        let all = windows(&spec, &info);
        assert_eq!(
            all.iter().map(corners).collect::<Vec<_>>(),
            [[0, 0, 1024, 700], [512, 0, 1024, 700], [1536, 0, 1024, 700]]
        );
        let whole = check::stored_bytes(&bytes, &[[0, 0, 3000, 700]]).unwrap();
        // Leaders and trailers are not part of a tile.
        assert_eq!(whole, summary.levels[0].bytes - summary.levels[0].tiles * 8);
        assert!(check::stored_bytes(&bytes, &[[0, 0, 1500, 700]]).unwrap().abs_diff(whole / 2) < whole / 10);
    }
}
