//! Affine transforms from pixels to model space, and bounds.

use crate::error::{Error, OptionField, Result};

/// An affine transform from columns and rows to x and y in model space. (0, 0) is the outer corner of the first pixel,
/// whatever the raster type ([`PixelIs`](super::PixelIs)).
///
/// Six finite numbers, never singular. In the order of GDAL's geotransform: `x = t[0] + column * t[1] + row * t[2]` and
/// `y = t[3] + column * t[4] + row * t[5]`.
///
/// ```
/// use cogsmith::Transform;
/// let transform = Transform::from_gdal([500000.0, 10.0, 0.0, 5000000.0, 0.0, -10.0])?;
/// assert_eq!(transform, Transform::north_up(500000.0, 5000000.0, 10.0, 10.0)?);
/// assert_eq!(transform.apply(2.0, 1.0), (500020.0, 4999990.0));
/// assert!(Transform::from_gdal([0.0, 1.0, 2.0, 0.0, 2.0, 4.0]).is_err(), "all pixels lie on one line");
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform([f64; 6]);

impl Transform {
    /// Makes a transform from GDAL's geotransform: x of the corner, x per column, x per row, y of the corner, y per
    /// column, y per row.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for numbers that are not finite, and if columns
    /// and rows are parallel or have no length.
    pub fn from_gdal(numbers: [f64; 6]) -> Result<Self> {
        let transform = Self(numbers);
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(Error::option(OptionField::Transform, format!("{numbers:?}: numbers must be finite")));
        }
        let [_, a, b, _, d, e] = numbers;
        if a * e == b * d {
            return Err(Error::option(
                OptionField::Transform,
                format!("{numbers:?}: pixels have no area; is it in GDAL's order (x, x per column, x per row, y, …)?"),
            ));
        }
        Ok(transform)
    }

    /// Makes a transform from an affine matrix in row-major order, like rasterio's `Affine`: x per column, x per row, x
    /// of the corner, y per column, y per row, y of the corner.
    ///
    /// # Errors
    /// As [`from_gdal`](Self::from_gdal).
    pub fn from_affine([a, b, c, d, e, f]: [f64; 6]) -> Result<Self> {
        Self::from_gdal([c, a, b, f, d, e])
    }

    /// Makes a north-up transform without rotation, from the upper-left corner and the pixel size (positive), in model
    /// units.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for sizes that are not positive, and as
    /// [`from_gdal`](Self::from_gdal).
    pub fn north_up(left: f64, top: f64, pixel_width: f64, pixel_height: f64) -> Result<Self> {
        if pixel_width > 0.0 && pixel_height > 0.0 {
            return Self::from_gdal([left, pixel_width, 0.0, top, 0.0, -pixel_height]);
        }
        Err(Error::option(
            OptionField::Transform,
            format!("pixels of {pixel_width} x {pixel_height}: sizes must be positive"),
        ))
    }

    /// Makes the north-up transform that fits `width` x `height` pixels to the bounds.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for bounds that are empty, reversed, or not
    /// finite, and for an image without pixels.
    pub fn from_bounds(bounds: &Bounds, width: u32, height: u32) -> Result<Self> {
        let &Bounds { left, bottom, right, top } = bounds;
        let refuse = |reason: &str| {
            Err(Error::option(OptionField::Bounds, format!("{left}, {bottom}, {right}, {top}: {reason}")))
        };
        if !(left < right && bottom < top) {
            return refuse("left must be less than right, and bottom less than top");
        }
        if width == 0 || height == 0 {
            return refuse("the image has no pixels");
        }
        let (pixel_width, pixel_height) = ((right - left) / f64::from(width), (top - bottom) / f64::from(height));
        match Self::north_up(left, top, pixel_width, pixel_height) {
            Ok(transform) => Ok(transform),
            Err(_) => refuse("not finite, or too narrow for a transform"),
        }
    }

    /// Makes a transform from the numbers in a file, valid or not.
    pub(super) fn unchecked(numbers: [f64; 6]) -> Self {
        Self(numbers)
    }

    /// Returns the numbers in the order of GDAL's geotransform.
    #[must_use]
    pub fn to_gdal(self) -> [f64; 6] {
        self.0
    }

    /// Returns the affine matrix in row-major order, like rasterio's `Affine`.
    #[must_use]
    pub fn to_affine(self) -> [f64; 6] {
        let [c, a, b, f, d, e] = self.0;
        [a, b, c, d, e, f]
    }

    /// Returns the model position of an image position; (0.5, 0.5) is the center of the first pixel.
    #[must_use]
    pub fn apply(self, column: f64, row: f64) -> (f64, f64) {
        let [c, a, b, f, d, e] = self.0;
        (c + column * a + row * b, f + column * d + row * e)
    }

    /// Returns whether columns run along x and rows go down y, the case that GeoTIFF stores as scale and tiepoint.
    #[must_use]
    pub fn is_north_up(self) -> bool {
        let [_, _, b, _, d, e] = self.0;
        b == 0.0 && d == 0.0 && e < 0.0
    }

    /// Returns the smallest bounds that contain an image of this size.
    #[must_use]
    pub fn bounds(self, width: u32, height: u32) -> Bounds {
        let (width, height) = (f64::from(width), f64::from(height));
        let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)];
        let corners = corners.map(|(column, row)| self.apply(column, row));
        let fold = |of: fn((f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
            corners.into_iter().map(of).reduce(choose).unwrap_or(f64::NAN)
        };
        Bounds {
            left: fold(|corner| corner.0, f64::min),
            bottom: fold(|corner| corner.1, f64::min),
            right: fold(|corner| corner.0, f64::max),
            top: fold(|corner| corner.1, f64::max),
        }
    }
}

/// A rectangle in model space: the outer edges of the pixels in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Smallest x.
    pub left: f64,
    /// Smallest y.
    pub bottom: f64,
    /// Largest x.
    pub right: f64,
    /// Largest y.
    pub top: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_transform_are_each_others_inverse() {
        let bounds = Bounds { left: -180.0, bottom: -90.0, right: 180.0, top: 90.0 };
        let transform = Transform::from_bounds(&bounds, 3600, 1800).unwrap();
        assert_eq!(transform.to_gdal(), [-180.0, 0.1, 0.0, 90.0, 0.0, -0.1]);
        assert_eq!(transform.bounds(3600, 1800), bounds);
        let turned = Transform::from_affine([0.0, 1.0, 10.0, 2.0, 0.0, 20.0]).unwrap();
        assert_eq!(turned.bounds(3, 5), Bounds { left: 10.0, bottom: 20.0, right: 15.0, top: 26.0 });
        assert_eq!(turned.to_affine(), [0.0, 1.0, 10.0, 2.0, 0.0, 20.0]);
    }

    #[test]
    fn what_is_no_rectangle_is_refused() {
        for (left, bottom, right, top) in
            [(1.0, 0.0, 1.0, 1.0), (0.0, 1.0, 1.0, 0.0), (f64::NAN, 0.0, 1.0, 1.0), (0.0, 0.0, f64::INFINITY, 1.0)]
        {
            assert!(Transform::from_bounds(&Bounds { left, bottom, right, top }, 10, 10).is_err());
        }
        assert!(Transform::north_up(0.0, 0.0, 1.0, -1.0).is_err());
        assert!(Transform::from_gdal([0.0, f64::NAN, 0.0, 0.0, 0.0, -1.0]).is_err());
    }
}
