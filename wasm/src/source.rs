//! Pixel sources: a GeoTIFF, an array, and rows of either.

use cogsmith::{
    DataType, Error, ErrorKind, Executor, ExtraSample, GeoRef, GeoTiffSource, ImageSpec, MaskedSource, Metadata,
    Photometric, PixelSource, RasterSource, ReadAt, Stripe, StripeLayout, Transform,
};
use wasm_bindgen::JsValue;

use crate::object::{Given, Result, entries, refused};
use crate::options::{Options, nodata, parse_crs};
use crate::reader::Reader;

/// A raster with its georeferencing and metadata, as it will be written.
pub(crate) struct Raster {
    pub(crate) pixels: Box<dyn PixelSource>,
    pub(crate) geo: GeoRef,
    pub(crate) metadata: Metadata,
    pub(crate) warnings: Vec<String>,
    /// Rows that are decoded together: reading one of them decodes all.
    pub(crate) chunk_rows: u64,
}

impl Raster {
    /// Opens a GeoTIFF.
    pub(crate) fn file(reader: Reader, options: &Options) -> Result<Self> {
        let chunk_rows = match (options.read.image, cogsmith::check::inspect(&reader)) {
            (None | Some(0), Ok(info)) => info.levels.first().map_or(u64::MAX, |full| {
                let direct = !full.tiled && full.compression == "none";
                if direct { 1 } else { full.tile_height.min(full.height) }
            }),
            // Unknown: assume that all rows are decoded together.
            _ => u64::MAX,
        };
        let chunk_rows = if options.pixels.reads_rows_together() { u64::MAX } else { chunk_rows };
        let mut source = GeoTiffSource::from_reader(reader, &options.read)?;
        if let Some(crs) = &options.crs {
            source.set_crs(crs)?;
        }
        if options.widen {
            source.widen();
        }
        let source = options.pixels.apply(source, options.nodata)?;
        let pixels = MaskedSource::for_options(source, &options.encode)?;
        let warnings = pixels.warnings().to_vec();
        let (geo, metadata) = (pixels.geo().clone(), pixels.metadata().clone());
        Self { pixels: Box::new(pixels), geo, metadata, warnings, chunk_rows }.described(options)
    }

    /// Opens an array; `reader` yields the samples, then the mask if there is one.
    pub(crate) fn array(reader: Reader, image: &JsValue, options: &Options) -> Result<Self> {
        let not_here = [
            (options.read.image.is_some(), "image"),
            (options.nodata.is_some(), "nodata"),
            (options.widen, "nbits"),
            (options.crs.is_some(), "crs"),
            (!options.pixels.is_all(), "pixels"),
        ];
        if let Some((_, option)) = not_here.into_iter().find(|(given, _)| *given) {
            return Err(refused(option, "applies to files only; an array is described by the second argument"));
        }
        let (source, geo) = Array::new(reader, image)?;
        let pixels = MaskedSource::for_options(source, &options.encode)?;
        let (metadata, warnings) = (Metadata::default(), pixels.warnings().to_vec());
        Self { pixels: Box::new(pixels), geo, metadata, warnings, chunk_rows: 1 }.described(options)
    }

    fn described(mut self, options: &Options) -> Result<Self> {
        let spec = self.pixels.spec();
        let (size, bands) = ((spec.width, spec.height), spec.bands);
        self.geo = options.overrides.apply(self.geo, &mut self.metadata, size, bands)?;
        Ok(self)
    }
}

/// A JavaScript array: (row, column, band), or (band, row, column).
#[derive(Debug)]
struct Array {
    spec: ImageSpec,
    layout: StripeLayout,
    reader: Reader,
}

impl Array {
    const NAMES: [&str; 11] =
        ["width", "height", "bands", "dtype", "crs", "transform", "nodata", "layout", "photometric", "alpha", "mask"];

