//! Pixel layout of a directory: size, data type, chunks (tiles or strips), compression.
//!
//! Tolerates what libtiff tolerates, because such files are common; remaining doubts become warnings.

use std::ops::Range;
use std::sync::Arc;

use crate::codec::decode::ycbcr::YCbCr;
use crate::codec::decode::{ChunkFormat, Compression, SampleFormat, fax, lerc};
use crate::error::{Error, Result};
use crate::sample::DataType;
use crate::tiff::Tag;
use crate::tiff::file::{ByteOrder, Directory, TiffFile};

/// Maximum number of offsets missing at the end of their array, as in libtiff: a defense against false headers.
const MOST_MISSING_OFFSETS: u64 = 1_000_000;

/// The layout of the pixels of an image in the file.
#[derive(Debug, Clone)]
pub(super) struct ImageLayout {
    /// Index of the directory in the file, for messages.
    pub(super) number: usize,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: u16,
    /// The value of tag 262.
    pub(super) photometric: u64,
    /// True if each band has separate chunks.
    pub(super) planar: bool,
    pub(super) tiled: bool,
    pub(super) chunk_height: u32,
    pub(super) chunks_across: u32,
    pub(super) chunks_down: u32,
    pub(super) format: ChunkFormat,
    pub(super) offsets: Vec<u64>,
    /// May be shorter than `offsets`; [`chunk_range`](Self::chunk_range) derives missing counts.
    pub(super) byte_counts: Vec<u64>,
    /// Sorted offsets, to find the end of chunks without byte counts; empty if all chunks have theirs.
    sorted_offsets: Vec<u64>,
    file_length: u64,
}

/// Reads tags of one directory; errors name its index.
struct Reader<'a> {
    file: &'a TiffFile,
    directory: &'a Directory,
    number: usize,
}

impl Reader<'_> {
    fn corrupt(&self, reason: impl Into<String>) -> Error {
        Error::corrupt(format!("image {}", self.number), reason)
    }

    /// Reads the first number of a tag; a tag that is present but unreadable is an error.
    fn number(&self, tag: Tag) -> Result<Option<u64>> {
        self.check(tag)?;
        self.directory.integer(self.file, tag)
    }

    fn number_or(&self, tag: Tag, default: u64) -> Result<u64> {
        Ok(self.number(tag)?.unwrap_or(default))
    }

    fn required(&self, tag: Tag) -> Result<u64> {
        self.number(tag)?.ok_or_else(|| self.corrupt(format!("tag {} ({}) is missing", tag.0, name(tag))))
    }

    fn check(&self, tag: Tag) -> Result<()> {
        match self.directory.broken(tag) {
            Some(reason) => Err(self.corrupt(format!("tag {} ({}): {reason}", tag.0, name(tag)))),
            None => Ok(()),
        }
    }

    fn narrow(&self, tag: Tag, value: u64) -> Result<u16> {
        u16::try_from(value).map_err(|_| self.corrupt(format!("tag {} ({}) is {value}", tag.0, name(tag))))
    }

    /// Reads the number that a tag gives for all bands; an error if it differs between bands.
    fn one_for_all(&self, tag: Tag, bands: u16, default: u64) -> Result<u64> {
        self.check(tag)?;
        let numbers = self.directory.integers_up_to(self.file, tag, bands.into())?.unwrap_or_default();
        let first = numbers.first().copied().unwrap_or(default);
        if numbers.iter().any(|number| *number != first) {
            return Err(Error::unsupported(format!(
                "different values of tag {} ({}) for the bands of image {}",
                tag.0,
                name(tag),
                self.number
            )));
        }
        Ok(first)
    }
}

fn name(tag: Tag) -> &'static str {
    tag.name().unwrap_or("unknown")
}

