//! PNG (W3C Portable Network Graphics, third edition), decoded row by row.

use std::io::BufReader;
use std::sync::Arc;

use png::{BitDepth, ColorType, Decoder, DecodingError, Info, Limits, Reader};

use super::{Cursor, Picture, PictureFormat, PictureRows, carry, whole_image};
use crate::error::{Error, Result};
use crate::geo::Metadata;
use crate::sample::{DataType, Nodata};
use crate::source::file::ReadAt;
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::tiff::file::allocate;
use crate::view::Stripe;

/// Most bytes of texts, profiles, and the like.
const MAX_ANCILLARY: usize = 64 << 20;
/// The text that holds XMP (Adobe XMP specification part 3, section 1.1.5).
const XMP: &str = "XML:com.adobe.xmp";

type Rows = Reader<BufReader<Cursor>>;

/// The rows of a PNG.
pub(super) struct PngRows {
    file: Arc<dyn ReadAt>,
    reader: Rows,
    /// The row that comes next, if rows are decoded one after the other.
    next: u32,
    /// All rows as they are stored, of an interlaced image.
    whole: Option<Vec<u8>>,
    spec: ImageSpec,
    /// Bits per sample in the file.
    bits: usize,
    /// The color that is not data: the samples of one pixel.
    transparent: Option<Vec<u8>>,
}

impl PngRows {
    /// Opens a file: bands, colors, nodata, and text as of GDAL's PNG driver.
    pub(super) fn open(file: Arc<dyn ReadAt>) -> Result<Picture> {
        let reader = start(&file)?;
        let info = reader.info();
        let (mut metadata, mut warnings) = (Metadata::default(), Vec::new());
        let (spec, transparent) = described(info, &mut warnings)?;
        texts(info, &mut metadata, &mut warnings);
        if info.animation_control.is_some() {
            warnings.push("only the first image of the animated PNG is read".to_owned());
        }
        if info.exif_metadata.is_some() {
            warnings.push("EXIF tags of the PNG are left out".to_owned());
        }
        let bits = info.bit_depth as usize;
        let rows = Box::new(Self { file, reader, next: 0, whole: None, spec: spec.clone(), bits, transparent });
        Ok(Picture { spec, metadata, warnings, rows })
    }

    /// Puts a row as it is stored into a stripe.
    fn put(&self, stored: &[u8], row: usize, stripe: &mut Stripe<'_>) {
        let unpacked: Vec<u8> = match self.bits {
            8 => stored.to_vec(),
            // Samples are big-endian (section 7.1).
            16 => {
                stored.chunks_exact(2).flat_map(|pair| u16::from_be_bytes([pair[0], pair[1]]).to_ne_bytes()).collect()
            }
            bits => unpacked(stored, bits, stripe.width),
        };
        stripe.put_pixels(row, 0, &unpacked);
        if let Some(transparent) = &self.transparent {
            let pixels = unpacked.chunks_exact(transparent.len());
            let mask: Vec<u8> = pixels.map(|pixel| if pixel == transparent { 0 } else { 255 }).collect();
            stripe.put_mask(row, 0, &mask);
        }
    }

    fn read_whole(&mut self) -> Result<Vec<u8>> {
        whole_image(&self.spec, PictureFormat::Png)?;
        let size =
            self.reader.output_buffer_size().ok_or_else(|| Error::corrupt("the PNG file", "its size overflows"))?;
        let mut pixels = allocate(size, "the pixels of the picture")?;
        self.reader.next_frame(&mut pixels).map_err(failed)?;
        Ok(pixels)
    }
}

impl PictureRows for PngRows {
    fn read(&mut self, first_row: u32, stripe: &mut Stripe<'_>) -> Result<()> {
        if self.reader.info().interlaced {
            let whole = match self.whole.take() {
                Some(whole) => whole,
                None => self.read_whole()?,
            };
            let row_bytes = whole.len() / self.spec.height as usize;
            for (row, stored) in whole.chunks_exact(row_bytes).skip(first_row as usize).take(stripe.rows).enumerate() {
                self.put(stored, row, stripe);
            }
            self.whole = Some(whole);
            return Ok(());
        }
        if first_row < self.next {
            (self.reader, self.next) = (start(&self.file)?, 0);
        }
        let ended = || Error::corrupt("the PNG file", "it ends before the last row");
        while self.next < first_row {
            self.reader.next_row().map_err(failed)?.ok_or_else(ended)?;
            self.next += 1;
        }
        for row in 0..stripe.rows {
            // The reader lends a row until the next one.
            let stored = self.reader.next_row().map_err(failed)?.ok_or_else(ended)?.data().to_vec();
            self.next += 1;
            self.put(&stored, row, stripe);
        }
        Ok(())
    }
}

/// Opens the file and reads everything before the pixels.
fn start(file: &Arc<dyn ReadAt>) -> Result<Rows> {
    let limits = Limits { bytes: MAX_ANCILLARY };
    Decoder::new_with_limits(BufReader::new(Cursor::new(Arc::clone(file))), limits).read_info().map_err(failed)
}

fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(source) => Error::io("read the PNG file", source),
        DecodingError::LimitsExceeded => Error::corrupt(
            "the PNG file",
            format!("its texts, its profile, or a row takes more than {MAX_ANCILLARY} bytes"),
        ),
        error => Error::corrupt("the PNG file", error.to_string()),
    }
}

