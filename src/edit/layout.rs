//! The header of the new file, and the places of its tiles.

use crate::error::{Error, ErrorKind, Result};
use crate::grid::{Interleave, Plane, array_order};
use crate::options::BigTiff;
use crate::tiff::ghost::{FRAME_LEN, Ghost, LEADER_LEN, file_start};
use crate::tiff::ifd::{Directory, encode_directories};
use crate::tiff::variant::Variant;
use crate::tiff::{Tag, arrays};

use super::pyramid::Pyramid;

/// Tiles that several entries share are written once for each. A file whose tiles would take this many times its own
/// bytes, and more than [`MAX_SHARED`], is taken for a hostile one.
const MAX_GROWTH: u64 = 100;
const MAX_SHARED: u64 = 1 << 30;

/// The bytes before the first tile.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Vec<u8>,
    pub(super) variant: Variant,
    /// Size of the whole file in bytes.
    pub(super) bytes: u64,
}

/// Offsets of the tiles of a level in the new file, in the order of the arrays.
struct NewOffsets {
    image: Vec<u64>,
    mask: Vec<u64>,
}

/// Lays out a file in GDAL's layout.
///
/// # Errors
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the file is too large for classic TIFF and `big_tiff` is `No`.
pub(super) fn lay_out(pyramid: &Pyramid, big_tiff: BigTiff, room: u32) -> Result<Layout> {
    check_growth(pyramid)?;
    let variants: &[Variant] = match big_tiff {
        BigTiff::Auto => &[Variant::Classic, Variant::Big],
        BigTiff::Yes => &[Variant::Big],
        BigTiff::No => &[Variant::Classic],
    };
    let mut bytes = 0;
    for &variant in variants {
        let zeros = zero_offsets(pyramid)?;
        let start = header(pyramid, variant, &zeros, room)?.len() as u64;
        let (offsets, end) = place_tiles(pyramid, start, zeros)?;
        bytes = end;
        // The last byte must be addressable.
        if end <= variant.max_offset() {
            return Ok(Layout { header: header(pyramid, variant, &offsets, room)?, variant, bytes });
        }
    }
    Err(Error::limit("the size of the file", bytes, Variant::Classic.max_offset()))
}

fn check_growth(pyramid: &Pyramid) -> Result<()> {
    let total: u64 = pyramid.tiles().map(|tile| u64::from(pyramid.tile(tile).2)).fold(0, u64::saturating_add);
    let length: u64 = pyramid.files.iter().map(|file| file.length).fold(0, u64::saturating_add);
    let limit = length.saturating_mul(MAX_GROWTH).max(MAX_SHARED);
    if total > limit {
        return Err(Error::limit("the size of all tiles, many of which share their bytes,", total, limit));
    }
    Ok(())
}

fn zero_offsets(pyramid: &Pyramid) -> Result<Vec<NewOffsets>> {
    let zeros = |count: usize| {
        let mut offsets = Vec::new();
        let bytes = (count as u64).saturating_mul(8);
        offsets.try_reserve_exact(count).map_err(|_| ErrorKind::OutOfMemory { what: "the offsets of tiles", bytes })?;
        offsets.resize(count, 0);
        Ok::<_, Error>(offsets)
    };
    let levels = pyramid.levels.iter().map(|level| {
        let mask = level.mask.as_ref().map_or(0, |mask| mask.counts.len());
        Ok(NewOffsets { image: zeros(level.image.counts.len())?, mask: zeros(mask)? })
    });
    levels.collect()
}

/// Assigns the offsets of all tiles; also returns the end of the file.
fn place_tiles(pyramid: &Pyramid, start: u64, mut offsets: Vec<NewOffsets>) -> Result<(Vec<NewOffsets>, u64)> {
    let mut position = start;
    for tile in pyramid.tiles() {
        let (_, _, count) = pyramid.tile(tile);
        if count == 0 {
            continue;
        }
        let index = pyramid.levels[tile.level].index(tile);
        let level = &mut offsets[tile.level];
        let array = if tile.plane == Plane::Mask { &mut level.mask } else { &mut level.image };
        if let Some(offset) = array.get_mut(index) {
            *offset = position + LEADER_LEN as u64;
        }
        position = position
            .checked_add(u64::from(count) + FRAME_LEN)
            .ok_or_else(|| Error::limit("the size of the file", u64::MAX, i64::MAX as u64))?;
    }
    Ok((offsets, position))
}

/// Returns the bytes before the first directory. They say that mask tiles follow image tiles only if `promises_masks` is set.
pub(super) fn start(pyramid: &Pyramid, variant: Variant, promises_masks: bool) -> Vec<u8> {
    let is_chunky = pyramid.grid.interleave == Interleave::Pixel;
    let mask_interleaved = is_chunky && pyramid.grid.mask && promises_masks;
    file_start(variant, Ghost { planar: !is_chunky && pyramid.bands > 1, mask_interleaved })
}

/// Returns the header; its length does not depend on the offsets.
fn header(pyramid: &Pyramid, variant: Variant, offsets: &[NewOffsets], room: u32) -> Result<Vec<u8>> {
    // GDAL relies on it when it reads from a web server, so every tile has to be there.
    let mut bytes = start(pyramid, variant, pyramid.absent_tiles() == 0);
    let (directories, order) = directories(pyramid, variant, offsets)?;
    bytes.extend(encode_directories(variant, bytes.len(), &directories, &order, room as usize));
    Ok(bytes)
}

/// Returns all directories in the order of the file: full resolution, its mask, overviews, their masks; and the order of
/// their arrays: level by level.
fn directories(pyramid: &Pyramid, variant: Variant, offsets: &[NewOffsets]) -> Result<(Vec<Directory>, Vec<usize>)> {
    let build = |index: usize, plane: Plane| {
        let (level, offsets) = (&pyramid.levels[index], &offsets[index]);
        let image = level.plane(plane);
        let mut directory = image.directory(variant)?;
        let offsets = if plane == Plane::Mask { &offsets.mask } else { &offsets.image };
        directory.push_deferred(Tag::TILE_OFFSETS, arrays::offsets(variant, offsets.iter().copied()));
        let counts = arrays::byte_counts(variant, level.raw(plane), image.counts.iter().copied());
        directory.push_deferred(Tag::TILE_BYTE_COUNTS, counts);
        Ok(directory)
    };
    let all = order(pyramid).map(|(level, plane)| build(level, plane)).collect::<Result<_>>()?;
    Ok((all, array_order(pyramid.levels.len(), pyramid.grid.mask)))
}

/// Returns the level and the plane of each directory, in the order of the file: full resolution, its mask, overviews, their
/// masks.
pub(super) fn order(pyramid: &Pyramid) -> impl Iterator<Item = (usize, Plane)> {
    let planes = [Some(Plane::Image(0)), pyramid.grid.mask.then_some(Plane::Mask)];
    [0..1, 1..pyramid.levels.len()].into_iter().flat_map(move |levels| {
        planes.into_iter().flatten().flat_map(move |plane| levels.clone().map(move |level| (level, plane)))
    })
}
