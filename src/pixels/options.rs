//! The options that choose pixels, and the sources that apply them.

use crate::error::{Error, OptionField, Result};
use crate::geo::{Bounds, GeoRef};
use crate::grid::Rectangle;
use crate::options::Resampling;
use crate::sample::{DataType, Nodata};
use crate::source::RasterSource;
use crate::spec::ImageSpec;

use super::convert::{Conversion, ConvertedSource};
use super::palette::ExpandedSource;
use super::reduce::ReducedSource;
use super::subset::SubsetSource;
use super::wrap::WrappedSource;

/// A band of the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BandChoice {
    /// The band with this number, counted from 0.
    Number(u16),
    /// The only band with this description. If no description is equal, case is ignored.
    Description(String),
}

/// A linear mapping of values, which `gdal_translate -scale` does too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// The values that become those of `to`.
    pub from: (f64, f64),
    /// The values that those of `from` become; `None` for the range of the data type, or 0 to 1 for floats.
    pub to: Option<(f64, f64)>,
}

/// The bands that replace the indices of a palette image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaletteColors {
    /// Three bands. Nodata pixels become masked.
    Rgb,
    /// Four bands. The alpha of nodata pixels is 0, that of all others 255.
    Rgba,
}

crate::names::named!(PaletteColors, ExpandPalette, { Rgb => "rgb", Rgba => "rgba" });

/// Options for the choice of pixels: which of a source's pixels are written, and as what. By default, all of them, as they
/// are. They apply in the order of the methods here.
///
/// ```
/// use cogsmith::{DataType, ImageSpec, PixelOptions, PixelSource, Rectangle, SliceSource};
/// let pixels = vec![7u16; 300 * 200];
/// let source = SliceSource::new(ImageSpec::new(300, 200, 1, DataType::U16), &pixels)?;
/// let options = PixelOptions::new().window(Rectangle { columns: 10..110, rows: 0..50 }).data_type(DataType::U8);
/// let source = options.apply(source)?;
/// assert_eq!((source.spec().width, source.spec().height, source.spec().data_type), (100, 50, DataType::U8));
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct PixelOptions {
    wrap_longitude: Option<f64>,
    window: Option<Rectangle>,
    bbox: Option<Bounds>,
    bands: Vec<BandChoice>,
    palette: Option<PaletteColors>,
    unscale: bool,
    rescale: Vec<Rescale>,
    data_type: Option<DataType>,
    bits_per_sample: Option<u16>,
    nodata: Option<Nodata>,
    size: Option<(u32, u32)>,
    size_resampling: Option<Resampling>,
}

impl PixelOptions {
    /// Returns the default options: all pixels, as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns a global grid so that it begins with the first column whose center is not west of this longitude: -180 makes a
    /// grid from -180 to 180 of one from 0 to 360. The columns must go around the globe, 360 degrees.
    pub fn wrap_longitude(mut self, longitude: f64) -> Self {
        self.wrap_longitude = Some(longitude);
        self
    }

    /// Selects a rectangle of pixels, which must lie within the image. The georeferencing moves with it. Contradicts
    /// [`bbox`](Self::bbox).
    pub fn window(mut self, window: Rectangle) -> Self {
        self.window = Some(window);
        self
    }

    /// Selects the pixels that these bounds touch, in the coordinates of the image's CRS, as `gdal_translate -projwin` does:
    /// less than a thousandth of a pixel does not count.
    /// Contradicts [`window`](Self::window).
    pub fn bbox(mut self, bounds: Bounds) -> Self {
        self.bbox = Some(bounds);
        self
    }

    /// Selects bands, in this order; a band may appear several times.
    pub fn bands(mut self, bands: impl Into<Vec<BandChoice>>) -> Self {
        self.bands = bands.into();
        self
    }

    /// Replaces the indices of a palette image by their colors.
    pub fn expand_palette(mut self, colors: PaletteColors) -> Self {
        self.palette = Some(colors);
        self
    }

    /// Replaces values by the quantities that they stand for: value times scale plus offset of the band's metadata, which
    /// is then removed. Without a [`data_type`](Self::data_type), samples become `f32`, or `f64` if they have 32 bits or
    /// more. Contradicts [`rescale`](Self::rescale).
    pub fn unscale(mut self, unscale: bool) -> Self {
        self.unscale = unscale;
        self
    }

