//! GDAL's metadata domain `TILING_SCHEME`, which states that the tiles of a file are those of a tile matrix set.
//!
//! Tile servers rely on it, so it is kept only if the planned file has these tiles, and left out otherwise.

use crate::geo::{GeoRef, Metadata};
use crate::grid::Level;

const DOMAIN: &str = "TILING_SCHEME";

/// A tile matrix set in GDAL: square tiles, each level half the size of the previous one.
struct Scheme {
    name: &'static str,
    /// EPSG code, and the GeoKey that holds it, for a projected or a geographic CRS.
    code: u16,
    key: u16,
    /// Upper-left corner.
    origin: (f64, f64),
    /// Tile side at zoom level 0, in units of the CRS.
    tile: f64,
}

const PROJECTED: u16 = 3072;
const GEODETIC: u16 = 2048;
/// Half the length of the WGS 84 equator, in meters.
const HALF: f64 = 20_037_508.342_789_244;

/// Common sets that GDAL knows by name; the first three are in OGC 17-083r2 annex D.
const SCHEMES: [Scheme; 7] = [
    Scheme { name: "GoogleMapsCompatible", code: 3857, key: PROJECTED, origin: (-HALF, HALF), tile: 2.0 * HALF },
    Scheme { name: "WorldCRS84Quad", code: 4326, key: GEODETIC, origin: (-180.0, 90.0), tile: 180.0 },
    Scheme { name: "GoogleCRS84Quad", code: 4326, key: GEODETIC, origin: (-180.0, 180.0), tile: 360.0 },
    Scheme { name: "WorldMercatorWGS84Quad", code: 3395, key: PROJECTED, origin: (-HALF, HALF), tile: 2.0 * HALF },
    Scheme { name: "PseudoTMS_GlobalMercator", code: 3857, key: PROJECTED, origin: (-HALF, HALF), tile: HALF },
    // Scale denominators of GDAL's tms_*.json, for pixels of 0.28 mm.
    Scheme {
        name: "LINZAntarticaMapTileGrid",
        code: 5482,
        key: PROJECTED,
        origin: (-918_457.73, 6_918_457.73),
        tile: 409_600_000.0 * 0.28e-3 * 256.0,
    },
    Scheme {
        name: "MapML_APSTILE",
        code: 5936,
        key: PROJECTED,
        origin: (-28_567_784.109_255, 32_567_784.109_255),
        tile: 852_895_761.978_571_5 * 0.28e-3 * 256.0,
    },
];

/// Removes the domain if it does not describe these levels; returns the reason as a warning.
pub(super) fn settle(metadata: &mut Metadata, geo: &GeoRef, levels: &[Level]) -> Option<String> {
    let is_scheme =
        |domain: &Option<String>| domain.as_deref().is_some_and(|domain| domain.eq_ignore_ascii_case(DOMAIN));
    let said: Vec<_> = metadata.items.iter().filter(|item| is_scheme(&item.domain)).collect();
    if said.is_empty() {
        return None;
    }
    let text = |name: &str| {
        let item = said.iter().find(|item| item.sample.is_none() && item.name.eq_ignore_ascii_case(name));
        item.map(|item| item.text().trim().to_owned())
    };
    let name = text("NAME").unwrap_or_default();
    let reason = check(&name, text("ZOOM_LEVEL"), text("ALIGNED_LEVELS"), geo, levels).err()?;
    metadata.items.retain(|item| !is_scheme(&item.domain));
    Some(format!("the metadata domain {DOMAIN} ('{name}') is left out: {reason}"))
}

