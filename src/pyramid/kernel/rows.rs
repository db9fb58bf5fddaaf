//! Kernel input: rows of the finer level, and the validity of their pixels.

use crate::sample::{NodataRange, Value};
use crate::validity::is_masked;

use super::alpha::Opacity;

/// Rows of the finer level, and the validity of their pixels.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    /// The samples from row `first` on.
    pub(super) pixels: &'a [T],
    /// The mask from row `first` on.
    pub(super) mask: Option<&'a [u8]>,
    pub(super) first: u32,
    /// Pixels per row.
    pub(super) width: usize,
    /// Samples per pixel.
    pub(super) samples: usize,
    /// Sample values that are invalid. `None` if there is a mask, which then decides alone, as in GDAL.
    pub(super) nodata: Option<NodataRange<T>>,
    /// The value of output pixels without a valid source pixel; no computed value may equal it.
    pub(super) void: Option<NodataRange<T>>,
    /// The alpha of the same rows, if pixels are weighted by opacity.
    pub(super) alpha: Option<Opacity<'a, T>>,
}

impl<'a, T: Value> Rows<'a, T> {
    /// Returns the samples of a row.
    pub(super) fn row(&self, row: u32) -> &'a [T] {
        let length = self.width * self.samples;
        &self.pixels[(row - self.first) as usize * length..][..length]
    }

    /// Returns the mask of a row.
    pub(super) fn mask_row(&self, row: u32) -> Option<&'a [u8]> {
        self.mask.map(|mask| &mask[(row - self.first) as usize * self.width..][..self.width])
    }

    /// Returns whether pixels may be invalid for a reason other than NaN. GDAL then uses other formulas, even where
    /// every pixel is valid.
    pub(super) fn has_gaps(&self) -> bool {
        self.mask.is_some() || self.nodata.is_some()
    }

    /// Returns the value of a valid pixel; records in `fill` a NaN that made a pixel invalid.
    pub(super) fn valid(&self, row: u32, column: usize, sample: usize, fill: &mut Fill<T>) -> Option<T> {
        if self.mask_row(row).is_some_and(|mask| is_masked(mask[column])) {
            return None;
        }
        let value = self.row(row)[column * self.samples + sample];
        if value.is_nan() {
            fill.nan = Some(value);
            return None;
        }
        (!self.is_nodata(value)).then_some(value)
    }

    /// Returns whether a sample is invalid because it equals nodata.
    #[inline(always)]
    pub(super) fn is_nodata(&self, value: T) -> bool {
        self.nodata.is_some_and(|nodata| nodata.contains(value))
    }
}

/// The value of a pixel without any valid source pixel: nodata, if defined; otherwise NaN if there was one; otherwise
/// 0.
pub(super) struct Fill<T> {
    nan: Option<T>,
}

impl<T> Default for Fill<T> {
    fn default() -> Self {
        Self { nan: None }
    }
}

impl<T: Value> Fill<T> {
    pub(super) fn value(&self, void: Option<NodataRange<T>>) -> T {
        void.map(|void| void.value()).or(self.nan).unwrap_or(T::ZERO)
    }
}
