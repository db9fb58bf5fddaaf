//! The image of a directory, and the checks of its tags against TIFF.

use std::sync::Arc;

use crate::codec::decode::ycbcr::YCbCr;
use crate::codec::decode::{ChunkFormat, Compression, SampleFormat, fax, lerc};
use crate::error::Result;
use crate::sample::{DataType, Nodata};

use super::parse::{Array, Directory, Entry, Tiff, whole};
use super::report::{Place, Report};
use super::rules;
use super::tags as tag;

/// The image of a directory. Unknown dimensions are 0.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) directory: usize,
    pub(super) offset: u64,
    /// Tag 254: 1 reduced, 2 page, 4 mask.
    pub(super) subfile: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) tiled: bool,
    pub(super) tile_width: u64,
    pub(super) tile_height: u64,
    pub(super) samples: u64,
    pub(super) bits: u64,
    pub(super) sample_format: u64,
    pub(super) data_type: Option<DataType>,
    pub(super) photometric: u64,
    pub(super) compression: u64,
    pub(super) predictor: u64,
    pub(super) planar: bool,
    pub(super) extra_samples: Vec<u64>,
    pub(super) color_map: Vec<u64>,
    pub(super) nodata: Option<String>,
    pub(super) offsets: Option<Entry>,
    pub(super) counts: Option<Entry>,
    /// True if the tags have no errors.
    pub(super) sound: bool,
    /// The format for decoding tiles, or the reason why they cannot be decoded.
    pub(super) format: std::result::Result<ChunkFormat, String>,
}

impl Image {
    pub(super) fn is_reduced(&self) -> bool {
        self.subfile & 1 != 0
    }

    pub(super) fn is_mask(&self) -> bool {
        self.subfile & 4 != 0
    }

    pub(super) fn has_sound_tiles(&self) -> bool {
        self.tile_width.is_multiple_of(16) && self.tile_height.is_multiple_of(16)
    }

    pub(super) fn across(&self) -> u64 {
        if self.tile_width == 0 { 0 } else { self.width.div_ceil(self.tile_width) }
    }

    pub(super) fn down(&self) -> u64 {
        if self.tile_height == 0 { 0 } else { self.height.div_ceil(self.tile_height) }
    }

    pub(super) fn planes(&self) -> u64 {
        if self.planar { self.samples } else { 1 }
    }

    pub(super) fn per_plane(&self) -> u64 {
        self.across().saturating_mul(self.down())
    }

    /// Returns the number of tiles or strips in all planes.
    pub(super) fn tiles(&self) -> u64 {
        self.per_plane().saturating_mul(self.planes())
    }

    /// Returns the number of tiles that the arrays have entries for.
    pub(super) fn listed(&self) -> u64 {
        let items = |array: Option<Entry>| array.map_or(0, |entry| entry.count);
        self.tiles().min(items(self.offsets).max(items(self.counts)))
    }

    /// Returns the rows of a tile, and how many of them lie in the image. The last strip ends with the image.
    pub(super) fn rows(&self, tile: u64) -> (u64, u64) {
        let row = tile % self.per_plane().max(1) / self.across().max(1);
        let inside = self.height.saturating_sub(row.saturating_mul(self.tile_height)).min(self.tile_height);
        (if self.tiled { self.tile_height } else { inside }, inside)
    }

    pub(super) fn arrays<'a>(&self, tiff: &'a Tiff<'a>) -> Option<(Array<'a>, Array<'a>)> {
        Some((Array::new(tiff, self.offsets.as_ref()?)?, Array::new(tiff, self.counts.as_ref()?)?))
    }

    /// Returns the alpha band, if any.
    pub(super) fn alpha(&self) -> Option<u64> {
        let first = self.samples.saturating_sub(self.extra_samples.len() as u64);
        (first..).zip(&self.extra_samples).find(|(_, kind)| matches!(kind, 1 | 2)).map(|(band, _)| band)
    }

    pub(super) fn nodata(&self) -> Option<Nodata> {
        Nodata::parse(self.nodata.as_deref()?)
    }

    /// Returns true if compression may have changed pixels.
    pub(super) fn is_lossy(&self) -> bool {
        matches!(self.compression, 6 | 7 | 34887 | 34892 | 50001 | 50002)
    }

    /// Returns the approximate memory use in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let tables = self
            .format
            .as_ref()
            .map_or(0, |format| format.jpeg_tables.len() + if format.ycbcr.is_some() { 8192 } else { 0 });
        512 + (self.extra_samples.len() + self.color_map.len()) * 8 + tables
    }

    /// Returns the name of the codec, or its code if it has none.
    pub(super) fn codec(&self) -> String {
        codec_name(self.compression).map_or_else(|| format!("compression {}", self.compression), str::to_owned)
    }
}

