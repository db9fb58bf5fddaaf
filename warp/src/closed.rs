//! Closed forms on WGS 84: longitude and latitude, the UTM zones, and Web Mercator. The functions of the `libm` crate have the
//! same results on all platforms.

use libm::{asinh, atan, atan2, atanh, cos, cosh, hypot, sin, sinh, sqrt, tan};

/// Semi-major axis of WGS 84, in meters.
const A: f64 = 6_378_137.0;
/// Flattening of WGS 84.
const F: f64 = 1.0 / 298.257_223_563;
/// Third flattening.
const N: f64 = F / (2.0 - F);
/// Scale of UTM at the central meridian.
const K0: f64 = 0.9996;
/// False easting of UTM, and false northing of its southern zones.
const FALSE_EASTING: f64 = 500_000.0;
const FALSE_NORTHING: f64 = 10_000_000.0;
/// Limit of the transverse coordinate of the Gauss sphere, as in PROJ's `etmerc`: the series diverges beyond it.
const MAX_ETA: f64 = 2.623_395_162_778;

/// Coefficients of powers of `N` from the first on, for each multiple of the angle: C. F. F. Karney, "Transverse Mercator with
/// an accuracy of a few nanometers", Journal of Geodesy 85 (2011), equations 35 and 36.
const ALPHA: [[f64; 6]; 6] = [
    [1.0 / 2.0, -2.0 / 3.0, 5.0 / 16.0, 41.0 / 180.0, -127.0 / 288.0, 7891.0 / 37800.0],
    [0.0, 13.0 / 48.0, -3.0 / 5.0, 557.0 / 1440.0, 281.0 / 630.0, -1_983_433.0 / 1_935_360.0],
    [0.0, 0.0, 61.0 / 240.0, -103.0 / 140.0, 15061.0 / 26880.0, 167_603.0 / 181_440.0],
    [0.0, 0.0, 0.0, 49561.0 / 161_280.0, -179.0 / 168.0, 6_601_661.0 / 7_257_600.0],
    [0.0, 0.0, 0.0, 0.0, 34729.0 / 80640.0, -3_418_889.0 / 1_995_840.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 212_378_941.0 / 319_334_400.0],
];
const BETA: [[f64; 6]; 6] = [
    [1.0 / 2.0, -2.0 / 3.0, 37.0 / 96.0, -1.0 / 360.0, -81.0 / 512.0, 96199.0 / 604_800.0],
    [0.0, 1.0 / 48.0, 1.0 / 15.0, -437.0 / 1440.0, 46.0 / 105.0, -1_118_711.0 / 3_870_720.0],
    [0.0, 0.0, 17.0 / 480.0, -37.0 / 840.0, -209.0 / 4480.0, 5569.0 / 90720.0],
    [0.0, 0.0, 0.0, 4397.0 / 161_280.0, -11.0 / 504.0, -830_251.0 / 7_257_600.0],
    [0.0, 0.0, 0.0, 0.0, 4583.0 / 161_280.0, -108_847.0 / 3_991_680.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 20_648_693.0 / 638_668_800.0],
];

/// A CRS with a closed form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ClosedForm {
    /// EPSG:4326: longitude and latitude in degrees.
    Geographic,
    /// EPSG:3857.
    WebMercator,
    /// EPSG:32601 to 32660 and 32701 to 32760.
    Utm {
        /// Central meridian in degrees.
        meridian: f64,
        /// False northing in meters.
        false_northing: f64,
    },
}

impl ClosedForm {
    /// Returns the closed form of a CRS that is given as an EPSG code or as `OGC:CRS84`.
    pub(crate) fn find(crs: &str) -> Option<Self> {
        let crs = crs.trim().to_ascii_uppercase();
        if crs == "OGC:CRS84" {
            return Some(Self::Geographic);
        }
        let code: u32 = crs.strip_prefix("EPSG:").unwrap_or(&crs).parse().ok()?;
        let utm = |zone: u32, false_northing| Self::Utm { meridian: f64::from(zone) * 6.0 - 183.0, false_northing };
        match code {
            4326 => Some(Self::Geographic),
            3857 => Some(Self::WebMercator),
            32601..=32660 => Some(utm(code - 32600, 0.0)),
            32701..=32760 => Some(utm(code - 32700, FALSE_NORTHING)),
            _ => None,
        }
    }

    /// Returns the length of a turn around the globe, if x wraps.
    pub(crate) fn period(self) -> Option<f64> {
        match self {
            Self::Geographic => Some(360.0),
            Self::WebMercator => Some(2.0 * std::f64::consts::PI * A),
            Self::Utm { .. } => None,
        }
    }

