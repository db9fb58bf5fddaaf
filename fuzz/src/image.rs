//! Images, options and what is said about them, made from choices.

use std::ops::ControlFlow;

use cogsmith::tiff::{Tag, TagValue};
use cogsmith::{
    BigTiff, CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, GeoKeys, GeoRef, ImageSpec,
    Interleave, Metadata, MetadataItem, Nodata, Overviews, Photometric, PixelSource, Placement, Predictor, Resampling,
    StoreOptions, Stripe, TileSize,
};

use super::Choices;

/// How large a side may be, and a tile.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// So small that thousands a second can be encoded.
    Small,
    /// Anything.
    Any,
}

/// Samples of fewer bits than their type.
const NARROW: [(DataType, u16); 12] = [
    (DataType::U8, 1),
    (DataType::U8, 2),
    (DataType::U8, 4),
    (DataType::U8, 7),
    (DataType::U8, 3),
    (DataType::U16, 9),
    (DataType::U16, 12),
    (DataType::U16, 15),
    (DataType::U32, 17),
    (DataType::U32, 24),
    (DataType::U32, 31),
    (DataType::U16, 17),
];

const PHOTOMETRICS: [Photometric; 7] = [
    Photometric::MinIsBlack,
    Photometric::Rgb,
    Photometric::MinIsWhite,
    Photometric::Palette,
    Photometric::Separated,
    Photometric::CieLab,
    Photometric::IccLab,
];

pub fn spec(choices: &mut Choices<'_>, scale: Scale) -> ImageSpec {
    let mut side = || match scale {
        Scale::Small => 1 + choices.below(80) as u32,
        Scale::Any if choices.flag() => choices.u32(),
        Scale::Any => choices.u16().into(),
    };
    let (width, height) = (side(), side());
    let bands = match (scale, choices.byte()) {
        (Scale::Any, byte @ 128..) => u16::from(byte) << 8 | u16::from(choices.byte()),
        (_, byte) => 1 + u16::from(byte % 5),
    };
    let (data_type, bits_per_sample) = match choices.below(3) {
        0 => {
            let (data_type, bits) = choices.pick(&NARROW);
            (data_type, Some(bits))
        }
        _ => (choices.pick(&DataType::ALL), None),
    };
    let mut spec = ImageSpec::new(width, height, bands, data_type);
    spec.bits_per_sample = bits_per_sample;
    spec.nodata = match choices.below(6) {
        0 => Some(Nodata::from(u64::from(choices.byte()))),
        1 => Some(Nodata::from(choices.f64())),
        2 => Some(Nodata::Integer(i128::from(choices.u64() as i64))),
        _ => None,
    };
    spec.mask = choices.flag();
    if choices.flag() {
        spec.photometric = choices.pick(&PHOTOMETRICS);
        spec.extra_samples = Vec::new();
        for _ in 0..choices.below(4) {
            let kinds = [ExtraSample::Unspecified, ExtraSample::AssociatedAlpha, ExtraSample::UnassociatedAlpha];
            spec.extra_samples.push(choices.pick(&kinds));
        }
    }
    if spec.photometric == Photometric::Palette || choices.below(8) == 7 {
        let seed = usize::from(choices.byte());
        // A map of small values alone is taken for one of 8 bits and scaled.
        spec.color_map = (0..3usize << spec.bits().min(16)).map(|index| (index * seed) as u16 | 0x8000).collect();
    }
    spec
}

pub fn options(choices: &mut Choices<'_>, scale: Scale, bands: u16) -> EncodeOptions {
    let mut tile_size = || match scale {
        Scale::Small => {
            TileSize { width: 16 * (1 + choices.below(4) as u32), height: 16 * (1 + choices.below(4) as u32) }
        }
        Scale::Any => TileSize { width: choices.u16().into(), height: u32::from(choices.u16()) & !15 },
    };
    let (tile_size, other) = (tile_size(), tile_size());
    let compression = match choices.below(5) {
        0 => Compression::None,
        1 => Compression::Lzw,
        2 => Compression::Zstd { level: choices.byte() % 12 },
        _ => Compression::Deflate { level: choices.byte() % 11 },
    };
    let overviews = match choices.below(5) {
        0 => Overviews::None,
        1 => Overviews::Count(choices.byte().into()),
        2 => {
            let mut factor = 1;
            let count = choices.below(5);
            Overviews::Factors(
                (0..count)
                    .map(|_| {
                        factor += u32::from(choices.byte());
                        factor
                    })
                    .collect(),
            )
        }
        _ => Overviews::Auto,
    };
    let kernels = Resampling::ALL;
    let band_resampling =
        if choices.below(4) == 3 { (0..bands).map(|_| choices.pick(&kernels)).collect() } else { Vec::new() };
    EncodeOptions {
        tile_size,
        overview_tile_size: choices.flag().then_some(other),
        compression,
        predictor: choices.pick(&[Predictor::Auto, Predictor::None, Predictor::Horizontal, Predictor::FloatingPoint]),
        interleave: choices.pick(&[Interleave::Pixel, Interleave::Band, Interleave::Tile]),
        overviews,
        resampling: (band_resampling.is_empty() && choices.flag()).then(|| choices.pick(&kernels)),
        band_resampling,
        big_tiff: choices.pick(&[BigTiff::Auto, BigTiff::Yes, BigTiff::No]),
    }
}

