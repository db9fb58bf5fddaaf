//! Georeferencing and metadata that several rasters have in common.

#[cfg(feature = "mosaic")]
use std::collections::HashMap;

#[cfg(feature = "mosaic")]
use super::keys::{ASCII_PARAMS, DOUBLE_PARAMS, GEOGRAPHIC, PROJECTED, USER_DEFINED};
#[cfg(feature = "mosaic")]
use super::{GeoKeys, Metadata, MetadataItem};
use super::{GeoRef, Placement, Transform};

#[cfg(feature = "mosaic")]
/// GTRasterTypeGeoKey: whether pixels are areas or points.
const RASTER_TYPE: u16 = 1025;
#[cfg(feature = "mosaic")]
/// Citations: names for people (GeoTIFF 1.1 sections 7.2 and 7.3).
const CITATIONS: [u16; 4] = [1026, 2049, 3073, 4097];
#[cfg(feature = "mosaic")]
/// The EPSG code of the vertical CRS.
const VERTICAL: u16 = 4096;
#[cfg(feature = "mosaic")]
/// CoordinateEpochGeoKey.
const COORDINATE_EPOCH: u16 = 5120;

#[cfg(feature = "mosaic")]
/// The value of a GeoKey.
#[derive(Debug, PartialEq)]
enum KeyValue<'a> {
    Short(u16),
    Doubles(&'a [f64]),
    Text(&'a [u8]),
}

#[cfg(feature = "mosaic")]
impl GeoKeys {
    /// Returns whether two directories define the same CRS: by EPSG codes if both have them, otherwise by all keys
    /// except names and the raster type.
    pub(crate) fn same_crs(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if self.short(VERTICAL) != other.short(VERTICAL) {
            return false;
        }
        for key in [PROJECTED, GEOGRAPHIC] {
            let codes = [self, other].map(|keys| keys.short(key).filter(|code| !matches!(*code, 0 | USER_DEFINED)));
            match codes {
                [Some(one), Some(two)] => return one == two && self.epoch() == other.epoch(),
                [None, None] => {}
                _ => return false,
            }
        }
        self.definition() == other.definition()
    }

    /// Returns the coordinate epoch.
    fn epoch(&self) -> Option<KeyValue<'_>> {
        self.definition().into_iter().find(|(key, _)| *key == COORDINATE_EPOCH).map(|(_, value)| value)
    }

    /// Returns the keys with their values, without names and the raster type.
    fn definition(&self) -> Vec<(u16, KeyValue<'_>)> {
        fn part<T>(all: &[T], start: u16, count: u16) -> &[T] {
            all.get(start.into()..usize::from(start) + usize::from(count)).unwrap_or(&[])
        }
        let entries = self.directory.chunks_exact(4).skip(1);
        let entries = entries.filter_map(|entry| {
            let &[key, place, count, value] = entry else { return None };
            let value = match place {
                DOUBLE_PARAMS => KeyValue::Doubles(part(&self.doubles, value, count)),
                ASCII_PARAMS => KeyValue::Text(part(&self.ascii, value, count)),
                _ => KeyValue::Short(value),
            };
            // A citation may hold a definition in WKT, as Esri writes it.
            let is_name = matches!(&value, KeyValue::Text(text) if !text.contains(&b'['));
            (key != RASTER_TYPE && !(is_name && CITATIONS.contains(&key))).then_some((key, value))
        });
        entries.collect()
    }
}

impl GeoRef {
    /// Returns the georeferencing of other pixels in the same CRS. The conversion of samples to heights stays; rational
    /// polynomial coefficients do not.
    pub(crate) fn placed_at(&self, transform: Transform) -> Self {
        let mut geo = self.clone().with_transform(transform);
        geo.rpc = None;
        let heights = match &self.placement {
            Placement::ScaleAndTiepoint { scale, tiepoints } => (scale[2], tiepoints.get(5).copied().unwrap_or(0.0)),
            Placement::Matrix(matrix) => (matrix[10], matrix[11]),
            Placement::None | Placement::Tiepoints(_) => (0.0, 0.0),
        };
        match &mut geo.placement {
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                scale[2] = heights.0;
                tiepoints.as_chunks_mut::<6>().0.iter_mut().for_each(|point| point[5] = heights.1);
            }
            Placement::Matrix(matrix) => (matrix[10], matrix[11]) = heights,
            Placement::None | Placement::Tiepoints(_) => {}
        }
        geo
    }
}

#[cfg(feature = "mosaic")]
impl Metadata {
    /// Removes what another raster does not have too, and returns the names of what was removed.
    pub(crate) fn keep_common(&mut self, other: &Self) -> Vec<String> {
        let mut removed = Vec::new();
        if self == other {
            return removed;
        }
        let key = |item: &MetadataItem| (item.sample, item.domain.clone(), item.role.clone(), item.name.clone());
        let others: HashMap<_, _> = other.items.iter().map(|item| (key(item), &item.value)).collect();
        self.items.retain(|item| {
            let is_common = others.get(&key(item)).is_some_and(|value| **value == item.value);
            if !is_common {
                removed.push(item.name.clone());
            }
            is_common
        });
        self.tags.retain(|(tag, value)| {
            let is_common = other.tags.iter().any(|(name, own)| name == tag && own == value);
            if !is_common {
                removed.push(tag.name().map_or_else(|| format!("tag {}", tag.0), str::to_owned));
            }
            is_common
        });
        removed
    }
}

#[cfg(all(test, feature = "mosaic"))]
mod tests {
    use super::*;
    use crate::geo::Crs;

    fn keys(text: &str) -> GeoKeys {
        Crs::parse(text).unwrap().geo_keys().unwrap()
    }

    #[test]
    fn names_do_not_make_another_crs() {
        let utm = keys("EPSG:32633");
        assert!(!utm.same_crs(&keys("EPSG:32634")));
        assert!(!utm.same_crs(&keys("EPSG:4326")));
        assert!(!keys("EPSG:4326").same_crs(&keys("EPSG:4258")));
        assert!(!keys("EPSG:32633").same_crs(&keys("EPSG:32633+5773")));
        let own = "+proj=laea +lat_0=52 +lon_0=10 +x_0=0 +y_0=0 +ellps=GRS80 +units=m +no_defs";
        let laea = keys(own);
        let mut renamed = laea.clone();
        renamed.ascii.iter_mut().filter(|letter| letter.is_ascii_alphabetic()).for_each(|letter| *letter = b'x');
        assert!(laea != renamed && laea.same_crs(&renamed));
        assert!(!keys(own).same_crs(&keys(&own.replace("lat_0=52", "lat_0=53"))));
    }

    #[test]
    fn heights_stay_with_the_crs() {
        let at = |x: f64| Transform::north_up(x, 0.0, 1.0, 1.0).unwrap();
        let geo = GeoRef::default().with_transform(at(0.0)).with_vertical_scale(0.5, 7.0).unwrap();
        let moved = geo.placed_at(at(9.0));
        assert_eq!(moved, GeoRef::default().with_transform(at(9.0)).with_vertical_scale(0.5, 7.0).unwrap());
    }

    #[test]
    fn metadata_in_common_stay() {
        let mut one = Metadata::default();
        one.set_item(None, "A", "1").unwrap();
        one.set_item(None, "B", "1").unwrap();
        let mut two = Metadata::default();
        two.set_item(None, "A", "1").unwrap();
        two.set_item(None, "B", "2").unwrap();
        assert_eq!(one.keep_common(&two), ["B"]);
        assert_eq!(one.items().len(), 1);
    }
}
