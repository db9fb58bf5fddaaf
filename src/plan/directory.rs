//! Tags of each directory, in the order in which GDAL writes their values.

use crate::codec::{Codec, Components, TileFormat};
use crate::geo::text::{gdal_xml, nodata_text};
use crate::geo::{Metadata, MetadataItem};
use crate::grid::{Level, Plane};
use crate::options::Interleave;
use crate::sample::SampleKind;
use crate::statistics::BandStatistics;
use crate::tiff::ifd::Directory;
use crate::tiff::variant::Variant;
use crate::tiff::{Tag, TagValue};

use super::{CogPlan, TileIndex, TileLen, TileLens};

/// The photometric interpretation of images that the codec stores as YCbCr (TIFF 6.0 section 21).
const YCBCR: u16 = 6;

/// Passed-through tags whose values GDAL writes before those that describe the image's structure.
const TAGS_BEFORE_STRUCTURE: [Tag; 5] =
    [Tag::X_RESOLUTION, Tag::Y_RESOLUTION, Tag::RESOLUTION_UNIT, Tag::MIN_SAMPLE_VALUE, Tag::MAX_SAMPLE_VALUE];

/// Passed-through tags whose values GDAL writes before the georeferencing; all others come after it.
const TAGS_BEFORE_GEO: [Tag; 11] = [
    Tag::TRANSFER_FUNCTION,
    Tag::WHITE_POINT,
    Tag::PRIMARY_CHROMATICITIES,
    Tag::ICC_PROFILE,
    Tag::ARTIST,
    Tag::COPYRIGHT,
    Tag::DATE_TIME,
    Tag::DOCUMENT_NAME,
    Tag::HOST_COMPUTER,
    Tag::IMAGE_DESCRIPTION,
    Tag::SOFTWARE,
];

/// Offsets of the tiles of a level, in the order of the TIFF arrays.
#[derive(Debug)]
pub(super) struct TileArrays {
    image: Vec<u64>,
    mask: Vec<u64>,
}

impl TileArrays {
    /// Makes arrays of the right length, filled with zeros.
    pub(super) fn new(index: &TileIndex, level: usize) -> Self {
        Self { image: vec![0; index.sizes(level, false).len()], mask: vec![0; index.sizes(level, true).len()] }
    }

    /// Records the offset of a tile.
    pub(super) fn set_offset(&mut self, place: usize, plane: Plane, offset: u64) {
        match plane {
            Plane::Image(_) => self.image[place] = offset,
            Plane::Mask => self.mask[place] = offset,
        }
    }
}

/// Returns all directories in file order: full resolution, its mask, overviews from large to small, their masks.
///
/// Without `arrays`, offsets are zero; types, counts, and lengths are the same.
pub(super) fn directories(
    plan: &CogPlan,
    variant: Variant,
    index: &TileIndex,
    arrays: Option<&[TileArrays]>,
) -> Vec<Directory> {
    let build = |level: &Level, mask: bool| {
        let sizes = index.sizes(level.index, mask);
        let offsets = arrays.map(|arrays| {
            let arrays = &arrays[level.index];
            if mask { arrays.mask.as_slice() } else { arrays.image.as_slice() }
        });
        let mut directory = if mask { mask_directory(level) } else { image_directory(plan, index, level) };
        push_tile_arrays(plan, variant, level, mask, (sizes, offsets), &mut directory);
        directory
    };
    let (full, overviews) = plan.levels().split_at(1);
    let has_mask = plan.spec().mask;
    [full, overviews]
        .into_iter()
        .flat_map(|levels| {
            let images = levels.iter().map(|level| (level, false));
            let masks = levels.iter().filter(|_| has_mask).map(|level| (level, true));
            images.chain(masks)
        })
        .map(|(level, mask)| build(level, mask))
        .collect()
}

/// Returns the order of the tile arrays after the directories: level by level, the image's before the mask's.
pub(super) fn array_order(levels: usize, mask: bool) -> Vec<usize> {
    if !mask {
        return (0..levels).collect();
    }
    // Directories: full resolution and its mask, then the other levels, then the other masks.
    let others = (1..levels).flat_map(|level| [1 + level, levels + level]);
    [0, 1].into_iter().chain(others).collect()
}

