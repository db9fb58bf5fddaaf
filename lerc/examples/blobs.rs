//! Encodes images from standard input to standard output: what the oracle `tests/judges/lerc.py` drives.
//!
//! An image is a header of little-endian integers of 4 bytes (type code, 1 if a mask follows, width, height, bands, and how
//! often to encode it), the maximum error as a double, its samples, and its mask. The answer is the median of the
//! nanoseconds that encoding took and the length of the blob, 4 bytes each, then the blob.
//!
//! `blobs TYPE KIND` writes the images of `tests/golden.rs` of that type and kind in this form; `blobs kinds` lists the
//! kinds.

#[path = "../tests/support/rasters.rs"]
mod rasters;

use std::error::Error;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::time::Instant;

use cogsmith_lerc::{Encoder, Image};
use rasters::{KINDS, Value, cases};

/// Runs a function for the type of a code.
macro_rules! for_type {
    ($code:expr, $run:ident($($argument:expr),*)) => {
        match $code {
            0 => $run::<i8>($($argument),*),
            1 => $run::<u8>($($argument),*),
            2 => $run::<i16>($($argument),*),
            3 => $run::<u16>($($argument),*),
            4 => $run::<i32>($($argument),*),
            5 => $run::<u32>($($argument),*),
            6 => $run::<f32>($($argument),*),
            _ => $run::<f64>($($argument),*),
        }
    };
}

const TYPES: [&str; 8] = ["i8", "u8", "i16", "u16", "i32", "u32", "f32", "f64"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => answer(),
        [kinds] if kinds == "kinds" => {
            println!("{}", KINDS.join("\n"));
            Ok(())
        }
        [name, kind] => {
            let code = TYPES.iter().position(|known| known == name).ok_or("no such type")?;
            let kind = KINDS.into_iter().find(|known| known == kind).ok_or("no such kind")?;
            Ok(for_type!(code, ask(code as u32, kind))?)
        }
        _ => Err("usage: blobs [kinds | TYPE KIND]".into()),
    }
}

/// Writes the images of a kind.
fn ask<T: Value>(code: u32, kind: &'static str) -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    for case in cases(kind) {
        let sizes = [case.width, case.height, case.bands].map(|size| size as u32);
        for field in [code, u32::from(case.mask.is_some()), sizes[0], sizes[1], sizes[2], 1] {
            output.write_all(&field.to_le_bytes())?;
        }
        output.write_all(&case.max_z_error.to_le_bytes())?;
        output.write_all(bytemuck::cast_slice(&case.samples::<T>()))?;
        output.write_all(case.mask.as_deref().unwrap_or_default())?;
    }
    output.flush()
}

/// Encodes images until there are no more.
fn answer() -> Result<(), Box<dyn Error>> {
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    let mut encoder = Encoder::new();
    let mut header = [0; 32];
    while input.read_exact(&mut header).is_ok() {
        let field = |index: usize| u32::from_le_bytes(header[index * 4..][..4].try_into().expect("four bytes"));
        let [code, has_mask, width, height, bands, repeats] = [0, 1, 2, 3, 4, 5].map(|index| field(index) as usize);
        let max_z_error = f64::from_le_bytes(header[24..].try_into().expect("eight bytes"));
        let mut bytes = vec![0; width * height * bands * [1, 1, 2, 2, 4, 4, 4, 8][code]];
        input.read_exact(&mut bytes)?;
        let mut mask = vec![0; width * height * has_mask];
        input.read_exact(&mut mask)?;
        let mask = (has_mask == 1).then_some(&mask[..]);
        let image = Image { width, height, bands, samples: &bytes };
        let (nanoseconds, blob) = for_type!(code, encode(&mut encoder, &image, mask, max_z_error, repeats))?;
        output.write_all(&nanoseconds.to_le_bytes())?;
        output.write_all(&(blob.len() as u32).to_le_bytes())?;
        output.write_all(&blob)?;
        output.flush()?;
    }
    Ok(())
}

/// Encodes an image given as bytes; returns the median time of `repeats` runs and the blob.
fn encode<T: Value>(
    encoder: &mut Encoder,
    image: &Image<'_, u8>,
    mask: Option<&[u8]>,
    max_z_error: f64,
    repeats: usize,
) -> Result<(u32, Vec<u8>), cogsmith_lerc::Error> {
    let samples: Vec<T> = bytemuck::pod_collect_to_vec(image.samples);
    let image = Image { width: image.width, height: image.height, bands: image.bands, samples: &samples };
    let mut out = Vec::new();
    let mut times = Vec::new();
    for _ in 0..repeats {
        out.clear();
        let start = Instant::now();
        encoder.encode(&image, mask, max_z_error, &mut out)?;
        times.push(start.elapsed().as_nanos() as u32);
    }
    times.sort_unstable();
    Ok((times[times.len() / 2], out))
}
