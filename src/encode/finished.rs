//! The result of an encoding.

use crate::grid::{Interleave, SectionId, TileSize};
use crate::options::{Compression, Predictor};
use crate::plan::{CogPlan, Header, TileIndex};
use crate::sample::DataType;
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
        let summary = Summary::new(plan, index.statistics(), &header);
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
}

impl Summary {
    /// Makes the summary of a file with this header.
    pub(crate) fn new(plan: &CogPlan, statistics: Vec<BandStatistics>, header: &Header) -> Self {
        let levels = plan.levels().iter().zip(&header.level_bytes);
        let levels: Vec<_> = levels
            .map(|(level, &bytes)| LevelSummary {
                width: level.width,
                height: level.height,
                tiles: level.tiles_per_plane() * u64::from(plan.grid().planes),
                bytes,
            })
            .collect();
        let spec = plan.spec();
        Self {
            width: spec.width,
            height: spec.height,
            bands: spec.bands,
            data_type: spec.data_type,
            tile_size: plan.levels()[0].tile_size,
            compression: plan.compression(),
            predictor: plan.predictor(),
            interleave: plan.grid().interleave,
            resampling: plan.resampling_names(),
            big_tiff: header.variant == Variant::Big,
            spooled: 0,
            bytes: header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>(),
            uncompressed_bytes: plan.uncompressed_bytes(),
            warnings: plan.warnings().to_vec(),
            levels,
            statistics,
        }
    }
}

/// Summary of a written level.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelSummary {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Number of tiles of the image, without those of the mask.
    pub tiles: u64,
    /// Size of all tiles with leaders and trailers in bytes, including the mask.
    pub bytes: u64,
}