/// Encodes a number as SHORT if it fits, otherwise as LONG (TIFF 6.0 section 3 allows both for sizes).
fn short_or_long(value: u32) -> TagValue {
    u16::try_from(value).map_or_else(|_| TagValue::Long(vec![value]), |value| TagValue::Short(vec![value]))
}

fn push_sizes(level: &Level, directory: &mut Directory) {
    directory.push(Tag::IMAGE_WIDTH, short_or_long(level.width));
    directory.push(Tag::IMAGE_LENGTH, short_or_long(level.height));
    directory.push(Tag::TILE_WIDTH, short_or_long(level.tile_size.width));
    directory.push(Tag::TILE_LENGTH, short_or_long(level.tile_size.height));
}

/// Returns the directory of a transparency mask: always one bit and no predictor, as GDAL writes it.
fn mask_directory(level: &Level) -> Directory {
    let format = TileFormat::mask(level.tile_size);
    let mut directory = Directory::default();
    push_sizes(level, &mut directory);
    // Bit 2: transparency mask; bit 0: reduced resolution.
    directory.push(Tag::NEW_SUBFILE_TYPE, TagValue::Long(vec![if level.index == 0 { 4 } else { 5 }]));
    for (tag, value) in [
        (Tag::BITS_PER_SAMPLE, format.bits),
        (Tag::COMPRESSION, format.compression.code()),
        (Tag::PHOTOMETRIC_INTERPRETATION, 4),
        (Tag::SAMPLES_PER_PIXEL, 1),
        (Tag::PLANAR_CONFIGURATION, 1),
        (Tag::SAMPLE_FORMAT, 1),
        (Tag::PREDICTOR, format.predictor.code()),
    ] {
        directory.push(tag, TagValue::Short(vec![value]));
    }
    directory
}

fn image_directory(plan: &CogPlan, index: &TileIndex, level: &Level) -> Directory {
    let spec = plan.spec();
    let full = level.index == 0;
    let format = plan.tile_format(level, Plane::Image(0));
    let codec = format.compression.codec();
    let mut directory = Directory::default();
    push_sizes(level, &mut directory);
    if full {
        push_carried(&plan.inner.metadata, &TAGS_BEFORE_STRUCTURE, &mut directory);
    } else {
        directory.push(Tag::NEW_SUBFILE_TYPE, TagValue::Long(vec![1]));
    }
    let bands = usize::from(spec.bands);
    directory.push(Tag::BITS_PER_SAMPLE, TagValue::Short(vec![spec.bits(); bands]));
    directory.push(Tag::COMPRESSION, TagValue::Short(vec![codec.code]));
    let photometric = if format.components == Components::YCbCr { YCBCR } else { spec.photometric.code() };
    directory.push(Tag::PHOTOMETRIC_INTERPRETATION, TagValue::Short(vec![photometric]));
    directory.push(Tag::SAMPLES_PER_PIXEL, TagValue::Short(vec![spec.bands]));
    let planar = if plan.is_chunky() || bands == 1 { 1 } else { 2 };
    directory.push(Tag::PLANAR_CONFIGURATION, TagValue::Short(vec![planar]));
    if spec.has_color_map() {
        directory.push(Tag::COLOR_MAP, TagValue::Short(spec.color_map.clone()));
    }
    let extra_samples = spec.all_extra_samples();
    if !extra_samples.is_empty() {
        let codes = extra_samples.iter().map(|extra| extra.code()).collect();
        directory.push(Tag::EXTRA_SAMPLES, TagValue::Short(codes));
    }
    directory.push(Tag::SAMPLE_FORMAT, TagValue::Short(vec![sample_format(spec.data_type.kind()); bands]));
    if codec.takes_predictor {
        // Always present for codecs that support a predictor, as libtiff writes it.
        directory.push(Tag::PREDICTOR, TagValue::Short(vec![format.predictor.code()]));
    }
    for (tag, value) in (codec.tags)(&format) {
        directory.push(tag, value);
    }
    if full {
        push_full_resolution_tags(plan, index, &mut directory);
    } else {
        push_nodata(plan, &mut directory);
    }
    directory
}

