//! Rows of a source in memory of their own, before they change.

use crate::buffer::AlignedBytes;
use crate::error::{Error, Result};
use crate::spec::ImageSpec;
use crate::view::{Stripe, StripeLayout};

/// Approximate bytes of the rows that are read at once.
const BYTES: usize = 16 << 20;

/// Memory for a few rows.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    planes: Vec<AlignedBytes>,
    mask: AlignedBytes,
}

impl RowBuffer {
    /// Returns how many of `rows` rows of an image are read at once.
    pub(crate) fn rows_at_once(spec: &ImageSpec, rows: usize) -> usize {
        let row = spec.width as usize * usize::from(spec.bands) * spec.data_type.size();
        (BYTES / row.max(1)).clamp(1, rows.max(1))
    }

    /// Returns a stripe of `rows` rows of an image, with its mask.
    pub(crate) fn stripe(&mut self, spec: &ImageSpec, layout: StripeLayout, rows: usize) -> Result<Stripe<'_>> {
        const WHAT: &str = "rows of the input";
        let (width, bands, sample_size) = (spec.width as usize, usize::from(spec.bands), spec.data_type.size());
        let (planes, samples) = match layout {
            StripeLayout::Chunky => (1, bands),
            StripeLayout::Planar => (bands, 1),
        };
        let size = |samples: usize, size: usize| {
            let bytes = rows.checked_mul(width).and_then(|pixels| pixels.checked_mul(samples)?.checked_mul(size));
            bytes.ok_or_else(|| Error::limit("bytes of rows of the input", u64::MAX, usize::MAX as u64))
        };
        let (len, pixels) = (size(samples, sample_size)?, size(1, 1)?);
        self.planes.resize_with(planes, AlignedBytes::default);
        for plane in &mut self.planes {
            plane.grow(len, WHAT)?;
        }
        if spec.mask {
            self.mask.grow(pixels, WHAT)?;
        }
        let planes = self.planes.iter_mut().map(|plane| &mut plane.bytes_mut()[..len]).collect();
        let mask = spec.mask.then(|| &mut self.mask.bytes_mut()[..pixels]);
        Ok(Stripe { width, rows, bands, sample_size, layout, planes, mask, blanks: None })
    }
}

/// Returns rows of a stripe as a stripe of their own.
pub(super) fn rows_of<'a>(stripe: &'a mut Stripe<'_>, first: usize, rows: usize) -> Stripe<'a> {
    stripe.part(first, rows)
}
