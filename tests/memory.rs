//! Memory is bounded by the plan: the height of the image plays no part.

mod support;

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use cogsmith::distributed::encode_shard;
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, Overviews, Resampling,
    StoreOptions, TileSize,
};
use support::allocator::{Counting, LIVE, PEAK};
use support::images::Computed;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes beyond what was held before that an encoding needs at its peak.
fn peak(spec: &ImageSpec, options: &EncodeOptions, threads: usize, store: StoreOptions) -> usize {
    let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap();
    let executor = Executor::threads(threads).unwrap();
    let mut source = Computed { spec: spec.clone() };
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let go_on = &mut |_| ControlFlow::Continue(());
    cogsmith::encode(&mut source, &plan, &executor, &store, &mut std::io::sink(), go_on).unwrap();
    PEAK.load(Ordering::Relaxed) - before
}

const MIB: usize = 1 << 20;

/// The bound of docs/architecture.md, "Memory".
fn bound(spec: &ImageSpec, options: &EncodeOptions, threads: usize, store: &StoreOptions) -> usize {
    let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap();
    let pixel = spec.data_type.size() * usize::from(spec.bands);
    let row = spec.width as usize * (pixel + usize::from(spec.mask));
    let rows = |level: &cogsmith::Level| level.tile_size.height.min(level.height) as usize;
    let tile_row = row * plan.levels().iter().map(rows).max().unwrap();
    // Rows that wait for the kernel, by the largest ratio between two levels; twice while their buffer grows.
    let pairs = || plan.levels().windows(2);
    let ratio = pairs().map(|pair| pair[0].height.div_ceil(pair[1].height)).max().unwrap_or(0) as usize;
    let radius = plan.resampling().iter().map(|&method| radius(method)).max().unwrap_or(0);
    let waiting = if radius == 0 { 2 } else { 2 * radius + 1 } * ratio * row;
    let batch = 2 * tile_row + 2 * store.batch as usize + 2 * waiting;
    // The pixels under a kernel along an axis, and its weights.
    let under = |finer: u32, coarser: u32| 2 * radius * finer.div_ceil(coarser) as usize + 1;
    // Convolutions of bytes in single precision, where levels halve.
    let singles = |under: usize| radius > 0 && under < 16 && spec.data_type == DataType::U8 && !spec.mask;
    let weights = |pair: &[cogsmith::Level]| {
        let under = under(pair[0].width, pair[1].width);
        let more = if singles(under) { 4 } else { 0 };
        pair[1].width as usize * if radius == 0 { 24 } else { 40 + (24 + more) * (under + 1) }
    };
    let weights: usize = pairs().map(weights).sum();
    // What a thread resamples a row with.
    let lines = |pair: &[cogsmith::Level]| {
        let (under, coarser) = (under(pair[0].height, pair[1].height), pair[1].width as usize);
        let mask = if spec.mask { (coarser * 32 * ratio).max(256 * 1024) + coarser * under } else { 0 };
        if singles(under) {
            return (4 * usize::from(spec.bands) * (under + 3) + 8) * pair[0].width as usize;
        }
        16 * pair[0].width as usize + 8 * coarser * if radius == 0 { 11 } else { under + 2 } + mask
    };
    let lines = threads * pairs().map(lines).max().unwrap_or(0);
    let tile = (options.tile_size.width * options.tile_size.height) as usize * pixel;
    let codec = match options.compression {
        Compression::Zstd { level: 10.. } => 128 * MIB + 8 * tile,
        Compression::Zstd { .. } => 16 * MIB,
        _ => MIB,
    };
    // Tiles on their way to the store; compressed, they are hardly ever larger than their pixels.
    let scratch = threads * (4 * tile + codec + 8 * tile.min(tile_row));
    let tiles: u64 = plan.levels().iter().map(|level| level.tiles_per_plane()).sum();
    let statistics = if options.statistics { 128 * usize::from(spec.bands) * (threads + 1) } else { 0 };
    batch + weights + lines + scratch + statistics + store.memory as usize + 64 * tiles as usize
}

/// The reach of a convolution at a ratio of 1; 0 for other methods.
fn radius(method: Resampling) -> usize {
    match method {
        Resampling::Bilinear => 1,
        Resampling::Cubic | Resampling::CubicSpline => 2,
        Resampling::Lanczos => 3,
        _ => 0,
    }
}

