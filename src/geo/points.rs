//! Ground control points and rational polynomials, for images that no affine transform can position.

use crate::error::{Error, OptionField, Result};

/// Maximum number of ground control points in a file, as in GDAL: the count of their numbers, six each, has 16 bits.
pub(crate) const MOST_GCPS: usize = 10_922;

/// A ground control point: an image position and its model position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gcp {
    /// Columns from the left edge of the image; 0.5 is the center of the first pixel.
    pub column: f64,
    /// Rows from the top edge of the image.
    pub row: f64,
    /// Model x: easting or longitude.
    pub x: f64,
    /// Model y: northing or latitude.
    pub y: f64,
    /// Model z: height, 0 if there is none.
    pub z: f64,
}

/// Rational polynomial coefficients, which map longitude, latitude, and height to columns and rows (Frank Warmerdam,
/// RPCs in GeoTIFF, 2007, tag 50844; the terms are those of NITF's RPC00B).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rpc {
    /// Root mean square bias error in meters; -1 if unknown.
    pub error_bias: f64,
    /// Root mean square random error in meters; -1 if unknown.
    pub error_random: f64,
    /// Offset of rows, in pixels.
    pub line_offset: f64,
    /// Offset of columns, in pixels.
    pub sample_offset: f64,
    /// Offset of latitudes, in degrees.
    pub latitude_offset: f64,
    /// Offset of longitudes, in degrees.
    pub longitude_offset: f64,
    /// Offset of heights, in meters.
    pub height_offset: f64,
    /// Scale of rows.
    pub line_scale: f64,
    /// Scale of columns.
    pub sample_scale: f64,
    /// Scale of latitudes.
    pub latitude_scale: f64,
    /// Scale of longitudes.
    pub longitude_scale: f64,
    /// Scale of heights.
    pub height_scale: f64,
    /// Numerator of rows.
    pub line_numerator: [f64; 20],
    /// Denominator of rows.
    pub line_denominator: [f64; 20],
    /// Numerator of columns.
    pub sample_numerator: [f64; 20],
    /// Denominator of columns.
    pub sample_denominator: [f64; 20],
}

impl Rpc {
    /// The count of numbers in tag 50844.
    pub const NUMBERS: usize = 92;

    /// Makes coefficients from the numbers of tag 50844, whose order is that of the fields.
    #[must_use]
    pub fn from_numbers(numbers: &[f64; Self::NUMBERS]) -> Self {
        let polynomial = |index: usize| std::array::from_fn(|term| numbers[12 + 20 * index + term]);
        let &[
            error_bias,
            error_random,
            line_offset,
            sample_offset,
            latitude_offset,
            longitude_offset,
            height_offset,
            line_scale,
            sample_scale,
            latitude_scale,
            longitude_scale,
            height_scale,
            ..,
        ] = numbers;
        Self {
            error_bias,
            error_random,
            line_offset,
            sample_offset,
            latitude_offset,
            longitude_offset,
            height_offset,
            line_scale,
            sample_scale,
            latitude_scale,
            longitude_scale,
            height_scale,
            line_numerator: polynomial(0),
            line_denominator: polynomial(1),
            sample_numerator: polynomial(2),
            sample_denominator: polynomial(3),
        }
    }

    /// Returns the 92 numbers of tag 50844, in its order.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let head = [
            self.error_bias,
            self.error_random,
            self.line_offset,
            self.sample_offset,
            self.latitude_offset,
            self.longitude_offset,
            self.height_offset,
            self.line_scale,
            self.sample_scale,
            self.latitude_scale,
            self.longitude_scale,
            self.height_scale,
        ];
        let polynomials = [self.line_numerator, self.line_denominator, self.sample_numerator, self.sample_denominator];
        head.into_iter().chain(polynomials.into_iter().flatten()).collect()
    }
}

/// Returns the numbers of tag 33922 for points; the file counts columns and rows from `shift` pixels further on. (GDAL
/// up to 3.13 writes the points of pixel-is-point rasters with the wrong sign, one pixel off from where it reads them.)
pub(super) fn tiepoints(points: &[Gcp], shift: f64) -> Result<Vec<f64>> {
    if points.is_empty() || points.len() > MOST_GCPS {
        return Err(Error::option(
            OptionField::Gcps,
            format!("{} points; a file holds 1 to {MOST_GCPS}", points.len()),
        ));
    }
    let numbers: Vec<f64> = points.iter().flat_map(|p| [p.column - shift, p.row - shift, 0.0, p.x, p.y, p.z]).collect();
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(place) => {
            Err(Error::option(OptionField::Gcps, format!("point {}: numbers must be finite", place / 6 + 1)))
        }
        None => Ok(numbers),
    }
}

/// Returns the points of tag 33922.
pub(super) fn gcps(tiepoints: &[f64], shift: f64) -> Vec<Gcp> {
    let points = tiepoints.as_chunks::<6>().0.iter();
    points.map(|&[column, row, _, x, y, z]| Gcp { column: column + shift, row: row + shift, x, y, z }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_tag_come_back_in_its_order() {
        let numbers: [f64; Rpc::NUMBERS] = std::array::from_fn(|index| index as f64);
        let rpc = Rpc::from_numbers(&numbers);
        assert_eq!((rpc.line_offset, rpc.line_numerator[0], rpc.sample_denominator[19]), (2.0, 12.0, 91.0));
        assert_eq!(rpc.numbers(), numbers);
    }

    #[test]
    fn points_that_no_file_holds_are_refused() {
        let point = Gcp { column: 0.5, row: 1.0, x: 2.0, y: 3.0, z: 4.0 };
        assert_eq!(tiepoints(&[point], 0.5).unwrap(), [0.0, 0.5, 0.0, 2.0, 3.0, 4.0]);
        assert_eq!(gcps(&[0.0, 0.5, 0.0, 2.0, 3.0, 4.0], 0.5), [point]);
        assert!(tiepoints(&[], 0.0).is_err());
        assert!(tiepoints(&vec![point; MOST_GCPS + 1], 0.0).is_err());
        assert!(tiepoints(&vec![point; MOST_GCPS], 0.0).is_ok());
        assert!(tiepoints(&[Gcp { z: f64::NAN, ..point }], 0.0).is_err());
    }
}
