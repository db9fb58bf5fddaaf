//! What is known of EPSG codes: a compact table, made by `scripts/epsg_table.py` from the EPSG dataset as PROJ ships it.
//!
//! It tells what a code is (geographic, projected, …), its units and axes, the parts of compound systems, and datums,
//! ellipsoids and prime meridians by code and name. It has no definitions: what a GeoKey holds is the code.

/// The table; its form is described in `scripts/epsg_table.py`.
const TABLE: &[u8] = include_bytes!("epsg.bin");

/// What an EPSG code of a coordinate reference system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Geographic2D,
    Geographic3D,
    Geocentric,
    Projected,
    Vertical,
    Compound,
    Other,
}

/// The directions in which an EPSG system counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axes {
    EastNorth,
    NorthEast,
    Up,
    Down,
    Other,
}

/// A coordinate reference system of EPSG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct System {
    pub(super) code: u16,
    pub(super) kind: Kind,
    /// EPSG code of the unit of the first axis.
    pub(super) unit: u16,
    pub(super) axes: Axes,
    pub(super) deprecated: bool,
    /// Whether it has heights over an ellipsoid, too.
    pub(super) has_height: bool,
    /// By kind: the datum (geographic 2D, geocentric, vertical), the two-dimensional system (geographic 3D), the base
    /// (projected), or the horizontal system (compound); 0: none.
    pub(super) part: u16,
    /// The vertical system of a compound one.
    pub(super) vertical: u16,
    /// Of a projected system's method and parameters, see [`fingerprint`]; 0: of a method that GeoKeys can't name.
    pub(super) fingerprint: u8,
}

/// An ellipsoid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ellipsoid {
    pub(super) code: u16,
    /// In metres.
    pub(super) semi_major: f64,
    /// 0 for a sphere.
    pub(super) inverse_flattening: f64,
}

/// A prime meridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meridian {
    pub(super) code: u16,
    /// In degrees east of Greenwich.
    pub(super) longitude: f64,
    pub(super) name: &'static str,
}

/// A geodetic datum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Datum {
    pub(super) ellipsoid: Ellipsoid,
    pub(super) meridian: Meridian,
    /// Whether it stands for several realizations, as WGS 84 does.
    pub(super) is_ensemble: bool,
}

/// The version of the EPSG dataset, such as `v12.029`.
pub(super) fn version() -> &'static str {
    Reader(TABLE).text()
}

/// The system of a code.
pub(super) fn system(code: u16) -> Option<System> {
    systems().find(|system| system.code == code)
}

/// The valid geographic system of two dimensions with this datum, the one with latitude first where there are several.
pub(super) fn geographic(datum: u16, is_unit: impl Fn(u16) -> bool) -> Option<System> {
    let mut found: Vec<System> = systems()
        .filter(|system| system.kind == Kind::Geographic2D && system.part == datum && is_unit(system.unit))
        .filter(|system| !system.deprecated)
        .collect();
    found.sort_by_key(|system| (system.axes != Axes::NorthEast, system.code));
    found.first().copied()
}

/// All systems by growing code.
pub(super) fn systems() -> impl Iterator<Item = System> {
    let mut reader = names_reader();
    let count = reader.short();
    reader.skip(usize::from(count) * 6);
    let classes: Vec<Class> = (0..reader.byte()).map(|_| Class::read(&mut reader)).collect();
    let (mut code, mut base) = (0, 0);
    (0..reader.short()).filter_map(move |_| {
        code += reader.varint();
        let class = *classes.get(usize::from(reader.byte()))?;
        let (mut part, mut vertical, mut fingerprint) = (0, 0, 0);
        match class.kind {
            Kind::Projected => {
                base += reader.zigzag();
                part = u16::try_from(base).ok()?;
                fingerprint = reader.byte();
            }
            Kind::Compound => (part, vertical) = (reader.short(), reader.short()),
            Kind::Other => {}
            _ => part = reader.short(),
        }
        let Class { kind, unit, axes, deprecated, has_height } = class;
        let code = u16::try_from(code).ok()?;
        Some(System { code, kind, unit, axes, deprecated, has_height, part, vertical, fingerprint })
    })
}

