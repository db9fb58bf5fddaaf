//! All other CRSs: terrio-crs.

use terrio_crs::{SpatialRef, Transformer};

use crate::error::WarpError;
use crate::transform::{CoordinateTransform, Direction, Points};

/// A transformation by terrio-crs, which chooses the operation for each point as PROJ does.
pub(crate) struct EngineTransform {
    forward: Transformer,
    inverse: Transformer,
    periods: [Option<f64>; 2],
}

impl EngineTransform {
    pub(crate) fn new(from: &str, to: &str) -> Result<Self, WarpError> {
        let parse = |text: &str| {
            SpatialRef::parse(text).map_err(|error| WarpError::Crs(format!("CRS '{}': {error}", shortened(text))))
        };
        let (source, target) = (parse(from)?, parse(to)?);
        let connect = |source: &SpatialRef, target: &SpatialRef| {
            Transformer::new(source, target).map(|transformer| transformer.with_warning_handler(|_| ())).map_err(
                |error| {
                    let (from, to) = (shortened(from), shortened(to));
                    WarpError::Crs(format!("no transformation from {from} to {to}: {error}"))
                },
            )
        };
        let period = |crs: &SpatialRef| (crs.is_geographic() && !crs.is_rotated_pole()).then_some(360.0);
        Ok(Self {
            forward: connect(&source, &target)?,
            inverse: connect(&target, &source)?,
            periods: [period(&source), period(&target)],
        })
    }
}

/// Returns a definition, cut to a length that fits in a message.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(57).chain("...".chars()).collect() }
}

impl CoordinateTransform for EngineTransform {
    fn transform(&self, direction: Direction, points: &mut Points) {
        let transformer = match direction {
            Direction::Forward => &self.forward,
            Direction::Inverse => &self.inverse,
        };
        for point in points {
            let is_finite = point[0].is_finite() && point[1].is_finite();
            let done = is_finite.then(|| transformer.transform(point[0], point[1]).ok()).flatten();
            *point = match done {
                Some((x, y)) if x.is_finite() && y.is_finite() => [x, y],
                _ => [f64::NAN; 2],
            };
        }
    }

    fn periods(&self) -> [Option<f64>; 2] {
        self.periods
    }
}
