//! The plan of a file: all decisions, made and checked once, before the first pixel is read.

mod directory;
mod header;
mod index;
mod levels;
mod message;
mod nodata;
mod predictor;
mod shard_options;
pub(crate) mod shards;
mod share;
mod sparse;
mod tile_len;
mod tiling_scheme;
pub(crate) mod window;

use std::sync::Arc;

use crate::codec::{self, Components, TileFormat};
use crate::error::{Error, OptionField, Result};
use crate::geo::{GeoRef, Metadata};
use crate::grid::{Level, Plane, TileGrid, TileId};
use crate::options::{
    BigTiff, Compression, EncodeOptions, Interleave, Overviews, Predictor, READS_OVERVIEWS, Resampling,
};
use crate::sample::Nodata;
use crate::spec::ImageSpec;
use crate::tiff::variant::Variant;
use crate::view::NodataRule;

pub(crate) use header::Header;
pub(crate) use index::TileChecksums;
pub(crate) use index::{Losses, TileIndex};
pub use shard_options::{DEFAULT_SHARD_SIDE, ShardOptions};
pub use shards::{Shard, ShardId, ShardPlan};
pub(crate) use share::{LevelShare, Share};
pub(crate) use tile_len::{TileLen, TileLens};

/// Maximum size of an uncompressed tile in bytes: libtiff and GDAL use a signed 32-bit integer for it.
const MAX_TILE_BYTES: u64 = i32::MAX as u64;
/// Images of up to this many uncompressed bytes get more effort than requested at the default level.
const SMALL_IMAGE_BYTES: u64 = 1 << 20;

/// A valid combination of image, georeferencing, and options, and everything that follows from it: levels, grids, tags,
/// order, and the length of the header. Cheap to clone.
///
/// ```
/// use cogsmith::{CogPlan, DataType, EncodeOptions, GeoRef, ImageSpec, Metadata};
/// let spec = ImageSpec::new(3000, 2000, 1, DataType::U16);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// let sizes: Vec<_> = plan.levels().iter().map(|level| (level.width, level.height)).collect();
/// assert_eq!(sizes, [(3000, 2000), (1500, 1000), (750, 500), (375, 250)]);
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CogPlan {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    /// The pixels of the source.
    source: ImageSpec,
    /// The rule by which the mask is made from the source's nodata.
    nodata_rule: Option<NodataRule>,
    /// The pixels of the file.
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    /// The requested options, except that the predictor may have been settled.
    options: EncodeOptions,
    levels: Vec<Level>,
    grid: TileGrid,
    predictor: Predictor,
    /// `true` while the predictor is a guess by type that the first pixels will settle.
    predictor_is_open: bool,
    /// One kernel for all bands, or one per band.
    resampling: Vec<Resampling>,
    /// The sample of tiles that are left out of the file; `None` if none are.
    absent_sample: Option<Vec<u8>>,
    warnings: Vec<String>,
}

impl CogPlan {
    /// Checks all inputs and makes all decisions.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidImage`](crate::ErrorKind::InvalidImage) if the description of the image is inconsistent, or
    /// georeferencing or metadata cannot be written; [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if
    /// an option is out of range or contradicts the image or another option;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the format cannot hold the result.
    ///
    /// [`spec`](Self::spec) differs from the one passed here if the metadata sets color interpretations, and if a mask is
    /// made from nodata.
    pub fn new(spec: &ImageSpec, geo: &GeoRef, metadata: &Metadata, options: &EncodeOptions) -> Result<Self> {
        spec.validate()?;
        let (mut spec, mut metadata) = (spec.clone(), metadata.clone());
        crate::geo::colors::settle(&mut spec, &mut metadata)?;
        let source = spec.clone();
        options.validate()?;
        options.codecs().try_for_each(Compression::check_available)?;
        let mut warnings = Vec::new();
        let nodata_rule = nodata::settle(&mut spec, &mut metadata, options, &mut warnings)?;
        let absent_sample = sparse::settle(&spec, &mut metadata, options, &mut warnings)?;
        let spec = &spec;
        geo.validate()?;
        metadata.validate(options.big_tiff == BigTiff::Yes)?;
        let predictor = predictor::resolve(spec, options)?;
        if let Some(predictor) = options.overview_predictor {
            predictor::check(spec, predictor, OptionField::OverviewPredictor)?;
        }
        let resampling = resolve_resampling(spec, options)?;
        if options.statistics && spec.data_type.is_complex() {
            return Err(Error::option(
                OptionField::Statistics,
                format!("statistics are not defined for {} samples", spec.data_type),
            ));
        }
        let levels = levels::levels(spec, options)?;
        warnings.extend(tiling_scheme::settle(&mut metadata, geo, &levels));
        // With one band, band and tile interleave are the same as pixel interleave.
        let planes = if options.interleave == Interleave::Pixel { 1 } else { spec.bands };
        let grid = TileGrid { interleave: options.interleave, planes, mask: spec.mask };
        let samples = if planes == 1 { usize::from(spec.bands) } else { 1 };
        for (codec, option) in options.codecs().zip([OptionField::Compression, OptionField::OverviewCompression]) {
            if let Some(reason) = (codec.codec().misfit)(codec, spec, samples) {
                return Err(Error::option(option, reason));
            }
        }
        warnings.extend((options.compression.codec().hint)(options.compression, spec, samples));
        let plan = Self {
            inner: Arc::new(Inner {
                source,
                nodata_rule,
                spec: spec.clone(),
                geo: geo.clone(),
                metadata,
                options: options.clone(),
                levels,
                grid,
                predictor,
                predictor_is_open: options.predictor == Predictor::Auto && predictor == Predictor::Horizontal,
                resampling,
                absent_sample,
                warnings,
            }),
        };
        plan.check_sizes()?;
        Ok(plan.with_computed_levels_named())
    }

