//! Statistics of a file made of shards: every pixel of full resolution counts once, though windows of shards overlap.
//!
//! That the whole file is the local encoder's is in `distributed.rs`; here the numbers are those of plain arithmetic.

mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use cogsmith::distributed::assemble;
use cogsmith::distributed::{Assembler, Mosaic, ShardOutput, encode_shard};
use cogsmith::distributed::{ShardOptions, ShardPlan};
use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, GeoRef, ImageSpec, Interleave, Metadata,
    Nodata, Photometric, Resampling, Summary, TileSize,
};
use support::images::Computed;
use support::window::Part;

const NODATA: i64 = 9;

/// The samples of an image as numbers, band by band, and its mask.
struct Image {
    spec: ImageSpec,
    samples: Vec<Vec<f64>>,
    pixels: Vec<u8>,
    mask: Vec<u8>,
}

impl Image {
    fn new(spec: ImageSpec) -> Self {
        let (width, bands) = (spec.width as usize, usize::from(spec.bands));
        let mut samples = vec![Vec::new(); bands];
        let (mut pixels, mut mask) = (Vec::new(), Vec::new());
        for (row, column) in (0..spec.height as usize).flat_map(|row| (0..width).map(move |column| (row, column))) {
            mask.push(u8::from(Computed::is_valid(row, column)));
            for (band, samples) in samples.iter_mut().enumerate() {
                let byte = Computed::byte(row, column, band, 0);
                let is_nodata = spec.nodata.is_some() && (row / 8 + column / 5) % 6 == 0;
                let integer = if is_nodata { NODATA } else { i64::from(byte >> 1) - 30 };
                let value = match spec.data_type {
                    DataType::U8 => (integer + 30 * i64::from(!is_nodata)) as f64,
                    DataType::F32 if byte.is_multiple_of(11) => f64::NAN,
                    _ => integer as f64,
                };
                samples.push(value);
                match spec.data_type {
                    DataType::U8 => pixels.push(value as u8),
                    DataType::I16 => pixels.extend((value as i16).to_le_bytes()),
                    DataType::F32 => pixels.extend((value as f32).to_le_bytes()),
                    DataType::F64 => pixels.extend(value.to_le_bytes()),
                    other => panic!("no samples of {other}"),
                }
            }
        }
        Self { spec, samples, pixels, mask }
    }

    /// Minimum, maximum, mean, standard deviation and percentage of a band's valid pixels. No image of these tests has both
    /// nodata and a mask, whose rules `tests/judges/georeference.py` compares with GDAL's.
    fn expected(&self, band: usize) -> [f64; 5] {
        let alpha = self.spec.extra_samples.iter().any(|kind| *kind != ExtraSample::Unspecified).then(|| {
            let last = self.samples.len() - 1;
            (last, &self.samples[last])
        });
        let valid: Vec<f64> = (0..self.mask.len())
            .filter(|&pixel| !self.spec.mask || self.mask[pixel] != 0)
            .filter(|&pixel| alpha.is_none_or(|(last, alpha)| last == band || alpha[pixel] != 0.0))
            .map(|pixel| self.samples[band][pixel])
            .filter(|value| !value.is_nan() && (self.spec.nodata.is_none() || *value != NODATA as f64))
            .collect();
        // All numbers are small integers, so that these sums are exact.
        let (count, sum) = (valid.len() as f64, valid.iter().sum::<f64>());
        let squares = valid.iter().map(|value| value * value).sum::<f64>();
        [
            valid.iter().copied().fold(f64::INFINITY, f64::min),
            valid.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            sum / count,
            ((squares * count - sum * sum) / (count * count)).sqrt(),
            100.0 * count / self.mask.len() as f64,
        ]
    }
}

