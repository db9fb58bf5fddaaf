//! File layout: what GDAL, rio-cogeo, and OGC 21-026 require of directories and levels.

use crate::error::Result;
use crate::sample::Nodata;

use super::image::Image;
use super::parse::{Directory, Tiff};
use super::report::{Place, Report};
use super::rules;
use super::tags as tag;

/// Images with a side above this many pixels need tiles and overviews, for GDAL and rio-cogeo.
const SMALL: u64 = 512;
/// GDAL treats tiles as wide as the image as strips if they are wider than this, in pixels.
const WIDEST_STRIP: u64 = 1024;
/// The common size of a screen in pixels (OGC 21-026 /req/optimized_geotiff/small-sizes, note).
const VIEWPORT: u64 = 1024;
/// The last byte at which rio-cogeo accepts the first directory.
const LATEST_DIRECTORY: u64 = 300;
const LARGEST_CLASSIC: u64 = u32::MAX as u64;

/// The images of a file by their role.
pub(super) struct Pyramid<'a> {
    /// Full resolution, then its overviews in the order of the chain, as GDAL finds them.
    pub(super) levels: Vec<&'a Image>,
    pub(super) masks: Vec<&'a Image>,
}

impl<'a> Pyramid<'a> {
    pub(super) fn of(images: &'a [Image]) -> Self {
        let (first, rest) = images.split_at_checked(1).unwrap_or_default();
        let overviews = rest.iter().filter(|image| image.is_reduced() && !image.is_mask());
        Self { levels: first.iter().chain(overviews).collect(), masks: rest.iter().filter(|i| i.is_mask()).collect() }
    }

    /// Returns the mask of a level, matched by size as in GDAL.
    pub(super) fn mask_of(&self, level: &Image) -> Option<&'a Image> {
        let fits = |mask: &&&Image| {
            (mask.width, mask.height) == (level.width, level.height) && mask.is_reduced() == level.is_reduced()
        };
        self.masks.iter().find(fits).copied()
    }
}

/// Checks the header and the order of directories and levels.
pub(super) fn check(tiff: &Tiff<'_>, directories: &[Directory], images: &[Image], report: &mut Report) -> Result<()> {
    let pyramid = Pyramid::of(images);
    check_header(tiff, images, report);
    check_chain(images, report);
    for image in images {
        check_tiles(image, &pyramid, report);
    }
    check_levels(&pyramid, report);
    check_masks(&pyramid, report);
    check_georeference(directories, images, report);
    check_data(tiff, directories, images, &pyramid, report)
}

fn check_header(tiff: &Tiff<'_>, images: &[Image], report: &mut Report) {
    if tiff.big && tiff.length <= LARGEST_CLASSIC {
        report.add(
            &rules::OGC_CLASSIC_TIFF,
            Place::FILE,
            format_args!("the file is a BigTIFF of {} bytes", tiff.length),
        );
    } else if !tiff.big && tiff.length > LARGEST_CLASSIC {
        report.add(
            &rules::OGC_BIG_TIFF,
            Place::FILE,
            format_args!("the file is a classic TIFF of {} bytes", tiff.length),
        );
    }
    let first = tiff.first;
    let mut expected = tiff.header_bytes();
    if let Some(ghost) = &tiff.ghost {
        if ghost.says("KNOWN_INCOMPATIBLE_EDITION=YES") {
            let message = format_args!("it contains KNOWN_INCOMPATIBLE_EDITION=YES");
            report.add(&rules::INCOMPATIBLE_EDITION, Place::byte(tiff.header_bytes()), message);
        }
        if ghost.says_planar() && images.first().is_some_and(|image| !image.planar) {
            let message = format_args!("it contains INTERLEAVE=BAND or TILE, but each tile contains all bands");
            report.add(&rules::GHOST_TEXT, Place::byte(tiff.header_bytes()), message);
        }
        expected = ghost.end + ghost.end % 2;
    }
    // Structural metadata that cannot be read has been reported already.
    if first == 0 || report.has(&rules::GHOST_AREA) {
        return;
    }
    if first > LATEST_DIRECTORY {
        report.add(&rules::FIRST_DIRECTORY_NEAR, Place::byte(first), format_args!("it starts at byte {first}"));
    }
    // A directory far into the file breaks GDAL's rule as well as that of rio-cogeo.
    if !(first == 8 || first == 16 || first == expected) {
        let message = format_args!("it starts at byte {first}, expected byte {expected}");
        report.add(&rules::FIRST_DIRECTORY, Place::byte(first), message);
    }
}