    /// Adds a warning about the levels that the source lacks although it is to supply them.
    fn with_computed_levels_named(mut self) -> Self {
        let is_computed = |level: &&Level| level.index > 0 && self.existing_overview(level).is_none();
        let computed: Vec<_> = self.levels().iter().filter(is_computed).collect();
        if READS_OVERVIEWS && self.inner.options.overviews == Overviews::Existing && !computed.is_empty() {
            let sizes: Vec<_> = computed.iter().map(|level| format!("{}x{}", level.width, level.height)).collect();
            let warning = format!("overviews that the source does not have are computed: {}", sizes.join(", "));
            Arc::make_mut(&mut self.inner).warnings.push(warning);
        }
        self
    }

    /// Returns the metadata that is left out because it would not be true of the file, with the reasons.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// Returns the description of the pixels in the file.
    pub fn spec(&self) -> &ImageSpec {
        &self.inner.spec
    }

    /// Returns the description of the source's pixels. It differs from [`spec`](Self::spec) if a mask is made from nodata.
    pub fn source_spec(&self) -> &ImageSpec {
        &self.inner.source
    }

    /// Returns the rule by which the mask is made from the source's nodata.
    pub(crate) fn nodata_rule(&self) -> Option<NodataRule> {
        self.inner.nodata_rule
    }