/// Returns the name of a compression code, the same as in `create --compress` if it is one of those.
pub(super) fn codec_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "none",
        2 => "ccitt-rle",
        3 => "ccitt-fax3",
        4 => "ccitt-fax4",
        5 => "lzw",
        6 => "old-jpeg",
        7 => "jpeg",
        8 | 32946 => "deflate",
        32773 => "packbits",
        34712 => "jpeg2000",
        34887 => "lerc",
        34925 => "lzma",
        50000 => "zstd",
        50001 => "webp",
        50002 | 52546 => "jxl",
        _ => return None,
    })
}

/// Reads the image of a directory and checks its tags.
pub(super) fn read(tiff: &Tiff<'_>, directory: &Directory, report: &mut Report) -> Result<Image> {
    let mut reader = Reader { tiff, directory, report };
    reader.check_types();
    reader.image()
}

struct Reader<'a, 'b> {
    tiff: &'a Tiff<'a>,
    directory: &'a Directory,
    report: &'b mut Report,
}

impl Reader<'_, '_> {
    fn place(&self) -> Place {
        Place::directory(self.directory.index).at(self.directory.offset)
    }

    /// Checks the types and counts of all known tags.
    fn check_types(&mut self) {
        for entry in &self.directory.entries {
            let Some(definition) = tag::definition(entry.tag).filter(|_| entry.sound) else { continue };
            let name = definition.name;
            if !definition.kinds.contains(&entry.kind) {
                let message = format_args!("tag {} ({name}) has field type {}", entry.tag, entry.kind);
                self.report.add(&rules::TAG_TYPE, self.place(), message);
            } else if definition.count.is_some_and(|count| count != entry.count) {
                let message = format_args!("tag {} ({name}) has {} values", entry.tag, entry.count);
                self.report.add(&rules::TAG_COUNT, self.place(), message);
            }
        }
    }

    /// Returns the first number of a tag.
    fn number(&self, tag: u16) -> Result<Option<u64>> {
        let Some(entry) = self.directory.sound(tag) else { return Ok(None) };
        Ok(self.tiff.numbers(entry, 1)?.and_then(|numbers| numbers.first().copied()))
    }

    fn number_or(&self, tag: u16, default: u64) -> Result<u64> {
        Ok(self.number(tag)?.unwrap_or(default))
    }

    fn numbers(&self, tag: u16) -> Result<Vec<u64>> {
        let Some(entry) = self.directory.sound(tag) else { return Ok(Vec::new()) };
        Ok(self.tiff.numbers(entry, 1 << 20)?.unwrap_or_default())
    }

    /// Returns the number that a tag gives for all bands.
    fn for_all_bands(&mut self, tag: u16, samples: u64, default: u64) -> Result<u64> {
        let numbers = self.numbers(tag)?;
        let (name, count) = (tag::name(tag), numbers.len() as u64);
        if count > 0 && count != samples {
            let message = format_args!("tag {tag} ({name}) has {count} values for {samples} bands");
            self.report.add(&rules::SAMPLES_COUNT, self.place(), message);
        }
        let first = numbers.first().copied().unwrap_or(default);
        if let Some(other) = numbers.iter().find(|number| **number != first) {
            let message = format_args!("tag {tag} ({name}) differs between bands: {first} and {other}");
            self.report.add(&rules::SAMPLE_TYPE, self.place(), message);
        }
        Ok(first)
    }

