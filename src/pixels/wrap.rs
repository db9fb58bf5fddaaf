//! Global grids that start at another longitude.

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata, Transform};
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::buffer::{RowBuffer, rows_of};

/// Degrees around the globe.
const AROUND: f64 = 360.0;
/// Distance in pixels that does not count.
const TOLERANCE: f64 = 0.001;

/// A source whose columns go around the globe, beginning at another one.
pub(super) struct WrappedSource<S> {
    inner: S,
    geo: GeoRef,
    /// The column of the inner source that comes first.
    first: usize,
    rows: RowBuffer,
}

impl<S: RasterSource> WrappedSource<S> {
    /// Begins with the first column whose center is not west of `longitude`.
    ///
    /// # Errors
    /// For an image that does not go around the globe in whole columns.
    pub(super) fn new(inner: S, longitude: f64) -> Result<Self> {
        let refuse = |reason: String| Err(Error::option(OptionField::WrapLongitude, reason));
        let spec = inner.spec();
        let Some(transform) = inner.geo().transform() else {
            return refuse("the image has no transform, so its longitudes are not known".into());
        };
        let [left, across, row_x, top, column_y, down] = transform.to_gdal();
        if row_x != 0.0 || column_y != 0.0 || across <= 0.0 {
            return refuse("columns do not run from west to east".into());
        }
        let width = f64::from(spec.width);
        let around = width * across;
        if (around - AROUND).abs() > TOLERANCE * across {
            return refuse(format!(
                "{} columns of {across} degrees are {around} degrees, not {AROUND}; select the columns of a whole turn first",
                spec.width
            ));
        }
        // The centers count: a grid of points from 0 to 359 then begins at -180, as one of areas does.
        let steps = ((longitude - (left + across / 2.0)) / across - TOLERANCE).ceil();
        let moved = left + steps * across;
        // The numbers of the caller, which a multiple of the pixel size would round.
        let centered = longitude - across / 2.0;
        let near = |number: f64| (moved - number).abs() <= TOLERANCE * across;
        let moved = if near(longitude) {
            longitude
        } else if near(centered) {
            centered
        } else {
            moved
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the width")]
        let first = steps.rem_euclid(width) as usize;
        let geo = match first {
            0 if moved.to_bits() == left.to_bits() => inner.geo().clone(),
            _ => inner.geo().placed_at(Transform::from_gdal([moved, across, row_x, top, column_y, down])?),
        };
        Ok(Self { inner, geo, first, rows: RowBuffer::default() })
    }
}

impl<S: RasterSource> PixelSource for WrappedSource<S> {
    fn spec(&self) -> &ImageSpec {
        self.inner.spec()
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let at_once = RowBuffer::rows_at_once(&all, stripe.rows);
        for start in (0..stripe.rows).step_by(at_once) {
            let count = at_once.min(stripe.rows - start);
            let mut read = self.rows.stripe(&all, stripe.layout, count)?;
            let first = first_row.saturating_add(u32::try_from(start).unwrap_or(u32::MAX));
            self.inner.read_rows(first, &mut read, executor)?;
            let (row_bytes, width) = (read.row_bytes(), read.width);
            let split = self.first * (row_bytes / width.max(1));
            let turned = |row: &[u8], split: usize| [&row[split..], &row[..split]].concat();
            let planes = read.planes.len();
            rows_of(stripe, start, count).fill(executor, |row, window, window_row| {
                let line = |plane: usize| turned(&read.planes[plane][row * row_bytes..][..row_bytes], split);
                if read.layout == StripeLayout::Chunky {
                    window.put_pixels(window_row, &line(0));
                } else {
                    (0..planes).for_each(|band| window.put_band(band, window_row, &line(band)));
                }
                if let (Some(mask), Some(to)) = (&read.mask, window.mask_row(window_row)) {
                    to.copy_from_slice(&turned(&mask[row * width..][..width], self.first));
                }
            });
        }
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for WrappedSource<S> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}