impl ImageLayout {
    /// Reads the layout of the image of a directory.
    pub(super) fn read(file: &TiffFile, directory: &Directory, number: usize) -> Result<Self> {
        let reader = Reader { file, directory, number };
        let (width, height) = size(&reader)?;
        // Some software writes one value per band; different values are damage.
        let samples = reader.one_for_all(Tag::SAMPLES_PER_PIXEL, u16::MAX, 1)?;
        let samples = reader.narrow(Tag::SAMPLES_PER_PIXEL, samples)?;
        if samples == 0 {
            return Err(reader.corrupt("SamplesPerPixel is 0"));
        }
        let planar = match reader.number_or(Tag::PLANAR_CONFIGURATION, 1)? {
            // With one band, both mean the same.
            2 => samples > 1,
            0 | 1 => false,
            other => return Err(reader.corrupt(format!("PlanarConfiguration is {other}, not 1 or 2"))),
        };
        let compression = compression(&reader)?;
        let photometric = reader.number_or(Tag::PHOTOMETRIC_INTERPRETATION, 1)?;
        let (bits, sample_format, data_type) = sample_type(&reader, samples)?;
        let tiled = directory.contains(Tag::TILE_WIDTH) || directory.contains(Tag::TILE_OFFSETS);
        let (chunk_width, chunk_height) = chunk_size(&reader, tiled, width, height)?;
        let (offsets_tag, counts_tag) = if tiled {
            (Tag::TILE_OFFSETS, Tag::TILE_BYTE_COUNTS)
        } else {
            (Tag::STRIP_OFFSETS, Tag::STRIP_BYTE_COUNTS)
        };
        // If only the strip tags are present, libtiff uses them for tiles.
        let (offsets_tag, counts_tag) = match (directory.contains(offsets_tag), tiled) {
            (false, true) => (Tag::STRIP_OFFSETS, Tag::STRIP_BYTE_COUNTS),
            _ => (offsets_tag, counts_tag),
        };
        let chunks_across = width.div_ceil(chunk_width);
        let chunks_down = height.div_ceil(chunk_height);
        let planes = if planar { samples } else { 1 };
        let chunks = u64::from(chunks_across) * u64::from(chunks_down) * u64::from(planes);
        reader.check(offsets_tag)?;
        let offsets = directory.integers_up_to(file, offsets_tag, chunks)?;
        let offsets =
            offsets.ok_or_else(|| reader.corrupt("it has no pixels: StripOffsets and TileOffsets are missing"))?;
        let missing = chunks - (offsets.len() as u64).min(chunks);
        if missing > MOST_MISSING_OFFSETS {
            return Err(reader.corrupt(format!("the offsets of {missing} of its {chunks} tiles or strips are missing")));
        }
        let byte_counts = match directory.broken(counts_tag) {
            Some(_) => None,
            None => directory.integers_up_to(file, counts_tag, chunks)?,
        };
        let format = ChunkFormat {
            compression,
            predictor: reader.narrow(Tag::PREDICTOR, reader.number_or(Tag::PREDICTOR, 1)?)?,
            sample_format,
            bits,
            data_type,
            width: chunk_width as usize,
            samples: if planar { 1 } else { samples.into() },
            swap: file.order != ByteOrder::NATIVE,
            reversed_bits: reader.number_or(Tag::FILL_ORDER, 1)? == 2,
            ycbcr: ycbcr(&reader, photometric, samples, planar, bits)?,
            jpeg_tables: directory.byte_string(file, Tag::JPEG_TABLES)?.unwrap_or_default().into(),
        };
        check_fax(&format, photometric)?;
        if format.row_bytes().is_none() || format.packed_row_bytes().is_none() {
            return Err(Error::limit("the size of a row of pixels, in bytes,", u64::MAX, usize::MAX as u64));
        }
        let byte_counts = byte_counts.unwrap_or_default();
        let mut sorted_offsets = Vec::new();
        if byte_counts.len() < offsets.len() || byte_counts.contains(&0) {
            sorted_offsets.clone_from(&offsets);
            sorted_offsets.sort_unstable();
        }
        let file_length = file.length;
        Ok(Self {
            number,
            width,
            height,
            samples,
            photometric,
            planar,
            tiled,
            chunk_height,
            chunks_across,
            chunks_down,
            format,
            offsets,
            byte_counts,
            sorted_offsets,
            file_length,
        })
    }