    /// Maps values linearly: one mapping for all bands, or one per band. An alpha band is mapped from the whole range of
    /// its type instead.
    pub fn rescale(mut self, rescale: impl Into<Vec<Rescale>>) -> Self {
        self.rescale = rescale.into();
        self
    }

    /// Sets the data type. Values are rounded, halves away from zero, and clamped to the range of the type, as in GDAL.
    /// Nodata pixels stay nodata, and no other pixel becomes nodata: a value that would is moved by one step.
    pub fn data_type(mut self, data_type: DataType) -> Self {
        self.data_type = Some(data_type);
        self
    }

    /// Sets the bits per sample in the file, fewer than the type has: 1 to 7 for `u8`, 9 to 15 for `u16`, 17 to 31 for
    /// `u32`. Larger values become the largest one, as in GDAL; nodata is as with [`data_type`](Self::data_type).
    pub fn bits_per_sample(mut self, bits: u16) -> Self {
        self.bits_per_sample = Some(bits);
        self
    }

    /// Sets the bits per sample as GDAL's NBITS does for samples of this type: 16 bits of `f32` are `f16`, and all bits of
    /// the type change nothing.
    pub fn bits_of(self, bits: u16, data_type: DataType) -> Self {
        match (bits, data_type) {
            (16, DataType::F32) => self.data_type(DataType::F16),
            (bits, data_type) if bits == data_type.bits() => self,
            _ => self.bits_per_sample(bits),
        }
    }

    /// Sets the nodata value after [`data_type`](Self::data_type), [`rescale`](Self::rescale), or
    /// [`unscale`](Self::unscale); it has no effect without one of them. Default: the source's, which must then fit the
    /// type.
    pub fn converted_nodata(mut self, nodata: impl Into<Nodata>) -> Self {
        self.nodata = Some(nodata.into());
        self
    }

    /// Reduces the image to this many columns and rows with an overview kernel; neither may exceed those of the image.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = Some((width, height));
        self
    }

    /// Sets the kernel of [`size`](Self::size). Default: that of overviews.
    pub fn size_resampling(mut self, resampling: Resampling) -> Self {
        self.size_resampling = Some(resampling);
        self
    }

    /// Returns the options that apply to each input of several: bands, colors, and values.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn of_each(&self) -> Self {
        Self { wrap_longitude: None, window: None, bbox: None, size: None, size_resampling: None, ..self.clone() }
    }

    /// Returns the options that apply to several inputs as one image: window and size.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn of_all(&self) -> Self {
        let (window, bbox) = (self.window.clone(), self.bbox);
        let wrap_longitude = self.wrap_longitude;
        Self { wrap_longitude, window, bbox, size: self.size, size_resampling: self.size_resampling, ..Self::default() }
    }

    /// Returns whether values or their type change, and with them the nodata value.
    #[must_use]
    pub fn converts(&self) -> bool {
        self.unscale || !self.rescale.is_empty() || self.data_type.is_some() || self.bits_per_sample.is_some()
    }

    /// Checks what needs no source.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for options that contradict each other.
    pub fn validate(&self) -> Result<()> {
        if self.window.is_some() && self.bbox.is_some() {
            return Err(Error::conflict(OptionField::Window, OptionField::Bbox, "leave one of them out"));
        }
        if self.unscale && !self.rescale.is_empty() {
            let reason = "a mapping is of the stored values; leave one of them out";
            return Err(Error::conflict(OptionField::Unscale, OptionField::Rescale, reason));
        }
        if self.size_resampling.is_some() && self.size.is_none() {
            return Err(Error::option(
                OptionField::SizeResampling,
                "has no effect without a size to reduce the image to",
            ));
        }
        if let Some(longitude) = self.wrap_longitude.filter(|longitude| !(-360.0..=360.0).contains(longitude)) {
            let reason = format!("{longitude} is out of range (-360 to 360)");
            return Err(Error::option(OptionField::WrapLongitude, reason));
        }
        for Rescale { from, to } in &self.rescale {
            let finite = [Some(*from), *to].into_iter().flatten().all(|(a, b)| a.is_finite() && b.is_finite());
            if !finite || from.0 == from.1 {
                let reason = format!("{} to {}: expected two different finite numbers", from.0, from.1);
                return Err(Error::option(OptionField::Rescale, reason));
            }
        }
        Ok(())
    }

    /// Returns the source with the chosen pixels. Its georeferencing and metadata describe them; statistics in the
    /// metadata are dropped unless they still hold.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the options contradict each other or the source:
    /// a window outside of the image, a band that it does not have, a nodata value that the type cannot hold.
    pub fn apply<'a, S: RasterSource + 'a>(&self, source: S) -> Result<Box<dyn RasterSource + 'a>> {
        self.validate()?;
        let mut source: Box<dyn RasterSource + 'a> = Box::new(source);
        if let Some(longitude) = self.wrap_longitude {
            source = Box::new(WrappedSource::new(source, longitude)?);
        }
        let window = self.rectangle(source.spec(), source.geo())?;
        if window.is_some() || !self.bands.is_empty() {
            source = Box::new(SubsetSource::new(source, window, &self.bands)?);
        }
        if let Some(colors) = self.palette {
            source = Box::new(ExpandedSource::new(source, colors)?);
        }
        if self.converts() {
            let conversion = Conversion {
                unscale: self.unscale,
                rescale: &self.rescale,
                data_type: self.data_type,
                bits: self.bits_per_sample,
                nodata: self.nodata,
            };
            source = Box::new(ConvertedSource::new(source, &conversion)?);
        }
        let whole = (source.spec().width, source.spec().height);
        if let Some(size) = self.size.filter(|size| *size != whole) {
            source = Box::new(ReducedSource::new(source, size, self.size_resampling)?);
        }
        Ok(source)
    }

    /// Returns the rectangle that the window or the bounds select.
    fn rectangle(&self, spec: &ImageSpec, geo: &GeoRef) -> Result<Option<Rectangle>> {
        let whole = |rectangle: &Rectangle| rectangle.columns == (0..spec.width) && rectangle.rows == (0..spec.height);
        let window = match (&self.window, &self.bbox) {
            (Some(window), _) => {
                let fits = |range: &std::ops::Range<u32>, side| range.start < range.end && range.end <= side;
                if !fits(&window.columns, spec.width) || !fits(&window.rows, spec.height) {
                    return Err(Error::option(
                        OptionField::Window,
                        format!(
                            "columns {} to {} and rows {} to {} are not a rectangle within the image of {}x{} pixels",
                            window.columns.start,
                            window.columns.end,
                            window.rows.start,
                            window.rows.end,
                            spec.width,
                            spec.height
                        ),
                    ));
                }
                window.clone()
            }
            (None, Some(bounds)) => covered(bounds, spec, geo)?,
            (None, None) => return Ok(None),
        };
        Ok((!whole(&window)).then_some(window))
    }
}

