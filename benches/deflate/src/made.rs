//! Rasters that are made: the same ones on every machine, of kinds that the corpus has too little of.

/// Pixels in memory, pixel interleave, little-endian.
pub struct Raster {
    pub columns: usize,
    pub rows: usize,
    pub samples: usize,
    pub sample_size: usize,
    pub float: bool,
    pub bytes: Vec<u8>,
}

/// A generator of random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normal: mean 0, standard deviation 1.
    fn normal(&mut self) -> f64 {
        ((0..12).map(|_| self.unit()).sum::<f64>()) - 6.0
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Smooth noise between 0 and 1 whose features are about `scale` pixels wide.
fn smooth(x: f64, y: f64, scale: f64, seed: u64) -> f64 {
    let (x, y) = (x / scale, y / scale);
    let corner = |dx: f64, dy: f64| {
        let key = ((x.floor() + dx) as i64 as u64) << 32 ^ ((y.floor() + dy) as i64 as u64 & 0xFFFF_FFFF);
        (mix(key ^ seed.wrapping_mul(0x1234_5678_9ABC_DEF1)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - x.floor()), ease(y - y.floor()));
    let upper = corner(0.0, 0.0) * (1.0 - u) + corner(1.0, 0.0) * u;
    let lower = corner(0.0, 1.0) * (1.0 - u) + corner(1.0, 1.0) * u;
    upper * (1.0 - v) + lower * v
}

/// Terrain: octaves of smooth noise, between 0 and 1.
fn terrain(x: usize, y: usize, seed: u64, octaves: u32) -> f64 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 300.0);
    for octave in 0..octaves {
        sum += weight * smooth(x as f64, y as f64, scale, seed + u64::from(octave));
        weight *= 0.5;
        scale *= 0.5;
    }
    sum
}

const SIDE: usize = 1024;

fn raster(
    samples: usize,
    sample_size: usize,
    float: bool,
    mut pixel: impl FnMut(usize, usize, &mut Vec<u8>),
) -> Raster {
    let mut bytes = Vec::with_capacity(SIDE * SIDE * samples * sample_size);
    for y in 0..SIDE {
        for x in 0..SIDE {
            pixel(x, y, &mut bytes);
        }
    }
    assert_eq!(bytes.len(), SIDE * SIDE * samples * sample_size);
    Raster { columns: SIDE, rows: SIDE, samples, sample_size, float, bytes }
}

/// The class of land at a place, 0 to 10, in patches with ragged borders.
fn class(x: usize, y: usize) -> u64 {
    let (fx, fy) = (x as f64, y as f64);
    let (wx, wy) = (fx + 14.0 * smooth(fx, fy, 9.0, 71), fy + 14.0 * smooth(fx, fy, 9.0, 72));
    let coarse = (smooth(wx, wy, 60.0, 73) * 5.0) as u64;
    let fine = (smooth(wx, wy, 14.0, 74) * 3.2) as u64;
    coarse + 2 * fine
}

/// The color of a rendered map: areas, roads with smooth edges, hatching, letters.
fn map_colour(x: usize, y: usize) -> [u8; 4] {
    let (fx, fy) = (x as f64, y as f64);
    let area = (smooth(fx, fy, 150.0, 31) * 6.0) as usize;
    let palette: [[u8; 3]; 6] =
        [[242, 239, 233], [205, 235, 176], [170, 211, 223], [224, 223, 223], [238, 240, 213], [173, 209, 158]];
    let mut colour = palette[area.min(5)];
    let road = (smooth(fx, fy, 210.0, 32) - 0.5).abs() * 210.0;
    if road < 4.0 {
        let strength = (4.0 - road).clamp(0.0, 1.0);
        for (channel, target) in colour.iter_mut().zip([247.0, 250.0, 191.0]) {
            *channel = (f64::from(*channel) * (1.0 - strength) + target * strength) as u8;
        }
    }
    if area == 1 && (x + y) % 12 < 2 {
        colour = [180, 215, 150];
    }
    // Letters of 7 by 9 pixels, of 26 shapes, in words here and there.
    let (cell_x, cell_y) = (x / 8, y / 24);
    let word = mix((cell_x / 9) as u64 * 7919 + cell_y as u64);
    if word % 5 == 0 && (x / 8) % 9 < 6 && y % 24 < 9 && x % 8 < 7 {
        let letter = mix(word + (cell_x % 9) as u64) % 26;
        if mix(letter * 100 + (y % 24 / 2) as u64 * 7 + (x % 8 / 2) as u64) % 5 < 2 {
            colour = [60, 60, 70];
        }
    }
    [colour[0], colour[1], colour[2], if area == 2 && x % 512 < 200 { 0 } else { 255 }]
}

