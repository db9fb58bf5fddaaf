//! Decodes the chunks (tiles and strips) of TIFF files to samples in native byte order.
//!
//! Knows nothing about offsets and directories. Errors are plain-text reasons; the caller adds the location. Never
//! allocates more than the compressed bytes can possibly hold.

pub(crate) mod bits;
pub(crate) mod compression;
pub(crate) mod fax;
pub(crate) mod jpeg;
pub(crate) mod lerc;
pub(crate) mod packbits;
pub(crate) mod predictor;
pub(crate) mod stream;
pub(crate) mod webp;
pub(crate) mod ycbcr;

use std::sync::Arc;

pub(crate) use compression::Compression;

use crate::sample::DataType;

/// The reason why a chunk cannot be decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The bytes are damaged, with the reason.
    Damaged(String),
    /// The bytes use an unsupported feature, with its name.
    Unsupported(String),
    /// There is not enough memory for this many bytes.
    Memory(u64),
}

impl From<String> for DecodeError {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}

impl From<&str> for DecodeError {
    fn from(reason: &str) -> Self {
        Self::Damaged(reason.to_owned())
    }
}

/// The result of decoding.
pub(crate) type DecodeResult<T> = Result<T, DecodeError>;

/// Sample format (tag 339) of decoded rows that are still packed (TIFF 6.0 section 19 and others).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleFormat {
    /// 1 and 4: unsigned integers, or undefined.
    Unsigned,
    /// 2: integers in two's complement.
    Signed,
    /// 3: IEEE 754 floating point.
    Float,
    /// 5: pairs of signed integers.
    ComplexInteger,
    /// 6: pairs of floating-point numbers.
    ComplexFloat,
}

/// Properties shared by all chunks of an image.
#[derive(Debug, Clone)]
pub(crate) struct ChunkFormat {
    pub(crate) compression: Compression,
    /// Tag 317: 1 none, 2 horizontal, 3 floating point.
    pub(crate) predictor: u16,
    pub(crate) sample_format: SampleFormat,
    /// Bits of a sample in the file.
    pub(crate) bits: u16,
    /// The type of decoded samples.
    pub(crate) data_type: DataType,
    /// Pixels per chunk row.
    pub(crate) width: usize,
    /// Samples per pixel in a chunk: all of them, or one if planes are separate.
    pub(crate) samples: usize,
    /// True if the file's byte order differs from the machine's.
    pub(crate) swap: bool,
    /// Tag 266 is 2: the bits of compressed bytes are in reverse order.
    pub(crate) reversed_bits: bool,
    /// The conversion from YCbCr to RGB, if the image is YCbCr.
    pub(crate) ycbcr: Option<Arc<ycbcr::YCbCr>>,
    /// Tag 347: the tables shared by all JPEG streams.
    pub(crate) jpeg_tables: Arc<[u8]>,
}

impl ChunkFormat {
    /// Returns the size in bytes of a row as the codec returns it, padded to whole bytes (TIFF 6.0 section 3).
    pub(crate) fn packed_row_bytes(&self) -> Option<usize> {
        let bits = self.width.checked_mul(self.samples)?.checked_mul(usize::from(self.bits))?;
        Some(bits.div_ceil(8))
    }