    /// Returns the array and its georeferencing.
    fn new(reader: Reader, image: &JsValue) -> Result<(Self, GeoRef)> {
        let (mut width, mut height, mut bands, mut dtype) = (None, None, 1, None);
        let (mut geo, mut no_data, mut layout, mut mask) = (GeoRef::default(), None, StripeLayout::Chunky, false);
        let (mut photometric, mut alpha, mut transform) = (None, None, None);
        for given in entries(image, "image", &Self::NAMES)? {
            match given.option() {
                "width" => width = Some(given.whole()?),
                "height" => height = Some(given.whole()?),
                "bands" => bands = u16::try_from(given.whole()?).or_else(|_| given.refuse("at most 65535 bands"))?,
                "dtype" => {
                    let names: Vec<_> = DataType::ALL.iter().map(|one| (one.name(), *one)).collect();
                    dtype = Some(given.one_of(&names)?);
                }
                "crs" if given.value().is_null() => {}
                "crs" => geo = geo.with_crs(&parse_crs(&given)?)?,
                "transform" if given.value().is_null() => {}
                "transform" => {
                    let expected = "expected six numbers in GDAL's order, such as [500000, 10, 0, 5000000, 0, -10]";
                    transform = Some(Transform::from_gdal(given.numbers(expected)?)?);
                }
                "nodata" if given.value().is_null() => {}
                "nodata" => no_data = nodata(&given)?,
                "layout" => {
                    layout = given.one_of(&[("pixel", StripeLayout::Chunky), ("band", StripeLayout::Planar)])?;
                }
                "photometric" => {
                    photometric = Some(given.one_of(&[
                        ("minisblack", Photometric::MinIsBlack),
                        ("miniswhite", Photometric::MinIsWhite),
                        ("rgb", Photometric::Rgb),
                    ])?);
                }
                "alpha" => alpha = Some(given),
                _ => mask = given.flag()?,
            }
        }
        let needed = |name| refused("image", format!("{name} is missing"));
        let (width, height) = (width.ok_or_else(|| needed("width"))?, height.ok_or_else(|| needed("height"))?);
        let mut spec = ImageSpec::new(width, height, bands, dtype.ok_or_else(|| needed("dtype"))?);
        if let Some(photometric) = photometric {
            (spec.photometric, spec.extra_samples) = (photometric, Vec::new());
        }
        if let Some(given) = alpha {
            set_alpha(&mut spec, &given, photometric.is_none())?;
        }
        (spec.nodata, spec.mask) = (no_data, mask);
        if let Some(transform) = transform {
            geo = geo.with_transform(transform);
        }
        let samples = u64::from(width).saturating_mul(height.into()).saturating_mul(bands.into());
        let mask_bytes = if mask { u64::from(width).saturating_mul(height.into()) } else { 0 };
        let expected = samples.saturating_mul(spec.data_type.size() as u64).saturating_add(mask_bytes);
        if reader.len() != expected {
            let what = "bytes of the array (and its mask)";
            return Err(ErrorKind::PixelCount { what, expected, got: reader.len() }.into());
        }
        Ok((Self { spec, layout, reader }, geo))
    }

    fn fill(&self, offset: u64, mut buffer: &mut [u8]) -> cogsmith::Result<()> {
        let mut at = offset;
        while !buffer.is_empty() {
            let failed = |source| Error::from(ErrorKind::Io { action: "read the array", path: None, source });
            match self.reader.read_at(at, buffer).map_err(failed)? {
                0 => return Err(failed(std::io::ErrorKind::UnexpectedEof.into())),
                count => {
                    at += count as u64;
                    buffer = &mut buffer[count..];
                }
            }
        }
        Ok(())
    }
}

/// Makes the last band alpha, or none. Three `u8` bands before it are RGB, unless the caller sets `photometric`.
fn set_alpha(spec: &mut ImageSpec, given: &Given, may_be_rgb: bool) -> Result<()> {
    let kind = given.one_of(&[
        ("none", None),
        ("associated", Some(ExtraSample::AssociatedAlpha)),
        ("unassociated", Some(ExtraSample::UnassociatedAlpha)),
    ])?;
    spec.extra_samples.clear();
    let Some(kind) = kind else { return Ok(()) };
    if may_be_rgb {
        let is_rgb = spec.data_type == DataType::U8 && spec.bands == 4;
        spec.photometric = if is_rgb { Photometric::Rgb } else { Photometric::MinIsBlack };
    }
    let extra = spec.bands.saturating_sub(spec.photometric.color_bands());
    if extra == 0 {
        return given.refuse("there is no band beyond the colors");
    }
    spec.extra_samples = vec![ExtraSample::Unspecified; usize::from(extra) - 1];
    spec.extra_samples.push(kind);
    Ok(())
}

impl RasterSource for Array {}

impl PixelSource for Array {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> cogsmith::Result<()> {
        let (width, height) = (u64::from(self.spec.width), u64::from(self.spec.height));
        let (size, bands) = (stripe.sample_size as u64, u64::from(self.spec.bands));
        let planes = if self.layout == StripeLayout::Chunky { 1 } else { bands };
        let mut row_of = vec![0; stripe.width * stripe.sample_size * if planes == 1 { stripe.bands } else { 1 }];
        for row in 0..stripe.rows {
            let at = u64::from(first_row) + row as u64;
            for plane in 0..planes {
                self.fill((plane * height + at) * row_of.len() as u64, &mut row_of)?;
                match self.layout {
                    StripeLayout::Chunky => stripe.put_pixels(row, 0, &row_of),
                    // Fewer than 65536.
                    StripeLayout::Planar => stripe.put_band(usize::try_from(plane).unwrap_or(0), row, 0, &row_of),
                }
            }
            if self.spec.mask {
                let mut mask = vec![0; stripe.width];
                self.fill(width * height * bands * size + at * width, &mut mask)?;
                stripe.put_mask(row, 0, &mask);
            }
        }
        Ok(())
    }
}

/// Some rows of a raster, as an image of its own, with a callback for the number of rows read.
pub(crate) struct Rows<'a> {
    pub(crate) raster: &'a mut dyn PixelSource,
    pub(crate) spec: ImageSpec,
    pub(crate) first: u32,
    pub(crate) read: &'a mut dyn FnMut(u32),
}

impl PixelSource for Rows<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> cogsmith::Result<()> {
        (self.read)(first_row);
        self.raster.read_rows(self.first.saturating_add(first_row), stripe, executor)
    }
}