/// The raster of a name in `sets.tsv`.
pub fn made(name: &str) -> Raster {
    let mut random = Random(name.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)));
    match name {
        "optical16" => raster(4, 2, false, |x, y, out| {
            for band in 0..4 {
                let ground = terrain(x, y, 10 + band / 3, 7) * 2600.0 + terrain(x, y, 20 + band, 4) * 700.0 + 300.0;
                out.extend(((ground + random.normal() * 22.0).max(1.0) as u16).to_le_bytes());
            }
        }),
        "aerial8" => raster(3, 1, false, |x, y, out| {
            let shade = terrain(x, y, 40, 8) * 190.0 + random.normal() * 3.5;
            for band in 0..3 {
                let ground = shade + terrain(x, y, 50 + band, 3) * 50.0 + random.normal() * 2.0;
                out.push(ground.clamp(0.0, 255.0) as u8);
            }
        }),
        "sar8" => raster(1, 1, false, |x, y, out| {
            let speckle: f64 = (0..4).map(|_| -random.unit().max(1e-9).ln()).sum::<f64>() / 4.0;
            out.push((terrain(x, y, 60, 6) * 130.0 * speckle.sqrt()).clamp(0.0, 255.0) as u8);
        }),
        "sar16" => raster(2, 2, false, |x, y, out| {
            for band in 0..2 {
                let speckle = -random.unit().max(1e-9).ln();
                let amplitude = terrain(x, y, 61 + band, 6) * 420.0 * speckle.sqrt();
                out.extend((amplitude.clamp(0.0, 65535.0) as u16).to_le_bytes());
            }
        }),
        "dem_float" => raster(1, 4, true, |x, y, out| {
            let height = terrain(x, y, 80, 7) * 1800.0 + random.normal() * 0.15;
            out.extend(if x + y / 3 > 1150 { -9999.0f32 } else { height as f32 }.to_le_bytes());
        }),
        "dem_int" => raster(1, 2, false, |x, y, out| {
            out.extend(((terrain(x, y, 90, 6) * 3200.0 - 200.0) as i16).to_le_bytes());
        }),
        "cover" => raster(1, 1, false, |x, y, out| out.push((class(x, y) * 10) as u8)),
        "map_rgba" => raster(4, 1, false, |x, y, out| out.extend(map_colour(x, y))),
        "map_rgb" => raster(3, 1, false, |x, y, out| out.extend(&map_colour(x + 300, y + 90)[..3])),
        "grid_int32" => raster(1, 4, false, |x, y, out| {
            out.extend(((terrain(x, y, 100, 5) * 4_000_000.0) as i32 / 250 * 250).to_le_bytes());
        }),
        "nearly_empty" => raster(1, 2, false, |x, y, out| {
            let lit = smooth(x as f64, y as f64, 200.0, 110) > 0.93;
            let value = if lit { (terrain(x, y, 111, 5) * 900.0 + random.normal() * 9.0) as u16 } else { 0 };
            out.extend(value.to_le_bytes());
        }),
        "noise" => raster(1, 1, false, |_, _, out| out.push(random.next() as u8)),
        "float_steps" => raster(1, 4, true, |x, y, out| {
            let value = (terrain(x, y, 120, 6) * 4000.0 + random.normal()).round() / 100.0;
            out.extend((value as f32).to_le_bytes());
        }),
        "field_double" => raster(1, 8, true, |x, y, out| {
            out.extend((terrain(x, y, 130, 6) * 40.0 + 273.15 + random.normal() * 0.01).to_le_bytes());
        }),
        "sar_float" => raster(1, 4, true, |x, y, out| {
            let speckle: f64 = (0..3).map(|_| -random.unit().max(1e-9).ln()).sum::<f64>() / 3.0;
            out.extend(((terrain(x, y, 140, 6) * 0.3 * speckle) as f32).to_le_bytes());
        }),
        "counts_int32" => raster(1, 4, false, |x, y, out| {
            let dense = (terrain(x, y, 150, 7) - 0.45).max(0.0) * 20.0;
            let count = if dense > 0.0 { (dense * -random.unit().max(1e-9).ln() * 4.0) as i32 } else { 0 };
            out.extend(count.to_le_bytes());
        }),
        "relief_rgb" => raster(3, 1, false, |x, y, out| {
            let slope = (terrain(x + 1, y, 160, 6) - terrain(x, y, 160, 6)) * 900.0;
            let height = (terrain(x, y, 160, 6) * 12.0) as usize % 6;
            let tint =
                [[90, 140, 80], [130, 170, 90], [190, 190, 110], [170, 140, 90], [150, 120, 100], [230, 230, 230]];
            for channel in tint[height] {
                out.push((f64::from(channel) * (0.75 + slope * 0.12).clamp(0.2, 1.1)).min(255.0) as u8);
            }
        }),
        "classes_int16" => raster(1, 2, false, |x, y, out| {
            let value = if (x / 40 + y / 25) % 7 == 0 { -1 } else { (class(x + 4000, y) * 101) as i16 };
            out.extend(value.to_le_bytes());
        }),
        "scene12" => raster(3, 2, false, |x, y, out| {
            for band in 0..3 {
                let ground = terrain(x, y, 170, 8) * 1500.0 + terrain(x, y, 175 + band, 5) * 300.0;
                out.extend((((ground + random.normal() * 9.0).max(0.0)) as u16).to_le_bytes());
            }
        }),
        _ => panic!("no generator is called {name}"),
    }
}
