//! Values set by the caller, which override the file.

use crate::error::{Error, Result};
use crate::geo::Crs;
use crate::sample::Nodata;

use super::GeoTiffSource;
use super::image::widen;

impl GeoTiffSource {
    /// Sets the nodata value, whatever the file says; pixel values are unchanged.
    ///
    /// Statistics in the metadata (`STATISTICS_…`) no longer cover the valid pixels and are dropped, unless the file
    /// has the same value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a value that the file's data type cannot
    /// represent, such as -9999 for `u8`.
    pub fn set_nodata(&mut self, nodata: Option<Nodata>) -> Result<()> {
        let data_type = self.spec.data_type;
        if let Some(reason) = nodata.and_then(|value| value.misfit(data_type)) {
            return Err(Error::option("nodata", reason));
        }
        if !same_nodata(nodata, self.spec.nodata) {
            self.metadata.drop_statistics();
        }
        self.spec.nodata = nodata;
        Ok(())
    }

    /// Sets the coordinate reference system, whatever the file says. The transform and the raster type are unchanged. A
    /// coordinate epoch of the file's own system is dropped with it.
    ///
    /// # Errors
    /// The errors of [`Crs::geo_keys`].
    pub fn set_crs(&mut self, crs: &Crs) -> Result<()> {
        self.geo = std::mem::take(&mut self.geo).with_crs(crs)?;
        Ok(())
    }

    /// Widens samples to 8, 16, or 32 bits if the file has fewer (GDAL's NBITS). A palette grows accordingly: entries
    /// that the file does not have are black.
    pub fn widen(&mut self) {
        widen(&mut self.spec);
    }
}

/// Returns true if two nodata values are the same; NaN equals NaN.
pub(super) fn same_nodata(a: Option<Nodata>, b: Option<Nodata>) -> bool {
    // By IEEE 754, NaN equals nothing, not even itself.
    let both_nan = |(a, b): (Nodata, Nodata)| a.as_f64().is_nan() && b.as_f64().is_nan();
    a == b || a.zip(b).is_some_and(both_nan)
}
