//! The levels of a tiled TIFF, as they are stored: full resolution, its overviews, and their masks.

use crate::error::{Error, Result};
use crate::grid::{Interleave, Level, MAX_TILE_SIDE, Plane, TileGrid, TileId, TileSize};
use crate::tiff::arrays::RawTile;
use crate::tiff::file::{ByteOrder, Directory, TiffFile};
use crate::tiff::ghost::{Ghost, file_start};
use crate::tiff::stored::{StoredImage, ValueBudget};
use crate::tiff::{Tag, TagValue};

use super::change::TagChange;

/// The remedy for files whose tiles cannot be copied.
const CREATE: &str = "'create' reads and encodes such a file";

/// Tags of full resolution that its overviews and masks do not carry: reduced images shall not have georeferencing (OGC
/// 21-026), and GDAL writes metadata for full resolution only.
const ONLY_FULL: [Tag; 8] = [
    Tag::MODEL_PIXEL_SCALE,
    Tag::MODEL_TIEPOINT,
    Tag::MODEL_TRANSFORMATION,
    Tag::GEO_KEY_DIRECTORY,
    Tag::GEO_DOUBLE_PARAMS,
    Tag::GEO_ASCII_PARAMS,
    Tag::GDAL_METADATA,
    Tag::RPC_COEFFICIENTS,
];

/// Compressions whose tiles hold the samples of a big-endian file in its byte order: none, LZW, both codes of DEFLATE,
/// PackBits, LZMA, and ZSTD.
const BYTE_CODECS: [u64; 7] = [1, 5, 8, 32946, 32773, 34925, 50000];

/// A level: an image and its mask.
#[derive(Debug, Clone)]
pub(super) struct StoredLevel {
    pub(super) level: Level,
    pub(super) image: StoredImage,
    pub(super) mask: Option<StoredImage>,
    /// Index of the file with the tiles.
    file: usize,
}

/// All levels of an image, full resolution first.
#[derive(Clone)]
pub(super) struct Pyramid {
    pub(super) levels: Vec<StoredLevel>,
    pub(super) grid: TileGrid,
    /// Bands per pixel.
    pub(super) bands: u16,
    /// Directories and tags that are left out, and the reasons.
    pub(super) warnings: Vec<String>,
    pub(super) files: Vec<TiffFile>,
}

/// A directory with its role.
struct Found<'a> {
    number: usize,
    directory: &'a Directory,
    is_reduced: bool,
    is_mask: bool,
    size: (u32, u32),
}

impl Pyramid {
    /// Returns the number of tiles without bytes, masks included.
    pub(super) fn absent_tiles(&self) -> usize {
        let images = self.levels.iter().flat_map(|level| std::iter::once(&level.image).chain(&level.mask));
        images.flat_map(|image| &image.counts).filter(|count| **count == 0).count()
    }

    /// Returns a warning about tiles without bytes, whose pixels change with the nodata value.
    pub(super) fn changed_by_nodata(&self, changes: &[TagChange]) -> Option<String> {
        let absent = |level: &StoredLevel| level.image.counts.iter().filter(|count| **count == 0).count();
        let count: usize = self.levels.iter().map(absent).sum();
        (count > 0 && changes.iter().any(|change| change.tag == Tag::GDAL_NODATA)).then(|| {
            format!(
                "tiles without bytes: {count}; readers fill them with nodata, so their pixels are the new value (or 0)"
            )
        })
    }

