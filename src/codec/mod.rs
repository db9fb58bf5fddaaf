//! Tile encoding: pixels in, bytes out.
//!
//! A tile's bytes are a pure function of its own pixels and its [`TileFormat`]; encoders only keep scratch memory.

pub(crate) mod choice;
mod compression;
#[cfg(feature = "geotiff")]
pub(crate) mod decode;
mod deflate;
mod encoder;
#[cfg(any(feature = "jpeg", feature = "webp-c"))]
mod fill;
mod jpeg;
mod lerc;
mod loss;
mod lzw;
mod pack;
mod packbits;
mod parameter;
mod predictor;
mod prepare;
mod table;
mod webp;
mod zstd;

use std::ops::Range;

use crate::buffer::repeats;
use crate::checksum::Checksum;
use crate::grid::TileSize;
use crate::sample::{DataType, Value, dispatch};
use crate::spec::ImageSpec;

pub use compression::{
    Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_JPEG_QUALITY, DEFAULT_ZSTD_LEVEL, JpegPhotometric, LercCompression,
    MaxError, Subsampling,
};
pub(crate) use encoder::{Compressor, Layout};
use encoder::{Decoded, EncoderKind};
pub(crate) use jpeg::components;
pub(crate) use loss::{TileLoss, count_nodata};
pub use parameter::{CodecParameter, ParameterRange, ParameterValue};
pub use predictor::Predictor;
use prepare::Preparation;
pub use table::Codec;

/// Everything that decides how the tiles of a plane become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TileFormat {
    /// Columns and rows.
    pub(crate) tile_size: TileSize,
    /// Samples of a pixel in this plane.
    pub(crate) samples: usize,
    /// The type of samples.
    pub(crate) data_type: DataType,
    /// Bits of a sample in the file.
    pub(crate) bits: u16,
    /// Predictor that runs before compression; never `Auto`.
    pub(crate) predictor: Predictor,
    /// The codec.
    pub(crate) compression: Compression,
    /// Color components of a codec that has them.
    pub(crate) components: Components,
}

/// The components of a pixel, for codecs of colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Components {
    /// All bands, unrelated to each other.
    #[default]
    Bands,
    /// One of several bands, each in a plane of its own.
    Plane,
    /// Red, green, and blue, which the codec stores as YCbCr.
    YCbCr,
}

impl TileFormat {
    /// Returns the format of mask tiles: one bit per pixel and DEFLATE, whatever the codec of the image, as in GDAL.
    pub(crate) const fn mask(tile_size: TileSize) -> Self {
        Self {
            tile_size,
            samples: 1,
            data_type: DataType::U8,
            bits: 1,
            predictor: Predictor::None,
            compression: Compression::DEFLATE,
            components: Components::Bands,
        }
    }

    /// Bytes of one row of a tile before compression: packed samples, padded to whole bytes. `None` on overflow.
    pub(crate) fn row_bytes(&self) -> Option<u64> {
        let samples = u64::from(self.tile_size.width).checked_mul(self.samples as u64)?;
        Some(samples.checked_mul(u64::from(self.bits))?.div_ceil(8))
    }

    /// Returns the rows and planes of a tile's bytes.
    fn layout(&self) -> Layout {
        Layout {
            row_bytes: self.row_bytes().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0),
            planes: if self.predictor == Predictor::FloatingPoint { self.data_type.size() } else { 1 },
        }
    }

    /// Bytes of a tile before compression. `None` on overflow.
    pub(crate) fn tile_bytes(&self) -> Option<u64> {
        self.row_bytes()?.checked_mul(u64::from(self.tile_size.height))
    }

    /// Like [`tile_bytes`](Self::tile_bytes), but as a buffer length.
    fn tile_len(&self) -> Result<usize, String> {
        let bytes = self.tile_bytes().and_then(|bytes| usize::try_from(bytes).ok());
        bytes.ok_or_else(|| "the tile does not fit in the address space".to_owned())
    }

    /// Returns whether samples have fewer bits in the file than their type has.
    fn packs(&self) -> bool {
        self.bits != self.data_type.bits()
    }

    /// Returns the bytes per pixel of this plane in memory.
    fn pixel_len(&self) -> usize {
        self.samples * self.data_type.size()
    }
}

