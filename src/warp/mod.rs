//! Warps: an image in another CRS, or on the grid of a tiling scheme.

mod kernel;
mod sample;
mod source;

use cogsmith_warp::{
    Affine, AlignOptions, AlignedGrid, CoordinateTransform, Grid, Mapping, Suggestion, WarpError, align, suggest,
    transform_between, within_web_mercator,
};
use cogsmith_warp::{AlignedLevels, TilingScheme, ZoomStrategy};

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{Bounds, Crs, GeoRef, Metadata, Transform};
use crate::options::Resampling;
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::validity::Validity;

pub use source::WarpedSource;

/// Source pixels in a target pixel from which on bilinear and cubic are widened, as in GDAL.
const WIDENING: f64 = 2.0;

/// Options of a warp. Either a [tiling scheme](Self::tiling_scheme) or a [CRS](Self::crs) is needed.
///
/// ```
/// use cogsmith::{Crs, DataType, Executor, GeoRef, ImageSpec, OverriddenSource, PixelSource, SliceSource, Transform};
/// use cogsmith::{TilingScheme, WarpOptions};
/// let pixels = vec![7u16; 300 * 200];
/// let mut source = OverriddenSource::new(SliceSource::new(ImageSpec::new(300, 200, 1, DataType::U16), &pixels)?);
/// let transform = Transform::north_up(500_000.0, 5_000_000.0, 10.0, 10.0)?;
/// source.set_geo(GeoRef::default().with_crs(&Crs::epsg(32633)?)?.with_transform(transform));
/// let scheme = TilingScheme::find("GoogleMapsCompatible").expect("it is built in");
/// let warped = WarpOptions::new().tiling_scheme(scheme).apply(source, &Executor::serial())?;
/// assert_eq!((warped.report().zoom_level, warped.spec().width % 256), (Some(13), 0));
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct WarpOptions {
    scheme: Option<TilingScheme>,
    align: AlignOptions,
    crs: Option<String>,
    resolution: Option<(f64, f64)>,
    extent: Option<Bounds>,
    resampling: Option<Resampling>,
}

