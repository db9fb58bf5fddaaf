//! Pushes rows as they are computed, to a file that appears whole or not at all.
//!
//! `cargo run --example stream_rows [-- OUTPUT.tif]`; without OUTPUT, the file goes to the system's temporary folder and
//! is removed again.

use std::path::PathBuf;

use cogsmith::{
    CogPlan, CogWriter, Compression, DataType, EncodeOptions, Executor, FileOptions, GeoKeys, GeoRef, ImageSpec,
    Metadata, OutputFile, StoreOptions, Transform,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (2000u32, 1500u32);
    let spec = ImageSpec::new(width, height, 1, DataType::F32).nodata(f64::NAN);
    // 10 m pixels, north up, UTM zone 33N: GeoKeys 1024 (projected), 1025 (pixel is area), 3072 (EPSG:32633).
    let keys =
        GeoKeys { directory: vec![1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633], ..GeoKeys::default() };
    let transform = Transform::north_up(500_000.0, 5_300_000.0, 10.0, 10.0)?;
    let geo = GeoRef::default().with_keys(keys)?.with_transform(transform);
    let options = EncodeOptions::new().compression(Compression::ZSTD);
    let plan = CogPlan::new(&spec, &geo, &Metadata::default(), &options)?;

    let asked_for = std::env::args().nth(1).map(PathBuf::from);
    let path = asked_for.clone().unwrap_or_else(|| std::env::temp_dir().join("cogsmith-stream-rows.tif"));
    let file = OutputFile::create(&path, &FileOptions::new().overwrite(true))?;
    let mut writer = CogWriter::to_file(plan, Executor::all_cores()?, StoreOptions::default(), file)?;
    for row in 0..height {
        let row: Vec<f32> = (0..width)
            .map(|column| {
                let (x, y) = (column as f32 - 1000.0, row as f32 - 750.0);
                let distance = (x * x + y * y).sqrt();
                if distance < 700.0 { 2000.0 - distance } else { f32::NAN }
            })
            .collect();
        writer.push_rows(&row, None)?;
    }

    let summary = writer.finish()?;
    println!("{}: {} levels, {} bytes", path.display(), summary.levels.len(), summary.bytes);
    if asked_for.is_none() {
        std::fs::remove_file(&path)?;
    }
    Ok(())
}
