//! Decoding of the chunks (tiles and strips) of TIFF files: bytes of the file in, samples in native order out.
//!
//! Knows nothing of offsets and directories. Errors are reasons in plain words; the caller knows the place. Nothing
//! larger than what the compressed bytes can possibly hold is ever allocated.

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

/// What keeps a chunk from being decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The bytes are damaged: why.
    Damaged(String),
    /// The bytes use a feature that is not read: which.
    Unsupported(String),
    /// There is no memory for so many bytes.
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

/// How samples stand in decoded, but still packed rows (TIFF 6.0 section 19 and others).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleFormat {
    /// 1 and 4: unsigned integers, or no stated meaning.
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

/// What all chunks of an image have in common.
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
    /// Pixels of a row of a chunk.
    pub(crate) width: usize,
    /// Samples of a pixel that stand in one chunk: all, or one where planes are separate.
    pub(crate) samples: usize,
    /// Whether the byte order of the file is not that of this machine.
    pub(crate) swap: bool,
    /// Tag 266 is 2: the bits of compressed bytes stand in reverse order.
    pub(crate) reversed_bits: bool,
    /// How YCbCr becomes RGB, where the colours are stored so.
    pub(crate) ycbcr: Option<Arc<ycbcr::YCbCr>>,
    /// Tag 347: what all JPEG streams share.
    pub(crate) jpeg_tables: Arc<[u8]>,
}

impl ChunkFormat {
    /// Bytes of a row as it comes out of the codec, padded to whole bytes (TIFF 6.0 section 3).
    pub(crate) fn packed_row_bytes(&self) -> Option<usize> {
        let bits = self.width.checked_mul(self.samples)?.checked_mul(usize::from(self.bits))?;
        Some(bits.div_ceil(8))
    }

    /// Bytes of a row of samples of the data type.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        self.width.checked_mul(self.samples)?.checked_mul(self.data_type.size())
    }

    /// Bytes of `rows` rows as they come out of the codec.
    pub(crate) fn packed_bytes(&self, rows: usize) -> Option<usize> {
        match &self.ycbcr {
            Some(ycbcr) if self.compression != Compression::Jpeg => ycbcr.packed_bytes(self.width, rows),
            _ => self.packed_row_bytes()?.checked_mul(rows),
        }
    }

    /// Whether the bytes of a chunk are its samples.
    pub(crate) fn is_plain(&self) -> bool {
        self.compression == Compression::None
            && usize::from(self.bits) == self.data_type.size() * 8
            && (!self.swap || self.bits == 8)
            && !self.reversed_bits
            && self.ycbcr.is_none()
    }

    /// Decodes a chunk of `rows` rows, of which the first `needed` ones lie in the image: some software leaves out the
    /// others of the lowest tiles, and libtiff does without them. The samples are in `out` then; what `input` and `out`
    /// held before is lost, but not their memory.
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
        let size = self.packed_bytes(rows).ok_or("more pixels than any machine can hold")?;
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

    /// Decodes to rows that are still packed, `size` bytes.
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
        // Zeros, for what a short chunk leaves out.
        out.clear();
        resize(out, size)?;
        match self.compression {
            Compression::PackBits => packbits::decode(input, out, needed),
            Compression::Fax(options) => fax::decode(options, input, self.width, rows, out),
            _ => stream::decode(self.compression, input, out, needed),
        }
    }

    /// Turns rows as they come out of the codec into samples: predictor, byte order, width.
    pub(crate) fn unpack(&self, mut packed: Vec<u8>, rows: usize) -> DecodeResult<Vec<u8>> {
        let row_bytes = self.packed_row_bytes().ok_or("more pixels than any machine can hold")?;
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
            let out_row = self.row_bytes().ok_or("more pixels than any machine can hold")?;
            for (from, to) in packed.chunks(row_bytes.max(1)).zip(out.chunks_mut(out_row.max(1))) {
                bits::unpack(from, self.bits, signed, self.data_type.size(), to);
            }
        }
        Ok(out)
    }

    /// Bytes that change places together when the byte order is swapped; parts of complex samples keep theirs.
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

/// The reason given where a chunk holds too little.
pub(crate) fn short(got: usize, expected: usize) -> DecodeError {
    format!("it holds {got} bytes, but its pixels take {expected}").into()
}

/// A buffer of zeros; an error instead of an abort where there is no memory.
pub(crate) fn allocate(size: usize) -> DecodeResult<Vec<u8>> {
    let mut buffer = Vec::new();
    resize(&mut buffer, size)?;
    Ok(buffer)
}

/// Makes a buffer `size` bytes long; new ones are zero.
fn resize(buffer: &mut Vec<u8>, size: usize) -> DecodeResult<()> {
    let more = size.saturating_sub(buffer.len());
    buffer.try_reserve_exact(more).map_err(|_| DecodeError::Memory(size as u64))?;
    buffer.resize(size, 0);
    Ok(())
}

/// A buffer for `rows` rows of samples.
pub(crate) fn allocate_rows(format: &ChunkFormat, rows: usize) -> DecodeResult<Vec<u8>> {
    let size = format.row_bytes().and_then(|bytes| bytes.checked_mul(rows));
    allocate(size.ok_or("more pixels than any machine can hold")?)
}
