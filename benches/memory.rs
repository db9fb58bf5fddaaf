//! Peak memory of a 20000x20000 u16 image with default options, as the system counts it (Linux).
//!
//! `cargo bench --bench memory [-- WIDTH HEIGHT]`

mod support;

use std::ops::ControlFlow;
use std::time::Instant;

use cogsmith::{CogPlan, EncodeOptions, Executor, GeoRef, Metadata, PixelSource, StoreOptions};
use support::Terrain;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sides: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (width, height) = match sides[..] {
        [width, height] => (width, height),
        _ => (20_000, 20_000),
    };
    let mut source = Terrain::new(width, height, 1);
    let plan =
        CogPlan::new(source.spec(), &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
    let executor = Executor::all_cores()?;
    let start = Instant::now();
    let go_on = &mut |_| ControlFlow::Continue(());
    let store = StoreOptions::default();
    let summary = cogsmith::encode(&mut source, &plan, &executor, &store, &mut std::io::sink(), go_on)?;
    println!(
        "{width}x{height} u16, {} threads: {:.1} s, {} bytes written, peak memory {}",
        executor.thread_count(),
        start.elapsed().as_secs_f64(),
        summary.bytes,
        peak_memory().unwrap_or_else(|| "unknown on this system".to_owned())
    );
    Ok(())
}

/// The largest resident set of this process.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!("{:.0} MB", kib * 1024.0 / 1e6))
}