/// Adds the tags that only full resolution has: reduced images shall not carry georeferencing (OGC 21-026).
fn push_full_resolution_tags(plan: &CogPlan, index: &TileIndex, directory: &mut Directory) {
    let metadata = &plan.inner.metadata;
    push_carried(metadata, &TAGS_BEFORE_GEO, directory);
    let (geo_keys, placement): (Vec<_>, Vec<_>) = plan
        .inner
        .geo
        .tags()
        .into_iter()
        .partition(|(tag, _)| (Tag::GEO_KEY_DIRECTORY..=Tag::GEO_ASCII_PARAMS).contains(tag));
    let (coefficients, placement): (Vec<_>, Vec<_>) =
        placement.into_iter().partition(|(tag, _)| *tag == Tag::RPC_COEFFICIENTS);
    for (tag, value) in coefficients {
        directory.push(tag, value);
    }
    if let Some(xml) = gdal_metadata(plan, index) {
        directory.push(Tag::GDAL_METADATA, xml);
    }
    push_nodata(plan, directory);
    for (tag, value) in placement {
        directory.push(tag, value);
    }
    for (tag, value) in &metadata.tags {
        if !directory.contains(*tag) {
            directory.push(*tag, value.clone());
        }
    }
    for (tag, value) in geo_keys {
        directory.push(tag, value);
    }
}

/// Returns the value of tag 42112. Its length must follow from the plan, since the statistics are known only after the
/// position of the first tile. So it has room for the longest ones, filled with spaces after the XML.
fn gdal_metadata(plan: &CogPlan, index: &TileIndex) -> Option<TagValue> {
    let metadata = &plan.inner.metadata;
    let structure = structure_items(plan);
    let text = |statistics: &[MetadataItem]| {
        let carried = metadata.items.iter().filter(|item| !(plan.statistics() && item.is_statistic()));
        gdal_xml(carried.chain(statistics).chain(&structure))
    };
    if !plan.statistics() {
        return text(&[]).map(|text| TagValue::Ascii(text.into_bytes()));
    }
    let bands = usize::from(plan.spec().bands);
    let room = text(&statistic_items(&vec![BandStatistics::LONGEST; bands])).map_or(0, |text| text.len());
    let mut text = text(&statistic_items(&index.statistics())).unwrap_or_default().into_bytes();
    debug_assert!(text.len() <= room, "{} bytes of metadata in room for {room}", text.len());
    text.resize(room, b' ');
    Some(TagValue::Ascii(text))
}

fn statistic_items(statistics: &[BandStatistics]) -> Vec<MetadataItem> {
    let bands = (0..).zip(statistics);
    let items = bands.flat_map(|(band, statistics)| {
        statistics.items().into_iter().map(move |(name, value)| MetadataItem {
            name: name.to_owned(),
            domain: None,
            sample: Some(band),
            role: None,
            value,
        })
    });
    items.collect()
}

/// Returns GDAL's metadata items about the file's structure.
fn structure_items(plan: &CogPlan) -> Vec<MetadataItem> {
    let item = |name: &str, value: String| MetadataItem {
        name: name.to_owned(),
        domain: Some("IMAGE_STRUCTURE".to_owned()),
        sample: None,
        role: None,
        value,
    };
    let mut items = Vec::new();
    if plan.levels().len() > 1 && plan.resampling_is_known() {
        items.push(item("OVERVIEW_RESAMPLING", plan.resampling_names().to_ascii_uppercase()));
    }
    if plan.grid().interleave == Interleave::Tile {
        items.push(item("INTERLEAVE", "TILE".to_owned()));
    }
    items
}

fn push_carried(metadata: &Metadata, tags: &[Tag], directory: &mut Directory) {
    for &tag in tags {
        if let Some((_, value)) = metadata.tags.iter().find(|(carried, _)| *carried == tag)
            && !directory.contains(tag)
        {
            directory.push(tag, value.clone());
        }
    }
}

fn push_nodata(plan: &CogPlan, directory: &mut Directory) {
    if let Some(nodata) = &plan.spec().nodata {
        let text = nodata_text(nodata, plan.spec().data_type);
        directory.push(Tag::GDAL_NODATA, TagValue::Ascii(text.into_bytes()));
    }
}