/// Returns the pixels that bounds touch, as `gdal_translate -projwin` does.
fn covered(bounds: &Bounds, spec: &ImageSpec, geo: &GeoRef) -> Result<Rectangle> {
    let Bounds { left, bottom, right, top } = *bounds;
    let refuse =
        |reason: String| Err(Error::option(OptionField::Bbox, format!("{left}, {bottom}, {right}, {top}: {reason}")));
    let Some(transform) = geo.transform() else {
        return refuse("the image has no transform; select pixels by a window instead".into());
    };
    let [x, column_x, row_x, y, column_y, row_y] = transform.to_gdal();
    if row_x != 0.0 || column_y != 0.0 {
        return refuse("the image is rotated; select pixels by a window instead".into());
    }
    if !(left < right && bottom < top) {
        return refuse("left must be less than right, and bottom less than top".into());
    }
    // Usually rows go down and columns to the right.
    let (near_x, far_x) = if column_x > 0.0 { (left, right) } else { (right, left) };
    let (near_y, far_y) = if row_y < 0.0 { (top, bottom) } else { (bottom, top) };
    let range = |near: f64, far: f64, side: u32| {
        let (start, end) = ((near + 0.001).floor(), (far - 0.001).ceil());
        let inside = start >= 0.0 && start < end && end <= f64::from(side);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within the image")]
        inside.then_some(start as u32..end as u32)
    };
    let columns = range((near_x - x) / column_x, (far_x - x) / column_x, spec.width);
    let rows = range((near_y - y) / row_y, (far_y - y) / row_y, spec.height);
    match (columns, rows) {
        (Some(columns), Some(rows)) => Ok(Rectangle { columns, rows }),
        _ => {
            let all = transform.bounds(spec.width, spec.height);
            refuse(format!(
                "not within the image, whose bounds are {}, {}, {}, {}",
                all.left, all.bottom, all.right, all.top
            ))
        }
    }
}