    fn required(&mut self, tag: u16) {
        if self.directory.entry(tag).is_none() {
            let message = format_args!("tag {tag} ({}) is missing", tag::name(tag));
            self.report.add(&rules::REQUIRED_TAG, self.place(), message);
        }
    }

    /// Returns a dimension of the image, or 0 if it is invalid.
    fn side(&mut self, tag: u16) -> Result<u64> {
        self.required(tag);
        let Some(side) = self.number(tag)? else { return Ok(0) };
        if i32::try_from(side).is_ok_and(|side| side > 0) {
            return Ok(side);
        }
        self.report.add(&rules::DIMENSIONS, self.place(), format_args!("{} is {side}", tag::name(tag)));
        Ok(0)
    }

    fn tile_side(&mut self, tag: u16) -> Result<u64> {
        self.required(tag);
        let Some(side) = self.number(tag)? else { return Ok(0) };
        if side == 0 || side % 16 != 0 || i32::try_from(side).is_err() {
            self.report.add(&rules::TILE_SIZE, self.place(), format_args!("{} is {side}", tag::name(tag)));
        }
        Ok(if i32::try_from(side).is_ok() { side } else { 0 })
    }

    fn image(&mut self) -> Result<Image> {
        let subfile = self.number_or(tag::NEW_SUBFILE_TYPE, 0)?;
        if subfile > 7 {
            self.report.add(&rules::SUBFILE_TYPE, self.place(), format_args!("NewSubfileType is {subfile}"));
        }
        if self.directory.entry(tag::SUB_IFDS).is_some() {
            self.report.add(&rules::OGC_SUB_DIRECTORIES, self.place(), format_args!("it has SubIFDs"));
        }
        let (width, height) = (self.side(tag::IMAGE_WIDTH)?, self.side(tag::IMAGE_LENGTH)?);
        self.required(tag::PHOTOMETRIC);
        let samples = self.number_or(tag::SAMPLES_PER_PIXEL, 1)?;
        if samples == 0 {
            self.report.add(&rules::SAMPLE_TYPE, self.place(), format_args!("SamplesPerPixel is 0"));
        }
        let planar = self.number_or(tag::PLANAR_CONFIGURATION, 1)?;
        if !(planar == 1 || planar == 2) {
            self.report.add(&rules::PLANAR, self.place(), format_args!("PlanarConfiguration is {planar}"));
        }
        let has = |tag| self.directory.entry(tag).is_some();
        let tiled = has(tag::TILE_WIDTH) || has(tag::TILE_LENGTH) || has(tag::TILE_OFFSETS);
        let (tile_width, tile_height) = if tiled {
            (self.tile_side(tag::TILE_WIDTH)?, self.tile_side(tag::TILE_LENGTH)?)
        } else {
            let rows = self.number(tag::ROWS_PER_STRIP)?.filter(|rows| *rows > 0).unwrap_or(u64::MAX);
            (width, rows.min(height))
        };
        let (offsets, counts) = if tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        self.required(offsets);
        self.required(counts);
        let bits = self.for_all_bands(tag::BITS_PER_SAMPLE, samples, 1)?;
        let sample_format = self.for_all_bands(tag::SAMPLE_FORMAT, samples, 1)?;
        let data_type = data_type(sample_format, bits);
        if data_type.is_none() {
            let message = format_args!("no sample type has BitsPerSample {bits} and SampleFormat {sample_format}");
            self.report.add(&rules::SAMPLE_TYPE, self.place(), message);
        }
        let text = |tag| self.directory.sound(tag).map(|entry| self.tiff.text(entry)).transpose();
        let nodata = text(tag::GDAL_NODATA)?.flatten();
        // Longer text cannot be a number.
        let nodata = nodata.map(|text| text.trim().chars().take(100).collect::<String>());
        if let Some(text) = nodata.as_deref().filter(|text| Nodata::parse(text).is_none()) {
            self.report.add(&rules::NODATA_VALUE, self.place(), format_args!("GDAL_NODATA is {text:?}"));
        }
        let mut image = Image {
            directory: self.directory.index,
            offset: self.directory.offset,
            subfile,
            width,
            height,
            tiled,
            tile_width,
            tile_height,
            samples,
            bits,
            sample_format,
            data_type,
            photometric: self.number_or(tag::PHOTOMETRIC, 1)?,
            compression: self.number_or(tag::COMPRESSION, 1)?,
            predictor: self.number_or(tag::PREDICTOR, 1)?,
            planar: planar == 2 && samples > 1,
            extra_samples: self.numbers(tag::EXTRA_SAMPLES)?,
            color_map: self.numbers(tag::COLOR_MAP)?,
            nodata,
            offsets: self.directory.sound(offsets).copied(),
            counts: self.directory.sound(counts).copied(),
            sound: true,
            format: Err(String::new()),
        };
        self.check_arrays(&image);
        self.check_samples(&image);
        image.format = self.format(&image)?;
        Ok(image)
    }