const fn sample_format(kind: SampleKind) -> u16 {
    match kind {
        SampleKind::Unsigned => 1,
        SampleKind::Signed => 2,
        SampleKind::Float => 3,
        SampleKind::ComplexInteger => 5,
        SampleKind::ComplexFloat => 6,
    }
}

/// Adds TileOffsets and TileByteCounts. Their values come after all directories unless they fit in their entries.
fn push_tile_arrays(
    plan: &CogPlan,
    variant: Variant,
    level: &Level,
    mask: bool,
    (sizes, offsets): (&TileLens, Option<&[u64]>),
    directory: &mut Directory,
) {
    let offset = |place: usize| offsets.map_or(0, |offsets| offsets[place]);
    let places = 0..sizes.len();
    let offsets = match variant {
        // Checked against the variant's largest offset before values are filled in.
        #[expect(clippy::cast_possible_truncation, reason = "offsets of a classic file fit 32 bits")]
        Variant::Classic => TagValue::Long(places.map(|place| offset(place) as u32).collect()),
        Variant::Big => TagValue::Long8(places.map(offset).collect()),
    };
    directory.push_deferred(Tag::TILE_OFFSETS, offsets);
    let plane = if mask { Plane::Mask } else { Plane::Image(0) };
    let format = plan.tile_format(level, plane);
    let (codec, tile_bytes) = (format.compression.codec(), format.tile_bytes().unwrap_or(u64::MAX));
    let counts = sizes.iter().map(TileLen::byte_count);
    let counts = match count_width(variant, sizes.len(), codec, tile_bytes) {
        // The rule that chooses SHORT guarantees that every size fits.
        #[expect(clippy::cast_possible_truncation, reason = "sizes fit by the rule of count_width")]
        CountWidth::Short => TagValue::Short(counts.map(|count| count as u16).collect()),
        CountWidth::Long => TagValue::Long(counts.collect()),
        CountWidth::Long8 => TagValue::Long8(counts.map(u64::from).collect()),
    };
    directory.push_deferred(Tag::TILE_BYTE_COUNTS, counts);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountWidth {
    Short,
    Long,
    Long8,
}

/// Returns the type of TileByteCounts, from the uncompressed size of a tile: libtiff `tif_dirwrite.c`, `_WriteAsType`,
/// which assumes that compression makes a tile at most ten times as large.
fn count_width(variant: Variant, count: usize, codec: &Codec, tile_bytes: u64) -> CountWidth {
    let exceeds = |limit: u64| if codec.is_stored() { tile_bytes > limit } else { tile_bytes >= limit / 10 };
    match (variant, count) {
        (Variant::Classic, 1) => CountWidth::Long,
        (Variant::Big, 1) => CountWidth::Long8,
        (Variant::Big, _) if exceeds(u32::MAX.into()) => CountWidth::Long8,
        _ if exceeds(u16::MAX.into()) => CountWidth::Long,
        _ => CountWidth::Short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Compression;

    #[test]
    fn arrays_stand_level_by_level() {
        assert_eq!(array_order(3, false), [0, 1, 2]);
        // full, mask, overview 1, overview 2, mask 1, mask 2
        assert_eq!(array_order(3, true), [0, 1, 2, 4, 3, 5]);
    }

    #[test]
    fn byte_counts_take_the_width_that_libtiff_gives_them() {
        let deflate = Compression::DEFLATE.codec();
        assert_eq!(count_width(Variant::Classic, 1, deflate, 100), CountWidth::Long);
        assert_eq!(count_width(Variant::Classic, 2, deflate, 6552), CountWidth::Short);
        assert_eq!(count_width(Variant::Classic, 2, deflate, 6553), CountWidth::Long);
        assert_eq!(count_width(Variant::Classic, 2, Compression::None.codec(), 65_535), CountWidth::Short);
        assert_eq!(count_width(Variant::Big, 1, deflate, 100), CountWidth::Long8);
        assert_eq!(count_width(Variant::Big, 2, deflate, 100), CountWidth::Short);
        assert_eq!(count_width(Variant::Big, 2, deflate, 429_496_729), CountWidth::Long8);
    }
}
