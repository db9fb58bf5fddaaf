//! The rolling buffer of one level.

use crate::buffer::AlignedBytes;
use crate::error::{Error, Result};
use crate::plan::{CogPlan, LevelShare};
use crate::view::{Stripe, StripeLayout};

/// The rows of a level that are known and still needed, with all planes and the mask, limited to the columns of a
/// window.
#[derive(Debug)]
pub(crate) struct LevelRows {
    /// The first column of the window.
    left: u32,
    width: usize,
    bands: usize,
    sample_size: usize,
    layout: StripeLayout,
    tile_height: u32,
    /// Rows of the window.
    height: u32,
    planes: Vec<AlignedBytes>,
    mask: Option<AlignedBytes>,
    /// The first row in the buffers.
    first: u32,
    /// One past the last row in the buffers.
    end: u32,
}

impl LevelRows {
    pub(super) fn new(plan: &CogPlan, share: &LevelShare) -> Self {
        let spec = plan.spec();
        let layout = if plan.is_chunky() { StripeLayout::Chunky } else { StripeLayout::Planar };
        Self {
            left: share.window.columns.start,
            width: share.window.width() as usize,
            bands: spec.bands.into(),
            sample_size: spec.data_type.size(),
            layout,
            tile_height: share.level.tile_size.height,
            height: share.window.height(),
            planes: vec![AlignedBytes::default(); plan.grid().planes.into()],
            mask: spec.mask.then(AlignedBytes::default),
            first: share.window.rows.start,
            end: share.window.rows.start,
        }
    }

    /// Returns a buffer for the same columns of the same level, without rows.
    pub(super) fn like(&self) -> Self {
        Self {
            planes: vec![AlignedBytes::default(); self.planes.len()],
            mask: self.mask.as_ref().map(|_| AlignedBytes::default()),
            ..*self
        }
    }

    /// Returns the first column of the window.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    /// Returns the number of columns in the window.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns the first buffered row.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// Returns the row after the last buffered row.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    /// Returns the rows per tile.
    pub(super) fn tile_height(&self) -> u32 {
        self.tile_height
    }

    /// Returns the bytes in a row of an image plane.
    pub(crate) fn row_bytes(&self) -> usize {
        let samples = match self.layout {
            StripeLayout::Chunky => self.bands,
            StripeLayout::Planar => 1,
        };
        self.width * samples * self.sample_size
    }

    /// Returns the samples per pixel in an image plane.
    pub(super) fn samples(&self) -> usize {
        match self.layout {
            StripeLayout::Chunky => self.bands,
            StripeLayout::Planar => 1,
        }
    }

    /// Returns the rows of an image plane from row `row` on, which must be buffered.
    pub(crate) fn plane_from(&self, plane: usize, row: u32) -> &[u8] {
        &self.planes[plane].bytes()[(row - self.first) as usize * self.row_bytes()..]
    }

    /// Returns the rows of the mask from row `row` on; `None` without a mask.
    pub(crate) fn mask_from(&self, row: u32) -> Option<&[u8]> {
        self.mask.as_ref().map(|mask| &mask.bytes()[(row - self.first) as usize * self.width..])
    }

    /// Reserves memory for `count` rows, but at most for those of the window.
    pub(super) fn reserve(&mut self, count: u32) -> Result<()> {
        self.stripe(count.min(self.height)).map(drop)
    }

    /// Returns a stripe for `count` rows after the buffered ones.
    pub(super) fn stripe(&mut self, count: u32) -> Result<Stripe<'_>> {
        const WHAT: &str = "a row of tiles";
        let held = (self.end - self.first) as usize;
        let rows = held + count as usize;
        let row_bytes = self.row_bytes();
        let (width, bands, sample_size, layout) = (self.width, self.bands, self.sample_size, self.layout);
        let region = |buffer: &mut AlignedBytes, row_bytes: usize| {
            let length = rows
                .checked_mul(row_bytes)
                .ok_or_else(|| Error::limit("bytes of a row of tiles", u64::MAX, usize::MAX as u64))?;
            buffer.grow(length, WHAT)?;
            Ok::<_, Error>(held * row_bytes..length)
        };
        let planes = self
            .planes
            .iter_mut()
            .map(|plane| {
                let range = region(plane, row_bytes)?;
                Ok(&mut plane.bytes_mut()[range])
            })
            .collect::<Result<_>>()?;
        let mask = match &mut self.mask {
            Some(mask) => {
                let range = region(mask, width)?;
                Some(&mut mask.bytes_mut()[range])
            }
            None => None,
        };
        Ok(Stripe { width, rows: count as usize, bands, sample_size, layout, planes, mask })
    }

    /// Drops all rows; `row` is the next one.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn restart(&mut self, row: u32) {
        (self.first, self.end) = (row, row);
    }

    /// Copies all rows to (row, column) of a stripe.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn copy_to(&self, stripe: &mut Stripe<'_>, (row, column): (usize, usize)) {
        let (from, rows) = (self.row_bytes(), (self.end - self.first) as usize);
        let (to, pixel) = (stripe.row_bytes(), from / self.width.max(1));
        for (plane, target) in stripe.planes.iter_mut().enumerate() {
            let lines = self.plane_from(plane, self.first).chunks_exact(from).take(rows);
            for (source, target) in lines.zip(target.chunks_exact_mut(to).skip(row)) {
                target[column * pixel..][..from].copy_from_slice(source);
            }
        }
        if let (Some(mask), Some(target)) = (self.mask_from(self.first), &mut stripe.mask) {
            let lines = mask.chunks_exact(self.width).take(rows);
            for (source, target) in lines.zip(target.chunks_exact_mut(stripe.width).skip(row)) {
                target[column..][..self.width].copy_from_slice(source);
            }
        }
    }

    /// Marks the first `count` rows of the last stripe as filled.
    pub(super) fn commit(&mut self, count: u32) {
        self.end += count;
    }

    /// Replaces the contents by the rows of `other` from row `first` on, and returns a stripe for `count` more rows.
    pub(super) fn begin_with(&mut self, other: &Self, first: u32, count: u32) -> Result<Stripe<'_>> {
        let first = first.clamp(other.first, other.end);
        (self.first, self.end) = (first, first);
        let kept = other.end - first;
        let mut stripe = self.stripe(kept + count)?;
        let (row_bytes, width) = (other.row_bytes(), other.width);
        for (plane, to) in stripe.planes.iter_mut().enumerate() {
            let bytes = kept as usize * row_bytes;
            to[..bytes].copy_from_slice(&other.plane_from(plane, first)[..bytes]);
        }
        if let (Some(to), Some(from)) = (&mut stripe.mask, other.mask_from(first)) {
            let bytes = kept as usize * width;
            to[..bytes].copy_from_slice(&from[..bytes]);
        }
        self.end = other.end;
        self.stripe(count)
    }

    /// Drops all rows before `row`.
    pub(super) fn forget(&mut self, row: u32) {
        let row = row.clamp(self.first, self.end);
        let dropped = (row - self.first) as usize;
        if dropped == 0 {
            return;
        }
        let kept = (self.end - row) as usize;
        let row_bytes = self.row_bytes();
        for plane in &mut self.planes {
            plane.bytes_mut().copy_within(dropped * row_bytes..(dropped + kept) * row_bytes, 0);
        }
        if let Some(mask) = &mut self.mask {
            mask.bytes_mut().copy_within(dropped * self.width..(dropped + kept) * self.width, 0);
        }
        self.first = row;
    }
}
