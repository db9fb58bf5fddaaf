//! Sources with nodata, georeferencing, or metadata set by the caller.

use crate::error::Result;
use crate::executor::Executor;
use crate::geo::{Crs, GeoRef, Metadata};
use crate::sample::Nodata;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe};

use super::RasterSource;

/// A source whose nodata value, georeferencing, or metadata are replaced. Pixels are unchanged.
///
/// ```
/// use cogsmith::{ArraySource, Crs, MaskPolicy, MaskedSource, Nodata, OverriddenSource, PixelSource, RasterSource};
/// let pixels = ndarray::array![[0u8, 7], [3, 9]];
/// let mut source = OverriddenSource::new(ArraySource::new(pixels.view())?);
/// source.set_nodata(Some(Nodata::from(0u64)))?;
/// source.set_crs(&Crs::epsg(32633)?)?;
/// let source = MaskedSource::with_metadata(source, MaskPolicy::Nodata)?;
/// assert!(source.spec().mask && source.geo().keys().is_some());
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug)]
pub struct OverriddenSource<S> {
    inner: S,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
}

impl<S: RasterSource> OverriddenSource<S> {
    /// Creates a source that replaces nothing yet.
    #[must_use]
    pub fn new(inner: S) -> Self {
        let (spec, geo, metadata) = (inner.spec().clone(), inner.geo().clone(), inner.metadata().clone());
        Self { inner, spec, geo, metadata }
    }

    /// Returns the inner source.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Sets or removes the nodata value. Statistics in the metadata (`STATISTICS_…`) no longer cover the valid pixels
    /// and are dropped, unless the source has the same value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a value that the data type cannot represent,
    /// such as -9999 for `u8`.
    pub fn set_nodata(&mut self, nodata: Option<Nodata>) -> Result<()> {
        set_nodata(&mut self.spec, &mut self.metadata, nodata)
    }

    /// Widens samples to 8, 16, or 32 bits if the source has fewer: [`GeoTiffSource::widen`](crate::GeoTiffSource::widen).
    #[cfg(feature = "geotiff")]
    pub fn widen(&mut self) {
        super::geotiff::widen(&mut self.spec);
    }

    /// Sets the coordinate reference system. The transform and the raster type are unchanged. A coordinate epoch of the
    /// source's own system is dropped with it.
    ///
    /// # Errors
    /// The errors of [`Crs::geo_keys`].
    pub fn set_crs(&mut self, crs: &Crs) -> Result<()> {
        self.geo = std::mem::take(&mut self.geo).with_crs(crs)?;
        Ok(())
    }

    /// Replaces all georeferencing.
    pub fn set_geo(&mut self, geo: GeoRef) {
        self.geo = geo;
    }

    /// Replaces all metadata.
    pub fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = metadata;
    }
}

impl<S: PixelSource> PixelSource for OverriddenSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.inner.read_rows(first_row, stripe, executor)
    }

    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.inner.read_sparse_rows(first_row, stripe, executor)
    }

    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        let overviews = self.inner.take_overviews()?;
        let overridden = overviews.into_iter().map(|overview| {
            let (width, height) = (overview.spec().width, overview.spec().height);
            let spec = self.spec.clone().width(width).height(height).overviews([]);
            let (geo, metadata) = (GeoRef::default(), Metadata::default());
            Box::new(OverriddenSource { inner: overview, spec, geo, metadata }) as Box<dyn PixelSource + Send>
        });
        Ok(overridden.collect())
    }
}

impl<S: RasterSource> RasterSource for OverriddenSource<S> {
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

/// Sets the nodata value of an image, and drops statistics if it differs from the present one.
pub(crate) fn set_nodata(spec: &mut ImageSpec, metadata: &mut Metadata, nodata: Option<Nodata>) -> Result<()> {
    nodata.map_or(Ok(()), |value| value.check(spec.data_type))?;
    if !same_nodata(nodata, spec.nodata) {
        metadata.drop_statistics();
    }
    spec.nodata = nodata;
    Ok(())
}

/// Returns true if two nodata values are the same; NaN equals NaN.
pub(super) fn same_nodata(a: Option<Nodata>, b: Option<Nodata>) -> bool {
    // By IEEE 754, NaN equals nothing, not even itself.
    let both_nan = |(a, b): (Nodata, Nodata)| a.as_f64().is_nan() && b.as_f64().is_nan();
    a == b || a.zip(b).is_some_and(both_nan)
}