/// A rectangle of a plane that becomes a tile; smaller than the tile at the right and bottom edges of the image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileView<'a> {
    /// The plane's samples from the first row of the tile on, in native byte order.
    pub(crate) rows: &'a [u8],
    /// Bytes from one row to the next.
    pub(crate) row_stride: usize,
    /// Bytes from the start of a row to the first sample of the tile.
    pub(crate) row_start: usize,
    /// Columns of the rectangle.
    pub(crate) width: usize,
    /// Rows of the rectangle.
    pub(crate) height: usize,
    /// The samples of the tile outside the rectangle.
    pub(crate) padding: &'a Padding,
    /// The rows of the mask that match those of the plane, one byte per pixel; not for codecs that do not need it.
    pub(crate) mask: Option<&'a [u8]>,
}

/// The samples of tiles outside the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Padding {
    /// Values that compress best: columns repeat the last one, and rows reach the codec as zeros.
    #[default]
    Any,
    /// Like `Any`, but with zeros for the sample at this index of every pixel: alpha, so that readers that display the
    /// padding show nothing.
    Transparent(usize),
    /// The bytes of one pixel: nodata, with zeros for alpha.
    Pixel(Vec<u8>),
}

impl Padding {
    /// Returns the padding for a plane that holds these bands of an image.
    pub(crate) fn of(spec: &ImageSpec, bands: Range<usize>) -> Self {
        let alpha = spec.tagged_alpha().map(|(band, _)| band).filter(|band| bands.contains(band));
        let alpha = alpha.map(|band| band - bands.start);
        let nodata = dispatch!(spec.data_type, T => {
            let nodata = spec.nodata_in_range().as_ref().and_then(<T as Value>::from_nodata);
            nodata.map(|nodata| bytemuck::bytes_of(&nodata).to_vec())
        });
        match (nodata, alpha) {
            (Some(sample), alpha) => {
                let mut pixel = sample.repeat(bands.len());
                if let Some(alpha) = alpha {
                    pixel[alpha * sample.len()..][..sample.len()].fill(0);
                }
                Self::Pixel(pixel)
            }
            (None, Some(alpha)) => Self::Transparent(alpha),
            (None, None) => Self::Any,
        }
    }
}

impl<'a> TileView<'a> {
    /// Returns the checksum of the pixels, `pixel` bytes each, without the padding.
    pub(crate) fn checksum(&self, pixel: usize) -> u64 {
        let mut checksum = Checksum::new();
        for row in 0..self.height {
            checksum.add(self.row(row, self.width * pixel));
        }
        checksum.value()
    }

    /// Returns whether every sample is `sample`, bit by bit; a pixel has `pixel` bytes.
    pub(crate) fn holds_only(&self, sample: &[u8], pixel: usize) -> bool {
        (0..self.height).all(|row| repeats(self.row(row, self.width * pixel), sample))
    }

    /// Returns the [checksum](Self::checksum) of the rectangle if every sample were `sample`.
    pub(crate) fn checksum_of(&self, sample: &[u8], pixel: usize) -> u64 {
        let row = sample.repeat(self.width * pixel / sample.len().max(1));
        let mut checksum = Checksum::new();
        (0..self.height).for_each(|_| checksum.add(&row));
        checksum.value()
    }

    /// Returns the checksum of a mask; any byte other than 0 counts as valid.
    pub(crate) fn mask_checksum(&self) -> u64 {
        let mut checksum = Checksum::new();
        let mut valid = Vec::with_capacity(self.width);
        for row in 0..self.height {
            valid.clear();
            valid.extend(self.row(row, self.width).iter().map(|byte| u8::from(*byte != 0)));
            checksum.add(&valid);
        }
        checksum.value()
    }

