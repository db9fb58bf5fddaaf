//! Drives the encoder by hand: rows in, finished tiles out, and the file put together outside of the library.
//!
//! Tiles arrive in file order within their section; sections are independent of each other. Here each waits in a vector;
//! they might as well be objects in a store. `cargo run --example sans_io [-- OUTPUT.tif]`

use std::collections::BTreeMap;

use cogsmith::check::{self, CheckOptions};
use cogsmith::{
    CogEncoder, CogPlan, Crs, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, SectionId, Transform,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (1500u32, 1000u32);
    let spec = ImageSpec::new(width, height, 1, DataType::U16);
    let transform = Transform::north_up(500_000.0, 5_300_000.0, 10.0, 10.0)?;
    let geo = GeoRef::default().with_crs(&Crs::epsg(32633)?)?.with_transform(transform);
    let plan = CogPlan::new(&spec, &geo, &Metadata::default(), &EncodeOptions::default())?;

    let mut encoder = CogEncoder::new(plan, Executor::all_cores()?)?;
    let mut sections: BTreeMap<SectionId, Vec<u8>> = BTreeMap::new();
    for row in 0..height {
        let row: Vec<u16> = (0..width).map(|column| (row * column / 64) as u16).collect();
        encoder.push_rows(&row, None)?;
        for chunk in encoder.drain() {
            sections.entry(chunk.section).or_default().extend(chunk.bytes);
        }
    }

    let finished = encoder.finish()?;
    let mut file = finished.header;
    for (section, bytes) in &finished.sections {
        assert_eq!(sections[section].len() as u64, *bytes);
        file.extend(&sections[section]);
    }
    let report = check::validate(&file.as_slice(), &CheckOptions::default(), &Executor::serial())?;
    println!("{} bytes, {} levels, valid: {}", file.len(), finished.summary.levels.len(), report.is_valid(true));
    assert!(report.is_valid(true));
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, &file)?;
    }
    Ok(())
}
