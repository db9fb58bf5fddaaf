//! Georeferencing and metadata, as stored in a GeoTIFF.

mod color;
pub(crate) mod colors;
mod common;
pub(crate) mod crs;
mod keys;
#[cfg(feature = "geotiff")]
mod merge;
pub(crate) mod metadata;
pub(crate) mod numbers;
mod overrides;
mod pixels;
pub(crate) mod points;
mod raster_type;
pub(crate) mod text;
pub(crate) mod transform;

use crate::error::{Error, OptionField, Result};
use crate::tiff::{Tag, TagValue};

pub use color::ColorInterpretation;
pub use crs::{Crs, CrsKind, CrsUnit};
pub use keys::GeoKeys;
pub use metadata::{Metadata, MetadataItem};
pub use overrides::{BandValue, MetadataOverride, Overrides};
pub use points::{Gcp, Rpc};
pub use raster_type::PixelIs;
pub use transform::{Bounds, Transform};

/// Numbers per tiepoint: raster x, y, z, then model x, y, z.
const NUMBERS_OF_TIEPOINT: usize = 6;

/// Georeferencing of a raster, in the terms of GeoTIFF 1.1 (OGC 19-008). Empty by default.
///
/// It holds the values of the tags, so that what was read from a file is written back unchanged. Values set here are
/// checked and become the tags that GDAL would write for them; the order of the calls does not matter.
///
/// A Sentinel-2 tile in UTM, from its upper-left corner and pixel size:
///
/// ```
/// use cogsmith::{Bounds, Crs, GeoRef, Transform};
/// let utm = Crs::epsg(32633)?;
/// let geo = GeoRef::default().with_crs(&utm)?.with_transform(Transform::north_up(499980.0, 5000040.0, 10.0, 10.0)?);
/// let bounds = Bounds { left: 499980.0, bottom: 4890240.0, right: 609780.0, top: 5000040.0 };
/// assert_eq!(geo.bounds(10980, 10980), Some(bounds));
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// A drone image taken while flying northeast, with 5 cm pixels:
///
/// ```
/// use cogsmith::{Crs, GeoRef, Transform};
/// let (size, heading) = (0.05, 45f64.to_radians());
/// let (along, across) = (size * heading.cos(), size * heading.sin());
/// let transform = Transform::from_gdal([431020.5, along, across, 5413870.25, across, -along])?;
/// let geo = GeoRef::default().with_crs(&Crs::parse("EPSG:25832")?)?.with_transform(transform);
/// assert_eq!(geo.transform(), Some(transform)); // written as a matrix (tag 34264)
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeoRef {
    pub(crate) placement: Placement,
    pub(crate) keys: Option<GeoKeys>,
    pub(crate) rpc: Option<Rpc>,
}

/// Position of the pixels in model space (GeoTIFF 1.1 section 7.3), in the numbers of the file's tags.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Placement {
    /// No position.
    #[default]
    None,
    /// Pixel size along x, y, and z (tag 33550), and the raster and model position of one point (tag 33922).
    ScaleAndTiepoint {
        /// Model units per pixel along x, y (positive: rows go down), and z.
        scale: [f64; 3],
        /// Raster x, y, z, then model x, y, z, for one or more points; six numbers each.
        tiepoints: Vec<f64>,
    },
    /// Ground control points (tag 33922 alone): raster x, y, z, then model x, y, z for each.
    Tiepoints(Vec<f64>),
    /// A 4x4 matrix in row-major order (tag 34264).
    Matrix(Box<[f64; 16]>),
}

