//! Tiles that are left out of the file.

use crate::names::named;

/// Tiles to leave out of the file: their offset and their byte count are 0, and readers fill them with nodata, or with 0
/// if the file has no nodata value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Sparse {
    /// None: every tile has bytes.
    #[default]
    No,
    /// On every level, tiles whose samples all equal nodata (0 without nodata), floats bit by bit, and mask tiles without a
    /// valid pixel. No pixel changes. As with `SPARSE_OK=TRUE` in GDAL.
    Yes,
    /// In addition, tiles without a valid pixel in the mask, whatever their samples are. Samples under the mask become nodata
    /// (0 without nodata); valid pixels do not change. [`Summary::masked_tiles`](crate::Summary::masked_tiles) counts the
    /// tiles that lost samples.
    Masked,
}

named!(Sparse, Sparse, { No => "no", Yes => "yes", Masked => "masked" });