    /// Returns the levels of the pyramid, full resolution first.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.inner.levels
    }

    /// Returns the planes of the image and their order.
    #[must_use]
    pub fn grid(&self) -> TileGrid {
        self.inner.grid
    }

    /// Returns the codec of full resolution.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.inner.options.compression
    }

    /// Returns the codec of the overviews.
    #[must_use]
    pub fn overview_compression(&self) -> Compression {
        self.inner.options.overview_compression.unwrap_or(self.compression())
    }

    /// Returns the predictor. It is [`Predictor::Auto`] only if the pixels have yet to settle it, between horizontal and
    /// none; see [`settle_predictor`](crate::distributed::settle_predictor).
    #[must_use]
    pub fn predictor(&self) -> Predictor {
        if self.inner.predictor_is_open { Predictor::Auto } else { self.inner.predictor }
    }

    /// Returns whether the pixels have yet to settle the predictor.
    pub(crate) fn predictor_is_open(&self) -> bool {
        self.inner.predictor_is_open
    }

    /// Returns this plan with a predictor that no longer depends on pixels.
    pub(crate) fn with_predictor(self, predictor: Predictor) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.inner);
        (inner.predictor, inner.predictor_is_open) = (predictor, false);
        inner.options.predictor = predictor;
        Self { inner: Arc::new(inner) }
    }

    /// Settles [`Predictor::Auto`] by the samples' type and kind alone (2 for integers, 3 for floats, none for palettes,
    /// complex samples, and other widths), whatever the pixels are. For encodings that cannot look at pixels in advance.
    #[must_use]
    pub fn with_predictor_by_type(self) -> Self {
        let predictor = self.inner.predictor;
        self.with_predictor(predictor)
    }

    /// Returns the kernel of the overviews: one for all bands, or one per band if they differ.
    #[must_use]
    pub fn resampling(&self) -> &[Resampling] {
        &self.inner.resampling
    }

    /// Returns whether the kernel is known: finished overviews may have been made in any way.
    pub(crate) fn resampling_is_known(&self) -> bool {
        let options = &self.inner.options;
        let is_set = options.resampling.is_some() || !options.band_resampling.is_empty();
        self.levels().iter().all(|level| self.existing_overview(level).is_none())
            && (is_set || !self.overviews_are_finished())
    }

    /// Returns the index of the source's overview that a level is taken from.
    pub(crate) fn existing_overview(&self, level: &Level) -> Option<usize> {
        if !READS_OVERVIEWS || self.inner.options.overviews != Overviews::Existing || level.index == 0 {
            return None;
        }
        self.source_spec().overviews.iter().position(|&size| size == (level.width, level.height))
    }

    /// Returns whether the caller supplies the overviews.
    pub(crate) fn overviews_are_finished(&self) -> bool {
        matches!(self.inner.options.overviews, Overviews::Finished(_))
    }

    /// Returns an error if the caller supplies the overviews, for encoders that cannot take them.
    pub(crate) fn check_computes_overviews(&self) -> Result<()> {
        if self.overviews_are_finished() {
            let reason = "only encode_levels takes finished overviews; specify overviews to compute instead";
            return Err(Error::option(OptionField::Overviews, reason));
        }
        if READS_OVERVIEWS && self.levels().iter().any(|level| self.existing_overview(level).is_some()) {
            let reason = "overviews of the source cannot be taken by shards, or with pushed rows; compute them instead";
            return Err(Error::option(OptionField::Overviews, reason));
        }
        Ok(())
    }

    /// Returns the names of the kernels, such as `average`, or `cubic,cubic,mode` if bands differ.
    #[must_use]
    pub fn resampling_names(&self) -> String {
        let names: Vec<_> = self.resampling().iter().map(|resampling| resampling.name()).collect();
        names.join(",")
    }

    /// Returns the allowed TIFF variants.
    pub(crate) fn big_tiff(&self) -> BigTiff {
        self.inner.options.big_tiff
    }

    /// Returns whether statistics of all bands are computed and written.
    pub(crate) fn statistics(&self) -> bool {
        self.inner.options.statistics
    }

    /// Returns the size of all full-resolution pixels in bytes before compression, with packed rows and without padding
    /// and mask.
    #[must_use]
    pub fn uncompressed_bytes(&self) -> u64 {
        let spec = self.spec();
        let row_bits = u128::from(spec.width) * u128::from(spec.bands) * u128::from(spec.bits());
        u64::try_from(row_bits.div_ceil(8) * u128::from(spec.height)).unwrap_or(u64::MAX)
    }

    /// Returns the nodata value whose samples in valid pixels are counted: the mask replaces it, but only where all bands
    /// have it.
    pub(crate) fn counted_nodata(&self) -> Option<Nodata> {
        let becomes_data = self.inner.nodata_rule == Some(NodataRule::All) && self.spec().nodata.is_none();
        self.source_spec().nodata.filter(|_| becomes_data)
    }

    /// Returns whether all bands of a pixel are in one plane.
    pub(crate) fn is_chunky(&self) -> bool {
        self.inner.grid.interleave == Interleave::Pixel
    }

    /// Returns the number of samples per pixel in one image plane.
    pub(crate) fn samples_per_plane(&self) -> usize {
        if self.is_chunky() { self.spec().bands.into() } else { 1 }
    }

    /// Returns an upper bound of the length of an encoded tile.
    pub(crate) fn max_tile_len(&self, tile: TileId) -> TileLen {
        let format = self.tile_format(&self.levels()[tile.level], tile.plane);
        TileLen::at_most((format.compression.codec().max_len)(format.tile_bytes().unwrap_or(u64::MAX)))
    }

    /// Returns the format of the tiles of a plane.
    pub(crate) fn tile_format(&self, level: &Level, plane: Plane) -> TileFormat {
        match plane {
            Plane::Mask => TileFormat::mask(level.tile_size),
            Plane::Image(_) => TileFormat {
                tile_size: level.tile_size,
                samples: self.samples_per_plane(),
                data_type: self.spec().data_type,
                bits: self.spec().bits(),
                predictor: self.predictor_of(level),
                compression: self.compression_of(level),
                components: if self.inner.grid.planes > 1 {
                    Components::Plane
                } else {
                    codec::components(self.compression_of(level), self.spec(), self.samples_per_plane())
                },
            },
        }
    }

    /// Returns the codec of a level, with the effort for its tiles.
    pub(crate) fn compression_of(&self, level: &Level) -> Compression {
        let asked = match self.inner.options.overview_compression {
            Some(compression) if level.index > 0 => compression,
            _ => self.compression(),
        };
        if self.uncompressed_bytes() <= SMALL_IMAGE_BYTES { asked.for_small_image() } else { asked }
    }

    /// Returns the predictor of a level; none if its codec does not take one.
    pub(crate) fn predictor_of(&self, level: &Level) -> Predictor {
        let Inner { spec, options, predictor, .. } = &*self.inner;
        match self.compression_of(level).codec().takes_predictor {
            false => Predictor::None,
            true if level.index == 0 => *predictor,
            true => predictor::of_overviews(spec, options, *predictor),
        }
    }

    fn check_sizes(&self) -> Result<()> {
        // The size of uncompressed tiles, which is known before the first pixel is read.
        let mut stored_bytes: u64 = 0;
        for level in self.levels() {
            let format = self.tile_format(level, Plane::Image(0));
            let bytes = format.tile_bytes().unwrap_or(u64::MAX);
            if bytes > MAX_TILE_BYTES {
                let TileFormat { tile_size, samples, bits, .. } = format;
                return Err(Error::option(
                    OptionField::TileSize,
                    format!(
                        "a tile of {}x{} pixels with {samples} samples of {bits} bits takes {bytes} bytes, \
                         over {MAX_TILE_BYTES}; use smaller tiles, or band or tile interleave",
                        tile_size.width, tile_size.height
                    ),
                ));
            }
            let tiles = level.tiles_per_plane().saturating_mul(self.inner.grid.planes.into());
            if tiles > u64::from(u32::MAX) {
                return Err(Error::limit(
                    format!("the number of tiles of level {}", level.index),
                    tiles,
                    u32::MAX.into(),
                ));
            }
            if format.compression.codec().is_stored() {
                stored_bytes = stored_bytes.saturating_add(tiles.saturating_mul(bytes));
            }
        }
        let limit = Variant::Classic.max_offset();
        if self.big_tiff() == BigTiff::No && stored_bytes > limit {
            return Err(Error::option(
                OptionField::BigTiff,
                format!(
                    "tiles of {stored_bytes} bytes exceed the classic TIFF limit of {limit}; compress or allow BigTIFF"
                ),
            ));
        }
        Ok(())
    }
}

