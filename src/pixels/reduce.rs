//! Smaller images, computed by an overview kernel.

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::options::{Compression, EncodeOptions, Overviews, Resampling, TileSize};
use crate::plan::{CogPlan, Share};
use crate::pyramid::Cascade;
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe};

use super::buffer::RowBuffer;

/// Rows of the result are kept in units of so many; the smallest tile side.
const UNIT: u32 = 16;

/// A source that is smaller than another one.
pub(super) struct ReducedSource<S> {
    inner: S,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    pyramid: Cascade,
    /// The row of the inner source after the last one that was read.
    next_row: u32,
}

impl<S: RasterSource> ReducedSource<S> {
    pub(super) fn new(inner: S, (width, height): (u32, u32), resampling: Option<Resampling>) -> Result<Self> {
        let all = inner.spec();
        if width == 0 || height == 0 || width > all.width || height > all.height {
            let (columns, rows) = (all.width, all.height);
            let reason = format!("{width}x{height} is not between 1x1 and {columns}x{rows}, the size of the image");
            return Err(Error::option(OptionField::Size, reason));
        }
        let options = EncodeOptions::new()
            .tile_size(TileSize::square(UNIT))
            .compression(Compression::None)
            .overviews(Overviews::Finished(vec![(width, height)]))
            .resampling(resampling);
        let plan = CogPlan::new(all, &GeoRef::default(), &Metadata::default(), &options)?;
        let (mut geo, mut metadata) = (inner.geo().clone(), inner.metadata().clone());
        let (across, down) = (f64::from(all.width) / f64::from(width), f64::from(all.height) / f64::from(height));
        geo.reduce(across, down);
        metadata.reduce(across, down);
        metadata.drop_statistics();
        let spec = all.clone().width(width).height(height).overviews([]);
        Ok(Self { spec, geo, metadata, pyramid: Cascade::of(&plan, &Share::whole(&plan)), next_row: 0, inner })
    }

    /// Reads rows of the inner source until row `end` of this one has been computed.
    fn compute(&mut self, end: u32, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        while self.pyramid.level(1).end() < end {
            let rest = all.height.saturating_sub(self.next_row);
            let rows = RowBuffer::rows_at_once(&all, rest as usize);
            let rows = u32::try_from(rows).unwrap_or(u32::MAX).min(rest);
            let mut stripe = self.pyramid.stripe(rows)?;
            self.inner.read_rows(self.next_row, &mut stripe, executor)?;
            self.pyramid.commit(rows);
            self.next_row += rows;
            self.pyramid.advance(executor)?;
            // Only the kernel needs rows of the inner source.
            self.pyramid.forget(&[u32::MAX, 0]);
        }
        Ok(())
    }
}

impl<S: RasterSource> PixelSource for ReducedSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.pyramid.forget(&[u32::MAX, first_row / UNIT]);
        self.compute(first_row.saturating_add(u32::try_from(stripe.rows).unwrap_or(u32::MAX)), executor)?;
        let rows = self.pyramid.level(1);
        let row_bytes = rows.row_bytes();
        for (row, pixels) in rows.plane_from(0, first_row).chunks_exact(row_bytes).take(stripe.rows).enumerate() {
            stripe.put_pixels(row, 0, pixels);
        }
        if let Some(mask) = rows.mask_from(first_row) {
            let pixels = stripe.rows * stripe.width;
            stripe.put_mask(0, 0, &mask[..pixels]);
        }
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for ReducedSource<S> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}
