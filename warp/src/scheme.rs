//! Tiling schemes: tile matrix sets by name.

/// Half the length of the equator of WGS 84, in meters.
const HALF: f64 = 6_378_137.0 * std::f64::consts::PI;
/// Size of a pixel at a scale of 1:1, in meters: OGC 17-083r2, table 2, note g.
const STANDARDIZED_PIXEL: f64 = 0.28e-3;

/// A tile matrix set whose zoom levels have a common origin and square tiles of one size, each level with twice the resolution of the previous
/// one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TilingScheme {
    name: &'static str,
    crs: &'static str,
    /// Left and top.
    origin: [f64; 2],
    /// Pixel size at zoom level 0.
    resolution: f64,
    /// Tiles across and down at zoom level 0.
    matrix: [u32; 2],
    /// Tiles of all zoom levels where they are not a power of two times those of the first.
    matrices: &'static [u32],
    levels: u32,
    /// Extent that a raster has to touch: left, bottom, right, top.
    bounds: Option<[f64; 4]>,
}

/// Side of a tile in pixels, in all schemes.
const TILE_SIZE: u32 = 256;
const WEB_BOUNDS: Option<[f64; 4]> = Some([-HALF, -HALF, HALF, HALF]);
const DEGREE_BOUNDS: Option<[f64; 4]> = Some([-180.0, -90.0, 180.0, 90.0]);

/// The sets that GDAL 3.13 knows by name. OGC 17-083r2 annex D has the first three; the others are those of GDAL's `tms_*.json` and of
/// its tiling tools. Those of its sets that are not here (NZTM2000, MapML_CBMTILE) do not halve from level to level.
const SCHEMES: [TilingScheme; 7] = [
    TilingScheme {
        name: "GoogleMapsCompatible",
        crs: "EPSG:3857",
        origin: [-HALF, HALF],
        resolution: 2.0 * HALF / 256.0,
        matrix: [1, 1],
        matrices: &[],
        levels: 31,
        bounds: WEB_BOUNDS,
    },
    TilingScheme {
        name: "WorldCRS84Quad",
        crs: "EPSG:4326",
        origin: [-180.0, 90.0],
        resolution: 180.0 / 256.0,
        matrix: [2, 1],
        matrices: &[],
        levels: 30,
        bounds: DEGREE_BOUNDS,
    },
    TilingScheme {
        name: "WorldMercatorWGS84Quad",
        crs: "EPSG:3395",
        origin: [-HALF, HALF],
        resolution: 2.0 * HALF / 256.0,
        matrix: [1, 1],
        matrices: &[],
        levels: 31,
        bounds: WEB_BOUNDS,
    },
    TilingScheme {
        name: "GoogleCRS84Quad",
        crs: "EPSG:4326",
        origin: [-180.0, 180.0],
        resolution: 360.0 / 256.0,
        matrix: [1, 1],
        matrices: &[],
        levels: 31,
        bounds: DEGREE_BOUNDS,
    },
    TilingScheme {
        name: "PseudoTMS_GlobalMercator",
        crs: "EPSG:3857",
        origin: [-HALF, HALF],
        resolution: HALF / 256.0,
        matrix: [2, 2],
        matrices: &[],
        levels: 30,
        bounds: WEB_BOUNDS,
    },
    TilingScheme {
        name: "LINZAntarticaMapTileGrid",
        crs: "EPSG:5482",
        origin: [-918_457.73, 6_918_457.73],
        resolution: 409_600_000.0 * STANDARDIZED_PIXEL,
        matrix: [1, 1],
        matrices: &[1, 1, 2, 4, 7, 13, 26, 52, 104, 207, 413, 826, 1652, 3303],
        levels: 14,
        bounds: None,
    },
    TilingScheme {
        name: "MapML_APSTILE",
        crs: "EPSG:5936",
        origin: [-28_567_784.109_255, 32_567_784.109_255],
        resolution: 852_895_761.978_571_5 * STANDARDIZED_PIXEL,
        matrix: [1, 1],
        matrices: &[],
        levels: 20,
        bounds: None,
    },
];

impl TilingScheme {
    /// All schemes.
    pub const ALL: &'static [Self] = &SCHEMES;

    /// Returns the scheme with one of GDAL's names, or OGC's `WebMercatorQuad` for `GoogleMapsCompatible`, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("WebMercatorQuad") { SCHEMES[0].name } else { name };
        SCHEMES.iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name)).copied()
    }

    /// Returns GDAL's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the CRS as an EPSG code, such as `EPSG:3857`.
    #[must_use]
    pub fn crs(&self) -> &'static str {
        self.crs
    }

    /// Returns left and top of all zoom levels, in units of the CRS.
    #[must_use]
    pub fn origin(&self) -> [f64; 2] {
        self.origin
    }

    /// Returns the side of a tile in pixels.
    #[must_use]
    pub fn tile_size(&self) -> u32 {
        TILE_SIZE
    }

    /// Returns the number of zoom levels; the first is 0.
    #[must_use]
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// Returns the extent of the scheme, which a raster has to touch: left, bottom, right, top.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        self.bounds
    }

    /// Returns the pixel size of a zoom level, in units of the CRS.
    #[must_use]
    pub fn resolution(&self, zoom_level: u32) -> f64 {
        self.resolution / 2f64.powi(i32::try_from(zoom_level).unwrap_or(i32::MAX))
    }

    /// Returns the numbers of tiles across and down at a zoom level.
    #[must_use]
    pub fn matrix(&self, zoom_level: u32) -> [i64; 2] {
        match self.matrices.get(zoom_level as usize) {
            Some(tiles) => [i64::from(*tiles); 2],
            None => self.matrix.map(|tiles| i64::from(tiles) << zoom_level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_found_by_name() {
        assert_eq!(TilingScheme::find("webmercatorquad").map(|scheme| scheme.name()), Some("GoogleMapsCompatible"));
        assert!(TilingScheme::find("NZTM2000").is_none());
        for scheme in TilingScheme::ALL {
            assert_eq!(TilingScheme::find(scheme.name()), Some(*scheme));
            assert!(scheme.matrices.is_empty() || scheme.matrices.len() == scheme.levels() as usize);
        }
    }

    #[test]
    fn resolutions_are_those_of_the_standard() {
        // OGC 17-083r2, annex D.1: scale denominator 559082264.028717.
        let web = TilingScheme::find("WebMercatorQuad").unwrap();
        assert!((web.resolution(0) / STANDARDIZED_PIXEL - 559_082_264.028_717_8).abs() < 1e-5);
        assert_eq!(web.matrix(3), [8, 8]);
        assert!((web.resolution(10) - 152.874_056_570_352_5).abs() < 1e-10);
    }
}