/// Returns one kernel for all bands, or one per band if they differ.
fn resolve_resampling(spec: &ImageSpec, options: &EncodeOptions) -> Result<Vec<Resampling>> {
    let refuse = |reason: String| Err(Error::option(OptionField::BandResampling, reason));
    let bands = &options.band_resampling;
    let (Some(&first), None) = (bands.first(), options.resampling) else {
        let samples_only = spec.has_color_map() || spec.data_type.is_complex();
        let default = if samples_only { Resampling::Nearest } else { Resampling::Cubic };
        let resampling = options.resampling.unwrap_or(default);
        check_resampling(spec, resampling, OptionField::Resampling)?;
        return Ok(vec![resampling]);
    };
    if bands.len() != usize::from(spec.bands) {
        return refuse(format!("{} for {} bands; give one for all, or one for each", bands.len(), spec.bands));
    }
    for &resampling in bands {
        check_resampling(spec, resampling, OptionField::BandResampling)?;
        let shared = spec.mask || spec.alpha_band().is_some();
        if shared && resampling.mask_rule() != first.mask_rule() {
            return refuse(format!(
                "{} and {} make different masks, and all bands share one mask or alpha; give kernels with the same \
                 rule, such as average and mode",
                first.name(),
                resampling.name()
            ));
        }
    }
    let same = bands.iter().all(|&resampling| resampling == first);
    Ok(if same { vec![first] } else { bands.clone() })
}

/// Rejects kernels that are not defined for the samples.
fn check_resampling(spec: &ImageSpec, resampling: Resampling, option: OptionField) -> Result<()> {
    use Resampling::{Average, Mode, Nearest, Rms};
    let name = resampling.name();
    let refuse = |reason: String| Err(Error::option(option, reason));
    if spec.has_color_map() {
        return match resampling {
            Nearest | Mode => Ok(()),
            Average | Rms if spec.bands == 1 => Ok(()),
            Average | Rms => refuse(format!("{name} of a palette does not work with other bands; use nearest or mode")),
            _ => refuse(format!("palette indices are not quantities; use nearest, mode, or average instead of {name}")),
        };
    }
    if spec.data_type.is_complex() && !matches!(resampling, Nearest | Average | Rms) {
        return refuse(format!("{name} is not defined for {} samples; use nearest, average, or rms", spec.data_type));
    }
    Ok(())
}