fn encode_all(image: &Image, shards: &ShardPlan, executor: &Executor) -> Vec<ShardOutput> {
    let (mut outputs, mut pixels) = (Vec::new(), Vec::new());
    for tier in 0..shards.tiers() {
        let mut given = Vec::new();
        for id in shards.shards(tier) {
            let output = if tier == 0 {
                let window = shards.shard(id).unwrap().source();
                let mask: &[u8] = if image.spec.mask { &image.mask } else { &[] };
                encode_shard(shards, id, &mut Part::new(&image.spec, &image.pixels, mask, window), executor)
            } else {
                encode_shard(shards, id, &mut Mosaic::new(shards, id, &pixels).unwrap(), executor)
            };
            let output = output.unwrap();
            given.extend(output.pixels.clone());
            outputs.push(output);
        }
        pixels = given;
    }
    outputs
}

fn assembled(shards: &ShardPlan, outputs: &[ShardOutput]) -> Summary {
    let mut assembler = Assembler::new(shards);
    for output in outputs {
        assembler.add(output.record.clone()).unwrap();
    }
    let mut fragments: BTreeMap<_, _> =
        outputs.iter().map(|output| (output.record.id(), output.fragment.clone())).collect();
    let go_on = &mut |_| ControlFlow::Continue(());
    assemble(&assembler.finish().unwrap(), &mut fragments, &mut Vec::new(), go_on).unwrap()
}

fn specs() -> Vec<ImageSpec> {
    let mut specs = Vec::new();
    for data_type in [DataType::U8, DataType::I16, DataType::F32, DataType::F64] {
        for (width, height) in [(127, 65), (128, 64), (1, 150), (33, 1)] {
            for (nodata, mask) in [(false, false), (true, false), (false, true)] {
                let nodata = nodata.then_some(Nodata::from(NODATA));
                let mut spec = ImageSpec::new(width, height, 2, data_type).mask(mask);
                spec.nodata = nodata;
                specs.push(spec);
            }
        }
    }
    specs.push(
        ImageSpec::new(101, 77, 4, DataType::U8)
            .photometric(Photometric::Rgb)
            .extra_samples([ExtraSample::UnassociatedAlpha]),
    );
    specs
}

#[test]
fn every_pixel_counts_once() {
    for (index, spec) in specs().into_iter().enumerate() {
        let interleave = [Interleave::Pixel, Interleave::Band, Interleave::Tile][index % 3];
        // A kernel with a large support: windows overlap by many pixels.
        let options = EncodeOptions::new()
            .statistics(true)
            .tile_size(TileSize::square(16))
            .compression(Compression::Lzw)
            .resampling(Resampling::Lanczos)
            .interleave(interleave);
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let image = Image::new(spec);
        for (width, height) in [(32, 48), (16, 16), (400, 400)] {
            let shards =
                ShardPlan::new(plan.clone().with_predictor_by_type(), &ShardOptions::new().width(width).height(height))
                    .unwrap();
            let outputs = encode_all(&image, &shards, &Executor::serial());
            let summary = assembled(&shards, &outputs);
            assert_eq!(summary.statistics.len(), usize::from(image.spec.bands));
            for (band, statistics) in summary.statistics.iter().enumerate() {
                let [minimum, maximum, mean, deviation, percent] = image.expected(band);
                let context = format!("band {band} of {:?} in shards of {width}x{height}", image.spec);
                assert_eq!((statistics.minimum, statistics.maximum), (minimum, maximum), "{context}");
                assert_eq!(statistics.mean, mean, "{context}");
                assert!((statistics.standard_deviation - deviation).abs() <= 1e-12 * deviation, "{context}");
                assert!((statistics.valid_percent - percent).abs() <= 1e-12 * percent, "{context}");
            }
        }
    }
}

#[test]
fn records_do_not_depend_on_threads() {
    let spec = ImageSpec::new(200, 130, 2, DataType::F64).nodata(NODATA);
    let options = EncodeOptions::new().statistics(true).tile_size(TileSize::square(16));
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
    let shards = ShardPlan::new(plan.with_predictor_by_type(), &ShardOptions::new().width(64).height(64)).unwrap();
    let image = Image::new(spec);
    let records = |threads| -> Vec<_> {
        let outputs = encode_all(&image, &shards, &Executor::threads(threads).unwrap());
        outputs.into_iter().map(|output| output.record).collect()
    };
    let serial = records(1);
    for threads in [2, 3, 7] {
        assert_eq!(records(threads), serial, "{threads} threads");
    }
}