    /// Checks that the arrays of offsets and byte counts have one value per tile.
    fn check_arrays(&mut self, image: &Image) {
        let tiles = image.tiles();
        for entry in [image.offsets, image.counts].into_iter().flatten() {
            if tiles > 0 && entry.count != tiles && whole(entry.kind).is_some() {
                let name = tag::name(entry.tag);
                let message =
                    format_args!("tag {} ({name}) has {} values for {tiles} tiles or strips", entry.tag, entry.count);
                self.report.add(&rules::TAG_COUNT, self.place(), message);
            }
        }
    }

    fn check_samples(&mut self, image: &Image) {
        let place = self.place();
        let Image { predictor, bits, compression, .. } = *image;
        let takes = match predictor {
            1 => true,
            // Other codecs ignore the tag.
            2 | 3 if !matches!(compression, 5 | 8 | 32946 | 34925 | 50000) => true,
            2 => matches!(bits, 8 | 16 | 32 | 64) && image.sample_format < 5,
            3 => image.sample_format == 3,
            _ => false,
        };
        if !takes {
            let format = image.sample_format;
            let message = format_args!("predictor {predictor} with BitsPerSample {bits} and SampleFormat {format}");
            self.report.add(&rules::PREDICTOR, place, message);
        }
        if image.photometric == 3 {
            let expected = 3u64 << bits.min(16);
            let count = image.color_map.len() as u64;
            if count != expected {
                self.report.add(&rules::COLOR_MAP, place, format_args!("it has {count} values, expected {expected}"));
            }
        }
        let colors = match image.photometric {
            0 | 1 | 3 | 4 => 1,
            2 | 6 | 8 | 9 => 3,
            5 => 4,
            _ => return,
        };
        let (described, extra) = (image.extra_samples.len() as u64, image.samples.saturating_sub(colors));
        if image.samples < colors || described != extra {
            let (samples, photometric) = (image.samples, image.photometric);
            let message = format_args!(
                "photometric interpretation {photometric}, {samples} bands: {extra} extra, {described} in ExtraSamples"
            );
            self.report.add(&rules::EXTRA_SAMPLES, place, message);
        }
    }