impl GeoRef {
    /// Returns whether there is no georeferencing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.placement == Placement::None && self.keys.is_none() && self.rpc.is_none()
    }

    /// Checks that the values have the shapes that their tags require.
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::image(format!("georeference: {reason}")));
        match &self.placement {
            Placement::ScaleAndTiepoint { scale, .. } if scale[0] == 0.0 || scale[1] == 0.0 => {
                return refuse(format!("the pixel size is {} x {}; neither may be 0", scale[0], scale[1]));
            }
            Placement::ScaleAndTiepoint { tiepoints, .. } | Placement::Tiepoints(tiepoints)
                if tiepoints.is_empty() || tiepoints.len() % NUMBERS_OF_TIEPOINT != 0 =>
            {
                return refuse(format!("{} tiepoint numbers; each point has {NUMBERS_OF_TIEPOINT}", tiepoints.len()));
            }
            _ => {}
        }
        if let Some(GeoKeys { directory, .. }) = &self.keys {
            let claimed = directory.get(3).map(|&count| 4 + 4 * usize::from(count));
            if claimed != Some(directory.len()) {
                return refuse(format!(
                    "the GeoKey directory has {} numbers, which does not match the key count in its header",
                    directory.len()
                ));
            }
        }
        Ok(())
    }

    /// Positions pixels by an affine transform, replacing any previous placement, with the tags that GDAL writes: scale
    /// and tiepoint if rows go down without rotation (tags 33550 and 33922), otherwise a matrix (tag 34264). Readers
    /// that follow OGC 21-026, which requires scale and tiepoint, may not support matrices.
    #[must_use]
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.placement = Placement::of(transform);
        self.placement.shift([self.pixel_is().shift(); 2]);
        self
    }

    /// Fits an image of this size to bounds, north up; like [`with_transform`](Self::with_transform).
    ///
    /// # Errors
    /// As [`Transform::from_bounds`].
    pub fn with_bounds(self, bounds: &Bounds, width: u32, height: u32) -> Result<Self> {
        Ok(self.with_transform(Transform::from_bounds(bounds, width, height)?))
    }

    /// Positions pixels by ground control points (tag 33922), replacing any previous placement.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an empty list, more than
    /// 10,922 points, and numbers that are not finite.
    pub fn with_gcps(mut self, gcps: &[Gcp]) -> Result<Self> {
        self.placement = Placement::Tiepoints(points::tiepoints(gcps, self.pixel_is().shift())?);
        Ok(self)
    }

    /// Adds rational polynomial coefficients (tag 50844), which can accompany any other placement.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for numbers that are not finite.
    pub fn with_rpc(mut self, rpc: Rpc) -> Result<Self> {
        if rpc.numbers().iter().any(|number| !number.is_finite()) {
            return Err(Error::option(OptionField::Rpc, "numbers must be finite"));
        }
        self.rpc = Some(rpc);
        Ok(self)
    }

    /// Sets the coordinate reference system from GeoKeys. The raster does not move. If the keys have a raster type
    /// ([`PixelIs`]), it applies; otherwise the previous one stays.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for inconsistent keys: a wrong count, keys out of
    /// order, missing values.
    pub fn with_keys(mut self, keys: GeoKeys) -> Result<Self> {
        keys.validate()?;
        let pixel_is = keys.pixel_is().unwrap_or(self.pixel_is());
        self = self.with_pixel_is(pixel_is);
        self.keys = Some(keys.with_pixel_is(pixel_is));
        Ok(self)
    }

    /// Sets the coordinate reference system. The raster does not move, and its raster type stays.
    ///
    /// # Errors
    /// As [`Crs::geo_keys`].
    pub fn with_crs(mut self, crs: &Crs) -> Result<Self> {
        self.keys = Some(crs.geo_keys()?.with_pixel_is(self.pixel_is()));
        Ok(self)
    }

    /// Sets the raster type (GTRasterTypeGeoKey). The raster does not move.
    #[must_use]
    pub fn with_pixel_is(mut self, pixel_is: PixelIs) -> Self {
        let before = self.pixel_is();
        if before != pixel_is {
            self.placement.shift([pixel_is.shift() - before.shift(); 2]);
            self.keys = Some(self.keys.take().unwrap_or_default().with_pixel_is(pixel_is));
        }
        self
    }

    /// Sets the conversion of samples to heights of a vertical CRS: height = offset + scale * sample, stored in the z
    /// values of scale and tiepoint, or of the matrix. GDAL reads it from single-band images whose CRS has a vertical
    /// part, and prefers it to the scale and offset of the [`Metadata`], which other readers use: set those too.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if no transform is set, for a scale of 0, and for
    /// numbers that are not finite.
    pub fn with_vertical_scale(mut self, z_scale: f64, z_offset: f64) -> Result<Self> {
        if !(z_scale.is_finite() && z_offset.is_finite()) || z_scale == 0.0 {
            return Err(Error::option(
                OptionField::Scale,
                format!("height scale {z_scale} or offset {z_offset} is out of range"),
            ));
        }
        match &mut self.placement {
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                scale[2] = z_scale;
                tiepoints.as_chunks_mut::<6>().0.iter_mut().for_each(|point| point[5] = z_offset);
            }
            Placement::Matrix(matrix) => (matrix[10], matrix[11]) = (z_scale, z_offset),
            Placement::None | Placement::Tiepoints(_) => {
                return Err(Error::option(OptionField::Scale, "heights need a transform; set it first"));
            }
        }
        Ok(self)
    }

    /// Returns the placement of the pixels, in the numbers of the file's tags.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Returns the GeoKeys.
    #[must_use]
    pub fn keys(&self) -> Option<&GeoKeys> {
        self.keys.as_ref()
    }

    /// Returns the rational polynomial coefficients.
    #[must_use]
    pub fn rpc(&self) -> Option<&Rpc> {
        self.rpc.as_ref()
    }

    /// Returns the raster type: whether a pixel is an area or a point.
    #[must_use]
    pub fn pixel_is(&self) -> PixelIs {
        self.keys.as_ref().and_then(GeoKeys::pixel_is).unwrap_or_default()
    }

    /// Returns the affine transform as GDAL reads it from the tags; `None` without one, and with ground control points.
    #[must_use]
    pub fn transform(&self) -> Option<Transform> {
        let shift = self.pixel_is().shift();
        let [c, a, b, f, d, e] = match &self.placement {
            Placement::None | Placement::Tiepoints(_) => return None,
            Placement::ScaleAndTiepoint { scale: [a, e, _], tiepoints } => {
                let &[column, row, _, x, y, _] = tiepoints.first_chunk::<6>()?;
                // GDAL assumes that rows go down, whatever the sign.
                let e = -e.abs();
                [x - column * a, *a, 0.0, y - row * e, 0.0, e]
            }
            Placement::Matrix(m) => [m[3], m[0], m[1], m[7], m[4], m[5]],
        };
        Some(Transform::unchecked([c - shift * (a + b), a, b, f - shift * (d + e), d, e]))
    }

    /// Returns the smallest bounds of an image of this size; `None` without a transform.
    #[must_use]
    pub fn bounds(&self, width: u32, height: u32) -> Option<Bounds> {
        self.transform().map(|transform| transform.bounds(width, height))
    }

    /// Returns the ground control points; empty if a transform positions the pixels.
    #[must_use]
    pub fn gcps(&self) -> Vec<Gcp> {
        match &self.placement {
            Placement::Tiepoints(tiepoints) => points::gcps(tiepoints, self.pixel_is().shift()),
            _ => Vec::new(),
        }
    }

    /// Returns the georeferencing tags, in the order in which GDAL writes their values.
    pub(crate) fn tags(&self) -> Vec<(Tag, TagValue)> {
        let mut tags = Vec::new();
        match &self.placement {
            Placement::None => {}
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                tags.push((Tag::MODEL_PIXEL_SCALE, TagValue::Double(scale.to_vec())));
                tags.push((Tag::MODEL_TIEPOINT, TagValue::Double(tiepoints.clone())));
            }
            Placement::Tiepoints(points) => tags.push((Tag::MODEL_TIEPOINT, TagValue::Double(points.clone()))),
            Placement::Matrix(matrix) => tags.push((Tag::MODEL_TRANSFORMATION, TagValue::Double(matrix.to_vec()))),
        }
        if let Some(keys) = &self.keys {
            tags.push((Tag::GEO_KEY_DIRECTORY, TagValue::Short(keys.directory.clone())));
            if !keys.doubles.is_empty() {
                tags.push((Tag::GEO_DOUBLE_PARAMS, TagValue::Double(keys.doubles.clone())));
            }
            if !keys.ascii.is_empty() {
                tags.push((Tag::GEO_ASCII_PARAMS, TagValue::Ascii(keys.ascii.clone())));
            }
        }
        if let Some(rpc) = &self.rpc {
            tags.push((Tag::RPC_COEFFICIENTS, TagValue::Double(rpc.numbers())));
        }
        tags
    }
}

