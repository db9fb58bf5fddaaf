//! Images, options and what is said about them, made from choices.

use std::ops::ControlFlow;

use cogsmith::Tag;
use cogsmith::{
    BigTiff, Bounds, CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, Gcp, GeoKeys, GeoRef,
    ImageSpec, Interleave, JpegPhotometric, MaskPolicy, Metadata, Nodata, Overviews, Photometric, PixelIs, PixelSource,
    Predictor, Resampling, Rpc, StoreOptions, Stripe, Subsampling, TileSize, Transform,
};

use super::Choices;

/// The maximum size of a side, and of a tile.
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
        _ => (choices.pick(DataType::ALL), None),
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
    // Options of overviews are an error without them.
    let has_overviews = overviews != Overviews::None;
    let kernels = Resampling::ALL;
    let band_resampling = if choices.below(4) == 3 && has_overviews {
        (0..bands).map(|_| choices.pick(kernels)).collect()
    } else {
        Vec::new()
    };
    EncodeOptions::new()
        .tile_size(tile_size)
        .overview_tile_size((choices.flag() && has_overviews).then_some(other))
        .compression(compression)
        .predictor(choices.pick(&[Predictor::Auto, Predictor::None, Predictor::Horizontal, Predictor::FloatingPoint]))
        .interleave(choices.pick(&[Interleave::Pixel, Interleave::Band, Interleave::Tile]))
        .overviews(overviews)
        .resampling((band_resampling.is_empty() && choices.flag() && has_overviews).then(|| choices.pick(kernels)))
        .band_resampling(band_resampling)
        .big_tiff(choices.pick(&[BigTiff::Auto, BigTiff::Yes, BigTiff::No]))
        .statistics(choices.below(4) == 3)
}

/// Other codecs, for full resolution or overviews alone. Of pixels whose bands disagree about nodata, a policy decides.
pub fn other_codecs(choices: &mut Choices<'_>, spec: &ImageSpec, options: &mut EncodeOptions) {
    let jpeg = |choices: &mut Choices<'_>| Compression::Jpeg {
        quality: choices.byte() % 103,
        subsampling: choices.pick(Subsampling::ALL),
        photometric: choices.pick(JpegPhotometric::ALL),
    };
    match choices.below(12) {
        7 => options.compression = Compression::PackBits,
        8 | 9 => options.compression = jpeg(choices),
        10 if options.overviews != Overviews::None => options.overview_compression = Some(jpeg(choices)),
        11 if options.overviews != Overviews::None => {
            options.compression = jpeg(choices);
            options.overview_compression = Some(Compression::Deflate { level: 1 });
            options.overview_predictor = Some(choices.pick(Predictor::ALL));
        }
        _ => {}
    }
    if spec.nodata.is_some() && choices.below(4) != 0 {
        options.mask = choices.pick(&[MaskPolicy::Nodata, MaskPolicy::AnyNodata]);
    }
    if !options.compression.codec().takes_predictor {
        options.predictor = Predictor::Auto;
    }
}

/// A georeference by any way there is; what is refused is left out.
pub fn geo(choices: &mut Choices<'_>) -> GeoRef {
    let mut geo = GeoRef::default();
    let set = |geo: &mut GeoRef, changed: cogsmith::Result<GeoRef>| *geo = changed.unwrap_or_else(|_| geo.clone());
    if choices.below(4) == 0 {
        let count = 1 + choices.below(3);
        let mut directory = vec![1, 1, 0, count as u16];
        directory.extend((0..4 * count + choices.below(2)).map(|_| choices.u16()));
        let doubles = (0..choices.below(4)).map(|_| choices.f64()).collect();
        // NULs that close texts are no part of them.
        let ascii = choices.text().trim_end_matches('\0').as_bytes().to_vec();
        let changed = geo.clone().with_keys(GeoKeys { directory, doubles, ascii });
        set(&mut geo, changed);
    }
    match choices.below(8) {
        0 => {
            let numbers = [(); 6].map(|()| choices.f64());
            let changed = Transform::from_gdal(numbers).map(|transform| geo.clone().with_transform(transform));
            set(&mut geo, changed);
        }
        1 => {
            let mut point = || {
                let [column, row, x, y, z] = [(); 5].map(|()| choices.f64());
                Gcp { column, row, x, y, z }
            };
            let points = [point(), point(), point()];
            let changed = geo.clone().with_gcps(&points[..choices.below(4)]);
            set(&mut geo, changed);
        }
        2 => {
            let [left, bottom, right, top] = [(); 4].map(|()| choices.f64());
            let (width, height) = (u32::from(choices.byte()), u32::from(choices.byte()));
            let changed = geo.clone().with_bounds(&Bounds { left, bottom, right, top }, width, height);
            set(&mut geo, changed);
        }
        _ => {}
    }
    if choices.below(8) == 1 {
        let changed = geo.clone().with_rpc(Rpc::from_numbers(&[(); Rpc::NUMBERS].map(|()| choices.f64())));
        set(&mut geo, changed);
    }
    if choices.below(4) == 3 {
        geo = geo.with_pixel_is(PixelIs::Point);
    }
    geo
}