/// A description of a warp.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WarpReport {
    /// CRS of the target as given, or as an EPSG code.
    pub crs: String,
    /// GDAL's name of the tiling scheme, if there is one.
    pub tiling_scheme: Option<&'static str>,
    /// Zoom level of full resolution.
    pub zoom_level: Option<u32>,
    /// Number of levels whose tiles are those of the scheme, full resolution included.
    pub aligned_levels: Option<u32>,
    /// Tile size in pixels that makes the tiles those of the scheme.
    pub tile_size: Option<u32>,
    /// Number of overviews if all levels are to be aligned.
    pub overviews: Option<u32>,
    /// Pixels of the target beyond the bounds of the image, in per cent of those within.
    pub added_percent: f64,
    /// The kernel.
    pub resampling: Resampling,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl WarpOptions {
    /// Returns options without a target.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the tiling scheme whose tiles the tiles of the file will be.
    pub fn tiling_scheme(mut self, scheme: TilingScheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Sets the zoom level of full resolution. Default: that of the resolution of the image, by the
    /// [strategy](Self::zoom_strategy).
    pub fn zoom_level(mut self, level: u32) -> Self {
        self.align.zoom_level = Some(level);
        self
    }

    /// Sets the choice between two zoom levels. Default: the closer one.
    pub fn zoom_strategy(mut self, strategy: ZoomStrategy) -> Self {
        self.align.strategy = strategy;
        self
    }

    /// Sets the number of aligned levels. Default: all.
    pub fn aligned_levels(mut self, levels: AlignedLevels) -> Self {
        self.align.aligned_levels = levels;
        self
    }

    /// Sets the side of a tile in pixels. Default: that of the scheme, 256. Tiles of 512 pixels have half the pixel size at the same
    /// zoom level.
    pub fn tile_size(mut self, side: u32) -> Self {
        self.align.tile_size = Some(side);
        self
    }

    /// Sets the target CRS, in a form that [`Crs::parse`] takes. Contradicts a tiling scheme.
    pub fn crs(mut self, crs: impl Into<String>) -> Self {
        self.crs = Some(crs.into());
        self
    }

    /// Sets width and height of a pixel in units of the target CRS. Default: one size for both, with which the diagonal of the image
    /// keeps its number of pixels.
    pub fn resolution(mut self, width: f64, height: f64) -> Self {
        self.resolution = Some((width, height));
        self
    }

    /// Sets the outer edges of the target, in its CRS. Default: those of the image.
    pub fn extent(mut self, extent: Bounds) -> Self {
        self.extent = Some(extent);
        self
    }

    /// Sets the kernel. Default: cubic; nearest for palettes.
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = Some(resampling);
        self
    }

    /// Returns the source as it appears in the target CRS, or on the grid of the scheme. A source without nodata, mask, and alpha
    /// gets a mask. Rows of the source are read on demand, from top to bottom.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if options contradict each other, the image has no
    /// place or no CRS that can be transformed, or the grid does not exist; [`ErrorKind::InvalidImage`](crate::ErrorKind::InvalidImage) if no pixel of
    /// the target is within the image.
    pub fn apply<S: RasterSource>(&self, source: S, executor: &Executor) -> Result<WarpedSource<S>> {
        self.validate()?;
        let option = if self.scheme.is_some() { OptionField::TilingScheme } else { OptionField::TargetCrs };
        let refuse = |reason: String| Error::option(option, reason);
        let spec = source.spec();
        let resampling = self.kernel(spec)?;
        let from = source_grid(spec, source.geo()).map_err(refuse)?;
        let from_crs = source_crs(source.geo()).map_err(refuse)?;
        let target_crs = self.target_crs()?;
        let transform = transform_between(&from_crs, &target_crs).map_err(|error| refuse(error.to_string()))?;
        let (target, aligned, suggestion) = self.target(&from, &target_crs, &*transform)?;
        let area = |[left, bottom, right, top]: [f64; 4]| (right - left) * (top - bottom);
        let report = WarpReport {
            crs: target_crs.clone(),
            tiling_scheme: self.scheme.map(|scheme| scheme.name()),
            zoom_level: aligned.as_ref().map(|aligned| aligned.zoom_level),
            aligned_levels: aligned.as_ref().map(|aligned| aligned.aligned_levels),
            tile_size: aligned.as_ref().map(|aligned| aligned.tile_size),
            overviews: aligned.as_ref().and_then(|aligned| aligned.overviews),
            added_percent: ((area(target.bounds()) / area(suggestion.bounds) - 1.0) * 100.0).max(0.0),
            resampling,
        };
        let geo = GeoRef::default()
            .with_crs(&Crs::parse(&target_crs)?)?
            .with_transform(Transform::from_gdal(target.affine.0)?);
        let metadata = self.metadata(source.metadata(), aligned.as_ref())?;
        let mapping = Mapping::new(&from, &target, transform).map_err(|error| refuse(error.to_string()))?;
        let notes = aligned.as_ref().map_or_else(Vec::new, |aligned| self.notes(aligned));
        // One decision for the image, so that there is no edge in it.
        let [_, width, _, _, _, height] = target.affine.0;
        let widens = width.max(-height) > WIDENING * suggestion.resolution;
        WarpedSource::new(source, mapping, (geo, metadata), (resampling, widens), (report, notes), executor)
    }

    /// Checks what needs no source.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for options that contradict each other or have no effect.
    pub fn validate(&self) -> Result<()> {
        let given = [
            (OptionField::TargetCrs, self.crs.is_some()),
            (OptionField::Resolution, self.resolution.is_some()),
            (OptionField::Extent, self.extent.is_some()),
        ];
        let of_scheme = [
            (OptionField::ZoomLevel, self.align.zoom_level.is_some()),
            (OptionField::ZoomStrategy, self.align.strategy != ZoomStrategy::default()),
            (OptionField::AlignedLevels, self.align.aligned_levels != AlignedLevels::default()),
        ];
        let first =
            |options: &[(OptionField, bool)]| options.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option);
        match self.scheme {
            Some(_) => {
                if let Some(option) = first(&given) {
                    let reason = "the scheme has a CRS, and determines resolution and extent";
                    return Err(Error::conflict(option, OptionField::TilingScheme, reason));
                }
            }
            None => {
                if let Some(option) = first(&of_scheme) {
                    return Err(Error::option(option, "has no effect without a tiling scheme"));
                }
                if self.crs.is_none() {
                    let option = first(&given[1..]).unwrap_or(OptionField::WarpResampling);
                    return Err(Error::option(option, "has no effect without a tiling scheme or a target CRS"));
                }
            }
        }
        if self.align.zoom_level.is_some() && self.align.strategy != ZoomStrategy::default() {
            return Err(Error::conflict(OptionField::ZoomStrategy, OptionField::ZoomLevel, "the level is given"));
        }
        if let Some((width, height)) = self.resolution.filter(|(width, height)| !(*width > 0.0 && *height > 0.0)) {
            let reason = format!("{width} x {height}: expected two numbers larger than 0");
            return Err(Error::option(OptionField::Resolution, reason));
        }
        if let Some(extent) = self.extent.filter(|extent| !(extent.left < extent.right && extent.bottom < extent.top)) {
            let Bounds { left, bottom, right, top } = extent;
            let reason =
                format!("{left}, {bottom}, {right}, {top}: left must be less than right, and bottom less than top");
            return Err(Error::option(OptionField::Extent, reason));
        }
        Ok(())
    }

    /// Returns the kernel for an image.
    fn kernel(&self, spec: &ImageSpec) -> Result<Resampling> {
        let refuse = |reason: String| Err(Error::option(OptionField::WarpResampling, reason));
        let is_indexed = spec.has_color_map();
        let kernel = self.resampling.unwrap_or(if is_indexed { Resampling::Nearest } else { Resampling::Cubic });
        if spec.data_type.is_complex() {
            return refuse(format!("{} samples are not warped", spec.data_type));
        }
        match kernel {
            Resampling::Rms | Resampling::Gauss => refuse(format!("{} is a kernel of overviews alone", kernel.name())),
            Resampling::Nearest | Resampling::Mode => Ok(kernel),
            _ if is_indexed => refuse(format!("{} mixes the indices of a palette; use nearest or mode", kernel.name())),
            _ => Ok(kernel),
        }
    }

    /// Returns the CRS of the target: an EPSG code if it has one.
    fn target_crs(&self) -> Result<String> {
        let Some(text) = self.crs.as_deref().filter(|_| self.scheme.is_none()) else {
            return Ok(self.scheme.map_or_else(String::new, |scheme| scheme.crs().to_owned()));
        };
        let crs = Crs::parse(text).map_err(|error| Error::option(OptionField::TargetCrs, error.reason()))?;
        Ok(crs.code().map_or_else(|| text.to_owned(), |code| format!("EPSG:{code}")))
    }

    /// Returns the target grid, what makes it one of the scheme, and the extent of the image in the target CRS.
    fn target(
        &self,
        from: &Grid,
        target_crs: &str,
        transform: &dyn CoordinateTransform,
    ) -> Result<(Grid, Option<AlignedGrid>, Suggestion)> {
        let is_web = target_crs == "EPSG:3857" && transform.is_from_degrees();
        let seen = if is_web { within_web_mercator(from) } else { *from };
        let option = if self.scheme.is_some() { OptionField::TilingScheme } else { OptionField::TargetCrs };
        let suggestion = suggest(&seen, transform).map_err(|error| Error::option(option, error.to_string()))?;
        if let Some(scheme) = &self.scheme {
            let of_error = |error: WarpError| {
                let is_level = self.align.zoom_level.is_some_and(|level| level >= scheme.levels());
                Error::option(if is_level { OptionField::ZoomLevel } else { option }, error.to_string())
            };
            let aligned = align(scheme, &suggestion, &self.align).map_err(of_error)?;
            return Ok((aligned.grid, Some(aligned), suggestion));
        }
        let extent =
            self.extent.map_or(suggestion.bounds, |extent| [extent.left, extent.bottom, extent.right, extent.top]);
        let (width, height) = self.resolution.unwrap_or((suggestion.resolution, suggestion.resolution));
        let count = |length: f64, pixel: f64| {
            let count = (length / pixel + 0.5).floor().max(1.0);
            let is_possible = count <= f64::from(i32::MAX);
            let field = if self.resolution.is_some() { OptionField::Resolution } else { OptionField::Extent };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^31")]
            let pixels = is_possible.then_some(count as u32);
            pixels
                .ok_or_else(|| Error::option(field, format!("the target would have {count} pixels in a row or column")))
        };
        let (columns, rows) = (count(extent[2] - extent[0], width)?, count(extent[3] - extent[1], height)?);
        let affine = Affine([extent[0], width, 0.0, extent[3], 0.0, -height]);
        Ok((Grid { width: columns, height: rows, affine }, None, suggestion))
    }

    /// Returns what is doubtful about a grid of the scheme.
    fn notes(&self, aligned: &AlignedGrid) -> Vec<String> {
        let name = self.scheme.map_or("", |scheme| scheme.name());
        let mut notes = Vec::new();
        if aligned.is_limited {
            let levels = aligned.aligned_levels;
            let plural = if levels == 1 { " is" } else { "s are" };
            notes.push(format!(
                "only {levels} level{plural} on the grid of {name}: aligning more of them would make the image more than four times as \
                 large"
            ));
        }
        if aligned.is_clipped {
            notes.push(format!("the image extends beyond {name}, and is cut off there"));
        }
        notes
    }

    /// Returns the metadata of the target.
    fn metadata(&self, from: &Metadata, aligned: Option<&AlignedGrid>) -> Result<Metadata> {
        const DOMAIN: Option<&str> = Some("TILING_SCHEME");
        let mut metadata = from.clone();
        metadata.drop_statistics();
        metadata
            .items
            .retain(|item| !item.domain.as_deref().is_some_and(|domain| domain.eq_ignore_ascii_case("TILING_SCHEME")));
        if let (Some(scheme), Some(aligned)) = (self.scheme, aligned) {
            metadata.set_item(DOMAIN, "NAME", scheme.name())?;
            metadata.set_item(DOMAIN, "ZOOM_LEVEL", &aligned.zoom_level.to_string())?;
            if aligned.aligned_levels > 0 {
                metadata.set_item(DOMAIN, "ALIGNED_LEVELS", &aligned.aligned_levels.to_string())?;
            }
        }
        Ok(metadata)
    }
}

/// Returns size and place of an image.
fn source_grid(spec: &ImageSpec, geo: &GeoRef) -> std::result::Result<Grid, String> {
    let transform = geo.transform().ok_or_else(|| {
        let reason = if geo.gcps().is_empty() {
            "the image has no transform"
        } else {
            "the image is placed by ground control points"
        };
        format!("{reason}, so it cannot be warped; warp it with gdalwarp, or set a transform")
    })?;
    Ok(Grid { width: spec.width, height: spec.height, affine: Affine(transform.to_gdal()) })
}

/// Returns the CRS of an image as an EPSG code.
fn source_crs(geo: &GeoRef) -> std::result::Result<String, String> {
    let keys = geo.keys().ok_or("the image has no CRS; set one")?;
    let code = keys.crs_code().ok_or("the CRS of the image has no EPSG code; set one that has")?;
    Ok(format!("EPSG:{code}"))
}

/// Returns whether an image has nothing that can mark pixels outside of it as invalid.
fn needs_mask(spec: &ImageSpec) -> bool {
    !Validity::of_image(spec).has_gaps()
}
