//! The predictor that suits the pixels.

mod support;

use cogsmith::{
    CogPlan, Compression, EncodeOptions, Executor, GeoRef, ImageSpec, Interleave, Metadata, Overviews, Predictor,
    Sample, SliceSource, StoreOptions, TileSize, encode_to_vec,
};
use support::parse::Tiff;

const SIDE: usize = 300;

fn noise(row: usize, column: usize) -> usize {
    let mixed = (row + 7).wrapping_mul(2_654_435_761) ^ (column + 3).wrapping_mul(40_503).wrapping_mul(row + 11);
    (mixed >> 9) % 5
}

/// Land cover: classes in fields of odd shapes.
fn class(row: usize, column: usize) -> usize {
    let field = noise((row + column / 5) / 6, (column + row / 4) / 11) * 3 + noise(column / 23, row / 17);
    [10, 20, 95, 40, 60, 200, 80][field % 7]
}

/// A slope with a little noise.
fn height(row: usize, column: usize) -> usize {
    row / 3 + column / 4 + noise(row, column)
}

/// Tag 317 of every level.
fn predictors<T: Sample>(pixel: impl Fn(usize, usize) -> T, options: &EncodeOptions, bands: usize) -> Vec<u64> {
    let spec = ImageSpec::new(SIDE as u32, SIDE as u32, bands as u16, T::DATA_TYPE);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), options).unwrap();
    let places = (0..SIDE).flat_map(|row| (0..SIDE).flat_map(move |column| vec![(row, column); bands]));
    let pixels: Vec<T> = places.map(|(row, column)| pixel(row, column)).collect();
    let bytes = encode_to_vec(&mut SliceSource::new(spec.clone(), &pixels).unwrap(), &plan).unwrap();
    // Rows that come one by one, and threads, change nothing.
    let (executor, store, mut pushed) = (Executor::threads(2).unwrap(), StoreOptions::in_memory(), Vec::new());
    let mut writer = cogsmith::CogWriter::to_writer(plan, executor, store, &mut pushed).unwrap();
    for row in pixels.chunks(SIDE * bands) {
        writer.push_rows(row, None).unwrap();
    }
    let summary = writer.finish().unwrap();
    assert!(pushed == bytes);
    let tags: Vec<u64> = Tiff::parse(&bytes).ifds.iter().map(|ifd| ifd.number(317)).collect();
    let code = match summary.predictor {
        Predictor::None => 1,
        Predictor::Horizontal => 2,
        _ => 3,
    };
    assert!(tags.iter().all(|tag| *tag == code));
    tags
}

#[test]
fn classes_go_without_and_quantities_with_one() {
    for compression in [Compression::DEFLATE, Compression::Lzw] {
        for interleave in [Interleave::Pixel, Interleave::Band] {
            let options =
                EncodeOptions::new().compression(compression).interleave(interleave).tile_size(TileSize::square(128));
            let name = format!("{compression:?} {interleave:?}");
            for bands in [1, 3] {
                assert_eq!(predictors(|row, column| class(row, column) as u8, &options, bands), [1, 1, 1], "{name}");
                assert_eq!(predictors(|row, column| height(row, column) as u8, &options, bands), [2, 2, 2], "{name}");
            }
            assert_eq!(predictors(|row, column| class(row, column) as i32 * 1000, &options, 1), [1, 1, 1], "{name}");
            assert_eq!(predictors(|row, column| height(row, column) as u16 * 9, &options, 1), [2, 2, 2], "{name}");
            // Floats and what was asked for are not measured.
            assert_eq!(predictors(|row, column| class(row, column) as f32, &options, 1), [3, 3, 3], "{name}");
            let asked = options.clone().predictor(Predictor::Horizontal);
            assert_eq!(predictors(|row, column| class(row, column) as u8, &asked, 1), [2, 2, 2], "{name}");
        }
    }
}

#[test]
fn what_is_chosen_is_about_the_smaller_one() {
    let size = |pixel: fn(usize, usize) -> usize, compression, predictor| {
        let spec = ImageSpec::new(SIDE as u32, SIDE as u32, 1, cogsmith::DataType::U16);
        let options = EncodeOptions::new()
            .compression(compression)
            .predictor(predictor)
            .tile_size(TileSize::square(128))
            .overviews(Overviews::None);
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let places = (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column)));
        let pixels: Vec<u16> = places.map(|(row, column)| pixel(row, column) as u16).collect();
        encode_to_vec(&mut SliceSource::new(spec, &pixels).unwrap(), &plan).unwrap().len()
    };
    let zstd = [1, 9, 19].map(|level| Compression::Zstd { level });
    for compression in [Compression::DEFLATE, Compression::Lzw].into_iter().chain(zstd) {
        for pixel in [class, height, noise, |row, column| class(row, column) * 50 + noise(row, column)] {
            let [chosen, with, without] =
                [Predictor::Auto, Predictor::Horizontal, Predictor::None].map(|p| size(pixel, compression, p));
            assert!(chosen <= with.min(without) * 103 / 100 + 2000, "{compression:?}: {chosen}, {with}, {without}");
        }
    }
}

#[test]
fn the_first_row_of_tiles_decides() {
    let options = EncodeOptions::new().tile_size(TileSize::square(128));
    let split = |row, column| if row < 128 { class(row, column) } else { height(row, column) };
    assert_eq!(predictors(|row, column| split(row, column) as u8, &options, 1), [1, 1, 1]);
    // What is constant is left to the type.
    assert_eq!(predictors(|_, _| 7u8, &options, 1), [2, 2, 2]);
}
