//! Images made by arithmetic.

use cogsmith::{CogPlan, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, PixelSource, StoreOptions, Stripe};
use std::ops::ControlFlow;

/// A source that computes each sample from its place: bytes that look like terrain with some noise, for any type.
pub struct Computed {
    pub spec: ImageSpec,
}

impl Computed {
    /// The byte `index` of the sample of `band` at (`row`, `column`).
    pub fn byte(row: usize, column: usize, band: usize, index: usize) -> u8 {
        let smooth = row / 7 + column / 5 + 31 * band;
        let noise = (row * 2_654_435_761 + column * 40_503 + band * 97 + index) >> 7;
        match index {
            0 => (smooth + noise % 13) as u8,
            _ => (smooth >> (3 * index)) as u8 & 0x3F,
        }
    }

    pub fn is_valid(row: usize, column: usize) -> bool {
        (row / 40 + column / 30) % 5 != 0
    }
}

impl PixelSource for Computed {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        let (width, bands, size) = (stripe.width, stripe.bands, stripe.sample_size);
        for row in 0..stripe.rows {
            let at = first_row as usize + row;
            let mut pixels = Vec::with_capacity(width * bands * size);
            for column in 0..width {
                for band in 0..bands {
                    pixels.extend((0..size).map(|index| Self::byte(at, column, band, index)));
                }
            }
            if let Some(bits) = self.spec.bits_per_sample {
                for sample in pixels.chunks_mut(size) {
                    for (index, byte) in sample.iter_mut().enumerate() {
                        let left = (usize::from(bits)).saturating_sub(8 * index).min(8);
                        *byte &= ((1u16 << left) - 1) as u8;
                    }
                }
            }
            stripe.put_pixels(row, 0, &pixels);
            let mask: Vec<u8> = (0..width).map(|column| u8::from(Self::is_valid(at, column))).collect();
            stripe.put_mask(row, 0, &mask);
        }
        Ok(())
    }
}

/// A file from a computed image.
pub fn encode(spec: &ImageSpec, options: &EncodeOptions, executor: &Executor) -> Vec<u8> {
    let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).expect("a valid plan");
    let mut bytes = Vec::new();
    let mut source = Computed { spec: spec.clone() };
    let go_on = &mut |_| ControlFlow::Continue(());
    cogsmith::encode(&mut source, &plan, executor, &StoreOptions::default(), &mut bytes, go_on).expect("encodes");
    bytes
}
