//! What a caller knows better than the file.

use crate::error::{Error, Result};
use crate::geo::Crs;
use crate::sample::Nodata;

use super::GeoTiffSource;
use super::image::widen;

impl GeoTiffSource {
    /// Says which value stands for no data, whatever the file says; pixels stay as they are.
    ///
    /// Statistics in the metadata (`STATISTICS_…`) count other pixels than before and are left out, unless the value
    /// is the one that the file has.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a value that no sample of the file's type can
    /// have, such as -9999 for `u8`.
    pub fn set_nodata(&mut self, nodata: Option<Nodata>) -> Result<()> {
        let data_type = self.spec.data_type;
        if let Some(value) = nodata.filter(|value| !value.fits(data_type)) {
            let value = value.as_f64();
            return Err(Error::option("nodata", format!("no sample of type {data_type} can be {value}")));
        }
        if !same_nodata(nodata, self.spec.nodata) {
            self.metadata.drop_statistics();
        }
        self.spec.nodata = nodata;
        Ok(())
    }

    /// Says which coordinate reference system the raster has, whatever the file says; its place in the model space and
    /// whether coordinates are those of areas or points stay as they are. A coordinate epoch of the file's own system
    /// goes with it.
    ///
    /// # Errors
    /// Those of [`Crs::geo_keys`].
    pub fn set_crs(&mut self, crs: &Crs) -> Result<()> {
        self.geo = std::mem::take(&mut self.geo).with_crs(crs)?;
        Ok(())
    }

    /// Asks for samples of 8, 16 or 32 bits where the file has fewer (GDAL's NBITS). A palette grows with them: entries
    /// that the file doesn't have are black.
    pub fn widen(&mut self) {
        widen(&mut self.spec);
    }
}

/// Whether two nodata values are the same; NaN is NaN.
pub(super) fn same_nodata(a: Option<Nodata>, b: Option<Nodata>) -> bool {
    // NaN equals nothing, not even itself.
    let both_nan = |(a, b): (Nodata, Nodata)| a.as_f64().is_nan() && b.as_f64().is_nan();
    a == b || a.zip(b).is_some_and(both_nan)
}