    /// Returns the format for decoding tiles, or the reason why they cannot be decoded.
    fn format(&self, image: &Image) -> Result<std::result::Result<ChunkFormat, String>> {
        let compression = match Compression::from_code(image.compression) {
            Ok(compression) => compression,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let compression = match compression {
            Compression::Lerc(_) => Compression::Lerc(match self.numbers(tag::LERC_PARAMETERS)?.get(1) {
                Some(1) => lerc::Wrapping::Deflate,
                Some(2) => lerc::Wrapping::Zstd,
                _ => lerc::Wrapping::None,
            }),
            Compression::Fax(fax::Options::Group3 { .. }) => {
                let two_dimensional = self.number_or(tag::T4_OPTIONS, 0)? & 1 != 0;
                Compression::Fax(fax::Options::Group3 { two_dimensional })
            }
            other => other,
        };
        let (Some(data_type), Ok(bits), Ok(width), Ok(samples), Ok(predictor)) = (
            image.data_type,
            u16::try_from(image.bits),
            usize::try_from(image.tile_width),
            usize::try_from(if image.planar { 1 } else { image.samples }),
            u16::try_from(image.predictor),
        ) else {
            return Ok(Err("unknown sample type or predictor".to_owned()));
        };
        if matches!(compression, Compression::Fax(_)) && (bits != 1 || samples != 1) {
            return Ok(Err("fax compression is only supported with one 1-bit band".to_owned()));
        }
        let ycbcr = match self.ycbcr(image)? {
            Ok(ycbcr) => ycbcr,
            Err(reason) => return Ok(Err(reason)),
        };
        let tables = self.directory.sound(tag::JPEG_TABLES).map(|entry| self.tiff.value(entry)).transpose()?;
        Ok(Ok(ChunkFormat {
            compression,
            predictor,
            sample_format: match image.sample_format {
                2 => SampleFormat::Signed,
                3 => SampleFormat::Float,
                5 => SampleFormat::ComplexInteger,
                6 => SampleFormat::ComplexFloat,
                _ => SampleFormat::Unsigned,
            },
            bits,
            data_type,
            width,
            samples,
            swap: self.tiff.big_endian != cfg!(target_endian = "big"),
            reversed_bits: self.number_or(tag::FILL_ORDER, 1)? == 2,
            ycbcr,
            jpeg_tables: tables.flatten().unwrap_or_default().into(),
        }))
    }

    fn ycbcr(&self, image: &Image) -> Result<std::result::Result<Option<Arc<YCbCr>>, String>> {
        if image.photometric != 6 || image.samples < 3 {
            return Ok(Ok(None));
        }
        if image.samples != 3 || image.planar || (image.bits != 8 && image.compression != 7) {
            return Ok(Err("YCbCr is only supported with three 8-bit bands and pixel interleave".to_owned()));
        }
        let subsampling = match self.numbers(tag::YCBCR_SUBSAMPLING)?.as_slice() {
            [] => [2, 2],
            &[across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => {
                [across, down].map(|step| usize::try_from(step).unwrap_or(1))
            }
            other => return Ok(Err(format!("YCbCr subsampling {other:?}"))),
        };
        #[expect(clippy::cast_possible_truncation, reason = "the decoder computes in single precision, as libtiff")]
        let floats = |tag| -> Result<Vec<f32>> {
            let Some(entry) = self.directory.sound(tag) else { return Ok(Vec::new()) };
            Ok(self.tiff.doubles(entry)?.unwrap_or_default().into_iter().map(|number| number as f32).collect())
        };
        let luma = floats(tag::YCBCR_COEFFICIENTS)?.first_chunk::<3>().copied();
        let luma = luma.filter(|[_, green, _]| *green != 0.0).unwrap_or([0.299, 0.587, 0.114]);
        let reference = floats(tag::REFERENCE_BLACK_WHITE)?.first_chunk::<6>().copied();
        let reference = reference.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        Ok(Ok(Some(Arc::new(YCbCr::new(subsampling, luma, reference)))))
    }
}

/// Returns the data type of samples in memory.
fn data_type(format: u64, bits: u64) -> Option<DataType> {
    Some(match (format, bits) {
        (0 | 1 | 4, 1..=8) => DataType::U8,
        (0 | 1 | 4, 9..=16) => DataType::U16,
        (0 | 1 | 4, 17..=32) => DataType::U32,
        (0 | 1 | 4, 64) => DataType::U64,
        (2, 2..=8) => DataType::I8,
        (2, 9..=16) => DataType::I16,
        (2, 17..=32) => DataType::I32,
        (2, 64) => DataType::I64,
        (3, 16) => DataType::F16,
        (3, 24 | 32) => DataType::F32,
        (3, 64) => DataType::F64,
        (5, 32) => DataType::CI16,
        (5, 64) => DataType::CI32,
        (6, 64) => DataType::CF32,
        (6, 128) => DataType::CF64,
        _ => return None,
    })
}
