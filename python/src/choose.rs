//! Georeferencing and size of the pixels that are chosen from an array. Python slices the array itself.

use cogsmith::{
    DataType, ErrorKind, Executor, GeoRef, ImageSpec, PixelSource, RasterSource, Result as CogResult, Stripe,
};
use pyo3::prelude::*;

use crate::create::Pixels;
use crate::error::raise;
use crate::plan::Georeference;

/// An array that is not read.
struct Unread {
    spec: ImageSpec,
    geo: GeoRef,
}

impl PixelSource for Unread {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, _: &mut Stripe<'_>, _: &Executor) -> CogResult<()> {
        let what = "rows of an array of which only the size is known";
        Err(ErrorKind::PixelCount { what, expected: u64::from(first_row), got: 0 }.into())
    }
}

impl RasterSource for Unread {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }
}

/// A transform in the order of `affine.Affine`, ground control points, columns, and rows.
type Chosen = (Option<[f64; 6]>, Vec<[f64; 5]>, u32, u32);

/// Returns georeferencing and size of the pixels that are chosen from an array of `width` columns and `height` rows; an error for a window
/// or bounds that are not within it, or a grid that does not go around the globe.
#[pyfunction]
pub(crate) fn choose(width: u32, height: u32, georeference: Georeference, pixels: Pixels) -> PyResult<Chosen> {
    let array = Unread { spec: ImageSpec::new(width, height, 1, DataType::U8), geo: georeference.geo()? };
    let options = pixels.options()?;
    options.validate().map_err(raise)?;
    let chosen = options.apply(array).map_err(raise)?;
    let (geo, spec) = (chosen.geo(), chosen.spec());
    let points = geo.gcps().iter().map(|point| [point.column, point.row, point.x, point.y, point.z]).collect();
    Ok((geo.transform().map(|transform| transform.to_affine()), points, spec.width, spec.height))
}