pub fn geo(choices: &mut Choices<'_>) -> GeoRef {
    let numbers = |choices: &mut Choices<'_>, count| (0..count).map(|_| choices.f64()).collect::<Vec<_>>();
    let placement = match choices.below(8) {
        0 => {
            let scale = [choices.f64(), choices.f64(), choices.f64()];
            let count = 6 * choices.below(3) + choices.below(2);
            Placement::ScaleAndTiepoint { scale, tiepoints: numbers(choices, count) }
        }
        1 => {
            let count = 6 * choices.below(4) + choices.below(2);
            Placement::Tiepoints(numbers(choices, count))
        }
        2 => {
            let mut matrix = [0.0; 16];
            matrix.fill_with(|| choices.f64());
            Placement::Matrix(Box::new(matrix))
        }
        _ => Placement::None,
    };
    let keys = (choices.below(4) == 0).then(|| {
        let count = choices.below(4);
        let mut directory = vec![1, 1, 0, count as u16];
        directory.extend((0..4 * count + choices.below(2)).map(|_| choices.u16()));
        let doubles = choices.below(4);
        GeoKeys { directory, doubles: numbers(choices, doubles), ascii: choices.text().into_bytes() }
    });
    let rpc = (choices.below(8) == 1).then(|| {
        let count = choices.pick(&[92, 91, 0]);
        numbers(choices, count)
    });
    GeoRef { placement, keys, rpc }
}

pub fn metadata(choices: &mut Choices<'_>) -> Metadata {
    let items = (0..choices.below(3)).map(|_| MetadataItem {
        name: choices.text(),
        domain: choices.flag().then(|| choices.text()),
        sample: choices.flag().then(|| choices.byte().into()),
        role: choices.flag().then(|| choices.text()),
        value: choices.text(),
    });
    let items = items.collect();
    let mut tags = Vec::new();
    for _ in 0..choices.below(3) {
        let texts = [Tag::SOFTWARE, Tag::DATE_TIME, Tag::INK_NAMES, Tag::IMAGE_DESCRIPTION];
        tags.push(match choices.below(8) {
            0 => (Tag::X_RESOLUTION, TagValue::Rational(vec![[choices.u32(), choices.u32()]])),
            1 => (Tag::ICC_PROFILE, TagValue::Undefined(choices.text().into_bytes())),
            2 => (Tag::TRANSFER_FUNCTION, TagValue::Short(vec![choices.u16(), choices.u16()])),
            3 => (Tag(choices.u16()), TagValue::Long8(vec![choices.u64()])),
            4 => (Tag(choices.u16()), TagValue::Double((0..choices.below(3)).map(|_| choices.f64()).collect())),
            _ => (choices.pick(&texts), TagValue::Ascii(choices.text().into_bytes())),
        });
    }
    Metadata { items, tags }
}

/// An image with its pixels, (row, column, band).
#[derive(Debug)]
pub struct Image {
    pub spec: ImageSpec,
    pub pixels: Vec<u8>,
    pub mask: Vec<u8>,
}

impl Image {
    pub fn new(spec: ImageSpec, choices: &mut Choices<'_>) -> Self {
        let places = spec.width as usize * spec.height as usize;
        let size = spec.data_type.size();
        let mask = if spec.mask { choices.filled(places) } else { Vec::new() };
        // Masks with many invalid pixels, too.
        let mask = mask.into_iter().map(|byte| if byte & 3 == 0 { 0 } else { 255 }).collect();
        let mut pixels = choices.filled(places * usize::from(spec.bands) * size);
        if let Some(bits) = spec.bits_per_sample {
            for sample in pixels.chunks_mut(size) {
                for (index, byte) in sample.iter_mut().enumerate() {
                    let left = usize::from(bits).saturating_sub(8 * index).min(8);
                    *byte &= ((1u16 << left) - 1) as u8;
                }
            }
            if cfg!(target_endian = "big") {
                pixels.chunks_mut(size).for_each(<[u8]>::reverse);
            }
        }
        Self { spec, pixels, mask }
    }

    pub fn encode(&mut self, plan: &CogPlan, batch: u64) -> Vec<u8> {
        let store = StoreOptions { batch, ..StoreOptions::in_memory() };
        let mut file = Vec::new();
        cogsmith::encode(self, plan, &Executor::serial(), &store, &mut file, &mut |_| ControlFlow::Continue(()))
            .expect("what has a plan can be encoded");
        file
    }
}

impl PixelSource for Image {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        let length = stripe.width * stripe.bands * stripe.sample_size;
        for row in 0..stripe.rows {
            let at = first_row as usize + row;
            stripe.put_pixels(row, 0, &self.pixels[at * length..][..length]);
            if !self.mask.is_empty() {
                stripe.put_mask(row, 0, &self.mask[at * stripe.width..][..stripe.width]);
            }
        }
        Ok(())
    }
}

/// Rows of a source, bands together, and their mask.
pub fn read(source: &mut dyn PixelSource, rows: u32) -> cogsmith::Result<(Vec<u8>, Vec<u8>)> {
    let spec = source.spec().clone();
    let (width, height) = (spec.width as usize, rows as usize);
    let (bands, sample_size) = (usize::from(spec.bands), spec.data_type.size());
    let length = width * height * bands * sample_size;
    let mut words = vec![0u64; length.div_ceil(8)];
    let mut mask = vec![0; if spec.mask { width * height } else { 0 }];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let mut stripe = Stripe {
        width,
        rows: height,
        bands,
        sample_size,
        layout: cogsmith::StripeLayout::Chunky,
        planes: vec![&mut bytes[..length]],
        mask: spec.mask.then_some(mask.as_mut_slice()),
    };
    source.read_rows(0, &mut stripe, &Executor::serial())?;
    Ok((bytes[..length].to_vec(), mask))
}
