//! Pictures as PNG and JPEG files.

use std::io;
use std::path::Path;

use libjpeg_turbo_rs::{CompressParams, PixelFormat, Subsampling, compress_with_params};

use crate::error::{Error, Result};

use super::Preview;

/// Quality of JPEG previews: that of most web maps.
const JPEG_QUALITY: u8 = 85;

/// File formats of previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PreviewFormat {
    /// PNG, with alpha where pixels are transparent.
    Png,
    /// JPEG with quality 85; transparent pixels are white.
    Jpeg,
}

impl PreviewFormat {
    /// Returns the format that the ending of a file name selects: `.png`, `.jpg`, or `.jpeg`, in any case.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for another ending.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            _ => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                Err(Error::unsupported(format!("a preview named '{name}'; its name must end in .png, .jpg, or .jpeg")))
            }
        }
    }
}

/// Returns a picture as a file.
pub(super) fn encode(picture: &Preview, format: PreviewFormat) -> Result<Vec<u8>> {
    match format {
        PreviewFormat::Png => png(picture).map_err(failed),
        PreviewFormat::Jpeg => jpeg(picture).map_err(failed),
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::io("encode the preview", io::Error::other(error))
}

fn png(picture: &Preview) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match picture.channels {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(file)
}

fn jpeg(picture: &Preview) -> std::result::Result<Vec<u8>, libjpeg_turbo_rs::JpegError> {
    let pixels = on_white(picture);
    let (format, sampling) = match picture.channels {
        1 | 2 => (PixelFormat::Grayscale, Subsampling::S444),
        _ => (PixelFormat::Rgb, Subsampling::S420),
    };
    let (width, height) = (picture.width as usize, picture.height as usize);
    let parameters = CompressParams::new(&pixels, width, height, format, JPEG_QUALITY, sampling).optimize_huffman(true);
    compress_with_params(&parameters)
}

/// Returns the colors of a picture on a white ground.
fn on_white(picture: &Preview) -> Vec<u8> {
    let channels = usize::from(picture.channels);
    if channels % 2 == 1 {
        return picture.pixels.clone();
    }
    let blended = picture.pixels.chunks_exact(channels).flat_map(|pixel| {
        let alpha = u16::from(pixel[channels - 1]);
        pixel[..channels - 1].iter().map(move |color| {
            let sum = u16::from(*color) * alpha + 255 * (255 - alpha);
            u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
        })
    });
    blended.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(channels: u8, pixels: &[u8]) -> Preview {
        let width = u32::try_from(pixels.len()).unwrap() / u32::from(channels);
        Preview { width, height: 1, channels, pixels: pixels.to_vec(), level: (1, 1), warnings: Vec::new() }
    }

    #[test]
    fn endings_select_the_format() {
        assert_eq!(PreviewFormat::of(Path::new("a/b.PNG")).unwrap(), PreviewFormat::Png);
        assert_eq!(PreviewFormat::of(Path::new("b.jpeg")).unwrap(), PreviewFormat::Jpeg);
        let message = PreviewFormat::of(Path::new("b.gif")).unwrap_err().to_string();
        assert!(message.contains("'b.gif'") && message.contains(".png, .jpg, or .jpeg"), "{message}");
    }

    #[test]
    fn transparent_pixels_are_white_in_jpeg() {
        assert_eq!(on_white(&picture(2, &[10, 0, 20, 255, 0, 128])), [255, 20, 127]);
        assert_eq!(on_white(&picture(3, &[1, 2, 3])), [1, 2, 3]);
    }

    #[test]
    fn png_holds_the_pixels() {
        let picture = picture(4, &[1, 2, 3, 4, 5, 6, 7, 8]);
        let file = encode(&picture, PreviewFormat::Png).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = [0; 8];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, *picture.pixels);
    }
}
