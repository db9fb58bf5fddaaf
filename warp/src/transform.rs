//! The interface of transformations, and the choice among them.

use crate::closed::ClosedForm;
use crate::error::WarpError;

/// Points: x (easting or longitude) and y (northing or latitude), in the units of their CRS. Geographic coordinates are in
/// this order too, whatever the axis order of the CRS. A point without coordinates is NaN.
pub type Points = [[f64; 2]];

/// A direction of a transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the first CRS to the second one.
    Forward,
    /// From the second CRS to the first one.
    Inverse,
}

/// A transformation of coordinates between two CRSs.
pub trait CoordinateTransform: Send + Sync {
    /// Transforms all points in place. A point that cannot be transformed, or is NaN, becomes NaN.
    fn transform(&self, direction: Direction, points: &mut Points);

    /// Returns the length of a turn around the globe in each CRS, in its units, if x wraps there: 360 for longitudes in
    /// degrees. First the first CRS's.
    fn periods(&self) -> [Option<f64>; 2] {
        [None, None]
    }

    /// Returns whether the first CRS has longitudes and latitudes in degrees.
    fn is_from_degrees(&self) -> bool {
        self.periods()[0] == Some(360.0)
    }
}

/// Returns the transformation between two CRSs, each an EPSG code such as `EPSG:32633`, or WKT, a PROJ string, or PROJJSON if
/// the feature `engine` is on.
///
/// # Errors
/// [`WarpError::Crs`] if a CRS is unknown, or there is no transformation.
pub fn transform_between(from: &str, to: &str) -> Result<Box<dyn CoordinateTransform>, WarpError> {
    if let (Some(from), Some(to)) = (ClosedForm::find(from), ClosedForm::find(to)) {
        return Ok(Box::new(ClosedTransform { from, to }));
    }
    #[cfg(feature = "engine")]
    return Ok(Box::new(crate::engine::EngineTransform::new(from, to)?));
    #[cfg(not(feature = "engine"))]
    {
        let unknown = if ClosedForm::find(from).is_none() { from } else { to };
        let known = "only EPSG:4326, EPSG:3857, and the UTM zones of WGS 84 are";
        Err(WarpError::Crs(format!("transformations of {unknown} are not part of this build; {known}")))
    }
}

/// Returns whether a CRS has a closed form, which gives the same bits on all platforms.
#[must_use]
pub fn has_closed_form(crs: &str) -> bool {
    ClosedForm::find(crs).is_some()
}

/// A transformation by way of longitude and latitude on WGS 84.
struct ClosedTransform {
    from: ClosedForm,
    to: ClosedForm,
}

impl CoordinateTransform for ClosedTransform {
    fn transform(&self, direction: Direction, points: &mut Points) {
        let (from, to) = match direction {
            Direction::Forward => (self.from, self.to),
            Direction::Inverse => (self.to, self.from),
        };
        for point in points {
            if from != to {
                *point = to.project(from.unproject(*point));
            }
            if !(point[0].is_finite() && point[1].is_finite()) {
                *point = [f64::NAN; 2];
            }
        }
    }

    fn periods(&self) -> [Option<f64>; 2] {
        [self.from.period(), self.to.period()]
    }
}