    /// Reads the levels of a file, and those in a separate file of overviews.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if tiles would have to be encoded again;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the file is damaged.
    pub(super) fn read(file: TiffFile, overviews: Option<TiffFile>) -> Result<Self> {
        let mut warnings = Vec::new();
        let directories = all_directories(&file, &mut warnings)?;
        let mut budget = ValueBudget::of(&file);
        let found = find(&file, &directories)?;
        let full = found.iter().filter(|found| !found.is_reduced && !found.is_mask).count();
        if full > 1 {
            return Err(refused(format!("a file with {full} full-resolution images; {CREATE} with an image number")));
        }
        let Some(first) = found.first() else { return Err(Error::corrupt("file header", "there is no image")) };
        let mut full = Self::level(&file, first, &found, (0, 0), &mut budget, &mut warnings)?;
        full.image.set(Tag::NEW_SUBFILE_TYPE, None);
        let shape = Shape::of(&full.image)?;
        let has_mask = full.mask.is_some();
        let mut levels = vec![full];
        let mut add = |file: &TiffFile, index: usize, found: &[Found<'_>], budget: &mut ValueBudget, all: bool| {
            for one in found.iter().filter(|one| !one.is_mask && (one.is_reduced || all)) {
                let number = one.number;
                let level = Self::level(file, one, found, (levels.len(), index), budget, &mut warnings)?;
                let reason = match Shape::of(&level.image)?.difference(&shape) {
                    None if level.mask.is_some() != has_mask => Some("full resolution and it do not both have a mask"),
                    other => other,
                };
                match reason {
                    Some(reason) => warnings.push(format!("the overview in image {number} is left out: {reason}")),
                    None => levels.push(level),
                }
            }
            Ok::<_, Error>(())
        };
        add(&file, 0, &found, &mut budget, false)?;
        let mut files = vec![file];
        if let Some(file) = overviews {
            let directories = all_directories(&file, &mut Vec::new())?;
            add(&file, 1, &find(&file, &directories)?, &mut ValueBudget::of(&file), true)?;
            files.push(file);
        }
        let bands = shape.samples;
        let interleave = match (shape.planar, bands) {
            (true, 2..) if is_tile_interleaved(&levels) => Interleave::Tile,
            (true, 2..) => Interleave::Band,
            // The tags do not tell, but GDAL's structural metadata say whether masks follow their tiles.
            (false, 1) if has_mask && keeps_masks_apart(&files)? => {
                if is_tile_interleaved(&levels) {
                    Interleave::Tile
                } else {
                    Interleave::Band
                }
            }
            _ => Interleave::Pixel,
        };
        let planes = if interleave == Interleave::Pixel { 1 } else { bands };
        let grid = TileGrid { interleave, planes, mask: has_mask };
        let mut pyramid = Self { levels, grid, bands, warnings, files };
        pyramid.settle();
        Ok(pyramid)
    }

    /// Reads an image, and the mask of its size.
    fn level(
        file: &TiffFile,
        image: &Found<'_>,
        all: &[Found<'_>],
        (index, from): (usize, usize),
        budget: &mut ValueBudget,
        warnings: &mut Vec<String>,
    ) -> Result<StoredLevel> {
        let mut read = |found: &Found<'_>| {
            let mut image = StoredImage::read(file, found.directory, found.number, budget, warnings)?;
            let level = tiling(&image, found)?;
            let shape = Shape::of(&image)?;
            shape.check_byte_order(file.order, &image)?;
            let planes = if shape.planar { u64::from(shape.samples) } else { 1 };
            image.read_places(file, found.directory, level.tiles_per_plane().saturating_mul(planes), budget)?;
            Ok::<_, Error>((Level { index, ..level }, image))
        };
        let (level, image_read) = read(image)?;
        let mask = all.iter().find(|one| one.is_mask && one.size == image.size);
        let mask = match mask.map(&mut read).transpose()? {
            Some((grid, mask)) if grid.tile_size == level.tile_size => {
                if Shape::of(&mask)?.samples != 1 {
                    return Err(refused(format!("a mask with several samples per pixel; {CREATE}")));
                }
                Some(mask)
            }
            Some((grid, _)) => {
                let [image, mask] =
                    [level, grid].map(|one| format!("{}x{}", one.tile_size.width, one.tile_size.height));
                return Err(refused(format!("tiles of {image} with a mask in tiles of {mask}; {CREATE}")));
            }
            None => None,
        };
        Ok(StoredLevel { level, image: image_read, mask, file: from })
    }