    /// Replaces the place of a chunk; its bytes are within the file.
    #[cfg(feature = "mosaic")]
    pub(super) fn replace_chunk(&mut self, index: usize, offset: u64, count: u64) {
        for (array, value) in [(&mut self.offsets, offset), (&mut self.byte_counts, count)] {
            if let Some(to) = array.get_mut(index) {
                *to = value;
            }
        }
        self.file_length = self.file_length.max(offset.saturating_add(count));
    }

    /// Returns true if some chunks are not stored in the file.
    pub(super) fn is_sparse(&self) -> bool {
        self.missing_offsets().is_some() || self.offsets.contains(&0)
    }

    /// Returns a warning if there are too few offsets.
    pub(super) fn missing_offsets(&self) -> Option<String> {
        let rows = u64::from(self.chunks_across) * u64::from(self.chunks_down);
        let chunks = rows * u64::from(self.planes());
        let held = self.offsets.len() as u64;
        (held < chunks).then(|| {
            let kind = if self.tiled { "tiles" } else { "strips" };
            format!("image {} has {chunks} {kind}, but offsets for only {held}; the others have no data", self.number)
        })
    }

    /// Returns the number of pixel rows of the chunks in a row of chunks: tiles are complete, the last strip may be
    /// shorter.
    pub(super) fn chunk_rows(&self, chunk_row: u32) -> u32 {
        if self.tiled {
            return self.chunk_height;
        }
        let first = u64::from(chunk_row) * u64::from(self.chunk_height);
        let rest = u64::from(self.height).saturating_sub(first);
        u32::try_from(rest).unwrap_or(u32::MAX).min(self.chunk_height)
    }

    /// Returns the number of planes: one per band if bands have separate chunks, otherwise one.
    pub(super) fn planes(&self) -> u16 {
        if self.planar { self.samples } else { 1 }
    }

    /// Returns the index of a chunk in the arrays of offsets and byte counts.
    pub(super) fn chunk_index(&self, plane: u16, chunk_row: u32, chunk_column: u32) -> u64 {
        let rows_above = u64::from(plane) * u64::from(self.chunks_down) + u64::from(chunk_row);
        rows_above * u64::from(self.chunks_across) + u64::from(chunk_column)
    }

    /// Returns the offset and size of a chunk, or `None` if it is not stored because all of it is nodata.
    pub(super) fn chunk_range(&self, index: u64, chunk_row: u32) -> Result<Option<(u64, u64)>> {
        let place = || self.chunk_place(index);
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        // Missing offsets count as 0, as in libtiff; a warning has already reported them.
        let offset = self.offsets.get(position).copied().unwrap_or(0);
        let count = self.byte_counts.get(position).copied();
        if offset == 0 && count.unwrap_or(0) == 0 {
            return Ok(None);
        }
        let rest = self.file_length.checked_sub(offset).filter(|rest| *rest > 0).ok_or_else(|| {
            Error::corrupt(place(), format!("it starts at byte {offset}, but the file has {} bytes", self.file_length))
        })?;
        let needed = self.format.packed_bytes(self.chunk_rows(chunk_row) as usize).map(|bytes| bytes as u64);
        let uncompressed = self.format.compression == Compression::None;
        let count = match (count, needed) {
            // The pixels determine the size of an uncompressed chunk; libtiff repairs byte counts in the same way. The
            // bottom tiles may lack rows beyond the image.
            (_, Some(needed)) if uncompressed && !self.tiled => needed,
            (Some(count), Some(needed)) if uncompressed => needed.min(if count == 0 { rest } else { count.max(1) }),
            (None | Some(0), _) => rest.min(self.next_offset(offset).saturating_sub(offset)),
            // A single strip with an absurd count: use what there is.
            (Some(count), _) if count > rest && self.offsets.len() == 1 => rest,
            // No codec makes pixels much larger; the rest is not part of the chunk.
            (Some(count), Some(needed)) if count <= rest => count.min(needed.saturating_mul(4).saturating_add(1 << 20)),
            (Some(count), _) => count,
        };
        if count > rest {
            return Err(Error::corrupt(
                place(),
                format!("its {count} bytes at byte {offset} extend beyond the file of {} bytes", self.file_length),
            ));
        }
        Ok(Some((offset, count)))
    }

