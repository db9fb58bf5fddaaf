//! Parts of a stripe without data, which a source records instead of filling them.

use std::ops::Range;

use super::Stripe;

/// A rectangle of a stripe, counted from its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlankArea {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

/// The parts of a stripe that a source has left blank.
#[derive(Debug)]
pub(crate) struct Blanks {
    /// The bytes that every sample of a blank part has.
    pub(crate) sample: Vec<u8>,
    /// Parts in which every sample of all bands is [`sample`](Self::sample).
    pub(crate) image: Vec<BlankArea>,
    /// Parts in which every pixel is masked.
    pub(crate) mask: Vec<BlankArea>,
}

impl Blanks {
    pub(crate) fn new(sample: Vec<u8>) -> Self {
        Self { sample, image: Vec::new(), mask: Vec::new() }
    }
}

impl Stripe<'_> {
    /// Returns the bytes of the sample, in native byte order, that parts may be [left blank](Self::leave_blank) with; `None`
    /// if all pixels have to be filled.
    #[must_use]
    pub fn blank_sample(&self) -> Option<&[u8]> {
        self.blanks.as_ref().map(|blanks| blanks.sample.as_slice())
    }

    /// Leaves a rectangle blank, for [`PixelSource::read_sparse_rows`](super::PixelSource::read_sparse_rows): every sample of
    /// all bands counts as the [blank one](Self::blank_sample), and every pixel as masked if there is a mask. What the planes
    /// hold there does not matter. Rectangles must not overlap. Does nothing if there is no blank sample.
    pub fn leave_blank(&mut self, rows: Range<usize>, columns: Range<usize>) {
        let area = BlankArea { rows, columns };
        self.leave_image_blank(vec![area.clone()]);
        self.leave_mask_blank(vec![area]);
    }

    /// Leaves all bands blank in some parts.
    pub(crate) fn leave_image_blank(&mut self, areas: Vec<BlankArea>) {
        if let Some(blanks) = &mut self.blanks {
            blanks.image.extend(areas);
        }
    }

    /// Leaves the mask blank in some parts.
    pub(crate) fn leave_mask_blank(&mut self, areas: Vec<BlankArea>) {
        if let Some(blanks) = &mut self.blanks {
            blanks.mask.extend(areas);
        }
    }
}