/// Returns the spec, and the samples of the color that is not data, if that is a color of several bands.
fn described(info: &Info<'_>, warnings: &mut Vec<String>) -> Result<(ImageSpec, Option<Vec<u8>>)> {
    let data_type = if info.bit_depth == BitDepth::Sixteen { DataType::U16 } else { DataType::U8 };
    let bands = match info.color_type {
        ColorType::Grayscale | ColorType::Indexed => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
    };
    let mut spec = ImageSpec::new(info.width, info.height, bands, data_type);
    spec.photometric = if bands >= 3 { Photometric::Rgb } else { Photometric::MinIsBlack };
    let has_alpha = matches!(info.color_type, ColorType::GrayscaleAlpha | ColorType::Rgba);
    spec.extra_samples = if has_alpha { vec![ExtraSample::UnassociatedAlpha] } else { Vec::new() };
    let bits = info.bit_depth as u16;
    spec.bits_per_sample = (bits < 8).then_some(bits);
    let transparency = info.trns.as_deref();
    let mut transparent = None;
    match info.color_type {
        ColorType::Indexed => {
            spec.photometric = Photometric::Palette;
            spec.color_map = color_map(info.palette.as_deref().unwrap_or_default(), bits);
            let alphas = transparency.unwrap_or_default();
            let mut clear = alphas.iter().enumerate().filter(|(_, alpha)| **alpha == 0).map(|(index, _)| index as u64);
            // GDAL takes a single one as nodata.
            match (clear.next(), clear.next()) {
                (Some(index), None) => spec.nodata = Some(Nodata::from(index)),
                (Some(_), Some(_)) => {
                    warnings.push("several colors of the palette are transparent; they become opaque".into())
                }
                (None, _) => {}
            }
            if alphas.iter().any(|alpha| !matches!(alpha, 0 | 255)) {
                warnings.push("colors of the palette are partly transparent; they become opaque".into());
            }
        }
        // The decoder keeps the lower byte of samples of at most 8 bits, and the byte order of others.
        ColorType::Grayscale => {
            spec.nodata = match transparency {
                Some(&[sample]) => Some(Nodata::from(u64::from(sample))),
                Some(&[high, low]) => Some(Nodata::from(u64::from(u16::from_be_bytes([high, low])))),
                _ => None,
            };
        }
        ColorType::Rgb => {
            let samples = transparency.filter(|bytes| <[u8]>::len(bytes) == 3 * data_type.size());
            transparent = samples.map(|bytes| native(bytes, data_type));
            spec.mask = transparent.is_some();
        }
        ColorType::GrayscaleAlpha | ColorType::Rgba => {}
    }
    Ok((spec, transparent))
}

/// Returns a color table as TIFF stores it (TIFF 6.0 section 5, ColorMap): all reds, greens, and blues, of 16 bits.
fn color_map(palette: &[u8], bits: u16) -> Vec<u16> {
    let count = 1 << bits;
    let channel = |channel: usize| {
        let stored = palette.chunks_exact(3).map(move |color| u16::from(color[channel]) * 257);
        stored.chain(std::iter::repeat(0)).take(count)
    };
    (0..3).flat_map(channel).collect()
}

/// Carries over texts, XMP, and the color profile.
fn texts(info: &Info<'_>, metadata: &mut Metadata, warnings: &mut Vec<String>) {
    let mut found: Vec<(String, String)> =
        info.uncompressed_latin1_text.iter().map(|text| (text.keyword.clone(), text.text.clone())).collect();
    for text in &info.compressed_latin1_text {
        match text.get_text() {
            Ok(content) => found.push((text.keyword.clone(), content)),
            Err(error) => warnings.push(format!("text '{}' of the PNG is left out: {error}", text.keyword)),
        }
    }
    for text in &info.utf8_text {
        match text.get_text() {
            Ok(content) => found.push((text.keyword.clone(), content)),
            Err(error) => warnings.push(format!("text '{}' of the PNG is left out: {error}", text.keyword)),
        }
    }
    for (keyword, content) in found {
        if keyword == XMP {
            metadata.set_xmp(&content);
        } else {
            let name = keyword.replace(' ', "_");
            carry(warnings, &format!("text '{name}' of the PNG"), metadata.set_item(None, &name, &content));
        }
    }
    if let Some(profile) = &info.icc_profile {
        carry(warnings, "the color profile of the PNG", metadata.set_icc_profile(profile));
    }
}

/// Returns samples, which are big-endian (section 7.1), in the byte order of the machine.
fn native(stored: &[u8], data_type: DataType) -> Vec<u8> {
    match data_type {
        DataType::U16 => {
            stored.chunks_exact(2).flat_map(|pair| u16::from_be_bytes([pair[0], pair[1]]).to_ne_bytes()).collect()
        }
        _ => stored.to_vec(),
    }
}

/// Returns samples of 1, 2, or 4 bits, one per byte; the first one is in the high bits (section 7.2).
fn unpacked(stored: &[u8], bits: usize, count: usize) -> Vec<u8> {
    let mask = u8::MAX >> (8 - bits);
    let samples = stored.iter().flat_map(|byte| (0..8 / bits).rev().map(move |shift| (byte >> (shift * bits)) & mask));
    samples.take(count).collect()
}