impl Placement {
    /// Returns the placement for a transform of pixels that are areas, with the tags that GDAL chooses
    /// (`WriteGeoTIFFInfo`).
    fn of(transform: Transform) -> Self {
        let [c, a, b, f, d, e] = transform.to_gdal();
        if transform.is_north_up() {
            return Self::ScaleAndTiepoint { scale: [a, -e, 0.0], tiepoints: vec![0.0, 0.0, 0.0, c, f, 0.0] };
        }
        Self::Matrix(Box::new([a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
    }

    /// Moves the reference position right and down by columns and rows, keeping the raster in place.
    fn shift(&mut self, [columns, rows]: [f64; 2]) {
        if columns == 0.0 && rows == 0.0 {
            return;
        }
        match self {
            Self::None => {}
            Self::ScaleAndTiepoint { scale: [a, e, _], tiepoints } => {
                for point in tiepoints.as_chunks_mut::<6>().0 {
                    point[3] += columns * *a;
                    point[4] -= rows * e.abs();
                }
            }
            Self::Tiepoints(tiepoints) => {
                for [column, row, ..] in tiepoints.as_chunks_mut::<6>().0 {
                    (*column, *row) = (*column - columns, *row - rows);
                }
            }
            Self::Matrix(m) => {
                m[3] += columns * m[0] + rows * m[1];
                m[7] += columns * m[4] + rows * m[5];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GCP: Gcp = Gcp { column: 4.0, row: 5.0, x: 1.0, y: 2.0, z: 3.0 };

    #[test]
    fn transforms_become_the_tags_of_gdal() {
        let north = Transform::north_up(100.0, 200.0, 10.0, 20.0).unwrap();
        let geo = GeoRef::default().with_transform(north);
        let scale = [10.0, 20.0, 0.0];
        let tiepoints = vec![0.0, 0.0, 0.0, 100.0, 200.0, 0.0];
        assert_eq!(geo.placement, Placement::ScaleAndTiepoint { scale, tiepoints });
        for numbers in
            [[0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [5.0, 8.0, 3.0, 6.0, 3.0, -8.0], [0.0, 1.0, 0.5, 0.0, 0.0, -1.0]]
        {
            let transform = Transform::from_gdal(numbers).unwrap();
            let geo = GeoRef::default().with_transform(transform);
            assert!(matches!(geo.placement, Placement::Matrix(_)), "{numbers:?}");
            assert_eq!(geo.transform(), Some(transform));
        }
    }

    #[test]
    fn the_order_of_calls_does_not_matter() {
        let transforms = [
            Transform::north_up(100.0, 200.0, 10.0, 20.0).unwrap(),
            Transform::from_gdal([5.0, 8.0, 3.0, 6.0, 3.0, -8.0]).unwrap(),
        ];
        for transform in transforms {
            let first = GeoRef::default().with_pixel_is(PixelIs::Point).with_transform(transform);
            let last = GeoRef::default().with_transform(transform).with_pixel_is(PixelIs::Point);
            assert_eq!(first, last);
            assert_eq!((first.transform(), first.pixel_is()), (Some(transform), PixelIs::Point));
            assert_eq!(
                first.with_pixel_is(PixelIs::Area).placement,
                GeoRef::default().with_transform(transform).placement
            );
        }
        let first = GeoRef::default().with_pixel_is(PixelIs::Point).with_gcps(&[GCP]).unwrap();
        assert_eq!(first.placement, Placement::Tiepoints(vec![3.5, 4.5, 0.0, 1.0, 2.0, 3.0]));
        assert_eq!(first, GeoRef::default().with_gcps(&[GCP]).unwrap().with_pixel_is(PixelIs::Point));
        assert_eq!(first.gcps(), [GCP]);
        assert_eq!(first.transform(), None);
    }

    #[test]
    fn keys_keep_the_raster_in_its_place() {
        let transform = Transform::north_up(100.0, 200.0, 10.0, 20.0).unwrap();
        let silent = GeoKeys { directory: vec![1, 1, 0, 1, 3072, 0, 1, 32633], ..GeoKeys::default() };
        let area = GeoKeys { directory: vec![1, 1, 0, 2, 1025, 0, 1, 1, 3072, 0, 1, 32633], ..GeoKeys::default() };
        let point = GeoRef::default().with_pixel_is(PixelIs::Point).with_transform(transform);
        let geo = point.clone().with_keys(silent).unwrap();
        assert_eq!((geo.pixel_is(), geo.transform()), (PixelIs::Point, Some(transform)));
        let geo = point.with_keys(area).unwrap();
        assert_eq!((geo.pixel_is(), geo.transform()), (PixelIs::Area, Some(transform)));
    }

    #[test]
    fn heights_go_with_a_transform() {
        assert!(GeoRef::default().with_vertical_scale(0.1, 3.0).is_err());
        let geo = GeoRef::default().with_transform(Transform::north_up(1.0, 2.0, 3.0, 4.0).unwrap());
        assert!(geo.clone().with_vertical_scale(0.0, 3.0).is_err());
        let geo = geo.with_vertical_scale(0.1, 3.0).unwrap();
        let tiepoints = vec![0.0, 0.0, 0.0, 1.0, 2.0, 3.0];
        assert_eq!(geo.placement, Placement::ScaleAndTiepoint { scale: [3.0, 4.0, 0.1], tiepoints });
    }

    #[test]
    fn shapes_that_no_reader_takes_are_refused() {
        let keys = |directory| GeoRef { keys: Some(GeoKeys { directory, ..GeoKeys::default() }), ..GeoRef::default() };
        let placed = |placement| GeoRef { placement, ..GeoRef::default() };
        assert!(keys(vec![1, 1, 0, 1, 1024, 0, 1, 1]).validate().is_ok());
        for bad in [
            keys(vec![]),
            keys(vec![1, 1, 0, 2, 1024, 0, 1, 1]),
            keys(vec![1, 1, 0, 0, 7]),
            placed(Placement::Tiepoints(vec![])),
            placed(Placement::Tiepoints(vec![0.0; 7])),
            placed(Placement::ScaleAndTiepoint { scale: [1.0, 0.0, 0.0], tiepoints: vec![0.0; 6] }),
            placed(Placement::ScaleAndTiepoint { scale: [1.0; 3], tiepoints: vec![0.0; 5] }),
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