    /// Returns whether a pixel of the rectangle is valid; all are if there is no mask.
    fn is_valid(&self, format: &TileFormat, column: usize, row: usize) -> bool {
        let pixel = format.pixel_len();
        self.mask.is_none_or(|mask| mask[row * (self.row_stride / pixel) + self.row_start / pixel + column] != 0)
    }

    /// Returns `length` bytes of row `row`.
    fn row(&self, row: usize, length: usize) -> &'a [u8] {
        &self.rows[row * self.row_stride + self.row_start..][..length]
    }
}

/// Encodes tiles: prepares them and passes them to the codec. Keeps only scratch memory from one tile to the next.
#[derive(Debug, Default)]
pub(crate) struct TileEncoder {
    preparation: Preparation,
    encoders: Compressor,
    reconstruction: Decoded,
}

/// The samples that decoders return for a tile of a lossy codec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reconstruction {
    /// The checksum of the pixels, without the padding.
    pub(crate) checksum: u64,
    /// Differences from the samples that were encoded.
    pub(crate) loss: TileLoss,
}

impl TileEncoder {
    /// Appends an encoded tile of samples to `out`. The rectangle is padded to the tile's size.
    pub(crate) fn encode(&mut self, format: &TileFormat, view: TileView<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        self.encode_with(format.compression.codec(), format, view, out)
    }

    /// Like [`encode`](Self::encode), for a lossy codec; also decodes the tile, and measures it with NaN as nodata if
    /// `tries_nan` is set.
    pub(crate) fn encode_and_compare(
        &mut self,
        format: &TileFormat,
        view: TileView<'_>,
        tries_nan: bool,
        out: &mut Vec<u8>,
    ) -> Result<Reconstruction, String> {
        let codec = format.compression.codec();
        let EncoderKind::Samples(new) = codec.encoder else {
            return Err(format!("{} is not a lossy codec", codec.name));
        };
        let tile = self.preparation.samples(format, view)?;
        let decoded = &mut self.reconstruction;
        decoded.samples.clear();
        (decoded.tries_nan, decoded.len_with_nan) = (tries_nan, None);
        let start = out.len();
        self.encoders.of_samples(codec.code, new).encode(format.compression, tile, out, Some(decoded))?;
        if decoded.samples.len() as u64 != format.tile_bytes().unwrap_or(u64::MAX) {
            return Err(format!("{}: the tile cannot be decoded", codec.name));
        }
        let row_stride = format.tile_size.width as usize * format.pixel_len();
        let after = TileView { rows: &decoded.samples, row_stride, row_start: 0, mask: None, ..view };
        let mut loss = TileLoss::of(format, view, &decoded.samples);
        if tries_nan {
            let bytes = out.len() - start;
            (loss.bytes, loss.bytes_with_nan) = (bytes as u64, decoded.len_with_nan.unwrap_or(bytes) as u64);
        }
        Ok(Reconstruction { checksum: after.checksum(format.pixel_len()), loss })
    }

    /// Like [`encode`](Self::encode), with a given codec.
    fn encode_with(
        &mut self,
        codec: &Codec,
        format: &TileFormat,
        view: TileView<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match codec.encoder {
            EncoderKind::Stored if !format.packs() => Preparation::store(format, view, out),
            EncoderKind::Samples(new) => {
                let tile = self.preparation.samples(format, view)?;
                self.encoders.of_samples(codec.code, new).encode(format.compression, tile, out, None)
            }
            EncoderKind::Stored | EncoderKind::Bytes(_) => {
                let bytes = self.preparation.bytes(format, view)?;
                self.encoders.compress(format.compression, format.layout(), bytes, out)
            }
        }
    }

    /// Appends an encoded mask tile (one byte per pixel, 0 = invalid) to `out`.
    pub(crate) fn encode_mask(
        &mut self,
        format: &TileFormat,
        view: TileView<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let bytes = self.preparation.mask_bytes(format, view);
        self.encoders.compress(format.compression, format.layout(), bytes, out)
    }
}
