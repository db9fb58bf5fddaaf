//! The result of an encoding.

use crate::grid::{Interleave, SectionId, TileSize};
use crate::options::{Compression, Predictor};
use crate::plan::{CogPlan, Header, Losses, TileIndex};
use crate::sample::{DataType, SampleKind};
use crate::statistics::BandStatistics;
use crate::tiff::variant::Variant;

/// A file whose tiles are all encoded, ready to be put together.
///
/// The file is [`header`](Self::header), then all [`sections`](Self::sections) in their order, without gaps.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FinishedFile {
    /// The bytes before the first tile.
    pub header: Vec<u8>,
    /// The sections in the order of the file, each with its length in bytes: the coarsest level first, full resolution
    /// last.
    pub sections: Vec<(SectionId, u64)>,
    /// Sizes, levels, and statistics.
    pub summary: Summary,
}

impl FinishedFile {
    /// Makes the file with these tiles.
    pub(crate) fn new(plan: &CogPlan, index: &TileIndex) -> crate::error::Result<Self> {
        let header = plan.header(index)?;
        let sections = plan.sections().map(|section| (section, plan.section_bytes(index, section))).collect();
        let summary = Summary::new(plan, index.statistics(), index.losses(), &header);
        Ok(Self { header: header.bytes, sections, summary })
    }
}

/// Summary of a written file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Columns of full resolution.
    pub width: u32,
    /// Rows of full resolution.
    pub height: u32,
    /// Number of bands, without the mask.
    pub bands: u16,
    /// Type of all samples.
    pub data_type: DataType,
    /// Tile size of full resolution in pixels.
    pub tile_size: TileSize,
    /// The codec.
    pub compression: Compression,
    /// The codec of the overviews, if it is another.
    pub overview_compression: Option<Compression>,
    /// The predictor that was used; never [`Predictor::Auto`].
    pub predictor: Predictor,
    /// The layout of the bands.
    pub interleave: Interleave,
    /// Names of the kernels of the overviews, even without overviews: one, or one per band separated by commas.
    pub resampling: String,
    /// True if the file is a BigTIFF.
    pub big_tiff: bool,
    /// Bytes of tiles that went through a temporary file; see [`StoreOptions`](crate::StoreOptions).
    pub spooled: u64,
    /// File size in bytes.
    pub bytes: u64,
    /// Size of the pixels of full resolution before compression in bytes.
    pub uncompressed_bytes: u64,
    /// Metadata that was dropped, each with the reason; see [`CogPlan::warnings`]. The functions that take
    /// [`CogOptions`](crate::CogOptions) add what was doubtful in the source, one sentence each.
    pub warnings: Vec<String>,
    /// All levels, full resolution first.
    pub levels: Vec<LevelSummary>,
    /// Statistics of all bands; empty unless [requested](crate::EncodeOptions::statistics).
    pub statistics: Vec<BandStatistics>,
    /// Samples of valid pixels that equal the source's nodata value and are data in the file, because a lossy codec keeps
    /// nodata in the mask; 0 unless [`MaskPolicy::Nodata`](crate::MaskPolicy::Nodata) allows them.
    pub nodata_samples: u64,
    /// Tiles of all levels that were left out although their samples under the mask are not those that readers return; 0
    /// unless [`Sparse::Masked`](crate::Sparse::Masked) allows them.
    pub masked_tiles: u64,
}

impl Summary {
    /// Makes the summary of a file with this header.
    pub(crate) fn new(plan: &CogPlan, statistics: Vec<BandStatistics>, losses: &Losses, header: &Header) -> Self {
        let levels = plan.levels().iter().zip(&header.level_bytes);
        let levels: Vec<_> = levels
            .map(|(level, &bytes)| LevelSummary {
                width: level.width,
                height: level.height,
                tiles: level.tiles_per_plane() * u64::from(plan.grid().planes),
                sparse_tiles: header.sparse_tiles[level.index],
                bytes,
                existing: plan.existing_overview(level).is_some(),
                loss: LevelLoss::new(plan, losses, level.index),
            })
            .collect();
        let mut warnings = plan.warnings().to_vec();
        let nodata_samples = losses.nodata_samples;
        if nodata_samples > 0 {
            warnings.push(format!(
                "samples that equal nodata in pixels with data in other bands: {nodata_samples}; they are data in the file"
            ));
        }
        if losses.masked_tiles > 0 {
            warnings.push(format!(
                "tiles left out although samples under the mask were not those that readers return: {}",
                losses.masked_tiles
            ));
        }
        let spec = plan.spec();
        warnings.extend(plan.nan_suggestion(losses));
        Self {
            width: spec.width,
            height: spec.height,
            bands: spec.bands,
            data_type: spec.data_type,
            tile_size: plan.levels()[0].tile_size,
            compression: plan.compression(),
            overview_compression: Some(plan.overview_compression()).filter(|codec| *codec != plan.compression()),
            predictor: plan.predictor(),
            interleave: plan.grid().interleave,
            resampling: plan.resampling_names(),
            big_tiff: header.variant == Variant::Big,
            spooled: 0,
            bytes: header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>(),
            uncompressed_bytes: plan.uncompressed_bytes(),
            warnings,
            nodata_samples,
            masked_tiles: losses.masked_tiles,
            levels,
            statistics,
        }
    }
}

/// Summary of a written level.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LevelSummary {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Number of tiles of the image, without those of the mask.
    pub tiles: u64,
    /// Number of tiles of the image that were left out of the file; see [`EncodeOptions::sparse`](crate::EncodeOptions::sparse).
    pub sparse_tiles: u64,
    /// Size of all tiles with leaders and trailers in bytes, including the mask.
    pub bytes: u64,
    /// True for an overview that the source had, rather than a computed one; see
    /// [`Overviews::Existing`](crate::Overviews::Existing).
    pub existing: bool,
    /// The loss of a lossy codec; `None` if the codec is lossless.
    pub loss: Option<LevelLoss>,
}

/// The loss of a lossy codec in a level: differences between the valid samples that were encoded and those that decoders
/// return.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LevelLoss {
    /// Number of tiles that were decoded and compared: one of about 16, spread over the level, or all of them if the file
    /// is [verified](crate::StoreOptions::verify).
    pub tiles: u64,
    /// The largest difference, in the units of the samples.
    pub max_error: f64,
    /// Peak signal-to-noise ratio of all bands in decibels, for integers: of the mean squared difference to the range of
    /// the type. `None` for floats, and if no sample differs.
    pub psnr: Option<f64>,
}

impl LevelLoss {
    /// Returns the loss of a level; `None` if its codec is lossless.
    fn new(plan: &CogPlan, losses: &Losses, level: usize) -> Option<Self> {
        let codec = plan.compression_of(&plan.levels()[level]).codec();
        let loss = losses.levels.get(level).copied().unwrap_or_default();
        let peak = 2f64.powi(plan.spec().bits().into()) - 1.0;
        let is_integer = matches!(plan.spec().data_type.kind(), SampleKind::Unsigned | SampleKind::Signed);
        let psnr = if is_integer { loss.psnr(peak) } else { None };
        (!codec.lossless).then_some(Self { tiles: loss.tiles, max_error: loss.max, psnr })
    }
}
