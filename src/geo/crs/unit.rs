//! Units of length and angle, by EPSG code and by size.

use super::table::letters;

/// A unit: its name, and its size in meters or radians.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) size: f64,
}

/// Units of length in EPSG's CRSs and in user definitions: code, size in meters. Among units of nearly equal size, the
/// most common one comes first.
const LENGTHS: &[(u16, f64, &str)] = &[
    (9001, 1.0, "metre"),
    (9002, 0.3048, "foot"),
    (9003, 12.0 / 39.37, "US survey foot"),
    (9036, 1000.0, "kilometre"),
    (1033, 0.01, "centimetre"),
    (1025, 0.001, "millimetre"),
    (9096, 0.9144, "yard"),
    (9093, 1609.344, "Statute mile"),
    (9035, 5280.0 * 12.0 / 39.37, "US survey mile"),
    (9030, 1852.0, "nautical mile"),
    (9014, 1.8288, "fathom"),
    (9097, 20.1168, "chain"),
    (9098, 0.201_168, "link"),
    (9033, 66.0 * 12.0 / 39.37, "US survey chain"),
    (9005, 0.304_797_265_4, "Clarke's foot"),
    (9037, 0.914_391_796_2, "Clarke's yard"),
    (9039, 0.201_166_195_164, "Clarke's link"),
    (9031, 1.000_013_596_5, "German legal metre"),
    (9041, 0.304_799_471_538_676_2, "British foot (Sears 1922)"),
    (9040, 0.914_398_414_616_028_7, "British yard (Sears 1922)"),
    (9042, 20.116_765_121_552_63, "British chain (Sears 1922)"),
    (9062, 20.116_782_494_375_87, "British chain (Benoit 1895 B)"),
    (9301, 20.116_756, "British chain (Sears 1922 truncated)"),
    (9094, 0.304_799_710_181_508_8, "Gold Coast foot"),
    (9095, 0.304_800_749_1, "British foot (1936)"),
    (9084, 0.914_398_530_744_440_8, "Indian yard"),
    (9081, 0.304_798_41, "Indian foot (1937)"),
    (9204, 330.0 * 12.0 / 39.37, "Bin width 330 US survey feet"),
    (9205, 165.0 * 12.0 / 39.37, "Bin width 165 US survey feet"),
    (9208, 25.0, "Bin width 25 metres"),
    (9209, 12.5, "Bin width 12.5 metres"),
];

const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// Units of angle.
const ANGLES: &[(u16, f64, &str)] = &[
    (9102, DEGREE, "degree"),
    (9105, std::f64::consts::PI / 200.0, "grad"),
    (9101, 1.0, "radian"),
    (9103, DEGREE / 60.0, "arc-minute"),
    (9104, DEGREE / 3600.0, "arc-second"),
];

impl Unit {
    pub(super) fn metre() -> Self {
        Self { name: "metre".to_owned(), size: 1.0 }
    }

    pub(super) fn degree() -> Self {
        Self { name: "degree".to_owned(), size: DEGREE }
    }

    /// Returns the EPSG code of a unit of length. The name decides between nearly equal units, such as the feet.
    pub(super) fn length_code(&self) -> Option<u16> {
        code(LENGTHS, self)
    }

    /// Returns the EPSG code of a unit of angle.
    pub(super) fn angle_code(&self) -> Option<u16> {
        code(ANGLES, self)
    }

    /// Returns the unit with an EPSG code.
    pub(super) fn of(code: u16) -> Option<Self> {
        let code = plain(code);
        let (_, size, name) = *LENGTHS.iter().chain(ANGLES).find(|unit| unit.0 == code)?;
        Some(Self { name: name.to_owned(), size })
    }

    /// Returns whether this is the unit with an EPSG code.
    pub(super) fn is(&self, code: u16) -> bool {
        Self::of(code).is_some_and(|unit| close(unit.size, self.size))
    }
}

/// Returns whether an EPSG code is that of a unit of angle.
pub(super) fn is_angle(code: u16) -> bool {
    ANGLES.iter().any(|known| known.0 == plain(code))
}

/// Maps all codes for degrees to one: EPSG has several, for different ways of printing them.
pub(super) fn plain(code: u16) -> u16 {
    if matches!(code, 9107 | 9108 | 9115..=9120 | 9122) { 9102 } else { code }
}

/// Returns the unit of length with this name in PROJ strings.
pub(super) fn length_of_proj(name: &str) -> Option<Unit> {
    let code = match name {
        "m" => 9001,
        "ft" => 9002,
        "us-ft" => 9003,
        "km" => 9036,
        "cm" => 1033,
        "mm" => 1025,
        "yd" => 9096,
        "mi" => 9093,
        "us-mi" => 9035,
        "kmi" => 9030,
        "fath" => 9014,
        "ch" => 9097,
        "link" => 9098,
        "us-ch" => 9033,
        "ind-ft" => 9081,
        _ => return None,
    };
    Unit::of(code)
}

fn code(known: &[(u16, f64, &str)], unit: &Unit) -> Option<u16> {
    let name = letters(&unit.name);
    let fits = || known.iter().filter(|known| close(known.1, unit.size));
    fits().find(|known| letters(known.2) == name).or_else(|| fits().next()).map(|known| known.0)
}

/// Equal apart from rounding to the 15 digits of text. Feet differ in the sixth digit.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-10 * a.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_size() {
        let unit = |name: &str, size| Unit { name: name.to_owned(), size };
        assert_eq!(unit("Foot_US", 0.304_800_609_601_219).length_code(), Some(9003));
        assert_eq!(unit("Foot", 0.3048).length_code(), Some(9002));
        assert_eq!(unit("Meter", 1.0).length_code(), Some(9001));
        assert_eq!(unit("ell", 0.6).length_code(), None);
        assert_eq!(unit("Degree", 0.017_453_292_519_943_295).angle_code(), Some(9102));
        assert_eq!(unit("grad", 0.015_707_963_267_949).angle_code(), Some(9105));
        assert!(Unit::degree().is(9122) && !Unit::degree().is(9105));
        assert_eq!(length_of_proj("us-ft").unwrap().length_code(), Some(9003));
        assert_eq!(length_of_proj("parsec"), None);
    }
}
