//! Random images, windows, and options.

use std::ops::Range;
use std::path::Path;

use cogsmith::{
    BigTiff, CogOptions, Compression, Crs, DataType, EncodeOptions, ExtraSample, ImageSpec, Interleave, Overviews,
    Predictor, Resampling, Sample, SliceSource, TileSize, Transform, check,
};
use sha2::{Digest, Sha256};

/// A generator of numbers that are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn within(&mut self, range: Range<u32>) -> u32 {
        range.start + self.below(u64::from(range.end - range.start)) as u32
    }

    pub fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }

    pub fn chance(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// An image, with one number for each sample.
#[derive(Clone)]
pub struct Image {
    pub spec: ImageSpec,
    /// Band, row, column.
    pub samples: Vec<f64>,
    /// Row, column; empty without a mask.
    pub mask: Vec<u8>,
    /// Upper-left corner in the large image.
    pub at: (u32, u32),
}

impl Image {
    pub fn random(random: &mut Random, spec: ImageSpec, at: (u32, u32)) -> Self {
        let pixels = spec.width as usize * spec.height as usize;
        let (nodata, float) = (spec.nodata.map(|nodata| nodata.as_f64()), spec.data_type.is_float());
        let (base, width) = (random.below(100), spec.width as usize);
        let (nodata_share, noise) = (random.of(&[3, 20, 1000]), random.of(&[2, 40]));
        let samples = (0..pixels * usize::from(spec.bands)).map(|index| {
            let ramp = (index % width + index / width) as u64 / 3 % 90;
            match nodata {
                Some(nodata) if random.chance(nodata_share) => nodata,
                _ if float && random.chance(97) => f64::NAN,
                _ => (base + ramp + random.below(noise)) as f64 + if float { 0.25 } else { 0.0 },
            }
        });
        let samples = samples.collect();
        let mask = (0..if spec.mask { pixels } else { 0 }).map(|_| if random.chance(4) { 0 } else { 255 }).collect();
        Self { spec, samples, mask, at }
    }

    pub fn sample(&mut self, band: usize, row: usize, column: usize) -> &mut f64 {
        let (width, height) = (self.spec.width as usize, self.spec.height as usize);
        &mut self.samples[(band * height + row) * width + column]
    }

    /// Puts an update over the image.
    pub fn put(&mut self, update: &mut Self, replace_all: bool) {
        let bands = usize::from(self.spec.bands);
        let nodata = update.spec.nodata.map(|nodata| nodata.as_f64());
        let alpha = self.spec.extra_samples.iter().position(|extra| *extra != ExtraSample::Unspecified);
        let alpha = alpha.map(|position| bands - self.spec.extra_samples.len() + position);
        for row in 0..update.spec.height as usize {
            for column in 0..update.spec.width as usize {
                let masked =
                    (!update.mask.is_empty()).then(|| update.mask[row * update.spec.width as usize + column] == 0);
                let pixel: Vec<f64> = (0..bands).map(|band| *update.sample(band, row, column)).collect();
                let is_void =
                    |value: f64| value.is_nan() || (masked.is_none() && nodata.is_some_and(|nodata| value == nodata));
                let by_pixel = self.spec.mask || masked.is_some() || alpha.is_some();
                let data = || (0..bands).filter(|band| Some(*band) != alpha).any(|band| !is_void(pixel[band]));
                let is_valid = masked != Some(true) && alpha.is_none_or(|alpha| pixel[alpha] != 0.0) && data();
                let (down, across) = (row + self.at(update).1, column + self.at(update).0);
                for (band, value) in pixel.iter().enumerate() {
                    if replace_all || if by_pixel { is_valid } else { !is_void(*value) } {
                        *self.sample(band, down, across) = *value;
                    }
                }
                let place = down * self.spec.width as usize + across;
                if !self.mask.is_empty() && (replace_all || is_valid) {
                    self.mask[place] = if masked == Some(true) { 0 } else { 255 };
                }
            }
        }
    }

    pub fn at(&self, update: &Self) -> (usize, usize) {
        (update.at.0 as usize, update.at.1 as usize)
    }

    pub fn write(&self, path: &Path, options: &EncodeOptions) {
        let options = geo_options(self.at).encode_options(options.clone()).overwrite(true).threads(2);
        fn with<T: Sample>(image: &Image, path: &Path, options: &CogOptions, convert: impl Fn(f64) -> T) {
            let samples: Vec<T> = image.samples.iter().map(|value| convert(*value)).collect();
            let source = SliceSource::planar(image.spec.clone(), &samples).unwrap();
            let source = if image.spec.mask { source.with_mask(&image.mask).unwrap() } else { source };
            cogsmith::write(path, source, options).unwrap();
        }
        match self.spec.data_type {
            DataType::U8 => with(self, path, &options, |value| value as u8),
            DataType::I16 => with(self, path, &options, |value| value as i16),
            DataType::U16 => with(self, path, &options, |value| value as u16),
            DataType::F32 => with(self, path, &options, |value| value as f32),
            _ => with(self, path, &options, |value| value),
        }
    }
}

pub fn transform((column, row): (u32, u32)) -> Transform {
    Transform::north_up(500_000.0 + 10.0 * f64::from(column), 6_000_000.0 - 10.0 * f64::from(row), 10.0, 10.0).unwrap()
}

pub fn geo_options(at: (u32, u32)) -> CogOptions {
    CogOptions::new().crs(Crs::epsg(32633).unwrap()).transform(transform(at))
}

pub fn sha(path: &Path) -> String {
    Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn assert_valid(path: &Path) {
    let file = cogsmith::DiskFile::open(path).unwrap();
    let report = check::validate(&file, &check::CheckOptions::full(), &cogsmith::Executor::serial()).unwrap();
    assert!(report.is_valid(false), "{:?}", report.findings);
}

/// Returns a window of an image: anywhere, or at one of its corners or edges.
pub fn window(random: &mut Random, (width, height): (u32, u32)) -> (Range<u32>, Range<u32>) {
    let mut side = |limit: u32| {
        let most = random.of(&[2, 20, 60, 400]);
        let length = random.within(1..limit.min(most) + 1);
        let start = match random.below(4) {
            0 => 0,
            1 => limit - length,
            _ => random.within(0..limit - length + 1),
        };
        start..start + length
    };
    (side(width), side(height))
}

/// Returns random options that any image of these bands and this type can have.
pub fn options(random: &mut Random, spec: &ImageSpec) -> EncodeOptions {
    let float = spec.data_type.is_float();
    let mut codecs = vec![Compression::None, Compression::Lzw, Compression::PackBits, Compression::LERC];
    codecs.extend([1, 4, 6, 7, 9].map(|level| Compression::Deflate { level }));
    codecs.extend([1, 3, 9, 12].map(|level| Compression::Zstd { level }));
    codecs.push(Compression::LERC_DEFLATE.with_parameter("level", 2u8).unwrap());
    let interleave = random.of(Interleave::ALL);
    if spec.bands == 3 && spec.data_type == DataType::U8 && interleave == Interleave::Pixel {
        codecs.push(Compression::WEBP_LOSSLESS);
    }
    let codec = random.of(&codecs);
    let predictors = match (codec.codec().takes_predictor, float) {
        (false, _) => vec![Predictor::None],
        (true, false) => vec![Predictor::None, Predictor::Horizontal],
        (true, true) => vec![Predictor::None, Predictor::Horizontal, Predictor::FloatingPoint],
    };
    let side = |random: &mut Random| TileSize { width: random.of(&[16, 32, 64]), height: random.of(&[16, 48, 64]) };
    let overviews = match random.below(6) {
        0 => Overviews::None,
        1 => Overviews::Count(random.within(1..5)),
        2 => Overviews::Factors(vec![3, 4, 17]),
        3 => Overviews::Factors(vec![2, 4, 8]),
        _ => Overviews::Auto,
    };
    let mut options = EncodeOptions::new()
        .tile_size(side(random))
        .compression(codec)
        .predictor(random.of(&predictors))
        .interleave(interleave)
        .big_tiff(random.of(&[BigTiff::Auto, BigTiff::Yes]))
        .header_room(random.of(&[0, 0, 2000]))
        .statistics(random.chance(4))
        .overviews(overviews);
    if options.overviews != Overviews::None {
        options = options.resampling(random.of(Resampling::ALL));
        if random.chance(3) {
            options = options.overview_tile_size(side(random));
        }
        if random.chance(4) {
            options = options.overview_compression(Compression::Lzw).overview_predictor(Predictor::None);
        }
    }
    options
}