/// Metadata by any way there is; what is refused is left out.
pub fn metadata(choices: &mut Choices<'_>) -> Metadata {
    let mut metadata = Metadata::default();
    for _ in 0..choices.below(5) {
        let band = u16::from(choices.byte() % 4);
        // Metadata stays as it was where something is refused.
        let _refused = match choices.below(8) {
            0 => metadata.set_item(Some(&choices.text()), &choices.text(), &choices.text()),
            1 => metadata.set_item(None, &choices.text(), &choices.text()),
            2 => metadata.set_band_item(band, &choices.text(), &choices.text()),
            3 => metadata.set_scale(band, choices.f64()),
            4 => metadata.set_offset(band, choices.f64()),
            5 => metadata.set_unit(band, &choices.text()).and(metadata.set_description(band, &choices.text())),
            6 => {
                let texts = [Tag::SOFTWARE, Tag::DATE_TIME, Tag::COPYRIGHT, Tag::IMAGE_DESCRIPTION];
                metadata.set_text(choices.pick(&texts), &choices.text())
            }
            _ => metadata.set_icc_profile(choices.text().as_bytes()),
        };
    }
    metadata
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
        let store = StoreOptions::in_memory().batch(batch);
        let mut file = Vec::new();
        cogsmith::encode(self, plan, &Executor::serial(), &store, &mut file, &mut |_| ControlFlow::Continue(()))
            .expect("what has a plan can be encoded");
        file
    }

    /// Returns whether a policy decides about every pixel, so that encoding cannot fail.
    pub fn is_decided(&self, plan: &CogPlan, mask: MaskPolicy) -> bool {
        let made = plan.spec().mask && !self.spec.mask;
        let replaced = plan.spec().nodata.is_none() && self.spec.nodata.is_some();
        mask != MaskPolicy::Auto || self.spec.bands == 1 || !(made || replaced)
    }

    /// Returns the mask of the file, one byte per pixel, 0 or 1, if the plan makes one from nodata of bytes.
    pub fn expected_mask(&self, mask: MaskPolicy) -> Vec<u8> {
        let nodata = self.spec.nodata.map_or(f64::NAN, |nodata| nodata.as_f64());
        let pixels = self.pixels.chunks(usize::from(self.spec.bands)).enumerate();
        let valid = pixels.map(|(index, pixel)| {
            let count = pixel.iter().filter(|sample| f64::from(**sample) == nodata).count();
            let missing = if mask == MaskPolicy::AnyNodata { count > 0 } else { count == pixel.len() };
            u8::from(!missing && self.mask.get(index).is_none_or(|byte| *byte != 0))
        });
        valid.collect()
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
    let (planes, mask_rows) = (vec![&mut bytes[..length]], spec.mask.then_some(mask.as_mut_slice()));
    let mut stripe = Stripe::new(&spec, height, cogsmith::StripeLayout::Chunky, planes, mask_rows)?;
    source.read_rows(0, &mut stripe, &Executor::serial())?;
    Ok((bytes[..length].to_vec(), mask))
}