    /// Returns the size in bytes of a row of samples of the data type.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        self.width.checked_mul(self.samples)?.checked_mul(self.data_type.size())
    }

    /// Returns the size in bytes of `rows` rows as the codec returns them.
    pub(crate) fn packed_bytes(&self, rows: usize) -> Option<usize> {
        match &self.ycbcr {
            Some(ycbcr) if self.compression != Compression::Jpeg => ycbcr.packed_bytes(self.width, rows),
            _ => self.packed_row_bytes()?.checked_mul(rows),
        }
    }

    /// Returns whether the bytes of a chunk are its samples.
    pub(crate) fn is_plain(&self) -> bool {
        self.compression == Compression::None
            && usize::from(self.bits) == self.data_type.size() * 8
            && (!self.swap || self.bits == 8)
            && !self.reversed_bits
            && self.ycbcr.is_none()
    }

    /// Decodes a chunk of `rows` rows, of which the first `needed` are inside the image: some software omits the other
    /// rows of the bottom tiles, and libtiff accepts that. The samples end up in `out`. The previous contents of
    /// `input` and `out` are lost, but their memory is reused.
    pub(crate) fn decode(
        &self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        rows: usize,
        needed: usize,
    ) -> DecodeResult<()> {
        if self.reversed_bits && self.compression.takes_reversed_bits() {
            bits::reverse(input);
        }
        let size = self.packed_bytes(rows).ok_or("the size of a chunk overflows")?;
        let needed = self.packed_bytes(needed.min(rows)).unwrap_or(size);
        self.compression.check_size(input.len() as u64, needed as u64)?;
        match self.compression {
            Compression::Jpeg => *out = jpeg::decode(self, input, rows)?,
            Compression::WebP => *out = webp::decode(self, input, rows)?,
            Compression::Lerc(inner) => *out = lerc::decode(self, inner, std::mem::take(input), rows)?,
            _ => {
                self.decode_packed(input, out, size, (rows, needed))?;
                *out = match &self.ycbcr {
                    Some(ycbcr) => ycbcr.to_rgb(out, self.width, rows, allocate_rows(self, rows)?),
                    None => self.unpack(std::mem::take(out), rows),
                }?;
            }
        }
        Ok(())
    }

    /// Decodes to rows that are still packed, `size` bytes in total.
    fn decode_packed(
        &self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        size: usize,
        (rows, needed): (usize, usize),
    ) -> DecodeResult<()> {
        if self.compression == Compression::None {
            if input.len() < needed {
                return Err(short(input.len(), needed));
            }
            std::mem::swap(input, out);
            return resize(out, size);
        }
        // Zeros for the bytes that a short chunk omits.
        out.clear();
        resize(out, size)?;
        match self.compression {
            Compression::PackBits => packbits::decode(input, out, needed),
            Compression::Fax(options) => fax::decode(options, input, self.width, rows, out),
            _ => stream::decode(self.compression, input, out, needed),
        }
    }

    /// Turns rows as the codec returns them into samples: predictor, byte order, width.
    pub(crate) fn unpack(&self, mut packed: Vec<u8>, rows: usize) -> DecodeResult<Vec<u8>> {
        let row_bytes = self.packed_row_bytes().ok_or("the size of a chunk overflows")?;
        let predictor = if self.compression.has_predictor() { self.predictor } else { 1 };
        if self.swap && predictor != 3 {
            bits::swap(&mut packed, self.swap_unit());
        }
        predictor::undo(predictor, &mut packed, row_bytes, self)?;
        let size = usize::from(self.bits).div_ceil(8);
        if usize::from(self.bits) == self.data_type.size() * 8 {
            return Ok(packed);
        }
        let mut out = allocate_rows(self, rows)?;
        if self.sample_format == SampleFormat::Float && size == 3 {
            bits::widen_float24(&packed, &mut out);
        } else {
            let signed = self.sample_format == SampleFormat::Signed;
            let out_row = self.row_bytes().ok_or("the size of a chunk overflows")?;
            for (from, to) in packed.chunks(row_bytes.max(1)).zip(out.chunks_mut(out_row.max(1))) {
                bits::unpack(from, self.bits, signed, self.data_type.size(), to);
            }
        }
        Ok(out)
    }

    /// Returns the number of bytes to reverse when the byte order is swapped; the parts of complex samples are swapped
    /// one by one.
    fn swap_unit(&self) -> usize {
        let parts = if self.data_type.is_complex() { 2 } else { 1 };
        match self.bits / parts {
            16 => 2,
            24 if self.sample_format == SampleFormat::Float => 3,
            32 => 4,
            64 => 8,
            _ => 1,
        }
    }
}

/// Returns the error for a chunk that holds too few bytes.
pub(crate) fn short(got: usize, expected: usize) -> DecodeError {
    format!("it holds {got} bytes, but its pixels need {expected}").into()
}

/// Allocates a buffer of zeros; returns an error instead of aborting if memory runs out.
pub(crate) fn allocate(size: usize) -> DecodeResult<Vec<u8>> {
    let mut buffer = Vec::new();
    resize(&mut buffer, size)?;
    Ok(buffer)
}

/// Resizes a buffer to `size` bytes; new bytes are zero.
fn resize(buffer: &mut Vec<u8>, size: usize) -> DecodeResult<()> {
    let more = size.saturating_sub(buffer.len());
    buffer.try_reserve_exact(more).map_err(|_| DecodeError::Memory(size as u64))?;
    buffer.resize(size, 0);
    Ok(())
}

/// Allocates a buffer for `rows` rows of samples.
pub(crate) fn allocate_rows(format: &ChunkFormat, rows: usize) -> DecodeResult<Vec<u8>> {
    let size = format.row_bytes().and_then(|bytes| bytes.checked_mul(rows));
    allocate(size.ok_or("the size of a chunk overflows")?)
}
