//! Encodes images from standard input to standard output: what the oracle `tests/judges/lerc.py` drives.
//!
//! An image is a header of little-endian integers of 4 bytes (type code, 1 if a mask follows, width, height, bands, and how
//! often to encode it), the maximum error as a double, its samples, and its mask. The answer is the median of the
//! nanoseconds that encoding took and the length of the blob, 4 bytes each, then the blob.

use std::error::Error;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::time::Instant;

use cogsmith_lerc::{Encoder, Image, Sample};

fn main() -> Result<(), Box<dyn Error>> {
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    let mut encoder = Encoder::new();
    let mut header = [0; 32];
    while input.read_exact(&mut header).is_ok() {
        let field = |index: usize| u32::from_le_bytes(header[index * 4..][..4].try_into().expect("four bytes"));
        let [code, has_mask, width, height, bands, repeats] = [0, 1, 2, 3, 4, 5].map(|index| field(index) as usize);
        let max_z_error = f64::from_le_bytes(header[24..].try_into().expect("eight bytes"));
        let count = width * height * bands;
        let mut bytes = vec![0; count * [1, 1, 2, 2, 4, 4, 4, 8][code]];
        input.read_exact(&mut bytes)?;
        let mut mask = vec![0; width * height * has_mask];
        input.read_exact(&mut mask)?;
        let mask = (has_mask == 1).then_some(&mask[..]);
        let job = Job { encoder: &mut encoder, size: [width, height, bands], bytes: &bytes, mask, max_z_error, repeats };
        let (nanoseconds, blob) = match code {
            0 => job.run(i8::from_le_bytes),
            1 => job.run(u8::from_le_bytes),
            2 => job.run(i16::from_le_bytes),
            3 => job.run(u16::from_le_bytes),
            4 => job.run(i32::from_le_bytes),
            5 => job.run(u32::from_le_bytes),
            6 => job.run(f32::from_le_bytes),
            _ => job.run(f64::from_le_bytes),
        }?;
        output.write_all(&nanoseconds.to_le_bytes())?;
        output.write_all(&(blob.len() as u32).to_le_bytes())?;
        output.write_all(&blob)?;
        output.flush()?;
    }
    Ok(())
}

struct Job<'a> {
    encoder: &'a mut Encoder,
    size: [usize; 3],
    bytes: &'a [u8],
    mask: Option<&'a [u8]>,
    max_z_error: f64,
    repeats: usize,
}

impl Job<'_> {
    fn run<T: Sample, const SIZE: usize>(self, value: fn([u8; SIZE]) -> T) -> Result<(u32, Vec<u8>), cogsmith_lerc::Error> {
        let samples: Vec<T> = self.bytes.as_chunks().0.iter().map(|bytes| value(*bytes)).collect();
        let [width, height, bands] = self.size;
        let mut out = Vec::new();
        let image = Image { width, height, bands, samples: &samples };
        let mut times = Vec::new();
        for _ in 0..self.repeats {
            out.clear();
            let start = Instant::now();
            self.encoder.encode(&image, self.mask, self.max_z_error, &mut out)?;
            times.push(start.elapsed().as_nanos() as u32);
        }
        times.sort_unstable();
        Ok((times[times.len() / 2], out))
    }
}