/// The geodetic datum of a code.
pub(super) fn datum(code: u16) -> Option<Datum> {
    let mut reader = Reader(TABLE);
    reader.text();
    let ellipsoids: Vec<Ellipsoid> = read_ellipsoids(&mut reader);
    let meridians: Vec<Meridian> = read_meridians(&mut reader);
    let mut at = 0;
    for _ in 0..reader.short() {
        at += reader.varint();
        let (ellipsoid, meridian) = (reader.byte(), reader.byte());
        if at == u32::from(code) {
            let ellipsoid = *ellipsoids.get(usize::from(ellipsoid))?;
            let is_ensemble = meridian >= 128;
            let meridian = *meridians.get(usize::from(meridian % 128))?;
            return Some(Datum { ellipsoid, meridian, is_ensemble });
        }
    }
    None
}

/// The code of a datum, geodetic or vertical, by its name or one of its aliases; letter case, spaces and punctuation
/// don't count. Names are found by a hash: what else is known of the datum has to be compared.
pub(super) fn datum_by_name(name: &str) -> Option<u16> {
    let wanted = fnv(letters(name).bytes());
    let mut reader = names_reader();
    let mut names = (0..reader.short()).map(|_| (reader.long(), reader.short()));
    names.find(|(hash, _)| *hash == wanted).map(|(_, code)| code)
}

/// All ellipsoids, those in use first.
pub(super) fn ellipsoids() -> Vec<Ellipsoid> {
    let mut reader = Reader(TABLE);
    reader.text();
    read_ellipsoids(&mut reader)
}

/// All prime meridians.
pub(super) fn meridians() -> Vec<Meridian> {
    let mut reader = Reader(TABLE);
    reader.text();
    read_ellipsoids(&mut reader);
    read_meridians(&mut reader)
}

/// Tells parameters of a projection from others: 1 to 255, made from the method's code in GeoKey 3075 and nine numbers:
/// latitude and longitude of origin in degrees, scale, easting and northing in metres, standard parallels, azimuth and
/// angle in degrees; those that the method lacks have their default.
pub(super) fn fingerprint(method: u16, parameters: [Option<f64>; 9]) -> u8 {
    const SIZES: [f64; 9] = [1e6, 1e6, 1e8, 1e3, 1e3, 1e6, 1e6, 1e6, 1e6];
    let mut bytes = method.to_le_bytes().to_vec();
    for (value, size) in parameters.into_iter().zip(SIZES) {
        #[expect(clippy::cast_possible_truncation, reason = "numbers beyond 64 bits saturate, and match nothing")]
        let number = value.map_or(i64::MIN, |value| (value * size + 0.5).floor() as i64);
        bytes.extend(number.to_le_bytes());
    }
    u8::try_from(fnv(bytes.into_iter()) % 255 + 1).unwrap_or(0)
}

