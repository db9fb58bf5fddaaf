//! Sparse files: the tiles that are left out, and the pixels that readers get, whatever the source.

mod support;

use std::ops::{ControlFlow, Range};

use cogsmith::distributed::{
    Assembler, Mosaic, ShardId, ShardOptions, ShardPixels, ShardPlan, assemble_to_vec, encode_shard,
};
use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, ErrorKind, Executor, ExtraSample, GeoRef, GeoTiffSource, ImageSpec,
    Interleave, Metadata, Nodata, OptionField, Overviews, Photometric, PixelSource, ReadOptions, Resampling, Sparse,
    StoreOptions, Stripe, StripeLayout, Summary, TileSize,
};
use support::parse::Tiff;
use support::window::Part;

const WIDTH: usize = 310;
const HEIGHT: usize = 250;
/// Sides of the parts that the source leaves blank, which are not those of the tiles.
const PART: (usize, usize) = (40, 24);

/// An image with a few islands of data: (row, column, band), and a mask.
struct Islands {
    spec: ImageSpec,
    pixels: Vec<u8>,
    mask: Vec<u8>,
    fill: Vec<u8>,
    /// True if parts without data are left blank.
    leaves_blank: bool,
}

impl Islands {
    fn new(spec: &ImageSpec, fill: Vec<u8>) -> Self {
        let (bands, size) = (usize::from(spec.bands), spec.data_type.size());
        let mut pixels = fill.repeat(WIDTH * HEIGHT * bands);
        let mut mask = vec![0; WIDTH * HEIGHT];
        let islands: [(Range<usize>, Range<usize>); 5] =
            [(3..9, 5..30), (60..110, 100..131), (90..92, 0..300), (200..250, 290..310), (128..160, 192..224)];
        for (index, (rows, columns)) in islands.into_iter().enumerate() {
            for (row, column) in rows.flat_map(|row| columns.clone().map(move |column| (row, column))) {
                mask[row * WIDTH + column] = 255;
                for band in 0..bands {
                    // Some islands are not in all bands, and one is valid but has no data.
                    if index == 4 || (index + band) % 4 == 3 {
                        continue;
                    }
                    let sample = &mut pixels[((row * WIDTH + column) * bands + band) * size..][..size];
                    for (byte, sample) in sample.iter_mut().enumerate() {
                        *sample = ((row * 31 + column * 17 + band * 7 + byte) % 61) as u8;
                    }
                }
            }
        }
        // Data under the mask.
        for (row, column) in (160..200).flat_map(|row| (0..40).map(move |column| (row, column))) {
            if spec.mask {
                pixels[(row * WIDTH + column) * bands * size..][..bands * size].fill(3);
            }
        }
        if !spec.mask {
            mask.clear();
        }
        Self { spec: spec.clone(), pixels, mask, fill, leaves_blank: false }
    }

    fn is_blank(&self, rows: &Range<usize>, columns: &Range<usize>) -> bool {
        let pixel = usize::from(self.spec.bands) * self.spec.data_type.size();
        rows.clone().all(|row| {
            let pixels = row * WIDTH + columns.start..row * WIDTH + columns.end;
            self.pixels[pixels.start * pixel..pixels.end * pixel].chunks(self.fill.len()).all(|one| one == self.fill)
                && self.mask.get(pixels).is_none_or(|mask| mask.iter().all(|valid| *valid == 0))
        })
    }
}

