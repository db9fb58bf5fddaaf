//! Images for benchmarks: fractal-like terrain with noise in the low bits, by arithmetic alone.

#![allow(dead_code, reason = "every benchmark takes its own part")]

use std::ops::ControlFlow;

use cogsmith::{
    CogPlan, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, PixelSource, StoreOptions, Stripe,
};

/// A 16-bit terrain that is computed when its rows are asked for.
pub struct Terrain {
    spec: ImageSpec,
    row: Vec<u16>,
}

impl Terrain {
    pub fn new(width: u32, height: u32, bands: u16) -> Self {
        Self { spec: ImageSpec::new(width, height, bands, DataType::U16), row: Vec::new() }
    }

    pub fn sample(row: u32, column: u32, band: u32) -> u16 {
        let hill = |scale: u32| {
            let (x, y) = ((column + 17 * band) % (2 * scale), row % (2 * scale));
            let fold = |value: u32| if value < scale { value } else { 2 * scale - value };
            fold(x) + fold(y)
        };
        let mut noise = row.wrapping_mul(0x9E37_79B1) ^ column.wrapping_mul(0x85EB_CA77) ^ band;
        noise = (noise ^ (noise >> 15)).wrapping_mul(0x2C1B_3C6D);
        let height = hill(512) + hill(200) / 2 + hill(61) / 3 + (noise >> 27);
        height as u16
    }
}

impl PixelSource for Terrain {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        for row in 0..stripe.rows {
            let at = first_row + row as u32;
            let bands = u32::from(self.spec.bands);
            self.row.clear();
            self.row.extend((0..self.spec.width * bands).map(|index| Self::sample(at, index / bands, index % bands)));
            stripe.put_pixels(row, 0, bytemuck::cast_slice(&self.row));
        }
        Ok(())
    }
}

/// An image whose rows are in memory, so that computing them isn't measured.
pub struct Held {
    spec: ImageSpec,
    pixels: Vec<u16>,
}

impl Held {
    pub fn terrain(width: u32, height: u32, bands: u16) -> Self {
        let spec = ImageSpec::new(width, height, bands, DataType::U16);
        let bands = u32::from(bands);
        let pixels = (0..height)
            .flat_map(|row| (0..width * bands).map(move |index| Terrain::sample(row, index / bands, index % bands)))
            .collect();
        Self { spec, pixels }
    }

    pub fn bytes(&self) -> usize {
        self.pixels.len() * 2
    }

    /// Encodes to memory; returns the size of the file.
    pub fn encode(&self, options: &EncodeOptions, executor: &Executor) -> u64 {
        let plan = CogPlan::new(&self.spec, &GeoRef::default(), &Metadata::default(), options).expect("a valid plan");
        let mut source = cogsmith::SliceSource::new(self.spec.clone(), &self.pixels).expect("all pixels");
        let store = StoreOptions::new().memory(u64::MAX);
        let go_on = &mut |_| ControlFlow::Continue(());
        let written = cogsmith::encode(&mut source, &plan, executor, &store, &mut std::io::sink(), go_on);
        written.expect("encodes").bytes
    }
}