/// Checks the order of images in the chain of directories.
fn check_chain(images: &[Image], report: &mut Report) {
    let Some((first, rest)) = images.split_first() else { return };
    if first.is_reduced() || first.is_mask() {
        let message = format_args!("NewSubfileType is {}", first.subfile);
        report.add(&rules::OGC_FULL_RESOLUTION, Place::directory(0).at(first.offset), message);
    }
    // Masks belong to an image; GDAL puts the first one before the overviews, as the recommendation asks.
    let mut image = first;
    for other in rest.iter().filter(|other| !other.is_mask()) {
        let belongs = other.width <= image.width && other.height <= image.height;
        if !other.is_reduced() {
            image = other;
        } else if image.directory != 0 && !belongs {
            let (number, directory) = (image.directory, other.directory);
            let message = format_args!("it is an overview, but not of the preceding image, directory {number}");
            report.add(&rules::OGC_CHAIN, Place::directory(directory).at(other.offset), message);
        }
    }
    let order: Vec<_> = images.iter().map(|image| (image.is_reduced(), image.is_mask())).collect();
    if !order.is_sorted() {
        let message = format_args!("the directories are in a different order");
        report.add(&rules::OGC_DIRECTORY_ORDER, Place::FILE, message);
    }
}

/// Checks the tiles of one directory.
fn check_tiles(image: &Image, pyramid: &Pyramid<'_>, report: &mut Report) {
    let place = Place::directory(image.directory).at(image.offset);
    let (width, tile_width, tile_height) = (image.width, image.tile_width, image.tile_height);
    if !image.tiled {
        let message = format_args!("its {width}x{} pixels are stored in {} strips", image.height, image.tiles());
        report.add(&rules::OGC_TILING, place, message);
        return;
    }
    // Sides that are not multiples of 16 have been reported already.
    if image.is_mask() || tile_width == 0 || tile_height == 0 || !image.has_sound_tiles() {
        return;
    }
    let large = width > SMALL || image.height > SMALL;
    if width == tile_width && large {
        let message = format_args!("image and tiles are {width} pixels wide");
        if width > WIDEST_STRIP {
            report.add(&rules::TILE_AS_WIDE_AS_IMAGE, place, message);
        } else {
            report.add(&rules::RIO_TILE_WIDTH, place, message);
        }
    }
    let message = format_args!("tiles have {tile_width}x{tile_height} pixels");
    if tile_width != tile_height {
        report.add(&rules::OGC_SQUARE_TILES, place, message);
    }
    if tile_width.max(tile_height) > VIEWPORT {
        report.add(&rules::OGC_TILE_VIEWPORT, place, message);
    }
    if !(tile_width.is_power_of_two() && tile_height.is_power_of_two()) {
        report.add(&rules::OGC_TILE_POWER, place, message);
    }
    if image.compression == 1 {
        report.add(&rules::OGC_COMPRESSION, place, format_args!("tiles are not compressed"));
    }
    if let Some(full) = pyramid.levels.first()
        && full.tiled
        && (full.tile_width, full.tile_height) != (tile_width, tile_height)
    {
        let message = format_args!("{message}, in full resolution {}x{}", full.tile_width, full.tile_height);
        report.add(&rules::OGC_TILE_EQUAL, place, message);
    }
}