/// One test, since all would share the counters.
#[test]
fn peak_memory_is_within_the_documented_bound() {
    let deflate = Compression::DEFLATE;
    let automatic = || Overviews::Auto;
    for (width, height, bands, mask, threads, compression, side, overviews) in [
        (1000, 9000, 1, false, 1, Compression::Lzw, 512, automatic()),
        (1000, 9000, 1, false, 2, deflate, 512, automatic()),
        (3000, 1800, 3, true, 2, deflate, 512, automatic()),
        (700, 12_000, 2, false, 4, Compression::Lzw, 512, automatic()),
        (300, 2000, 1, false, 1, deflate, 2048, automatic()),
        (1000, 1000, 1, false, 2, Compression::ZSTD, 256, automatic()),
        (600, 600, 1, false, 1, Compression::Zstd { level: 22 }, 512, automatic()),
        (400, 9000, 1, false, 1, deflate, 128, Overviews::Factors(vec![1000])),
        (400, 3000, 40, false, 2, deflate, 128, automatic()),
    ] {
        let spec = ImageSpec::new(width, height, bands, DataType::U16).mask(mask);
        let options =
            EncodeOptions::new().compression(compression).tile_size(TileSize::square(side)).overviews(overviews);
        let options = options.statistics(true);
        let store = StoreOptions::new().memory(4 << 20);
        let (needed, bound) = (peak(&spec, &options, threads, store.clone()), bound(&spec, &options, threads, &store));
        println!(
            "{width}x{height}x{bands} {compression:?} {side}: peak {} MiB, bound {} MiB",
            needed / MIB,
            bound / MIB
        );
        assert!(needed <= bound, "{width}x{height} {options:?}: {needed} bytes, the bound is {bound}");
    }

    // Kernels with rows and weights of their own, on an image wide enough for them to count.
    for (resampling, overviews, mask, bands) in [
        (Resampling::Average, automatic(), true, 1),
        (Resampling::Cubic, automatic(), false, 1),
        (Resampling::Cubic, automatic(), false, 3),
        (Resampling::Lanczos, automatic(), true, 1),
        (Resampling::Lanczos, automatic(), false, 1),
        (Resampling::Lanczos, Overviews::Factors(vec![64]), false, 1),
    ] {
        let spec = ImageSpec::new(60_001, 700, bands, DataType::U8).mask(mask);
        let resampling = Some(resampling);
        let options = EncodeOptions::new()
            .compression(Compression::Lzw)
            .tile_size(TileSize::square(128))
            .overviews(overviews)
            .resampling(resampling);
        let store = StoreOptions::new().memory(1 << 20).batch(1 << 20);
        let (needed, bound) = (peak(&spec, &options, 2, store.clone()), bound(&spec, &options, 2, &store));
        println!("{resampling:?}: peak {} KiB, bound {} KiB", needed / 1024, bound / 1024);
        assert!(needed <= bound, "{options:?}: {needed} bytes, the bound is {bound}");
    }

    // Twice and four times the height: the same peak, except for the index and a tile or two more that may wait for the
    // store when the encoder is ahead of it.
    let options = EncodeOptions::new().compression(Compression::Lzw);
    let store = StoreOptions::new().memory(1 << 20);
    let peaks = [4000, 8000, 16_000].map(|height| {
        let spec = ImageSpec::new(1000, height, 1, DataType::U16);
        peak(&spec, &options, 1, store.clone())
    });
    assert!(peaks[2] <= peaks[0] + 2 * MIB, "{peaks:?}");

    // A shard of an image of a terapixel holds what an encoder of its window holds, its tiles and what it gives.
    for (tier, resampling) in [(0, Resampling::Cubic), (0, Resampling::Lanczos), (1, Resampling::Average)] {
        let options =
            EncodeOptions::new().compression(Compression::Lzw).tile_size(TileSize::square(256)).resampling(resampling);
        let whole = ImageSpec::new(1 << 20, 1 << 20, 1, DataType::U16);
        let plan = CogPlan::new(&whole, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let sides = ShardOptions::new().width(1024).height(2048);
        let shards = ShardPlan::new(plan.with_predictor_by_type(), &sides).unwrap();
        let id = ShardId { tier, row: 7, column: 11 };
        let window = shards.shard(id).unwrap().source();
        let spec = whole.width(window.width()).height(window.height());
        let mut source = Computed { spec: spec.clone() };
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let output = encode_shard(&shards, id, &mut source, &Executor::serial()).unwrap();
        let needed = PEAK.load(Ordering::Relaxed) - before;
        let given = output.pixels.map_or(0, |pixels| pixels.byte_count());
        let store = StoreOptions::new().memory(2 * (output.fragment.len() + given) as u64);
        let bound = bound(&spec, &options, 1, &store);
        println!("shard {id}, {resampling:?}: peak {} MiB, bound {} MiB", needed / MIB, bound / MIB);
        assert!(needed <= bound, "shard {id} {options:?}: {needed} bytes, the bound is {bound}");
    }
}