impl PixelSource for Islands {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        let pixel = stripe.bands * stripe.sample_size;
        for row in 0..stripe.rows {
            let at = first_row as usize + row;
            stripe.put_pixels(row, 0, &self.pixels[at * WIDTH * pixel..][..WIDTH * pixel]);
            if !self.mask.is_empty() {
                stripe.put_mask(row, 0, &self.mask[at * WIDTH..][..WIDTH]);
            }
        }
        Ok(())
    }

    fn read_sparse_rows(
        &mut self,
        first_row: u32,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
    ) -> cogsmith::Result<()> {
        self.read_rows(first_row, stripe, executor)?;
        if !self.leaves_blank || stripe.blank_sample() != Some(&self.fill) {
            return Ok(());
        }
        let (top, bottom) = (first_row as usize, first_row as usize + stripe.rows);
        let junk = vec![0xA5; WIDTH * stripe.bands * stripe.sample_size];
        for (row, column) in
            (0..HEIGHT).step_by(PART.1).flat_map(|row| (0..WIDTH).step_by(PART.0).map(move |c| (row, c)))
        {
            let rows = row.max(top)..(row + PART.1).min(HEIGHT).min(bottom);
            let columns = column..(column + PART.0).min(WIDTH);
            if rows.is_empty() || !self.is_blank(&rows, &columns) {
                continue;
            }
            // What is left blank may be anything.
            for row in rows.clone() {
                let bytes = columns.len() * stripe.bands * stripe.sample_size;
                stripe.put_pixels(row - top, columns.start, &junk[..bytes]);
                stripe.put_mask(row - top, columns.start, &junk[..columns.len()]);
            }
            stripe.leave_blank(rows.start - top..rows.end - top, columns);
        }
        Ok(())
    }
}

/// The pixels of a level, and its mask.
type Pixels = (Vec<u8>, Vec<u8>);

fn plan(spec: &ImageSpec, options: &EncodeOptions) -> CogPlan {
    CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap()
}

fn encoded(source: &mut dyn PixelSource, plan: &CogPlan, executor: &Executor) -> (Vec<u8>, Summary) {
    let mut bytes = Vec::new();
    let go_on = &mut |_| ControlFlow::Continue(());
    let summary = cogsmith::encode(source, plan, executor, &StoreOptions::default(), &mut bytes, go_on).unwrap();
    (bytes, summary)
}

/// Reads all levels.
fn levels(bytes: &[u8], count: usize) -> Vec<Pixels> {
    let options = ReadOptions::new();
    let open = |level: usize| match level.checked_sub(1) {
        None => GeoTiffSource::from_reader(bytes.to_vec(), &options),
        Some(overview) => GeoTiffSource::overview(bytes.to_vec(), &options, overview),
    };
    (0..count)
        .map(|level| {
            let mut source = open(level).unwrap();
            let spec = source.spec().clone();
            let (width, rows) = (spec.width as usize, spec.height as usize);
            // Aligned for all types.
            let mut words = vec![0u64; (width * rows * usize::from(spec.bands) * spec.data_type.size()).div_ceil(8)];
            let pixels: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
            let length = width * rows * usize::from(spec.bands) * spec.data_type.size();
            let mut mask = vec![0; if spec.mask { width * rows } else { 0 }];
            let mask_rows = spec.mask.then_some(&mut mask[..]);
            let mut stripe =
                Stripe::new(&spec, rows, StripeLayout::Chunky, vec![&mut pixels[..length]], mask_rows).unwrap();
            source.read_rows(0, &mut stripe, &Executor::serial()).unwrap();
            (pixels[..length].to_vec(), mask)
        })
        .collect()
}