    /// Sorts the overviews, and gives the directories the tags of their roles.
    fn settle(&mut self) {
        // Full resolution is the largest image by definition.
        let overviews = self.levels.get_mut(1..).unwrap_or_default();
        overviews.sort_by_key(|one| std::cmp::Reverse((one.level.width, one.level.height)));
        let mut before = None;
        let (warnings, full) =
            (&mut self.warnings, self.levels.first().map(|full| (full.level.width, full.level.height)));
        self.levels.retain(|one| {
            let size = (one.level.width, one.level.height);
            let is_smaller =
                before.is_none_or(|(width, height)| size.0 <= width && size.1 <= height && size != (width, height));
            if is_smaller {
                before = Some(size);
            } else {
                let larger = if before == full { "full resolution" } else { "the level before it" };
                let number = one.image.number;
                warnings.push(format!("the overview in image {number} is left out: it is not smaller than {larger}"));
            }
            is_smaller
        });
        let nodata = self.levels.first().and_then(|full| full.image.tags.get(&Tag::GDAL_NODATA).cloned());
        let planar = if self.grid.interleave == Interleave::Pixel || self.bands == 1 { 1 } else { 2 };
        for (index, one) in self.levels.iter_mut().enumerate() {
            one.level.index = index;
            one.image.set(Tag::PLANAR_CONFIGURATION, Some(TagValue::Short(vec![planar])));
            if index > 0 {
                one.image.set(Tag::NEW_SUBFILE_TYPE, Some(TagValue::Long(vec![1])));
                one.image.set(Tag::GDAL_NODATA, nodata.clone());
                ONLY_FULL.into_iter().for_each(|tag| one.image.set(tag, None));
            }
            if let Some(mask) = &mut one.mask {
                let kind = if index == 0 { 4 } else { 5 };
                mask.set(Tag::NEW_SUBFILE_TYPE, Some(TagValue::Long(vec![kind])));
                ONLY_FULL.into_iter().for_each(|tag| mask.set(tag, None));
            }
        }
    }

    /// Returns the file, the offset, and the size of a tile; a size of 0 if it is not stored.
    pub(super) fn tile(&self, tile: TileId) -> (&TiffFile, u64, u32) {
        let level = &self.levels[tile.level];
        let (image, index) = (level.plane(tile.plane), level.index(tile));
        let (offset, count) = (image.offsets.get(index), image.counts.get(index));
        (&self.files[level.file], offset.copied().unwrap_or(0), count.copied().unwrap_or(0))
    }

    /// Replaces the place and the size of a tile; returns its index in the arrays of its plane.
    #[cfg(feature = "mosaic")]
    pub(super) fn replace(&mut self, tile: TileId, offset: u64, count: u32) -> usize {
        let level = &mut self.levels[tile.level];
        let index = level.index(tile);
        let image = match (tile.plane, &mut level.mask) {
            (Plane::Mask, Some(mask)) => mask,
            _ => &mut level.image,
        };
        if let (Some(to), Some(size)) = (image.offsets.get_mut(index), image.counts.get_mut(index)) {
            (*to, *size) = (offset, count);
        }
        index
    }

    /// Returns all tiles in the order of the file: the coarsest level first, full resolution last.
    pub(super) fn tiles(&self) -> impl Iterator<Item = TileId> {
        let sections = (0..self.levels.len()).rev().flat_map(|level| self.grid.sections(level));
        sections.flat_map(|section| self.grid.section_tiles(&self.levels[section.level].level, section))
    }

    /// Returns full resolution.
    pub(super) fn full(&self) -> &StoredImage {
        &self.levels[0].image
    }
}

impl StoredLevel {
    /// Returns the image or the mask.
    pub(super) fn plane(&self, plane: Plane) -> &StoredImage {
        match (plane, &self.mask) {
            (Plane::Mask, Some(mask)) => mask,
            _ => &self.image,
        }
    }

    /// Returns the index of a tile in the arrays of its plane.
    pub(super) fn index(&self, tile: TileId) -> usize {
        let per_plane = usize::try_from(self.level.tiles_per_plane()).unwrap_or(usize::MAX);
        let plane = if let Plane::Image(plane) = tile.plane { usize::from(plane) } else { 0 };
        // The arrays were read with as many items, so the numbers fit.
        plane * per_plane + tile.row as usize * self.level.tile_columns() as usize + tile.column as usize
    }

