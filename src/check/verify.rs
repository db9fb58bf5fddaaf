//! Verification of written files: reads back every tile of every level and compares checksums of the pixels.

use crate::checksum::Checksum;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::read::ReadAt;

use super::image::Image;
use super::layout::Pyramid;
use super::parse::Tiff;
use super::pieces::{self, TilePlace};
use super::report::Report;

/// Tiles per thread that are read at once.
const TILES_PER_THREAD: usize = 8;

/// The expected contents of a level.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Checksums of the pixels of all tiles, without padding, in the order of the TIFF arrays.
    pub(crate) image: &'a [u64],
    /// Checksums of the mask, with one byte per pixel, 0 or 1; empty if there is no mask.
    pub(crate) mask: &'a [u64],
}

/// Compares all pixels of a file with the expected ones; `absent` is the sample of image tiles without bytes, if there may be
/// some. Calls `step` from time to time.
pub(crate) fn verify(
    reader: &dyn ReadAt,
    levels: &[Expected<'_>],
    absent: Option<&[u8]>,
    executor: &Executor,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (_, images) = super::read(&tiff, &mut report)?;
    if let Some(finding) = report.findings.iter().find(|finding| finding.rule.severity == super::Severity::Error) {
        return Err(failed(0, None, format!("{}: {}", finding.place, finding.message)));
    }
    let pyramid = Pyramid::of(&images);
    if pyramid.levels.len() != levels.len() {
        return Err(failed(
            0,
            None,
            format!("the file has {} levels, expected {}", pyramid.levels.len(), levels.len()),
        ));
    }
    for (number, (image, expected)) in pyramid.levels.iter().zip(levels).enumerate() {
        if (image.width, image.height) != (expected.width.into(), expected.height.into()) {
            return Err(failed(number, None, format!("the level has {}x{} pixels", image.width, image.height)));
        }
        let planes = [
            (Some(*image), expected.image, absent),
            (pyramid.mask_of(image), expected.mask, absent.and(Some(&[0][..]))),
        ];
        for (image, sums, absent) in planes.into_iter().filter(|(_, sums, _)| !sums.is_empty()) {
            let Some(image) = image else { return Err(failed(number, None, "the mask is missing".to_owned())) };
            compare(&tiff, (number, image), (sums, absent), executor, step)?;
        }
    }
    Ok(())
}

fn failed(level: usize, tile: Option<(u64, u64)>, reason: String) -> Error {
    ErrorKind::Verification { level, tile, reason }.into()
}

/// Compares all tiles of a directory.
fn compare(
    tiff: &Tiff<'_>,
    (level, image): (usize, &Image),
    (sums, absent): (&[u64], Option<&[u8]>),
    executor: &Executor,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let arrays = image.arrays(tiff).filter(|(offsets, counts)| offsets.count.min(counts.count) == sums.len() as u64);
    let (Some((mut offsets, mut counts)), true) = (arrays, image.tiles() == sums.len() as u64) else {
        return Err(failed(level, None, format!("the level has {} tiles, expected {}", image.tiles(), sums.len())));
    };
    let turn = TILES_PER_THREAD * executor.thread_count();
    let mut first = 0;
    for sums in sums.chunks(turn) {
        let mut work = Vec::with_capacity(sums.len());
        for (tile, sum) in (first..).zip(sums) {
            work.push((*sum, TilePlace { tile, offset: offsets.at(tile)?, count: counts.at(tile)? }));
        }
        first += sums.len() as u64;
        let results = executor.map(work, |(sum, place)| {
            let tile = place.tile;
            let found = match absent {
                Some(sample) if (place.offset, place.count) == (0, 0) => checksum_of(image, tile, sample),
                _ => pieces::samples(tiff, image, place)?.and_then(|pixels| checksum(image, tile, &pixels)),
            };
            let problem = match found {
                None => "the tile cannot be decoded".to_owned(),
                Some(found) if found != sum => "the pixels differ from those that were encoded".to_owned(),
                Some(_) => return Ok(()),
            };
            let place = tile % image.per_plane().max(1);
            let across = image.across().max(1);
            Err(failed(level, Some((place / across, place % across)), problem))
        });
        results.into_iter().collect::<Result<()>>()?;
        step()?;
    }
    Ok(())
}

/// Returns the checksum of a tile that has no bytes, in which readers take every sample to be `sample`.
fn checksum_of(image: &Image, tile: u64, sample: &[u8]) -> Option<u64> {
    let row_bytes = image.format.as_ref().ok()?.row_bytes()?;
    let rows = usize::try_from(image.rows(tile).0).ok()?;
    checksum(image, tile, &sample.repeat(row_bytes.checked_mul(rows)? / sample.len().max(1)))
}

/// Returns the checksum of the pixels of a tile that lie in the image.
fn checksum(image: &Image, tile: u64, pixels: &[u8]) -> Option<u64> {
    let format = image.format.as_ref().ok()?;
    let row_bytes = format.row_bytes()?;
    let column = tile % image.per_plane().max(1) % image.across().max(1);
    let columns = image.width.checked_sub(column * image.tile_width)?.min(image.tile_width);
    let filled = usize::try_from(columns).ok()?.checked_mul(row_bytes)? / format.width.max(1);
    let mut checksum = Checksum::new();
    for row in pixels.chunks(row_bytes.max(1)).take(usize::try_from(image.rows(tile).1).ok()?) {
        checksum.add(row.get(..filled)?);
    }
    Some(checksum.value())
}
