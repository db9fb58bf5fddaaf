//! A window of an image in memory as a source, for shards.

use cogsmith::Rectangle;
use cogsmith::Stripe;
use cogsmith::{Executor, ImageSpec, PixelSource};

/// A window of an image with its pixels, (row, column, band), and its mask, which may be empty.
pub struct Part<'a> {
    pixels: &'a [u8],
    mask: &'a [u8],
    /// Columns of the image.
    width: usize,
    window: Rectangle,
    spec: ImageSpec,
}

impl<'a> Part<'a> {
    pub fn new(image: &ImageSpec, pixels: &'a [u8], mask: &'a [u8], window: Rectangle) -> Self {
        let spec = image.clone().width(window.width()).height(window.height());
        Self { pixels, mask, width: image.width as usize, window, spec }
    }
}

impl PixelSource for Part<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        let pixel = stripe.bands * stripe.sample_size;
        for row in 0..stripe.rows {
            let at = (self.window.rows.start + first_row) as usize + row;
            let start = at * self.width + self.window.columns.start as usize;
            stripe.put_pixels(row, 0, &self.pixels[start * pixel..][..stripe.width * pixel]);
            if !self.mask.is_empty() {
                stripe.put_mask(row, 0, &self.mask[start..][..stripe.width]);
            }
        }
        Ok(())
    }
}