    /// Returns the tile at an index in the arrays of the image.
    #[cfg(feature = "mosaic")]
    pub(super) fn tile(&self, index: usize) -> TileId {
        let (columns, place) = (u64::from(self.level.tile_columns()), index as u64);
        let (plane, place) = (place / self.level.tiles_per_plane(), place % self.level.tiles_per_plane());
        let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let plane = Plane::Image(u16::try_from(plane).unwrap_or(u16::MAX));
        TileId { level: self.level.index, plane, row: number(place / columns), column: number(place % columns) }
    }

    /// Returns the size of the tiles of a plane before compression.
    pub(super) fn raw(&self, plane: Plane) -> RawTile {
        let image = self.plane(plane);
        let bits = image.number(Tag::BITS_PER_SAMPLE).unwrap_or(1);
        let chunky = image.number(Tag::PLANAR_CONFIGURATION) != Some(2);
        let samples = if chunky { image.number(Tag::SAMPLES_PER_PIXEL).unwrap_or(1) } else { 1 };
        let row = u64::from(self.level.tile_size.width).saturating_mul(samples).saturating_mul(bits).div_ceil(8);
        let bytes = row.saturating_mul(self.level.tile_size.height.into());
        RawTile { is_stored: image.number(Tag::COMPRESSION).unwrap_or(1) == 1, bytes }
    }
}

/// Traits that all levels share.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    samples: u16,
    bits: u64,
    format: u64,
    planar: bool,
    colors: u64,
}

impl Shape {
    fn of(image: &StoredImage) -> Result<Self> {
        let number = |tag, default| image.number(tag).unwrap_or(default);
        let samples = number(Tag::SAMPLES_PER_PIXEL, 1);
        let samples = u16::try_from(samples).ok().filter(|samples| *samples > 0);
        let samples = samples
            .ok_or_else(|| Error::corrupt(format!("image {}", image.number), "SamplesPerPixel is not 1 to 65535"))?;
        let colors = match number(Tag::PHOTOMETRIC_INTERPRETATION, 1) {
            // JPEG stores RGB as YCbCr.
            6 => 2,
            other => other,
        };
        let format = match number(Tag::SAMPLE_FORMAT, 1) {
            0 | 4 => 1,
            other => other,
        };
        let planar = number(Tag::PLANAR_CONFIGURATION, 1) == 2 && samples > 1;
        Ok(Self { samples, bits: number(Tag::BITS_PER_SAMPLE, 1), format, planar, colors })
    }

    /// Returns the difference from full resolution.
    fn difference(&self, full: &Self) -> Option<&'static str> {
        if (self.samples, self.bits, self.format) != (full.samples, full.bits, full.format) {
            Some("its bands or samples differ from full resolution")
        } else if self.planar != full.planar {
            Some("its bands are interleaved in another way than those of full resolution")
        } else if self.colors != full.colors {
            Some("its colors differ from full resolution")
        } else {
            None
        }
    }

    /// Refuses tiles whose bytes mean something else in a little-endian file.
    fn check_byte_order(&self, order: ByteOrder, image: &StoredImage) -> Result<()> {
        let number = |tag| image.number(tag).unwrap_or(1);
        if number(Tag::FILL_ORDER) == 2 {
            return Err(refused(format!("tiles with bits in reverse order (FillOrder 2); {CREATE}")));
        }
        let compression = number(Tag::COMPRESSION);
        if compression == 6 {
            return Err(refused(format!("compression 6 (JPEG of TIFF 6.0); {CREATE}")));
        }
        // Predictor 3 stores the bytes of floats from the highest to the lowest in any file.
        let is_free = number(Tag::PREDICTOR) == 3 || self.bits <= 8 || !self.bits.is_multiple_of(8);
        if order == ByteOrder::Big && BYTE_CODECS.contains(&compression) && !is_free {
            let bits = self.bits;
            return Err(refused(format!("a big-endian file with {bits}-bit samples in its tiles; {CREATE}")));
        }
        Ok(())
    }
}

