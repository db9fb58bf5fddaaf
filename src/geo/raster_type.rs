//! Raster type: whether a pixel is an area or a point. GTRasterTypeGeoKey (GeoTIFF 1.1 section 7.1.2).

use crate::error::{Error, OptionField, Result};

use super::GeoKeys;
use super::keys::{ASCII_PARAMS, DOUBLE_PARAMS};

const RASTER_TYPE: u16 = 1025;
/// VerticalGeoKey (GeoTIFF 1.1) or VerticalCSTypeGeoKey (1.0).
const VERTICAL: u16 = 4096;

/// Raster type: whether a pixel is an area or a point. Transforms, bounds, and points in this library do not depend on
/// it: they count from the outer corner of the first pixel, as in GDAL. Only the numbers in the file are shifted by
/// half a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PixelIs {
    /// 1: pixels are areas; coordinates in the file refer to their upper-left corners.
    #[default]
    Area,
    /// 2: pixels are points, such as heights measured on a grid; coordinates in the file refer to their centers.
    Point,
}

impl PixelIs {
    /// Returns the distance in pixels, right and down, from a pixel's outer corner to the point that coordinates in the
    /// file refer to.
    pub(super) fn shift(self) -> f64 {
        match self {
            Self::Area => 0.0,
            Self::Point => 0.5,
        }
    }
}

impl GeoKeys {
    /// Returns the raster type from GTRasterTypeGeoKey; `None` if it is missing, or neither area nor point.
    #[must_use]
    pub fn pixel_is(&self) -> Option<PixelIs> {
        match self.short(RASTER_TYPE)? {
            1 => Some(PixelIs::Area),
            2 => Some(PixelIs::Point),
            _ => None,
        }
    }

    /// Returns whether there is a vertical CRS.
    #[must_use]
    pub fn is_vertical(&self) -> bool {
        self.short(VERTICAL).is_some_and(|code| code != 0)
    }

    /// Returns the keys with this raster type.
    pub(crate) fn with_pixel_is(mut self, pixel_is: PixelIs) -> Self {
        let value = match pixel_is {
            PixelIs::Area => 1,
            PixelIs::Point => 2,
        };
        if self.directory.is_empty() {
            self.directory = vec![1, 1, 0, 0];
        }
        let entry = [RASTER_TYPE, 0, 1, value];
        let (entries, _) = self.directory.as_chunks_mut::<4>();
        if let Some(found) = entries.iter_mut().skip(1).find(|found| found[0] == RASTER_TYPE) {
            *found = entry;
            return self;
        }
        // Keys are sorted (section 7.1.1).
        let place = entries.iter().skip(1).position(|other| other[0] > RASTER_TYPE);
        let place = 4 * place.map_or(entries.len(), |place| place + 1);
        self.directory.splice(place..place, entry);
        self.directory[3] = self.directory[3].saturating_add(1);
        self
    }

    /// Checks that the directory and the values are consistent.
    pub(super) fn validate(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::option(OptionField::Crs, format!("GeoKeys: {reason}")));
        let (entries, rest) = self.directory.as_chunks::<4>();
        let Some((header, entries)) = entries.split_first() else {
            return refuse("the directory has no header".to_owned());
        };
        if !rest.is_empty() || usize::from(header[3]) != entries.len() {
            let numbers = self.directory.len();
            return refuse(format!("the header declares {} keys, but the directory has {numbers} numbers", header[3]));
        }
        if !entries.is_sorted_by(|before, after| before[0] < after[0]) {
            return refuse("keys must be sorted and unique (GeoTIFF 1.1 section 7.1.1)".to_owned());
        }
        for &[key, place, count, offset] in entries {
            let held = match place {
                0 => 1,
                DOUBLE_PARAMS => self.doubles.len(),
                ASCII_PARAMS => self.ascii.len(),
                _ => return refuse(format!("key {key} refers to tag {place}, which does not hold key values")),
            };
            let end = if place == 0 { usize::from(count) } else { usize::from(count) + usize::from(offset) };
            if end > held {
                return refuse(format!("key {key} needs {end} values of tag {place}, but there are {held}"));
            }
        }
        if self.doubles.iter().any(|number| !number.is_finite()) || self.ascii.contains(&0) {
            return refuse("numbers must be finite, and texts must not contain NUL".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_takes_its_place_among_the_others() {
        let keys = GeoKeys { directory: vec![1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633], ..GeoKeys::default() };
        assert_eq!(keys.pixel_is(), None);
        let keys = keys.with_pixel_is(PixelIs::Point);
        assert_eq!(keys.directory, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32633]);
        assert_eq!(keys.clone().with_pixel_is(PixelIs::Area).pixel_is(), Some(PixelIs::Area));
        assert!(keys.validate().is_ok() && !keys.is_vertical());
        assert_eq!(GeoKeys::default().with_pixel_is(PixelIs::Point).directory, [1, 1, 0, 1, 1025, 0, 1, 2]);
    }

    #[test]
    fn keys_that_contradict_themselves_are_refused() {
        for directory in [
            vec![],
            vec![1, 1, 0, 2, 1024, 0, 1, 1],
            vec![1, 1, 0, 1, 1024, 0, 1, 1, 7],
            vec![1, 1, 0, 2, 3072, 0, 1, 1, 1024, 0, 1, 1],
            vec![1, 1, 0, 1, 3073, 34737, 9, 0],
            vec![1, 1, 0, 1, 2057, 34736, 1, 1],
            vec![1, 1, 0, 1, 2057, 7, 1, 1],
        ] {
            let keys = GeoKeys { directory, doubles: vec![1.0], ascii: b"12345678".to_vec() };
            assert!(keys.validate().is_err(), "{keys:?}");
        }
    }
}