/// What counts of a name: its ASCII letters, digits and plus signs (CH1903 is not CH1903+), in lower case.
pub(super) fn letters(name: &str) -> String {
    let counts = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '+';
    name.chars().filter(counts).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// FNV-1a, 32 bits.
fn fnv(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What many systems share.
#[derive(Clone, Copy)]
struct Class {
    kind: Kind,
    unit: u16,
    axes: Axes,
    deprecated: bool,
    has_height: bool,
}

impl Class {
    fn read(reader: &mut Reader) -> Self {
        let kind = match reader.byte() {
            0 => Kind::Geographic2D,
            1 => Kind::Geographic3D,
            2 => Kind::Geocentric,
            3 => Kind::Projected,
            4 => Kind::Vertical,
            5 => Kind::Compound,
            _ => Kind::Other,
        };
        let (unit, has_height) = (reader.short(), reader.short() != 0);
        let axes = match reader.byte() {
            0 => Axes::EastNorth,
            1 => Axes::NorthEast,
            2 => Axes::Up,
            3 => Axes::Down,
            _ => Axes::Other,
        };
        Self { kind, unit, axes, deprecated: reader.byte() != 0, has_height }
    }
}

/// A reader at the names.
fn names_reader() -> Reader {
    let mut reader = Reader(TABLE);
    reader.text();
    read_ellipsoids(&mut reader);
    read_meridians(&mut reader);
    for _ in 0..reader.short() {
        reader.varint();
        reader.skip(2);
    }
    reader
}

fn read_ellipsoids(reader: &mut Reader) -> Vec<Ellipsoid> {
    let count = reader.byte();
    (0..count)
        .map(|_| Ellipsoid { code: reader.short(), semi_major: reader.double(), inverse_flattening: reader.double() })
        .collect()
}

fn read_meridians(reader: &mut Reader) -> Vec<Meridian> {
    let count = reader.byte();
    (0..count).map(|_| Meridian { code: reader.short(), longitude: reader.double(), name: reader.text() }).collect()
}

/// Reads the table from front to back. What lies behind its end is 0: the table is ours, and tests read all of it.
struct Reader(&'static [u8]);

impl Reader {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let Some((bytes, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *bytes
    }

    fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }

    fn long(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn double(&mut self) -> f64 {
        f64::from_le_bytes(self.bytes())
    }

    fn text(&mut self) -> &'static str {
        let length = usize::from(self.byte());
        let text = self.0.get(..length).unwrap_or_default();
        self.skip(length);
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift > 28 {
                return value;
            }
        }
    }

    fn zigzag(&mut self) -> i32 {
        let value = self.varint();
        let half = (value >> 1).cast_signed();
        if value & 1 == 0 { half } else { -half - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_small_and_whole() {
        assert!(TABLE.len() <= 60 << 10, "{} bytes", TABLE.len());
        assert!(version().starts_with("v1"), "{}", version());
        let all: Vec<System> = systems().collect();
        assert!(all.len() > 7000);
        assert!(all.is_sorted_by(|before, after| before.code < after.code));
        // Whatever a system is made of is in the table, too.
        for one in &all {
            let part = system(one.part);
            match one.kind {
                Kind::Geographic2D | Kind::Geocentric => assert!(datum(one.part).is_some(), "{one:?}"),
                Kind::Geographic3D => assert!(one.part == 0 || part.unwrap().kind == Kind::Geographic2D, "{one:?}"),
                Kind::Projected => assert!(
                    matches!(part.unwrap().kind, Kind::Geographic2D | Kind::Geographic3D | Kind::Projected),
                    "{one:?}"
                ),
                Kind::Compound => {
                    assert!(part.is_some(), "{one:?}");
                    assert_eq!(system(one.vertical).unwrap().kind, Kind::Vertical, "{one:?}");
                }
                Kind::Vertical | Kind::Other => {}
            }
        }
    }

    #[test]
    fn well_known_codes() {
        let known = |code| system(code).map(|system| (system.kind, system.unit, system.axes, system.part));
        assert_eq!(known(4326), Some((Kind::Geographic2D, 9122, Axes::NorthEast, 6326)));
        assert_eq!(known(32633), Some((Kind::Projected, 9001, Axes::EastNorth, 4326)));
        assert_eq!(known(2225), Some((Kind::Projected, 9003, Axes::EastNorth, 4269)));
        assert_eq!(known(4979).unwrap().3, 4326);
        assert_eq!(known(7415).unwrap().3, 28992);
        assert_eq!(known(1), None);
        assert_eq!(datum_by_name("D_WGS_1984"), Some(6326));
        assert_eq!(datum_by_name("North_American_Datum_1983"), Some(6269));
        assert_eq!(datum(6807).unwrap().meridian.name, "Paris");
        assert_eq!(geographic(6326, |unit| unit == 9122).unwrap().code, 4326);
    }
}