fn refused(feature: String) -> Error {
    Error::unsupported(format!("copying {feature}"))
}

/// Reads the directories of the main chain, each followed by its SubIFDs.
fn all_directories(file: &TiffFile, warnings: &mut Vec<String>) -> Result<Vec<Directory>> {
    let mut all = Vec::new();
    // Directories that don't overlap can't have more bytes than the file.
    let mut budget = file.length;
    for directory in file.directories(warnings)? {
        let pointers = directory.integers(file, Tag::SUB_IFDS)?.unwrap_or_default();
        all.push(directory);
        for position in pointers.into_iter().filter(|position| *position > 0) {
            let (directory, _) = file.directory(position)?;
            budget = budget.checked_sub(directory.end - directory.position).ok_or_else(|| {
                Error::corrupt(format!("directory at byte {position}"), "directories overlap one another")
            })?;
            all.push(directory);
        }
    }
    Ok(all)
}

fn find<'a>(file: &TiffFile, directories: &'a [Directory]) -> Result<Vec<Found<'a>>> {
    let found = directories.iter().enumerate().map(|(number, directory)| {
        let side = |tag: Tag| {
            let side = directory.integer(file, tag)?.and_then(|side| u32::try_from(side).ok());
            side.filter(|side| *side > 0 && i32::try_from(*side).is_ok()).ok_or_else(|| {
                let name = tag.name().unwrap_or_default();
                Error::corrupt(format!("image {number}"), format!("{name} is missing or out of range"))
            })
        };
        let kind = directory.integer(file, Tag::NEW_SUBFILE_TYPE)?.unwrap_or(0);
        let old_kind = directory.integer(file, Tag::SUBFILE_TYPE)?.unwrap_or(0);
        // The first directory is the image whatever its tags say, as in GDAL.
        let is_reduced = number > 0 && (kind & 1 != 0 || old_kind == 2);
        let size = (side(Tag::IMAGE_WIDTH)?, side(Tag::IMAGE_LENGTH)?);
        Ok(Found { number, directory, is_reduced, is_mask: number > 0 && kind & 4 != 0, size })
    });
    found.collect()
}

/// Returns the size of an image and of its tiles.
fn tiling(image: &StoredImage, found: &Found<'_>) -> Result<Level> {
    let (Some(width), Some(height)) = (image.number(Tag::TILE_WIDTH), image.number(Tag::TILE_LENGTH)) else {
        return Err(refused(format!("image {}, which has strips, not tiles; {CREATE}", image.number)));
    };
    let side = |value: u64| {
        let side =
            u32::try_from(value).ok().filter(|side| (1..=MAX_TILE_SIDE).contains(side) && side.is_multiple_of(16));
        side.ok_or_else(|| {
            refused(format!(
                "tiles of {width}x{height} pixels, whose sides are not multiples of 16 up to {MAX_TILE_SIDE}; {CREATE}"
            ))
        })
    };
    let tile_size = TileSize { width: side(width)?, height: side(height)? };
    Ok(Level { index: 0, width: found.size.0, height: found.size.1, tile_size })
}

/// Returns whether an image of one band is a COG in GDAL's layout whose masks do not follow their tiles.
fn keeps_masks_apart(files: &[TiffFile]) -> Result<bool> {
    let [file] = files else { return Ok(false) };
    let start = file_start(file.variant(), Ghost { planar: false, mask_interleaved: false });
    super::in_place::starts_with(file, file.variant(), &start)
}

/// Returns whether GDAL's metadata declare that the tiles of all bands at one position are together.
fn is_tile_interleaved(levels: &[StoredLevel]) -> bool {
    let xml = levels.first().and_then(|full| full.image.tags.get(&Tag::GDAL_METADATA));
    let Some(TagValue::Ascii(text)) = xml else { return false };
    let wanted = b"<Item name=\"INTERLEAVE\" domain=\"IMAGE_STRUCTURE\">TILE</Item>";
    text.windows(wanted.len()).any(|window| window == wanted)
}
