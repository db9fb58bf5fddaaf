//! Tags of each directory.

use crate::codec::{Components, TileFormat};
use crate::geo::MetadataItem;
use crate::geo::text::{gdal_xml, nodata_text};
use crate::grid::{Level, Plane};
use crate::options::Interleave;
use crate::sample::SampleKind;
use crate::statistics::{BandStatistics, statistic_items};
use crate::tiff::arrays::{self, RawTile};
use crate::tiff::ifd::Directory;
use crate::tiff::variant::Variant;
use crate::tiff::{Tag, TagValue};

use super::{CogPlan, TileIndex, TileLen, TileLens};

/// The photometric interpretation of images that the codec stores as YCbCr (TIFF 6.0 section 21).
const YCBCR: u16 = 6;

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
    if !full {
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
    if let Some(xml) = gdal_metadata(plan, index) {
        directory.push(Tag::GDAL_METADATA, xml);
    }
    push_nodata(plan, directory);
    for (tag, value) in plan.inner.geo.tags().iter().chain(&metadata.tags) {
        if !directory.contains(*tag) {
            directory.push(*tag, value.clone());
        }
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
    directory.push_deferred(Tag::TILE_OFFSETS, arrays::offsets(variant, (0..sizes.len()).map(offset)));
    let plane = if mask { Plane::Mask } else { Plane::Image(0) };
    let format = plan.tile_format(level, plane);
    let raw =
        RawTile { is_stored: format.compression.codec().is_stored(), bytes: format.tile_bytes().unwrap_or(u64::MAX) };
    let counts = arrays::byte_counts(variant, raw, sizes.iter().map(TileLen::byte_count));
    directory.push_deferred(Tag::TILE_BYTE_COUNTS, counts);
}
