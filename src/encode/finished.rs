//! The result of an encoding.

use crate::grid::SectionId;
use crate::options::Predictor;
use crate::plan::{CogPlan, Header, TileIndex};
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
    /// File size in bytes.
    pub bytes: u64,
    /// True if the file is a BigTIFF.
    pub big_tiff: bool,
    /// The predictor that was used; never [`Predictor::Auto`].
    pub predictor: Predictor,
    /// Bytes of tiles that went through a temporary file; see [`StoreOptions`](crate::StoreOptions).
    pub spooled: u64,
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
        let bytes = header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>();
        let (predictor, big_tiff) = (plan.predictor(), header.variant == Variant::Big);
        Self { bytes, big_tiff, predictor, spooled: 0, warnings: plan.warnings().to_vec(), levels, statistics }
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