    /// Returns coordinates for longitude and latitude in degrees.
    pub(crate) fn project(self, [longitude, latitude]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Geographic => [longitude, latitude],
            Self::WebMercator => {
                if latitude.abs() >= 90.0 {
                    return [f64::NAN; 2];
                }
                [A * turned(longitude).to_radians(), A * asinh(tan(latitude.to_radians()))]
            }
            Self::Utm { meridian, false_northing } => {
                let [easting, northing] = transverse_mercator(turned(longitude - meridian), latitude);
                [FALSE_EASTING + easting, false_northing + northing]
            }
        }
    }

    /// Returns longitude and latitude in degrees for coordinates.
    pub(crate) fn unproject(self, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Geographic => [x, y],
            Self::WebMercator => [(x / A).to_degrees(), atan(sinh(y / A)).to_degrees()],
            Self::Utm { meridian, false_northing } => {
                let [longitude, latitude] = inverse_transverse_mercator(x - FALSE_EASTING, y - false_northing);
                [turned(meridian + longitude), latitude]
            }
        }
    }
}

/// Returns a longitude between -180 and 180 degrees.
fn turned(longitude: f64) -> f64 {
    if longitude.abs() <= 180.0 { longitude } else { longitude - 360.0 * ((longitude + 180.0) / 360.0).floor() }
}

/// Returns the sums of powers of `N` for one row of a table.
fn coefficient(row: &[f64; 6]) -> f64 {
    row.iter().rev().fold(0.0, |sum, value| (sum + value) * N)
}

/// Radius of the rectifying sphere, times the scale.
fn radius() -> f64 {
    K0 * A / (1.0 + N) * (1.0 + N * N * (0.25 + N * N * (1.0 / 64.0 + N * N / 256.0)))
}

/// First eccentricity.
fn eccentricity() -> f64 {
    sqrt(F * (2.0 - F))
}

/// Adds a series to (xi, eta).
fn add_series([xi, eta]: [f64; 2], table: &[[f64; 6]; 6], sign: f64) -> [f64; 2] {
    let mut sum = [xi, eta];
    for (row, multiple) in table.iter().zip([2.0, 4.0, 6.0, 8.0, 10.0, 12.0]) {
        let factor = sign * coefficient(row);
        sum[0] += factor * sin(multiple * xi) * cosh(multiple * eta);
        sum[1] += factor * cos(multiple * xi) * sinh(multiple * eta);
    }
    sum
}

/// Returns easting and northing, without false ones, for degrees east of the central meridian and latitude.
fn transverse_mercator(longitude: f64, latitude: f64) -> [f64; 2] {
    if latitude.abs() > 90.0 {
        return [f64::NAN; 2];
    }
    let (lambda, e) = (longitude.to_radians(), eccentricity());
    let tau = tan(latitude.to_radians());
    let secant = hypot(1.0, tau);
    let sigma = sinh(e * atanh(e * tau / secant));
    let tau = tau * hypot(1.0, sigma) - sigma * secant;
    let xi = atan2(tau, cos(lambda));
    let eta = asinh(sin(lambda) / hypot(tau, cos(lambda)));
    if eta.abs() > MAX_ETA || eta.is_nan() {
        return [f64::NAN; 2];
    }
    let [xi, eta] = add_series([xi, eta], &ALPHA, 1.0);
    [radius() * eta, radius() * xi]
}

/// Returns degrees east of the central meridian, and latitude.
fn inverse_transverse_mercator(easting: f64, northing: f64) -> [f64; 2] {
    let (xi, eta) = (northing / radius(), easting / radius());
    if eta.abs() > MAX_ETA {
        return [f64::NAN; 2];
    }
    let [xi, eta] = add_series([xi, eta], &BETA, -1.0);
    let longitude = atan2(sinh(eta), cos(xi));
    let wanted = sin(xi) / hypot(sinh(eta), cos(xi));
    // Newton's method converges within four steps to the last bits (Karney, section 5).
    let (e, mut tau) = (eccentricity(), wanted);
    for _ in 0..5 {
        let secant = hypot(1.0, tau);
        let sigma = sinh(e * atanh(e * tau / secant));
        let conformal = tau * hypot(1.0, sigma) - sigma * secant;
        let ratio = 1.0 - e * e;
        tau += (wanted - conformal) / hypot(1.0, conformal) * (1.0 + ratio * tau * tau) / (ratio * secant);
    }
    [longitude.to_degrees(), atan(tau).to_degrees()]
}