/// Checks a sparse file against the same file with all tiles.
fn check(spec: &ImageSpec, fill: &[u8], options: &EncodeOptions, (full, sparse): (&[u8], &[u8]), summary: &Summary) {
    let plan = plan(spec, options);
    let count = plan.levels().len();
    let (expected, found) = (levels(full, count), levels(sparse, count));
    let [full, sparse] = [full, sparse].map(Tiff::parse);
    // GDAL takes it for a promise that each image tile has a mask tile.
    assert!(!sparse.ghost.as_deref().unwrap_or_default().contains("MASK_INTERLEAVED"));
    let masked = options.sparse == Sparse::Masked;
    let pixel = usize::from(spec.bands) * spec.data_type.size();
    let [images, masks] = [false, true].map(|mask| {
        let of = |tiff: &Tiff<'_>| -> Vec<(Vec<u64>, Vec<u64>)> {
            let ifds = tiff.ifds.iter().filter(|ifd| ifd.is_mask() == mask);
            ifds.map(|ifd| (ifd.numbers(324), ifd.numbers(325))).collect()
        };
        [of(&full), of(&sparse)]
    });
    let tile_bytes = |tiff: &Tiff<'_>, (offsets, counts): &(Vec<u64>, Vec<u64>), tile: usize| {
        tiff.bytes[offsets[tile] as usize..][..counts[tile] as usize].to_vec()
    };
    for (level, (before, after)) in plan.levels().iter().zip(expected.iter().zip(&found)) {
        let (index, width, height) = (level.index, level.width as usize, level.height as usize);
        let side = (level.tile_size.width as usize, level.tile_size.height as usize);
        let (across, down) = (level.tile_columns() as usize, level.tile_rows() as usize);
        let planes = if options.interleave == Interleave::Pixel { 1 } else { usize::from(spec.bands) };
        let mut absent = 0;
        for place in 0..across * down {
            let (top, left) = (place / across * side.1, place % across * side.0);
            let rows = || {
                (top..(top + side.1).min(height))
                    .map(|row| row * width + left..row * width + (left + side.0).min(width))
            };
            let is_masked = spec.mask && rows().all(|run| before.1[run].iter().all(|valid| *valid == 0));
            for plane in 0..planes {
                let samples = |pixels: &[u8], run: Range<usize>| -> Vec<u8> {
                    let own = pixel / planes;
                    run.flat_map(|at| pixels[at * pixel + plane * own..][..own].to_vec()).collect()
                };
                let is_fill = rows().all(|run| samples(&before.0, run).chunks(fill.len()).all(|one| one == fill));
                let tile = plane * across * down + place;
                let (old, new) = (&images[0][index], &images[1][index]);
                if is_fill || (masked && is_masked) {
                    absent += 1;
                    assert_eq!((new.0[tile], new.1[tile]), (0, 0), "level {index}, tile {tile}");
                    let filled = |run| samples(&after.0, run).chunks(fill.len()).all(|one| one == fill);
                    assert!(rows().all(filled), "level {index}, tile {tile}");
                } else {
                    assert_eq!(
                        tile_bytes(&full, old, tile),
                        tile_bytes(&sparse, new, tile),
                        "level {index}, tile {tile}"
                    );
                    assert!(rows().all(|run| samples(&before.0, run.clone()) == samples(&after.0, run)));
                }
            }
            if spec.mask {
                let new = &masks[1][index];
                assert_eq!(new.1[place] == 0, is_masked, "level {index}, mask tile {place}");
                assert_eq!(new.0[place] == 0, is_masked);
                if !is_masked {
                    assert_eq!(tile_bytes(&full, &masks[0][index], place), tile_bytes(&sparse, new, place));
                }
            }
        }
        assert!(before.1 == after.1, "masks of level {index}");
        assert_eq!(summary.levels[index].sparse_tiles, absent, "level {index}");
    }
    assert!(summary.levels.iter().any(|level| level.sparse_tiles > 0));
}

/// Encodes an image with all tiles and without some, from sources with and without blank parts.
fn compare(spec: &ImageSpec, fill: &[u8], options: &EncodeOptions) {
    let mut source = Islands::new(spec, fill.to_vec());
    let (full, _) = encoded(&mut source, &plan(spec, &options.clone().sparse(Sparse::No)), &Executor::serial());
    let plan = plan(spec, options);
    let (sparse, summary) = encoded(&mut source, &plan, &Executor::serial());
    check(spec, fill, options, (&full, &sparse), &summary);
    source.leaves_blank = true;
    let (blank, same) = encoded(&mut source, &plan, &Executor::threads(2).unwrap());
    assert_eq!(summary, same);
    assert!(sparse == blank, "the file depends on what the source leaves blank");
    let mut file = GeoTiffSource::from_reader(sparse.clone(), &ReadOptions::new()).unwrap();
    let (again, _) = encoded(&mut file, &plan, &Executor::serial());
    assert!(sparse == again, "a sparse file as a source gives another file");
}

fn options(resampling: Resampling) -> EncodeOptions {
    EncodeOptions::new()
        .tile_size(TileSize::square(32))
        .compression(Compression::Deflate { level: 1 })
        .resampling(resampling)
        .sparse(Sparse::Yes)
}

