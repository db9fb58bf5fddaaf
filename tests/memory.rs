//! Memory is bounded by the plan: the height of the image plays no part.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use cogsmith::{CogPlan, Compression, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, StoreOptions};
use support::images::Computed;

/// Counts what is allocated, and its peak.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

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

/// One test, since all would share the counters.
#[test]
fn peak_memory_is_within_the_documented_bound() {
    const MIB: usize = 1 << 20;
    for (width, height, bands, mask, threads) in
        [(2000, 12_000, 1, false, 1), (2000, 12_000, 1, false, 2), (3000, 5000, 3, true, 2), (700, 30_000, 2, false, 4)]
    {
        let spec = ImageSpec { mask, ..ImageSpec::new(width, height, bands, DataType::U16) };
        let options = EncodeOptions { compression: Compression::Lzw, ..EncodeOptions::default() };
        let store = StoreOptions { memory: 4 << 20, directory: None };
        let tile_row = 512 * width as usize * (2 * usize::from(bands) + usize::from(mask));
        let tiles: u64 = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options)
            .unwrap()
            .levels()
            .iter()
            .map(|level| level.tiles_per_plane())
            .sum();
        // docs/architecture.md, "Memory": 2 rows of tiles, 32 MiB of batch, the store's budget, the compressed tiles
        // of one batch (here at most as large as the batch), 4 MiB a thread for the codec, and the index and header.
        let batch = tile_row.max(16 * MIB);
        let bound = 2 * tile_row + 32 * MIB + (4 << 20) + batch + threads * 4 * MIB + 64 * tiles as usize;
        let needed = peak(&spec, &options, threads, store);
        assert!(needed <= bound, "{width}x{height}: {needed} bytes, the bound is {bound}");
        let image = width as usize * height as usize * 2 * usize::from(bands);
        println!("{width}x{height}x{bands}: peak {} MiB, bound {} MiB, image {} MiB", needed / MIB, bound / MIB, image / MIB);
    }

    // Twice the height: the same peak, but for the index.
    let options = EncodeOptions { compression: Compression::Lzw, ..EncodeOptions::default() };
    let store = StoreOptions { memory: 4 << 20, directory: None };
    let peaks = [6000, 12_000, 24_000].map(|height| {
        let spec = ImageSpec::new(1500, height, 1, DataType::U16);
        peak(&spec, &options, 1, store.clone())
    });
    assert!(peaks[2] <= peaks[0] + MIB, "{peaks:?}");
}
