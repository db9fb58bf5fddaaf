//! Reads every GeoTIFF file in a folder, and counts successes by flavor and failures by file, with the reasons.
//!
//! `cargo run --release --example corpus -- FOLDER`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cogsmith::{Executor, GeoTiffSource, PixelSource, ReadOptions, Result, Stripe, StripeLayout};

/// Rows per read.
const STRIPE_ROWS: usize = 256;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from).filter(|folder| folder.is_dir()) else {
        eprintln!("usage: corpus FOLDER");
        return ExitCode::FAILURE;
    };
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let executor = Executor::all_cores().unwrap_or_default();
    let mut read = BTreeMap::<String, usize>::new();
    let mut refused = Vec::new();
    for file in &files {
        match read_all(file, &executor) {
            Ok(flavour) => *read.entry(flavour).or_default() += 1,
            Err(error) => refused.push((file, error)),
        }
    }
    for (flavour, count) in &read {
        println!("{count:5}  {flavour}");
    }
    println!("\n{} of {} files read", files.len() - refused.len(), files.len());
    for (file, error) in refused {
        println!("{}: {error}", file.strip_prefix(&folder).unwrap_or(file).display());
    }
    ExitCode::SUCCESS
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        if path.is_dir() {
            collect(&path, files);
        } else if extension.is_some_and(|extension| extension == "tif" || extension == "tiff") {
            files.push(path);
        }
    }
}

/// Reads all rows of a file, stripe by stripe, and returns its flavor.
fn read_all(file: &Path, executor: &Executor) -> Result<String> {
    let mut source = GeoTiffSource::open(file, &ReadOptions::default())?;
    let spec = source.spec().clone();
    let (width, height, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
    let sample_size = spec.data_type.size();
    let rows = STRIPE_ROWS.min(height);
    // Words of 8 bytes, because planes start at multiples of 8 bytes.
    let mut pixels = vec![0u64; (rows * width * bands * sample_size).div_ceil(8)];
    let mut mask = vec![0u8; rows * width];
    for first_row in (0..height).step_by(rows) {
        let rows = rows.min(height - first_row);
        let plane = &mut bytemuck::cast_slice_mut(&mut pixels)[..rows * width * bands * sample_size];
        let mask = spec.mask.then_some(&mut mask[..rows * width]);
        let mut stripe = Stripe::new(&spec, rows, StripeLayout::Chunky, vec![plane], mask)?;
        source.read_rows(u32::try_from(first_row).unwrap_or(u32::MAX), &mut stripe, executor)?;
    }
    Ok(source.flavour().to_owned())
}
