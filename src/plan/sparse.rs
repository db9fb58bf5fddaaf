//! Tiles that are left out of the file, and the pixels that readers fill them with.

use crate::error::{Error, OptionField, Result};
use crate::geo::Metadata;
use crate::options::{EncodeOptions, LEAVES_OUT_TILES, Resampling, Sparse};
use crate::sample::{Value, dispatch};
use crate::spec::ImageSpec;
use crate::statistics::counts_masked_pixels;

use super::CogPlan;

impl CogPlan {
    /// Returns the sample that readers fill a tile without bytes with, in native byte order; `None` if all tiles are stored.
    pub(crate) fn absent_sample(&self) -> Option<&[u8]> {
        if LEAVES_OUT_TILES { self.inner.absent_sample.as_deref() } else { None }
    }

    /// Returns the sample, in native byte order, of parts of the image that need not be computed on any level, because tiles of
    /// it are left out; `None` if all pixels have to be. Every kernel makes the same sample of it.
    pub(crate) fn blank_sample(&self) -> Option<&[u8]> {
        let spec = self.spec();
        // Masks are made from the pixels of the source, and its nodata may not be that of the file.
        let makes_mask = self.nodata_rule().is_some();
        // A mean of colors is the nearest color of the palette, which may be another index of the same color.
        let is_mean = |resampling: &Resampling| matches!(resampling, Resampling::Average | Resampling::Rms);
        let mixes_colors = spec.has_color_map() && self.resampling().iter().any(is_mean);
        let has_opaque_nodata = spec.alpha_band().is_some() && spec.nodata.is_some();
        self.absent_sample().filter(|_| !makes_mask && !mixes_colors && !has_opaque_nodata)
    }

    /// Returns whether tiles without a valid pixel are left out, whatever their samples are.
    pub(crate) fn drops_masked_tiles(&self) -> bool {
        LEAVES_OUT_TILES && self.inner.options.sparse == Sparse::Masked && self.spec().mask
    }
}

/// Checks the option against the image, and returns the sample of tiles that are left out; `None` if none are.
pub(super) fn settle(
    spec: &ImageSpec,
    metadata: &mut Metadata,
    options: &EncodeOptions,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<u8>>> {
    if options.sparse == Sparse::No {
        return Ok(None);
    }
    if !LEAVES_OUT_TILES {
        return Err(Error::option(OptionField::Sparse, "not available in WebAssembly"));
    }
    if options.sparse == Sparse::Masked {
        if !spec.mask {
            let reason = "the file has no mask; choose yes to leave out tiles of nodata";
            return Err(Error::option(OptionField::Sparse, reason));
        }
        if counts_masked_pixels(spec) {
            if options.statistics {
                let reason = "statistics count samples under the mask that are not nodata, and they would be left out; \
                              choose yes, or leave out the statistics";
                return Err(Error::conflict(OptionField::Sparse, OptionField::Statistics, reason));
            }
            metadata.drop_statistics();
        }
    }
    let nodata = spec.nodata_in_range();
    let sample = dispatch!(spec.data_type, T => {
        let value = match &nodata {
            Some(nodata) => <T as Value>::from_nodata(nodata),
            None if spec.nodata.is_some() => None,
            None => Some(<T as Value>::ZERO),
        };
        value.map(|value| bytemuck::bytes_of(&value).to_vec())
    });
    if sample.is_none() {
        warnings.push(
            "no tile is left out: no sample can equal the nodata value, so readers differ about missing tiles"
                .to_owned(),
        );
    }
    Ok(sample)
}