/// Checks the sizes and types of the levels.
fn check_levels(pyramid: &Pyramid<'_>, report: &mut Report) {
    let Some((full, overviews)) = pyramid.levels.split_first() else { return };
    if overviews.is_empty() && (full.width > SMALL || full.height > SMALL) {
        let message = format_args!("{}x{} pixels, no overviews", full.width, full.height);
        report.add(&rules::OVERVIEWS_MISSING, Place::directory(full.directory), message);
    }
    pyramid.levels.iter().for_each(|level| check_lossy_nodata(level, report));
    for (finer, coarser) in pyramid.levels.iter().zip(overviews) {
        check_level(full, finer, coarser, report);
    }
    if let Some(last) = overviews.last()
        && last.across() > 1
        && last.down() > 1
    {
        let message = format_args!("it has {}x{} tiles", last.across(), last.down());
        report.add(&rules::OGC_LAST_LEVEL, Place::directory(last.directory).at(last.offset), message);
    }
}

/// Compares a level with the previous level and with full resolution.
fn check_level(full: &Image, finer: &Image, coarser: &Image, report: &mut Report) {
    let place = Place::directory(coarser.directory).at(coarser.offset);
    let size = |image: &Image| format!("{}x{}", image.width, image.height);
    let samples = |image: &Image| (image.samples, image.bits, image.data_type);
    let gray_of_bits = full.bits == 1 && coarser.bits == 8 && full.samples == coarser.samples;
    if samples(full) != samples(coarser) && !gray_of_bits {
        let say = |image: &Image| {
            let name = image.data_type.map_or("unknown", |data_type| data_type.name());
            format!("{} bands of {} bits ({name})", image.samples, image.bits)
        };
        let message = format_args!("it has {}, full resolution has {}", say(coarser), say(full));
        report.add(&rules::LEVEL_SAMPLES, place, message);
    } else if (full.photometric, &full.color_map) != (coarser.photometric, &coarser.color_map) && !gray_of_bits {
        // JPEG stores colors as YCbCr, other codecs used for overviews as RGB.
        let colors = |photometric| if photometric == 6 { 2 } else { photometric };
        if colors(full.photometric) != colors(coarser.photometric) || full.color_map != coarser.color_map {
            let (of, theirs) = (full.photometric, coarser.photometric);
            let message =
                format_args!("photometric interpretation {theirs} (full resolution: {of}), or a different color table");
            report.add(&rules::LEVEL_COLORS, place, message);
        }
    }
    check_nodata(full, coarser, report);
    if coarser.width == 0 || coarser.height == 0 || finer.width == 0 || finer.height == 0 {
        return;
    }
    let larger = coarser.width > finer.width || coarser.height > finer.height;
    if larger || (coarser.width == finer.width && coarser.height == finer.height) {
        let message = format_args!("it is {}, the previous level {}", size(coarser), size(finer));
        report.add(&rules::OVERVIEW_SIZE, place, message);
        return;
    }
    let factors = [rounded_ratio(full.width, coarser.width), rounded_ratio(full.height, coarser.height)];
    let [across, down] = factors;
    if across < 2 {
        let message = format_args!("it is {}, full resolution {}", size(coarser), size(full));
        if down < 2 {
            report.add(&rules::DECIMATION, place, message);
            return;
        }
        report.add(&rules::RIO_DECIMATION, place, message);
    }
    let halves = |finer: u64, coarser: u64| coarser == finer.div_ceil(2) || coarser == (finer / 2).max(1);
    if halves(finer.width, coarser.width) && halves(finer.height, coarser.height) {
        return;
    }
    let message = format_args!("it is {}, the previous level {}", size(coarser), size(finer));
    report.add(&rules::OGC_HALVING, place, message);
    let ok = |finer: u64, coarser: u64| ((finer / 10).max(1)..=finer.div_ceil(2)).contains(&coarser);
    if !(ok(finer.width, coarser.width) && ok(finer.height, coarser.height)) {
        report.add(&rules::OGC_DECIMATION, place, message);
    }
}