/// Types with their nodata values, and the bytes of these.
fn types() -> Vec<(DataType, Option<Nodata>, Vec<u8>)> {
    vec![
        (DataType::U8, None, vec![0]),
        (DataType::U8, Some(Nodata::from(7u64)), vec![7]),
        (DataType::I16, Some(Nodata::from(-5i64)), (-5i16).to_ne_bytes().to_vec()),
        (DataType::U16, None, vec![0; 2]),
        (DataType::F32, Some(Nodata::from(-9999i64)), (-9999f32).to_ne_bytes().to_vec()),
        (DataType::F32, Some(Nodata::from(f64::NAN)), f32::NAN.to_ne_bytes().to_vec()),
        (DataType::F64, None, vec![0; 8]),
        (DataType::CF32, None, vec![0; 8]),
    ]
}

#[test]
fn tiles_of_nodata_are_left_out_for_all_types_and_kernels() {
    for (data_type, nodata, fill) in types() {
        for (index, &resampling) in Resampling::ALL.iter().enumerate() {
            let is_defined = matches!(resampling, Resampling::Nearest | Resampling::Average | Resampling::Rms);
            if data_type.is_complex() && !is_defined {
                continue;
            }
            let bands = [1, 2, 3][index % 3];
            let mut spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, bands, data_type).mask(index % 2 == 1);
            spec.nodata = nodata;
            let interleave = [Interleave::Pixel, Interleave::Band, Interleave::Tile][index / 2 % 3];
            compare(&spec, &fill, &options(resampling).interleave(interleave));
        }
    }
}

#[test]
fn masked_tiles_are_left_out_on_request() {
    for nodata in [None, Some(Nodata::from(7u64))] {
        let fill = vec![if nodata.is_some() { 7 } else { 0 }];
        for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
            let mut spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 2, DataType::U8).mask(true);
            spec.nodata = nodata;
            let options = options(Resampling::Cubic).interleave(interleave).sparse(Sparse::Masked);
            compare(&spec, &fill, &options);
            let (_, summary) =
                encoded(&mut Islands::new(&spec, fill.clone()), &plan(&spec, &options), &Executor::serial());
            assert!(summary.masked_tiles > 0);
            assert!(
                summary.warnings.iter().any(|warning| warning.contains("under the mask")),
                "{:?}",
                summary.warnings
            );
        }
    }
}

#[test]
fn other_layouts_of_levels_and_colors() {
    let spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 1, DataType::U8);
    let base = options(Resampling::Average);
    compare(&spec, &[0], &base.clone().overviews(Overviews::Factors(vec![3, 7])));
    compare(&spec, &[0], &base.clone().overviews(Overviews::None).resampling(None));
    compare(&spec, &[0], &base.clone().compression(Compression::None));
    compare(&spec, &[0], &base.clone().overview_tile_size(TileSize { width: 48, height: 16 }));
    compare(&spec, &[0], &base.clone().statistics(true));
    let rgba = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 4, DataType::U8)
        .photometric(Photometric::Rgb)
        .extra_samples(vec![ExtraSample::UnassociatedAlpha]);
    compare(&rgba, &[0], &options(Resampling::Cubic));
    compare(&rgba.nodata(9u64), &[9], &options(Resampling::Cubic));
    let map: Vec<u16> = (0..768).map(|index| (index % 256 / 2 * 500) as u16).collect();
    let palette = spec.photometric(Photometric::Palette).color_map(map);
    for resampling in [Resampling::Nearest, Resampling::Mode, Resampling::Average] {
        compare(&palette, &[0], &options(resampling));
    }
}

#[test]
fn statistics_count_what_is_left_out() {
    for (data_type, nodata, fill) in types().into_iter().filter(|(data_type, ..)| !data_type.is_complex()) {
        for mask in [false, true] {
            let mut spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 2, data_type).mask(mask);
            spec.nodata = nodata;
            let mut source = Islands::new(&spec, fill.clone());
            source.leaves_blank = true;
            let with = |sparse, source: &mut Islands| {
                let options = options(Resampling::Nearest).statistics(true).sparse(sparse);
                encoded(source, &plan(&spec, &options), &Executor::serial()).1.statistics
            };
            let expected = with(Sparse::No, &mut source);
            assert_eq!(with(Sparse::Yes, &mut source), expected, "{data_type} {nodata:?} {mask}");
        }
    }
}

