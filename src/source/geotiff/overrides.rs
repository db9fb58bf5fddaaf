//! Values set by the caller, which override the file.

use crate::error::Result;
use crate::geo::Crs;
use crate::sample::Nodata;

use super::super::overridden::set_nodata;
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
        set_nodata(&mut self.spec, &mut self.metadata, nodata)
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
