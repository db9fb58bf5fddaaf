//! Palette images as colors.

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::sample::DataType;
use crate::source::RasterSource;
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::PaletteColors;
use super::buffer::{RowBuffer, rows_of};

/// A source with the colors of a palette image.
pub(super) struct ExpandedSource<S> {
    inner: S,
    spec: ImageSpec,
    metadata: Metadata,
    /// Red, green, blue, and alpha of every index; alpha 0 is nodata.
    colors: Vec<[u8; 4]>,
    rows: RowBuffer,
}

impl<S: RasterSource> ExpandedSource<S> {
    pub(super) fn new(inner: S, expand: PaletteColors) -> Result<Self> {
        let all = inner.spec();
        if !all.has_color_map() {
            return Err(Error::option(OptionField::ExpandPalette, "the image has no palette; leave the option out"));
        }
        if all.bands != 1 {
            let reason = format!("the image has {} bands; select the one with the palette", all.bands);
            return Err(Error::option(OptionField::ExpandPalette, reason));
        }
        let colors = colors(all);
        let nodata = colors.iter().any(|[.., alpha]| *alpha == 0);
        let (bands, extra_samples) = match expand {
            PaletteColors::Rgb => (3, Vec::new()),
            PaletteColors::Rgba => (4, vec![ExtraSample::UnassociatedAlpha]),
        };
        let mut spec = ImageSpec::new(all.width, all.height, bands, DataType::U8);
        spec.photometric = Photometric::Rgb;
        spec.extra_samples = extra_samples;
        spec.mask = all.mask || (nodata && expand == PaletteColors::Rgb);
        // Descriptions and statistics of the indices are not those of the colors.
        let mut metadata = inner.metadata().clone();
        metadata.select_bands(&[]);
        Ok(Self { inner, spec, metadata, colors, rows: RowBuffer::default() })
    }
}

/// Returns the colors of a color map, whose values have 16 bits.
fn colors(spec: &ImageSpec) -> Vec<[u8; 4]> {
    let count = spec.color_map.len() / 3;
    // 8-bit colors are written times 257, or times 256 by some software; GDAL looks at them in the same way.
    let times = |factor: u16| spec.color_map.iter().all(|value| value % factor == 0);
    let divisor = if !times(257) && times(256) { 256 } else { 257 };
    let part = |part: usize, index: usize| {
        let value = spec.color_map[part * count + index] / divisor;
        u8::try_from(value).unwrap_or(u8::MAX)
    };
    let nodata = spec.nodata_in_range().map(|nodata| nodata.as_f64());
    let color = |index: usize| {
        #[expect(clippy::cast_precision_loss, reason = "at most 16 bits")]
        let alpha = if nodata == Some(index as f64) { 0 } else { u8::MAX };
        [part(0, index), part(1, index), part(2, index), alpha]
    };
    (0..count).map(color).collect()
}

impl<S: RasterSource> PixelSource for ExpandedSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let (colors, bands) = (&self.colors, stripe.bands);
        let at_once = RowBuffer::rows_at_once(&all, stripe.rows);
        for start in (0..stripe.rows).step_by(at_once) {
            let count = at_once.min(stripe.rows - start);
            let mut read = self.rows.stripe(&all, StripeLayout::Chunky, count)?;
            let first = first_row.saturating_add(u32::try_from(start).unwrap_or(u32::MAX));
            self.inner.read_rows(first, &mut read, executor)?;
            let mut target = rows_of(stripe, start, count);
            target.fill(executor, |row, window, window_row| {
                let indices = &read.planes[0][row * read.row_bytes()..][..read.row_bytes()];
                let color = |index: usize| colors.get(index).copied().unwrap_or([0, 0, 0, u8::MAX]);
                let all: Vec<[u8; 4]> = match all.data_type {
                    DataType::U8 => indices.iter().map(|index| color((*index).into())).collect(),
                    _ => indices.as_chunks::<2>().0.iter().map(|two| color(u16::from_ne_bytes(*two).into())).collect(),
                };
                let pixels: Vec<u8> = all.iter().flat_map(|color| &color[..bands]).copied().collect();
                window.put_pixels(window_row, &pixels);
                let Some(mask) = window.mask_row(window_row) else { return };
                match &read.mask {
                    Some(own) => mask.copy_from_slice(&own[row * read.width..][..read.width]),
                    None => mask.fill(u8::MAX),
                }
                if bands == 3 {
                    for (valid, [.., alpha]) in mask.iter_mut().zip(&all) {
                        *valid = (*valid).min(*alpha);
                    }
                }
            });
        }
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for ExpandedSource<S> {
    fn geo(&self) -> &GeoRef {
        self.inner.geo()
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}
