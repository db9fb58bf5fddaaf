//! PNG and JPEG files, with the files next to them that georeference them.

mod jpeg;
mod png;

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use self::jpeg::JpegRows;
use self::png::PngRows;
use super::file::{DiskFile, Folders, ReadAt, read_full};
use super::geotiff::ReadOptions;
use super::sidecar::Sidecars;
use super::{RasterSource, pam};
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::spec::ImageSpec;
use crate::tiff::file::allocate;
use crate::view::{PixelSource, Stripe};

/// Most bytes of the pixels of an image that cannot be decoded row by row: a JPEG, or an interlaced PNG.
const MAX_WHOLE: u64 = 1 << 30;

/// A picture format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Png,
    Jpeg,
}

impl PictureFormat {
    /// Returns the format of a file with these first bytes.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if head.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Png => "a PNG file",
            Self::Jpeg => "a JPEG file",
        }
    }

    /// Returns the endings of world files that GDAL looks for.
    fn world_files(self) -> &'static [&'static str] {
        match self {
            Self::Png => &[".pgw", ".pngw", ".wld"],
            Self::Jpeg => &[".jgw", ".jpgw", ".jpegw", ".wld"],
        }
    }
}

/// The pixels of a picture.
trait PictureRows: Send {
    /// Reads rows into a stripe, from any row on.
    fn read(&mut self, first_row: u32, stripe: &mut Stripe<'_>) -> Result<()>;
}

/// A picture whose header has been read.
struct Picture {
    spec: ImageSpec,
    metadata: Metadata,
    warnings: Vec<String>,
    rows: Box<dyn PictureRows>,
}

/// A PNG or JPEG file as a source. Bands, colors, nodata, and text are those that GDAL's drivers give.
pub(crate) struct PictureSource {
    picture: Picture,
    geo: GeoRef,
}

impl PictureSource {
    /// Opens a file from a reader, without the files next to it.
    pub(crate) fn read(file: Arc<dyn ReadAt>, format: PictureFormat, options: &ReadOptions) -> Result<Self> {
        if options.image.is_some_and(|image| image > 0) {
            return Err(Error::option(OptionField::Image, format!("no such image; {} has one", format.name())));
        }
        let picture = match format {
            PictureFormat::Png => PngRows::open(file)?,
            PictureFormat::Jpeg => JpegRows::open(file)?,
        };
        Ok(Self { picture, geo: GeoRef::default() })
    }

    /// Opens a file, one of several for which folders are read once. An `.aux.xml` file next to it, a world file, and a
    /// `.prj` file georeference it.
    pub(crate) fn open_among(
        path: &Path,
        format: PictureFormat,
        options: &ReadOptions,
        folders: &Folders,
    ) -> Result<Self> {
        let mut source = Self::read(Arc::new(DiskFile::open(path)?), format, options)?;
        let Self { picture: Picture { spec, metadata, warnings, .. }, geo } = &mut source;
        if !options.ignore_aux {
            pam::read_aux(path, (spec, geo, metadata), warnings);
        }
        let sidecars = Sidecars::of(path, folders);
        sidecars.apply(format.world_files(), false, geo, warnings);
        if let Some(mask) = sidecars.mask() {
            let name = mask.file_name().unwrap_or_default().to_string_lossy();
            warnings.push(format!("the mask '{name}' next to {} is not read", format.name()));
        }
        Ok(source)
    }
}

impl PixelSource for PictureSource {
    fn spec(&self) -> &ImageSpec {
        &self.picture.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> Result<()> {
        self.picture.rows.read(first_row, stripe)
    }
}

impl RasterSource for PictureSource {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.picture.metadata
    }

    fn warnings(&self) -> &[String] {
        &self.picture.warnings
    }
}

/// Returns the bytes of an image that is decoded as a whole; an error for too many, before any is allocated.
fn whole_image(spec: &ImageSpec, format: PictureFormat) -> Result<usize> {
    let bytes = u64::from(spec.width)
        .saturating_mul(spec.height.into())
        .saturating_mul(spec.bands.into())
        .saturating_mul(spec.data_type.size() as u64);
    match usize::try_from(bytes) {
        Ok(bytes) if bytes as u64 <= MAX_WHOLE => Ok(bytes),
        _ => {
            let what = match format {
                PictureFormat::Png => "the bytes of an interlaced PNG, which is decoded as a whole",
                PictureFormat::Jpeg => "the bytes of a JPEG, which is decoded as a whole",
            };
            Err(Error::limit(what, bytes, MAX_WHOLE))
        }
    }
}

/// Adds metadata of a picture, or a warning if it cannot be stored.
fn carry(warnings: &mut Vec<String>, what: &str, result: Result<()>) {
    if let Err(error) = result {
        warnings.push(format!("{what} is left out: {error}"));
    }
}

/// A file that is read from front to back, with jumps.
#[derive(Clone)]
struct Cursor {
    file: Arc<dyn ReadAt>,
    position: u64,
}

impl Cursor {
    fn new(file: Arc<dyn ReadAt>) -> Self {
        Self { file, position: 0 }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.file.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Reads bytes from an offset on; fewer at the end of the file.
fn bytes_at(file: &dyn ReadAt, offset: u64, count: usize) -> Result<Vec<u8>> {
    let mut bytes = allocate(count, "a part of the file")?;
    let filled = read_full(file, offset, &mut bytes).map_err(|source| Error::io("read the picture", source))?;
    bytes.truncate(filled);
    Ok(bytes)
}
