//! Rasters made by arithmetic, the same on every machine: what the tests encode, and libLerc in `tests/judges/lerc.py`.

/// A type of samples, made from `f64`, saturated.
pub trait Value: cogsmith_lerc::Sample {
    fn from_f64(value: f64) -> Self;
}

macro_rules! value {
    ($($type:ident)*) => {
        $(impl Value for $type {
            fn from_f64(value: f64) -> Self {
                value as $type
            }
        })*
    };
}

value! { i8 u8 i16 u16 i32 u32 f32 f64 }

/// An image without its samples.
#[derive(Debug, Clone)]
pub struct Case {
    pub kind: &'static str,
    pub width: usize,
    pub height: usize,
    pub bands: usize,
    pub mask: Option<Vec<u8>>,
    pub max_z_error: f64,
}

pub const KINDS: [&str; 9] =
    ["constant", "smooth", "noise", "terrain", "decimals", "few", "classes", "sparse", "partly-nan"];

const ERRORS: [f64; 6] = [0.0, 0.01, 0.5, 1.0, 7.9, 1e6];
/// Width, height, and bands.
const SIZES: [[usize; 3]; 10] = [
    [1, 1, 1],
    [7, 3, 1],
    [8, 8, 1],
    [9, 17, 1],
    [64, 64, 1],
    [65, 33, 1],
    [131, 130, 1],
    [33, 20, 2],
    [64, 48, 3],
    [70, 41, 4],
];

/// All images of a kind.
pub fn cases(kind: &'static str) -> impl Iterator<Item = Case> {
    SIZES.into_iter().flat_map(move |[width, height, bands]| {
        ERRORS.into_iter().flat_map(move |max_z_error| {
            ["none", "some", "no-pixel"].into_iter().map(move |mask| {
                let mask = (mask != "none").then(|| {
                    let valid = |pixel: usize| mask == "some" && (pixel % width + pixel / width * 2) % 50 > 12;
                    (0..width * height).map(|pixel| u8::from(valid(pixel))).collect()
                });
                Case { kind, width, height, bands, mask, max_z_error }
            })
        })
    })
}

/// A number of 32 bits that looks random, for each index.
fn noise(index: usize) -> u32 {
    let mut bits = (index as u64).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits ^= bits >> 29;
    (bits.wrapping_mul(0x94D0_49BB_1331_11EB) >> 32) as u32
}

impl Case {
    /// The samples of all pixels.
    pub fn samples<T: Value>(&self) -> Vec<T> {
        let count = self.width * self.height * self.bands;
        (0..count).map(|index| T::from_f64(self.value(index))).collect()
    }

    fn value(&self, index: usize) -> f64 {
        let (pixel, band) = (index / self.bands, index % self.bands);
        let (x, y) = (pixel % self.width, pixel / self.width);
        let random = f64::from(noise(index)) / 4_294_967_296.0;
        // A paraboloid, which needs no library function that machines compute differently.
        let surface = (x as f64 - 20.0) * (x as f64 - 20.0) / 8.0 + (y * (3 + band)) as f64 / 4.0 - 50.0;
        let value = match self.kind {
            "constant" => 42.5 + band as f64,
            "smooth" => surface,
            "noise" => (random - 0.3) * 100_000.0,
            "terrain" => surface + random * 3.0,
            "decimals" => (surface + random * 20.0).floor() / 100.0,
            "few" => [0.0, 3.0, 200.0, -7.25][noise(index) as usize % 4],
            "classes" => f64::from(noise((x / 7 + y / 5 * 1000) * 8 + band) % 6) * 11.0,
            "sparse" => {
                if noise(index).is_multiple_of(40) {
                    random * 250.0
                } else {
                    0.0
                }
            }
            _ => surface,
        };
        // Integers are 0 there.
        let is_hole = self.kind == "partly-nan" && noise(pixel).is_multiple_of(7) && (y > 9 || band == 0);
        if is_hole { f64::NAN } else { value }
    }
}