    /// Returns the bytes of the chunks in a row of chunks, from left to right, each with those of all planes.
    pub(super) fn ranges_of(&self, chunk_row: u32) -> impl Iterator<Item = Range<u64>> {
        let places = (0..self.chunks_across).flat_map(|column| (0..self.planes()).map(move |plane| (plane, column)));
        places.filter_map(move |(plane, column)| {
            let range = self.chunk_range(self.chunk_index(plane, chunk_row, column), chunk_row);
            range.ok().flatten().map(|(offset, count)| offset..offset.saturating_add(count))
        })
    }

    /// Returns the start of the next chunk, or the end of the file.
    fn next_offset(&self, offset: u64) -> u64 {
        let behind = self.sorted_offsets.partition_point(|other| *other <= offset);
        self.sorted_offsets.get(behind).copied().unwrap_or(self.file_length)
    }

    /// Returns the name of the chunk in messages.
    pub(super) fn chunk_place(&self, index: u64) -> String {
        format!("{} {index} of image {}", if self.tiled { "tile" } else { "strip" }, self.number)
    }
}

fn size(reader: &Reader<'_>) -> Result<(u32, u32)> {
    let side = |tag| {
        let value = reader.required(tag)?;
        match u32::try_from(value).ok().filter(|side| i32::try_from(*side).is_ok()) {
            Some(0) => Err(reader.corrupt(format!("tag {} ({}) is 0", tag.0, name(tag)))),
            Some(side) => Ok(side),
            None => Err(Error::limit("image side in pixels", value, i32::MAX as u64)),
        }
    };
    Ok((side(Tag::IMAGE_WIDTH)?, side(Tag::IMAGE_LENGTH)?))
}

fn compression(reader: &Reader<'_>) -> Result<Compression> {
    let compression = Compression::from_code(reader.number_or(Tag::COMPRESSION, 1)?)?;
    Ok(match compression {
        Compression::Lerc(_) => {
            let parameters = reader.directory.integers_up_to(reader.file, Tag::LERC_PARAMETERS, 2)?;
            match parameters.as_deref() {
                Some([_, 0]) | None => Compression::Lerc(lerc::Wrapping::None),
                Some([_, 1]) => Compression::Lerc(lerc::Wrapping::Deflate),
                Some([_, 2]) => Compression::Lerc(lerc::Wrapping::Zstd),
                Some(other) => return Err(Error::unsupported(format!("LERC compression parameters {other:?}"))),
            }
        }
        Compression::Fax(fax::Options::Group3 { .. }) => {
            let options = reader.number_or(Tag::T4_OPTIONS, 0)?;
            if options & 2 != 0 {
                return Err(Error::unsupported("compression 3 (CCITT Group 3) in uncompressed mode"));
            }
            Compression::Fax(fax::Options::Group3 { two_dimensional: options & 1 != 0 })
        }
        other => other,
    })
}

fn sample_type(reader: &Reader<'_>, samples: u16) -> Result<(u16, SampleFormat, DataType)> {
    let bits = reader.one_for_all(Tag::BITS_PER_SAMPLE, samples, 1)?;
    let format = match reader.one_for_all(Tag::SAMPLE_FORMAT, samples, 1)? {
        // 4 is "void"; 0 is written by some software, and libtiff reads it as 1.
        0 | 1 | 4 => SampleFormat::Unsigned,
        2 => SampleFormat::Signed,
        3 => SampleFormat::Float,
        5 => SampleFormat::ComplexInteger,
        6 => SampleFormat::ComplexFloat,
        other => return Err(Error::unsupported(format!("sample format {other}"))),
    };
    let data_type = match (format, bits) {
        (SampleFormat::Unsigned, 1..=8) => DataType::U8,
        (SampleFormat::Unsigned, 9..=16) => DataType::U16,
        (SampleFormat::Unsigned, 17..=32) => DataType::U32,
        (SampleFormat::Unsigned, 64) => DataType::U64,
        (SampleFormat::Signed, 2..=8) => DataType::I8,
        (SampleFormat::Signed, 9..=16) => DataType::I16,
        (SampleFormat::Signed, 17..=32) => DataType::I32,
        (SampleFormat::Signed, 64) => DataType::I64,
        (SampleFormat::Float, 16) => DataType::F16,
        (SampleFormat::Float, 24 | 32) => DataType::F32,
        (SampleFormat::Float, 64) => DataType::F64,
        (SampleFormat::ComplexInteger, 32) => DataType::CI16,
        (SampleFormat::ComplexInteger, 64) => DataType::CI32,
        (SampleFormat::ComplexFloat, 64) => DataType::CF32,
        (SampleFormat::ComplexFloat, 128) => DataType::CF64,
        _ => return Err(Error::unsupported(format!("{bits}-bit samples of format {format:?}"))),
    };
    Ok((reader.narrow(Tag::BITS_PER_SAMPLE, bits)?, format, data_type))
}

