//! `create` on arbitrary bytes: converted or refused, never a panic, and time and memory within bounds.

use std::ops::ControlFlow;

use cogsmith::{
    CogPlan, Compression, EncodeOptions, Executor, GeoTiffSource, MaskPolicy, MaskedSource, Overviews, PixelSource,
    RasterSource, ReadOptions, StoreOptions, TileSize,
};

use super::image;
use super::parse::Tiff;

/// Images of more bytes are opened, but only their first rows are read.
const MOST: u64 = 1 << 18;
/// So many tiles, however small, still take little time.
const MOST_TILES: u64 = 200;

pub fn run(data: &[u8]) {
    let Ok(source) = GeoTiffSource::from_reader(data.to_vec(), &ReadOptions::default()) else { return };
    let images = source.image_count();
    convert(source, data.len());
    if images > 1 {
        let options = ReadOptions::new().image(data.len() % images);
        if let Ok(mut source) = GeoTiffSource::from_reader(data.to_vec(), &options) {
            source.widen();
            convert(source, data.len());
        }
    }
}

fn convert(mut source: GeoTiffSource, seed: usize) {
    let spec = source.spec().clone();
    let row = u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64;
    let options = EncodeOptions::new()
        .tile_size(TileSize::square(64))
        .compression(
            [Compression::Lzw, Compression::Deflate { level: 1 }, Compression::None, Compression::JPEG][seed % 4],
        )
        .overviews(Overviews::Count(2));
    let tiles = u64::from(spec.width.div_ceil(64)) * u64::from(spec.height.div_ceil(64));
    if row * u64::from(spec.height) > MOST || tiles > MOST_TILES {
        if row <= MOST {
            let rows = (MOST / row.max(1)).clamp(1, u64::from(spec.height).min(100));
            let _ = image::read(&mut source, rows as u32);
        }
        return;
    }
    let policy = [MaskPolicy::Auto, MaskPolicy::Nodata, MaskPolicy::Alpha, MaskPolicy::None][seed / 3 % 4];
    let Ok(mut source) = MaskedSource::with_metadata(source, policy) else { return };
    let plan = CogPlan::new(source.spec(), source.geo(), source.metadata(), &options);
    let Ok(plan) = plan else { return };
    let mut file = Vec::new();
    let store = StoreOptions::in_memory();
    let go_on = &mut |_| ControlFlow::Continue(());
    if cogsmith::encode(&mut source, &plan, &Executor::serial(), &store, &mut file, go_on).is_ok() {
        // Whatever the input was, the output is sound.
        Tiff::parse(&file).check_layout();
        let again = GeoTiffSource::from_reader(file, &ReadOptions::default()).expect("what was written can be read");
        assert_eq!((again.spec().width, again.spec().height), (spec.width, spec.height));
    }
}