/// Returns the ratio of two sides, rounded half to even as Python does for rio-cogeo.
fn rounded_ratio(finer: u64, coarser: u64) -> u64 {
    let (whole, rest) = (finer / coarser.max(1), finer % coarser.max(1));
    match (rest * 2).cmp(&coarser) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole % 2,
        std::cmp::Ordering::Greater => whole + 1,
    }
}

/// Reports a nodata value next to JPEG. WebP and LERC may be lossless.
fn check_lossy_nodata(level: &Image, report: &mut Report) {
    let can_be = |nodata: &Nodata| level.data_type.is_some_and(|of| nodata.equal_samples(of).is_some());
    if let (6 | 7 | 34892, Some(nodata)) = (level.compression, level.nodata().filter(can_be)) {
        let message = format_args!("nodata is {}, but the codec is {}", nodata.as_f64(), level.codec());
        report.add(&rules::NODATA_LOSSY, Place::directory(level.directory).at(level.offset), message);
    }
}

fn check_nodata(full: &Image, coarser: &Image, report: &mut Report) {
    let place = Place::directory(coarser.directory).at(coarser.offset);
    match (&full.nodata, &coarser.nodata) {
        (Some(value), None) => {
            report.add(
                &rules::NODATA_MISSING,
                place,
                format_args!("it has no nodata value, full resolution has {value}"),
            );
        }
        (value, Some(other)) => {
            let same = match (full.nodata(), coarser.nodata()) {
                (Some(value), Some(other)) => {
                    let rounded = |value: Nodata| full.data_type.map_or(value.as_f64(), |of| value.rounded_to(of));
                    value == other || rounded(value).total_cmp(&rounded(other)).is_eq()
                }
                _ => value.as_ref() == Some(other),
            };
            if !same {
                let value = value.as_deref().unwrap_or("none");
                report.add(&rules::NODATA_DIFFERS, place, format_args!("it has {other}, full resolution has {value}"));
            }
        }
        (None, None) => {}
    }
}

fn check_masks(pyramid: &Pyramid<'_>, report: &mut Report) {
    for mask in &pyramid.masks {
        let place = Place::directory(mask.directory).at(mask.offset);
        let fits = |level: &&&Image| {
            (level.width, level.height) == (mask.width, mask.height) && level.is_reduced() == mask.is_reduced()
        };
        if mask.width > 0 && mask.height > 0 && !pyramid.levels.iter().any(|level| fits(&level)) {
            let message =
                format_args!("the mask has {}x{} pixels, but no image has that size", mask.width, mask.height);
            report.add(&rules::MASK_SIZE, place, message);
        }
        let Image { samples, bits, photometric, .. } = **mask;
        if (samples, bits, photometric) != (1, 1, 4) {
            let message = format_args!("{samples} bands of {bits} bits, photometric interpretation {photometric}");
            report.add(&rules::MASK_FORMAT, place, message);
        }
    }
    let Some((full, overviews)) = pyramid.levels.split_first() else { return };
    if pyramid.mask_of(full).is_none() || report.has(&rules::MASK_SIZE) {
        return;
    }
    for level in overviews.iter().filter(|level| pyramid.mask_of(level).is_none()) {
        let message = format_args!("the overview of {}x{} pixels has no mask", level.width, level.height);
        report.add(&rules::MASK_LEVELS, Place::directory(level.directory).at(level.offset), message);
    }
}

/// Checks the georeferencing of full resolution and of overviews.
fn check_georeference(directories: &[Directory], images: &[Image], report: &mut Report) {
    let places = [tag::MODEL_PIXEL_SCALE, tag::MODEL_TIEPOINT, tag::MODEL_TRANSFORMATION, tag::GEO_KEY_DIRECTORY];
    for (directory, image) in directories.iter().zip(images) {
        let place = Place::directory(image.directory).at(image.offset);
        let names = |found: bool| {
            let tags = places.iter().filter(|tag| directory.entry(**tag).is_some() == found);
            tags.map(|tag| tag::name(*tag)).collect::<Vec<_>>().join(", ")
        };
        // The first directory is full resolution whatever its NewSubfileType.
        if image.is_reduced() && image.directory != 0 {
            if places.iter().any(|tag| directory.entry(*tag).is_some()) {
                report.add(&rules::OGC_OVERVIEW_GEOREFERENCE, place, format_args!("it has {}", names(true)));
            }
        } else if !image.is_mask() {
            let needed = [tag::MODEL_PIXEL_SCALE, tag::MODEL_TIEPOINT, tag::GEO_KEY_DIRECTORY];
            if needed.iter().any(|tag| directory.entry(*tag).is_none()) {
                report.add(&rules::OGC_GEOREFERENCE, place, format_args!("it lacks {}", names(false)));
            }
        }
    }
}