#[test]
fn shards_give_the_same_file() {
    for (data_type, nodata, fill) in types() {
        let mut spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 2, data_type).mask(nodata.is_some());
        spec.nodata = nodata;
        let resampling = if data_type.is_complex() { Resampling::Average } else { Resampling::Cubic };
        let plan = plan(&spec, &options(resampling)).with_predictor_by_type();
        let mut source = Islands::new(&spec, fill);
        let (expected, summary) = encoded(&mut source, &plan, &Executor::serial());
        assert!(summary.levels[0].sparse_tiles > 0);
        let mut sides = ShardOptions::default();
        (sides.width, sides.height, sides.levels) = (64, 96, Some(1));
        let shards = ShardPlan::new(plan, &sides).unwrap();
        let mut assembler = Assembler::new(&shards);
        let mut fragments = std::collections::BTreeMap::new();
        let mut pixels: Vec<ShardPixels> = Vec::new();
        for tier in 0..shards.tiers() {
            let mut given = Vec::new();
            for id in shards.all_shards().filter(|id: &ShardId| id.tier == tier) {
                let executor = Executor::serial();
                let window = shards.shard(id).unwrap().source();
                let output = if tier == 0 {
                    let mut part = Part::new(&spec, &source.pixels, &source.mask, window);
                    encode_shard(&shards, id, &mut part, &executor).unwrap()
                } else {
                    encode_shard(&shards, id, &mut Mosaic::new(&shards, id, &pixels).unwrap(), &executor).unwrap()
                };
                given.extend(output.pixels);
                assembler.add(output.record).unwrap();
                fragments.insert(id, output.fragment);
            }
            pixels = given;
        }
        let assembled = assemble_to_vec(&assembler.finish().unwrap(), &mut fragments).unwrap();
        assert!(assembled == expected, "{data_type}");
    }
}

#[test]
fn an_image_without_data_has_no_tiles() {
    struct Nothing(ImageSpec);
    impl PixelSource for Nothing {
        fn spec(&self) -> &ImageSpec {
            &self.0
        }

        fn read_rows(&mut self, _: u32, _: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
            panic!("rows that are blank are not read")
        }

        fn read_sparse_rows(&mut self, _: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
            stripe.leave_blank(0..stripe.rows, 0..stripe.width);
            Ok(())
        }
    }
    for mask in [false, true] {
        let spec = ImageSpec::new(100_000, 40_000, 1, DataType::F32).mask(mask);
        let plan = plan(&spec, &EncodeOptions::new().sparse(Sparse::Yes));
        let (bytes, summary) = encoded(&mut Nothing(spec), &plan, &Executor::serial());
        assert!(summary.levels.iter().all(|level| level.sparse_tiles == level.tiles && level.bytes == 0));
        let report = cogsmith::check::validate(&bytes.as_slice(), &Default::default(), &Executor::serial()).unwrap();
        assert!(report.is_valid(false), "{report:?}");
    }
}

#[test]
fn an_option_without_effect_is_an_error() {
    let refused = |spec: &ImageSpec, options: EncodeOptions| {
        let error = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), &options).unwrap_err();
        match error.kind() {
            ErrorKind::InvalidOption { option, .. } => assert_eq!(*option, OptionField::Sparse),
            other => panic!("{other:?}"),
        }
        error.to_string()
    };
    let spec = ImageSpec::new(100, 100, 1, DataType::U8);
    let masked = EncodeOptions::new().sparse(Sparse::Masked);
    assert!(refused(&spec, masked.clone()).contains("the file has no mask"));
    let both = spec.clone().mask(true).nodata(0u64);
    assert!(refused(&both, masked.clone().statistics(true)).contains("statistics count samples under the mask"));
    plan(&both, &masked);
    plan(&spec.clone().mask(true), &masked.statistics(true));
    // Readers differ about a nodata value that no sample can have.
    let odd = plan(&spec.nodata(-1i64), &EncodeOptions::new().sparse(Sparse::Yes));
    assert!(odd.warnings().iter().any(|warning| warning.contains("no tile is left out")), "{:?}", odd.warnings());
}
