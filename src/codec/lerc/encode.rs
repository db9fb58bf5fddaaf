//! The encoder of tiles.

use bytemuck::Pod;
use cogsmith_lerc::{Encoder as BlobEncoder, Image, Sample as LercSample};

use crate::codec::compression::{Compression, LercCompression};
use crate::codec::encoder::{Decoded, Deflate, EncoderKind, Layout, SampleEncoder, TileSamples, not_for, repeat_edges};
use crate::codec::zstd;
use crate::sample::{DataType, Nodata, NodataRange, Value};

use super::blob;

/// The constructor of the encoder.
pub(in crate::codec) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::<Encoder>::default());

/// The largest distance of a decoded value from its sample in error bounds: arithmetic on floats rounds.
const REACH: f64 = 1.01;

/// Encodes tiles.
#[derive(Default)]
struct Encoder {
    blobs: BlobEncoder,
    deflate: Deflate,
    blob: Vec<u8>,
}

impl SampleEncoder for Encoder {
    fn encode(
        &mut self,
        compression: Compression,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String> {
        let Compression::Lerc { max_error, compression: outer } = compression else {
            return Err(not_for(compression));
        };
        let size = (tile.format.tile_size.width as usize, tile.format.tile_size.height as usize);
        // As GDAL does for floats; integers become smaller too.
        repeat_edges(tile.samples, tile.format.pixel_len(), size, tile.inside);
        match tile.format.data_type {
            DataType::U8 => self.tile::<u8>(&tile, (max_error.value(), outer), out, decoded),
            DataType::I8 => self.tile::<i8>(&tile, (max_error.value(), outer), out, decoded),
            DataType::U16 => self.tile::<u16>(&tile, (max_error.value(), outer), out, decoded),
            DataType::I16 => self.tile::<i16>(&tile, (max_error.value(), outer), out, decoded),
            DataType::U32 => self.tile::<u32>(&tile, (max_error.value(), outer), out, decoded),
            DataType::I32 => self.tile::<i32>(&tile, (max_error.value(), outer), out, decoded),
            DataType::F32 => self.tile::<f32>(&tile, (max_error.value(), outer), out, decoded),
            DataType::F64 => self.tile::<f64>(&tile, (max_error.value(), outer), out, decoded),
            other => Err(format!("lerc takes no {other} samples")),
        }
    }
}

impl Encoder {
    /// Encodes a tile with an error bound and the outer compression.
    fn tile<T: LercSample + lerc::Sample + Value + Pod>(
        &mut self,
        tile: &TileSamples<'_>,
        (max_error, outer): (f64, LercCompression),
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String> {
        let Some(decoded) = decoded else {
            self.blob::<T>(tile, max_error, None)?;
            return self.compress(outer, out);
        };
        self.blob::<T>(tile, max_error, Some(&mut decoded.samples))?;
        self.compress(outer, out)?;
        if let Some(nodata) = nodata_of::<T>(tile).filter(|_| decoded.tries_nan && T::MAY_BE_NAN && max_error > 0.0)
            && let Some(nan) = T::from_nodata(&Nodata::Float(f64::NAN)).filter(|nan| !nodata.contains(*nan))
        {
            let samples: &[T] = bytemuck::cast_slice(tile.samples);
            let samples: Vec<T> = samples.iter().map(|one| if nodata.contains(*one) { nan } else { *one }).collect();
            let size = tile.format.tile_size;
            let (width, height) = (size.width as usize, size.height as usize);
            self.encode(&Image { width, height, bands: tile.format.samples, samples: &samples }, max_error, None)?;
            let mut with_nan = Vec::new();
            self.compress(outer, &mut with_nan)?;
            decoded.len_with_nan = Some(with_nan.len());
        }
        Ok(())
    }

    /// Appends the blob in its outer compression.
    fn compress(&mut self, outer: LercCompression, out: &mut Vec<u8>) -> Result<(), String> {
        match outer {
            LercCompression::None => out.extend_from_slice(&self.blob),
            LercCompression::Deflate { level } => self.deflate.zlib(level, Layout::default(), &self.blob, out)?,
            LercCompression::Zstd { level } => zstd::compress(level, &self.blob, out)?,
        }
        Ok(())
    }

    /// Makes the blob of a tile. If a pixel would become nodata, or stop to be, blocks with nodata or values near it lose
    /// nothing; if that does not help, the whole tile loses nothing.
    fn blob<T: LercSample + lerc::Sample + Value + Pod>(
        &mut self,
        tile: &TileSamples<'_>,
        max_error: f64,
        decoded: Option<&mut Vec<u8>>,
    ) -> Result<(), String> {
        let format = tile.format;
        let size = (format.tile_size.width as usize, format.tile_size.height as usize);
        let samples: &[T] = bytemuck::cast_slice(tile.samples);
        let image = Image { width: size.0, height: size.1, bands: format.samples, samples };
        self.encode(&image, max_error, None)?;
        // The least error that changes a sample.
        let exact = if T::MAY_BE_NAN { 0.0 } else { 0.5 };
        let mut values = None;
        if let Some(nodata) = nodata_of::<T>(tile).filter(|_| max_error > exact) {
            let is_same = |read: &Vec<T>| {
                samples.iter().zip(read).all(|(before, after)| nodata.contains(*before) == nodata.contains(*after))
            };
            values = Some(self.decode::<T>(size, format.samples)?).filter(is_same);
            if values.is_none() {
                self.encode(&image, max_error, Some(near(nodata, max_error)))?;
                values = Some(self.decode::<T>(size, format.samples)?).filter(is_same);
            }
            if values.is_none() {
                self.encode(&image, 0.0, None)?;
            }
        }
        if let Some(decoded) = decoded {
            let values = match values {
                Some(values) => values,
                None => self.decode::<T>(size, format.samples)?,
            };
            decoded.extend_from_slice(bytemuck::cast_slice(&values));
        }
        Ok(())
    }

    fn encode<T: LercSample>(
        &mut self,
        image: &Image<'_, T>,
        max_error: f64,
        exact: Option<(f64, f64)>,
    ) -> Result<(), String> {
        self.blob.clear();
        let result = self.blobs.encode_with_exact(image, None, max_error, exact, &mut self.blob);
        result.map_err(|error| format!("lerc: {error}"))
    }

    /// Returns what decoders make of the blob, with NaN for invalid samples.
    fn decode<T: lerc::Sample + Value + Pod>(&self, size: (usize, usize), samples: usize) -> Result<Vec<T>, String> {
        let invalid = if T::MAY_BE_NAN { T::from_nodata(&Nodata::Float(f64::NAN)) } else { None };
        let blob = blob::decode::<T>(&self.blob, size, samples, invalid)?;
        if blob.depth == samples { Ok(blob.values) } else { Err("lerc: bands are missing".into()) }
    }
}

/// Returns the samples that equal nodata; `None` if there are none.
fn nodata_of<T: Value>(tile: &TileSamples<'_>) -> Option<NodataRange<T>> {
    let pixel: &[T] = bytemuck::try_cast_slice(tile.nodata?).ok()?;
    pixel.first().copied().map(NodataRange::around)
}

/// Returns the range of samples that may be decoded as nodata.
fn near<T: Value>(nodata: NodataRange<T>, max_error: f64) -> (f64, f64) {
    let (low, high) = nodata.bounds();
    (low.to_f64() - REACH * max_error, high.to_f64() + REACH * max_error)
}
