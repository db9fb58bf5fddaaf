//! JPEG (ITU-T T.81), decoded as a whole when the first row is read.

use std::sync::Arc;

use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat};

use super::{Picture, PictureFormat, PictureRows, bytes_at, carry, whole_image};
use crate::error::{Error, Result};
use crate::geo::Metadata;
use crate::sample::DataType;
use crate::source::file::ReadAt;
use crate::spec::{ImageSpec, Photometric};
use crate::tiff::file::allocate;
use crate::view::Stripe;

/// Largest file in bytes: JPEG compresses the largest image that is decoded to less.
const MAX_FILE: u64 = 1 << 30;
/// Most segments before the first scan.
const MAX_SEGMENTS: usize = 10_000;

const COMMENT: u8 = 0xFE;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const SCAN: u8 = 0xDA;
const EXIF: &[u8] = b"Exif\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

/// The pixels of a JPEG.
pub(super) struct JpegRows {
    file: Arc<dyn ReadAt>,
    spec: ImageSpec,
    pixels: Option<Vec<u8>>,
}

impl JpegRows {
    /// Opens a file: bands, colors, and text as of GDAL's JPEG driver. Only the segments before the first scan are read.
    pub(super) fn open(file: Arc<dyn ReadAt>) -> Result<Picture> {
        let (mut metadata, mut warnings) = (Metadata::default(), Vec::new());
        let mut header = Header::default();
        header.read(&*file)?;
        let (width, height, components) = header.frame.ok_or_else(|| corrupt("it has no frame header"))?;
        let (bands, photometric) = match components {
            1 => (1, Photometric::MinIsBlack),
            3 => (3, Photometric::Rgb),
            4 => return Err(Error::unsupported("a JPEG file of four components (CMYK); convert it to RGB first")),
            count => return Err(Error::unsupported(format!("a JPEG file of {count} components"))),
        };
        let mut spec = ImageSpec::new(width.into(), height.into(), bands, DataType::U8);
        (spec.photometric, spec.extra_samples) = (photometric, Vec::new());
        whole_image(&spec, PictureFormat::Jpeg)?;
        for text in &header.comments {
            carry(&mut warnings, "the comment of the JPEG", metadata.set_item(None, "COMMENT", text));
        }
        if let Some(packet) = &header.xmp {
            metadata.set_xmp(packet);
        }
        if !header.profile.is_empty() {
            header.profile.sort_by_key(|(number, _)| *number);
            let profile: Vec<u8> = header.profile.into_iter().flat_map(|(_, part)| part).collect();
            carry(&mut warnings, "the color profile of the JPEG", metadata.set_icc_profile(&profile));
        }
        if header.has_exif {
            warnings.push("EXIF tags of the JPEG are left out".to_owned());
        }
        Ok(Picture { rows: Box::new(Self { file, spec: spec.clone(), pixels: None }), spec, metadata, warnings })
    }

    fn decode(&self) -> Result<Vec<u8>> {
        let size = whole_image(&self.spec, PictureFormat::Jpeg)?;
        let length = self.file.len();
        let length = usize::try_from(length).ok().filter(|length| *length as u64 <= MAX_FILE);
        let length = length.ok_or_else(|| Error::limit("the bytes of a JPEG file", self.file.len(), MAX_FILE))?;
        let stream = bytes_at(&*self.file, 0, length)?;
        let failed = |error: JpegError| corrupt(&error.to_string());
        let mut decoder = Decoder::new_with_limits(&stream, DecodeLimits::default()).map_err(failed)?;
        decoder.set_output_format(if self.spec.bands == 1 { PixelFormat::Grayscale } else { PixelFormat::Rgb });
        // By default, the decoder fills missing or damaged parts with gray.
        decoder.set_stop_on_warning(true);
        if decoder.output_buffer_size().map_err(failed)? != size {
            return Err(corrupt("its frame headers differ"));
        }
        let mut pixels = allocate(size, "the pixels of the picture")?;
        decoder.decode_image_into(&mut pixels).map_err(failed)?;
        Ok(pixels)
    }
}

impl PictureRows for JpegRows {
    fn read(&mut self, first_row: u32, stripe: &mut Stripe<'_>) -> Result<()> {
        let pixels = match self.pixels.take() {
            Some(pixels) => pixels,
            None => self.decode()?,
        };
        let row_bytes = self.spec.width as usize * usize::from(self.spec.bands);
        let rows = pixels.chunks_exact(row_bytes).skip(first_row as usize).take(stripe.rows);
        for (row, samples) in rows.enumerate() {
            stripe.put_pixels(row, 0, samples);
        }
        self.pixels = Some(pixels);
        Ok(())
    }
}

/// Contents of the segments before the first scan.
#[derive(Default)]
struct Header {
    /// Columns, rows, and components.
    frame: Option<(u16, u16, u8)>,
    comments: Vec<String>,
    xmp: Option<String>,
    /// Parts of the color profile with their numbers (ICC.1 annex B.4).
    profile: Vec<(u8, Vec<u8>)>,
    has_exif: bool,
}

impl Header {
    fn read(&mut self, file: &dyn ReadAt) -> Result<()> {
        // After the start of the image.
        let mut offset = 2;
        for _ in 0..MAX_SEGMENTS {
            let head = bytes_at(file, offset, 4)?;
            let &[0xFF, marker, high, low] = head.as_slice() else {
                return Err(corrupt("a segment was expected"));
            };
            // Fill bytes may precede a marker (T.81 section B.1.1.2).
            if marker == 0xFF {
                offset += 1;
                continue;
            }
            let length = u16::from_be_bytes([high, low]);
            if marker == SCAN {
                return Ok(());
            }
            let content = bytes_at(file, offset + 4, usize::from(length.saturating_sub(2)))?;
            self.take(marker, &content)?;
            offset += 2 + u64::from(length.max(2));
        }
        Err(corrupt("it has too many segments"))
    }

    fn take(&mut self, marker: u8, content: &[u8]) -> Result<()> {
        match marker {
            // All frames except DHT, JPG, and DAC, which have numbers among them (T.81 table B.1).
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let &[precision, h0, h1, w0, w1, components, ..] = content else {
                    return Err(corrupt("its frame header is short"));
                };
                if precision != 8 {
                    return Err(Error::unsupported(format!("a JPEG file of {precision} bits per sample")));
                }
                let (width, height) = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
                if width == 0 || height == 0 {
                    return Err(Error::unsupported("a JPEG file that does not say its size in the frame header"));
                }
                self.frame = Some((width, height, components));
            }
            COMMENT => {
                let text = content.split(|byte| *byte == 0).next().unwrap_or_default();
                self.comments.push(String::from_utf8_lossy(text).into_owned());
            }
            APP1 if content.starts_with(EXIF) => self.has_exif = true,
            APP1 => {
                let packet = content.strip_prefix(XMP).map(|packet| String::from_utf8_lossy(packet).into_owned());
                self.xmp = packet.or(self.xmp.take());
            }
            APP2 => {
                if let Some([number, _, part @ ..]) = content.strip_prefix(ICC) {
                    self.profile.push((*number, part.to_vec()));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn corrupt(reason: &str) -> Error {
    Error::corrupt("the JPEG file", reason)
}