/// Checks the positions of directories and pixel data, level by level.
fn check_data(
    tiff: &Tiff<'_>,
    directories: &[Directory],
    images: &[Image],
    pyramid: &Pyramid<'_>,
    report: &mut Report,
) -> Result<()> {
    for pair in pyramid.levels.windows(2) {
        if let [before, after] = pair
            && after.offset < before.offset
        {
            let message =
                format_args!("it starts at byte {}, the previous level at byte {}", after.offset, before.offset);
            report.add(&rules::DIRECTORY_ORDER, Place::directory(after.directory).at(after.offset), message);
        }
    }
    let mut starts = Vec::new();
    for level in &pyramid.levels {
        starts.extend(first_tile(tiff, level)?.map(|start| (*level, start)));
    }
    if let (Some((level, start)), Some(last)) = (starts.last(), pyramid.levels.last())
        && *start < last.offset
    {
        let place = Place::directory(level.directory).at(*start);
        let message = format_args!("tiles start at byte {start}, the last level's directory at byte {}", last.offset);
        report.add(&rules::DATA_AFTER_DIRECTORIES, place, message);
    }
    for pair in starts.windows(2) {
        if let [(finer, start), (coarser, before)] = pair
            && start < before
        {
            let place = Place::directory(finer.directory).at(*start);
            let (number, directory) = (coarser.directory, finer.directory);
            let message = format_args!(
                "tiles of directory {directory} start at byte {start}, those of {number} at byte {before}"
            );
            report.add(&rules::LEVEL_ORDER, place, message);
        }
    }
    let mut first = starts.iter().map(|(_, start)| *start).min();
    for mask in images.iter().filter(|image| image.is_mask()) {
        first = [first, first_tile(tiff, mask)?].into_iter().flatten().min();
    }
    let Some(first) = first.filter(|_| !report.has(&rules::DATA_AFTER_DIRECTORIES)) else { return Ok(()) };
    for directory in directories {
        let values = directory.entries.iter().filter(|entry| entry.outside && entry.sound);
        let last = values.map(|entry| (entry.at, Some(entry.tag))).chain([(directory.offset, None)]).max();
        if let Some((at, tag)) = last.filter(|(at, _)| *at > first) {
            let what = tag.map_or("the directory".to_owned(), |tag| format!("the value of tag {tag}"));
            let message = format_args!("{what} is stored after the first tile, which starts at byte {first}");
            report.add(&rules::METADATA_AFTER_DATA, Place::directory(directory.index).at(at), message);
        }
    }
    Ok(())
}

/// Returns the offset of the first tile of the first band that is present, as GDAL finds it.
fn first_tile(tiff: &Tiff<'_>, image: &Image) -> Result<Option<u64>> {
    let Some((mut offsets, _)) = image.arrays(tiff) else { return Ok(None) };
    for tile in 0..image.per_plane().min(offsets.count) {
        let offset = offsets.at(tile)?;
        if offset > 0 {
            return Ok(Some(offset));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_round_as_in_python() {
        let cases = [(100, 50, 2), (100, 67, 1), (150, 100, 2), (250, 100, 2), (350, 100, 4), (1, 1, 1), (149, 100, 1)];
        for (finer, coarser, expected) in cases {
            assert_eq!(rounded_ratio(finer, coarser), expected, "{finer}/{coarser}");
        }
    }
}