/// Checks that the levels are those of the tile matrix set.
fn check(
    name: &str,
    zoom_level: Option<String>,
    aligned_levels: Option<String>,
    geo: &GeoRef,
    levels: &[Level],
) -> Result<(), String> {
    let scheme = SCHEMES.iter().find(|scheme| scheme.name == name).ok_or("this tile matrix set is not known")?;
    let zoom_level = zoom_level.and_then(|number| number.parse::<i32>().ok()).filter(|level| (0..=60).contains(level));
    let zoom_level = zoom_level.ok_or("it has no ZOOM_LEVEL")?;
    let aligned = aligned_levels.map_or(Ok(1), |number| number.parse::<usize>()).ok().filter(|count| *count > 0);
    let aligned = aligned.ok_or("its ALIGNED_LEVELS is not a number")?;
    if geo.keys().and_then(|keys| keys.short(scheme.key)) != Some(scheme.code) {
        return Err(format!("the CRS is not EPSG:{}", scheme.code));
    }
    let full = levels.first().ok_or("there are no levels")?;
    let side = full.tile_size.width;
    if levels.iter().any(|level| (level.tile_size.width, level.tile_size.height) != (side, side)) {
        return Err("tiles are not square, or not of one size in all levels".to_owned());
    }
    let tile = scheme.tile / 2f64.powi(zoom_level);
    let pixel = tile / f64::from(side);
    let [x, width, _, y, _, height] = geo.transform().ok_or("there is no transform")?.to_gdal();
    // Tolerance: a hundredth of a pixel over the whole image.
    let largest = f64::from(full.width.max(full.height));
    let is_pixel = |size: f64| (size - pixel).abs() * largest <= 0.01 * pixel;
    if !geo.transform().is_some_and(|transform| transform.is_north_up() && is_pixel(width) && is_pixel(-height)) {
        let wanted = "pixels do not match";
        return Err(format!("{wanted} zoom level {zoom_level} with tiles of {side} pixels, {pixel} wide"));
    }
    if aligned > levels.len() {
        return Err(format!("it declares {aligned} aligned levels, but there are {}", levels.len()));
    }
    let step = tile * 2f64.powi(i32::try_from(aligned - 1).unwrap_or(i32::MAX));
    let is_edge = |distance: f64| {
        let tiles = distance / step;
        (tiles - tiles.round()).abs() * step <= 0.01 * pixel
    };
    if !(is_edge(x - scheme.origin.0) && is_edge(scheme.origin.1 - y)) {
        return Err("the upper-left corner is not a tile corner".to_owned());
    }
    let is_half = |size: u32, full: u32, level: usize| {
        let exact = f64::from(full) / 2f64.powi(i32::try_from(level).unwrap_or(i32::MAX));
        (f64::from(size) - exact).abs() < 1.0
    };
    let is_level = |(index, level): (usize, &Level)| {
        is_half(level.width, full.width, index) && is_half(level.height, full.height, index)
    };
    if !levels.iter().enumerate().all(is_level) {
        return Err("an overview is not half the size of the previous level".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Crs, Transform};
    use crate::options::TileSize;

    const PIXEL: f64 = 152.874_056_570_352_5;

    fn levels(sides: &[u32], tile: u32) -> Vec<Level> {
        let level = |(index, side): (usize, &u32)| Level {
            index,
            width: *side,
            height: *side,
            tile_size: TileSize::square(tile),
        };
        sides.iter().enumerate().map(level).collect()
    }

    fn place(code: u32, x: f64, y: f64, pixel: f64) -> GeoRef {
        let geo = GeoRef::default().with_crs(&Crs::epsg(code).unwrap()).unwrap();
        geo.with_transform(Transform::north_up(x, y, pixel, pixel).unwrap())
    }

    fn said(items: &[(&str, &str)], geo: &GeoRef, levels: &[Level]) -> Option<String> {
        let mut metadata = Metadata::default();
        metadata.set_item(None, "OTHER", "1").unwrap();
        for (name, value) in items {
            metadata.set_item(Some("TILING_SCHEME"), name, value).unwrap();
        }
        let warning = settle(&mut metadata, geo, levels);
        assert_eq!(metadata.items.len(), if warning.is_some() { 1 } else { 1 + items.len() });
        warning
    }

    #[test]
    fn what_gdal_makes_is_kept() {
        // Values from files written by GDAL 3.13.
        let google = [("NAME", "GoogleMapsCompatible"), ("ZOOM_LEVEL", "10")];
        let geo = place(3857, 1_643_701.856_244_43, 5_674_684.979_891_485, PIXEL);
        assert_eq!(said(&google, &geo, &levels(&[1024, 512, 256], 256)), None);
        assert_eq!(said(&google, &geo, &levels(&[1024], 256)), None);
        let aligned = [("NAME", "GoogleMapsCompatible"), ("ZOOM_LEVEL", "9"), ("ALIGNED_LEVELS", "3")];
        let geo = place(3857, 1_565_430.339_280_407_9, 5_948_635.289_265_556, PIXEL);
        assert_eq!(said(&aligned, &geo, &levels(&[2048, 1024, 512], 512)), None);
        let degrees = [("NAME", "WorldCRS84Quad"), ("ZOOM_LEVEL", "9")];
        let geo = place(4326, 14.765_625, 45.351_562_5, 0.001_373_291_015_625);
        assert_eq!(said(&degrees, &geo, &levels(&[1024, 512, 256], 256)), None);
    }

    #[test]
    fn everything_else_is_left_out() {
        let items = |zoom| vec![("NAME", "GoogleMapsCompatible"), ("ZOOM_LEVEL", zoom)];
        let (x, y) = (1_643_701.856_244_43, 5_674_684.979_891_485);
        let geo = place(3857, x, y, PIXEL);
        let good = levels(&[1024, 512, 256], 256);
        let aligned = |count| [items("10"), vec![("ALIGNED_LEVELS", count)]].concat();
        for (items, geo, levels, expected) in [
            (items("10"), &geo, &levels(&[1024, 512], 512), "tiles of 512 pixels"),
            (items("9"), &geo, &good, "zoom level 9"),
            (items("x"), &geo, &good, "ZOOM_LEVEL"),
            (items("10"), &geo, &levels(&[1024, 341], 256), "half"),
            (items("10"), &geo, &levels(&[1024, 256], 256), "half"),
            (aligned("2"), &geo, &good, "corner"),
            (aligned("4"), &geo, &good, "aligned levels"),
            (aligned("0"), &geo, &good, "ALIGNED_LEVELS"),
            (items("10"), &place(3857, x + PIXEL, y, PIXEL), &good, "corner"),
            (items("10"), &place(3857, x, y - PIXEL, PIXEL), &good, "corner"),
            (items("10"), &place(3857, x, y, PIXEL * 1.001), &good, "pixels"),
            (items("10"), &place(3395, x, y, PIXEL), &good, "EPSG:3857"),
            (items("10"), &GeoRef::default(), &good, "EPSG:3857"),
            (vec![("NAME", "NZTM2000"), ("ZOOM_LEVEL", "1")], &geo, &good, "not known"),
            (vec![("ZOOM_LEVEL", "1")], &geo, &good, "not known"),
        ] {
            let warning = said(&items, geo, levels).unwrap();
            assert!(warning.contains(expected), "{items:?}: {warning}");
        }
        let mut unequal = good.clone();
        unequal[1].tile_size = TileSize::square(128);
        assert!(said(&items("10"), &geo, &unequal).unwrap().contains("one size"));
    }

    /// The crate of warps is optional, so both have a table.
    #[cfg(feature = "warp")]
    #[test]
    fn the_sets_are_those_of_warps() {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
        let others = cogsmith_warp::TilingScheme::ALL;
        assert_eq!(SCHEMES.len(), others.len());
        for other in others {
            let own = SCHEMES.iter().find(|own| own.name == other.name()).unwrap();
            let tile = other.resolution(0) * f64::from(other.tile_size());
            assert_eq!(format!("EPSG:{}", own.code), other.crs());
            assert!(near(own.tile, tile), "{}: {} and {tile}", own.name, own.tile);
            assert!(near(own.origin.0, other.origin()[0]) && near(own.origin.1, other.origin()[1]), "{}", own.name);
        }
    }
}