fn chunk_size(reader: &Reader<'_>, tiled: bool, width: u32, height: u32) -> Result<(u32, u32)> {
    if !tiled {
        // Without RowsPerStrip, or with its default 2^32 - 1 (TIFF 6.0 section 3), all rows are in one strip.
        let rows = reader.number(Tag::ROWS_PER_STRIP)?.filter(|rows| *rows > 0).unwrap_or(u64::MAX);
        return Ok((width, u32::try_from(rows).unwrap_or(height).min(height)));
    }
    let side = |tag| {
        let value = reader.required(tag)?;
        match u32::try_from(value).ok().filter(|side| *side > 0 && i32::try_from(*side).is_ok()) {
            Some(side) => Ok(side),
            None => Err(reader.corrupt(format!("tag {} ({}) is {value}", tag.0, name(tag)))),
        }
    };
    Ok((side(Tag::TILE_WIDTH)?, side(Tag::TILE_LENGTH)?))
}

/// Returns the conversion of YCbCr colors to RGB, which happens as in GDAL: in the JPEG decoder, or by this library.
fn ycbcr(reader: &Reader<'_>, photometric: u64, samples: u16, planar: bool, bits: u16) -> Result<Option<Arc<YCbCr>>> {
    if photometric != 6 || samples < 3 {
        return Ok(None);
    }
    let is_jpeg = reader.number_or(Tag::COMPRESSION, 1)? == 7;
    if samples != 3 || planar || !(bits == 8 || is_jpeg) {
        return Err(Error::unsupported(format!(
            "photometric interpretation 6 (YCbCr) with {samples} bands of {bits} bits (separate planes: {planar})"
        )));
    }
    let subsampling = reader.directory.integers_up_to(reader.file, Tag::YCBCR_SUBSAMPLING, 2)?;
    let subsampling = match subsampling.as_deref() {
        None => [2, 2],
        Some(&[across @ (1 | 2 | 4), down @ (1 | 2 | 4)]) => {
            [across, down].map(|step| usize::try_from(step).unwrap_or(1))
        }
        Some(other) => return Err(reader.corrupt(format!("YCbCr subsampling is {other:?}, not 1, 2, or 4"))),
    };
    #[expect(clippy::cast_possible_truncation, reason = "libtiff keeps these in single precision")]
    let floats = |tag| -> Result<Option<Vec<f32>>> {
        let numbers = reader.directory.doubles(reader.file, tag)?;
        Ok(numbers.map(|numbers| numbers.into_iter().map(|number| number as f32).collect()))
    };
    let luma = floats(Tag::YCBCR_COEFFICIENTS)?.and_then(|luma| luma.first_chunk::<3>().copied());
    let luma = luma.filter(|[_, green, _]| *green != 0.0).unwrap_or([0.299, 0.587, 0.114]);
    let reference = floats(Tag::REFERENCE_BLACK_WHITE)?.and_then(|reference| reference.first_chunk::<6>().copied());
    let reference = reference.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
    Ok(Some(Arc::new(YCbCr::new(subsampling, luma, reference))))
}

fn check_fax(format: &ChunkFormat, photometric: u64) -> Result<()> {
    if matches!(format.compression, Compression::Fax(_)) && (format.bits != 1 || format.samples != 1) {
        return Err(Error::unsupported(format!(
            "fax compression of {} bands of {} bits (photometric interpretation {photometric})",
            format.samples, format.bits
        )));
    }
    Ok(())
}
