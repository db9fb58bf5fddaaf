//! Encoding options: [`EncodeOptions`].

mod resampling;
mod sparse;

use crate::error::{Error, OptionField, Result};
use crate::names::{any_of, named};

pub use crate::codec::{
    Codec, CodecParameter, Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_JPEG_QUALITY, DEFAULT_ZSTD_LEVEL,
    JpegPhotometric, LercCompression, MaxError, ParameterRange, ParameterValue, Predictor, Subsampling,
};
pub use crate::grid::{Interleave, MAX_TILE_SIDE, TileSize};
pub use resampling::Resampling;
pub use sparse::Sparse;

/// False in WebAssembly, where files are encoded in shards, which compute all overviews; leaves out the code.
pub(crate) const READS_OVERVIEWS: bool = !cfg!(target_family = "wasm");

/// False in WebAssembly, whose module has a limited size; leaves out the code.
pub(crate) const LEAVES_OUT_TILES: bool = !cfg!(target_family = "wasm");

/// Overviews to write.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overviews {
    /// Halve each level (integer division, at least 1) until it fits in one full-resolution tile, as GDAL's COG driver
    /// does.
    #[default]
    Auto,
    /// No overviews.
    None,
    /// This many levels, halved as with [`Auto`](Self::Auto); fewer if a level is already 1x1.
    Count(u32),
    /// Reduction factors relative to full resolution, increasing, each at least 2. Sizes are rounded up, as `gdaladdo`
    /// does. Factors that would not make a level smaller than the previous one are skipped.
    Factors(Vec<u32>),
    /// Overviews are supplied by the caller through [`encode_levels`](crate::encode_levels). Columns and rows of each:
    /// neither may exceed those of the previous level, and at least one must be smaller. If a kernel is set, it records
    /// how they were made.
    Finished(Vec<(u32, u32)>),
    /// The levels of [`Auto`](Self::Auto), of which those that the source [has](crate::ImageSpec::overviews) are taken
    /// from there, whatever kernel made them; their sides may be rounded up. Others are computed from the level above. As
    /// with the AUTO of GDAL's COG driver.
    Existing,
}

impl Overviews {
    /// Limits [`Auto`](Self::Auto) to a number of levels, for callers with an option of its own for it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for other overviews, whose number is known.
    pub fn with_count(self, count: u32) -> Result<Self> {
        match self {
            Self::Auto | Self::Count(_) => Ok(Self::Count(count)),
            Self::None | Self::Factors(_) | Self::Finished(_) | Self::Existing => {
                let reason = "the number of overviews is known already; leave one of them out";
                Err(Error::conflict(OptionField::OverviewCount, OptionField::Overviews, reason))
            }
        }
    }
}

/// Source of the file's mask; see [`MaskedSource`](crate::MaskedSource).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MaskPolicy {
    /// The source's mask, if it has one. With a lossy codec, which would change nodata and alpha, also pixels that are
    /// nodata in every band, and those whose alpha is 0; the nodata value and the alpha band are left out. A pixel that is
    /// nodata only in some bands is then an error.
    #[default]
    Auto,
    /// No mask; the source's mask is ignored.
    None,
    /// Masks pixels that are nodata or NaN in every band, and those that the source's own mask excludes. Lossless codecs
    /// keep the nodata value, since single bands of a valid pixel may still be nodata; with a lossy codec, such samples
    /// become data.
    Nodata,
    /// Masks pixels that are nodata or NaN in any band, and those that the source's own mask excludes.
    AnyNodata,
    /// Masks pixels whose alpha is 0, and those that the source's own mask excludes. The alpha band is dropped;
    /// partially transparent pixels become opaque.
    Alpha,
}

named!(MaskPolicy, Mask, { Auto => "auto", None => "none", Nodata => "nodata", AnyNodata => "any-nodata", Alpha => "alpha" });

/// TIFF variant: BigTIFF has no 4 GiB limit, but very old software cannot read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum BigTiff {
    /// BigTIFF only if the finished file needs it.
    #[default]
    Auto,
    /// Always BigTIFF.
    Yes,
    /// Never BigTIFF: a file that would need it is an error.
    No,
}

named!(BigTiff, BigTiff, { Auto => "auto", Yes => "yes", No => "no" });

/// The largest value of [`EncodeOptions::header_room`]: readers fetch the header as a whole.
pub const MAX_HEADER_ROOM: u32 = 16 << 20;

/// The default tile side, in pixels.
pub const DEFAULT_TILE_SIDE: u32 = 512;

/// Options for writing a COG. Start from the defaults and change what you need; fields can also be read and assigned.
///
/// ```
/// use cogsmith::{Compression, EncodeOptions, Resampling};
/// let options = EncodeOptions::new().compression(Compression::ZSTD).resampling(Resampling::Nearest);
/// assert!(!options.statistics);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct EncodeOptions {
    /// Tile size in pixels. Default: 512x512.
    pub tile_size: TileSize,
    /// Tile size of the overviews. Default: the same as full resolution.
    pub overview_tile_size: Option<TileSize>,
    /// Codec. Default: DEFLATE, level 6.
    pub compression: Compression,
    /// Predictor. Default: [`Predictor::Auto`], by data type; for integers, measured on the first tiles.
    pub predictor: Predictor,
    /// Codec of the overviews. Default (`None`): that of full resolution, with its parameters.
    pub overview_compression: Option<Compression>,
    /// Predictor of the overviews. Default (`None`): that of full resolution if the codec is the same, as in GDAL, and
    /// otherwise [`Predictor::Auto`] by data type alone.
    pub overview_predictor: Option<Predictor>,
    /// Mask made from nodata; the policies about other masks are those of [`MaskedSource`](crate::MaskedSource). Default:
    /// [`MaskPolicy::Auto`].
    pub mask: MaskPolicy,
    /// Layout of the bands. Default: pixel.
    pub interleave: Interleave,
    /// Overviews. Default: halve until one tile holds the level.
    pub overviews: Overviews,
    /// Kernel for all bands. Default (`None`): cubic, as in GDAL's COG driver; nearest for palettes and complex
    /// samples.
    pub resampling: Option<Resampling>,
    /// One kernel per band, instead of [`resampling`](Self::resampling). Default (empty): one kernel for all. With a
    /// mask or alpha, which all bands share, the kernels must have the same validity rule.
    pub band_resampling: Vec<Resampling>,
    /// TIFF variant. Default: chosen by the size of the finished file.
    pub big_tiff: BigTiff,
    /// Compute statistics of every band from the pixels, in the same pass, and write them as GDAL's `STATISTICS_…`
    /// items ([`BandStatistics`](crate::BandStatistics)). They replace those in the metadata. Not for complex samples.
    /// Default: `false`.
    pub statistics: bool,
    /// Tiles to leave out because readers fill them with the same pixels. Default: [`Sparse::No`].
    pub sparse: Sparse,
    /// Free bytes after the directories, in which later changes of georeferencing and metadata fit
    /// ([`edit`](fn@crate::edit)); at most [`MAX_HEADER_ROOM`]. Default: 0.
    pub header_room: u32,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            tile_size: TileSize::square(DEFAULT_TILE_SIDE),
            overview_tile_size: None,
            compression: Compression::DEFLATE,
            predictor: Predictor::Auto,
            overview_compression: None,
            overview_predictor: None,
            mask: MaskPolicy::Auto,
            interleave: Interleave::Pixel,
            overviews: Overviews::Auto,
            resampling: None,
            band_resampling: Vec::new(),
            big_tiff: BigTiff::Auto,
            statistics: false,
            sparse: Sparse::No,
            header_room: 0,
        }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl EncodeOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the tile size in pixels. Default: 512x512.
    pub fn tile_size(mut self, tile_size: TileSize) -> Self {
        self.tile_size = tile_size;
        self
    }

    /// Sets the tile size of the overviews in pixels. Default (`None`): that of full resolution.
    pub fn overview_tile_size(mut self, tile_size: impl Into<Option<TileSize>>) -> Self {
        self.overview_tile_size = tile_size.into();
        self
    }

    /// Sets the codec. Default: DEFLATE, level 6.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the predictor. Default: [`Predictor::Auto`].
    pub fn predictor(mut self, predictor: Predictor) -> Self {
        self.predictor = predictor;
        self
    }

    /// Sets the codec of the overviews. Default (`None`): that of full resolution, with its parameters.
    pub fn overview_compression(mut self, compression: impl Into<Option<Compression>>) -> Self {
        self.overview_compression = compression.into();
        self
    }

    /// Sets the predictor of the overviews. Default (`None`): that of full resolution if the codec is the same.
    pub fn overview_predictor(mut self, predictor: impl Into<Option<Predictor>>) -> Self {
        self.overview_predictor = predictor.into();
        self
    }

    /// Sets how a mask is made from nodata. Default: [`MaskPolicy::Auto`].
    pub fn mask(mut self, mask: MaskPolicy) -> Self {
        self.mask = mask;
        self
    }

    /// Sets the layout of the bands. Default: pixel.
    pub fn interleave(mut self, interleave: Interleave) -> Self {
        self.interleave = interleave;
        self
    }

    /// Sets the overviews. Default: halve until one tile holds the level.
    pub fn overviews(mut self, overviews: Overviews) -> Self {
        self.overviews = overviews;
        self
    }

    /// Sets the kernel of the overviews. Default (`None`): cubic; nearest for palettes and complex samples.
    pub fn resampling(mut self, resampling: impl Into<Option<Resampling>>) -> Self {
        self.resampling = resampling.into();
        self
    }

    /// Sets one kernel per band. Default (empty): one for all.
    pub fn band_resampling(mut self, resampling: impl Into<Vec<Resampling>>) -> Self {
        self.band_resampling = resampling.into();
        self
    }

    /// Sets the TIFF variant. Default: BigTIFF only if the finished file needs it.
    pub fn big_tiff(mut self, big_tiff: BigTiff) -> Self {
        self.big_tiff = big_tiff;
        self
    }

    /// Sets the tiles to leave out of the file. Default: [`Sparse::No`].
    pub fn sparse(mut self, sparse: Sparse) -> Self {
        self.sparse = sparse;
        self
    }

    /// Sets the number of free bytes after the directories, for later changes. Default: 0.
    pub fn header_room(mut self, header_room: u32) -> Self {
        self.header_room = header_room;
        self
    }

    /// Computes statistics of every band in the same pass and writes them. Default: `false`.
    pub fn statistics(mut self, statistics: bool) -> Self {
        self.statistics = statistics;
        self
    }
}

impl EncodeOptions {
    /// Returns whether a level has a codec that mixes pixels.
    pub(crate) fn mixes_pixels(&self) -> bool {
        self.codecs().any(|codec| codec.codec().mixes_pixels)
    }

    /// Returns the codec of full resolution, and that of the overviews if it is another.
    pub(crate) fn codecs(&self) -> impl Iterator<Item = Compression> {
        let overviews = if self.overviews == Overviews::None { None } else { self.overview_compression };
        [self.compression].into_iter().chain(overviews)
    }

    /// Checks ranges, and combinations of options that need no image to reject. [`CogPlan::new`](crate::CogPlan::new) makes
    /// the same checks.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for the first option that fails a check.
    pub fn validate(&self) -> Result<()> {
        self.tile_size.validate(OptionField::TileSize)?;
        if let Some(tile_size) = self.overview_tile_size {
            tile_size.validate(OptionField::OverviewTileSize)?;
        }
        self.compression.validate()?;
        self.overview_compression.map_or(Ok(()), Compression::validate)?;
        check_predictor(OptionField::Predictor, self.predictor, self.compression)?;
        let overviews = self.overview_compression.unwrap_or(self.compression);
        check_predictor(OptionField::OverviewPredictor, self.overview_predictor.unwrap_or_default(), overviews)?;
        self.check_resampling()?;
        check_header_room(self.header_room)?;
        match &self.overviews {
            Overviews::Count(0) => {
                Err(Error::option(OptionField::OverviewCount, "must be at least 1; use 'none' to omit them"))
            }
            Overviews::Factors(factors) if factors.is_empty() => {
                Err(Error::option(OptionField::Overviews, "the list of factors is empty; use 'none' to omit overviews"))
            }
            Overviews::Factors(factors) => {
                let expected = "factors must be at least 2 and increase, such as 2, 4, 8";
                let refuse = |what: String| Err(Error::option(OptionField::Overviews, format!("{what}; {expected}")));
                if let Some(factor) = factors.first().filter(|factor| **factor < 2) {
                    return refuse(format!("factor {factor} is too small"));
                }
                match factors.windows(2).find(|pair| pair[0] >= pair[1]) {
                    Some(pair) => refuse(format!("factor {} follows {}", pair[1], pair[0])),
                    None => Ok(()),
                }
            }
            // The plan compares sizes with those of the image.
            Overviews::Auto | Overviews::None | Overviews::Count(_) | Overviews::Finished(_) | Overviews::Existing => {
                Ok(())
            }
        }
    }

    /// Rejects two kernels for the same band, and options of overviews if there are none.
    fn check_resampling(&self) -> Result<()> {
        let of_overviews = [
            (self.resampling.is_some(), OptionField::Resampling),
            (!self.band_resampling.is_empty(), OptionField::BandResampling),
            (self.overview_tile_size.is_some(), OptionField::OverviewTileSize),
            (self.overview_compression.is_some(), OptionField::OverviewCompression),
            (self.overview_predictor.is_some(), OptionField::OverviewPredictor),
        ];
        if let [(true, one), (true, each), ..] = of_overviews {
            return Err(Error::conflict(
                one,
                each,
                "one kernel for all bands, and one for each; give only one of them",
            ));
        }
        match of_overviews.into_iter().find(|(is_set, _)| *is_set) {
            Some((_, option)) if self.overviews == Overviews::None => {
                let reason = "it has no effect without overviews; leave one of them out";
                Err(Error::conflict(option, OptionField::Overviews, reason))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses more free bytes in the header than [`MAX_HEADER_ROOM`].
pub(crate) fn check_header_room(header_room: u32) -> Result<()> {
    if header_room > MAX_HEADER_ROOM {
        let reason = format!("{header_room} bytes are more than {MAX_HEADER_ROOM}");
        return Err(Error::option(OptionField::HeaderRoom, reason));
    }
    Ok(())
}

/// Rejects an explicit predictor if the codec does not support one.
fn check_predictor(option: OptionField, predictor: Predictor, codec: Compression) -> Result<()> {
    if codec.codec().takes_predictor || matches!(predictor, Predictor::Auto | Predictor::None) {
        return Ok(());
    }
    let others = Compression::ALL.iter().filter(|other| other.codec().takes_predictor);
    let others: Vec<_> = others.map(|other| other.name()).collect();
    let others = any_of(&others);
    Err(Error::option(option, format!("{predictor} has no effect with codec {codec}; leave it out, or use {others}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// The option, the option that it contradicts, and the message.
    fn refused(options: &EncodeOptions) -> (OptionField, Option<OptionField>, String) {
        let error = options.validate().unwrap_err();
        match error.kind() {
            ErrorKind::InvalidOption { option, other, .. } => (*option, *other, error.to_string()),
            _ => panic!("{error}"),
        }
    }

    #[test]
    fn options_of_overviews_need_overviews() {
        let kernel = EncodeOptions { resampling: Some(Resampling::Mode), ..EncodeOptions::default() };
        let kernels = EncodeOptions { band_resampling: vec![Resampling::Mode], ..EncodeOptions::default() };
        let tiles = EncodeOptions { overview_tile_size: Some(TileSize::square(256)), ..EncodeOptions::default() };
        for (options, field) in [
            (kernel, OptionField::Resampling),
            (kernels, OptionField::BandResampling),
            (tiles, OptionField::OverviewTileSize),
        ] {
            let sizes = vec![(1, 1)];
            for overviews in [Overviews::Auto, Overviews::Count(2), Overviews::Finished(sizes)] {
                EncodeOptions { overviews, ..options.clone() }.validate().unwrap();
            }
            let none = EncodeOptions { overviews: Overviews::None, ..options };
            let (option, other, message) = refused(&none);
            assert_eq!((option, other), (field, Some(OptionField::Overviews)));
            assert_eq!(
                message,
                format!(
                    "option '{field}' contradicts 'overviews': it has no effect without overviews; leave one of them out"
                )
            );
        }
        EncodeOptions { overviews: Overviews::None, ..EncodeOptions::default() }.validate().unwrap();
    }

    #[test]
    fn one_kernel_contradicts_one_for_each_band() {
        let both = EncodeOptions {
            resampling: Some(Resampling::Mode),
            band_resampling: vec![Resampling::Mode],
            ..EncodeOptions::default()
        };
        let (option, other, _) = refused(&both);
        assert_eq!((option, other), (OptionField::Resampling, Some(OptionField::BandResampling)));
    }

    #[test]
    fn a_predictor_needs_a_codec_that_takes_it() {
        for predictor in [Predictor::Horizontal, Predictor::FloatingPoint] {
            let options = EncodeOptions { compression: Compression::None, predictor, ..EncodeOptions::default() };
            let (option, _, message) = refused(&options);
            assert_eq!(option, OptionField::Predictor);
            assert!(message.contains("has no effect with codec none"), "{message}");
        }
        for predictor in [Predictor::Auto, Predictor::None] {
            let options = EncodeOptions { compression: Compression::None, predictor, ..EncodeOptions::default() };
            options.validate().unwrap();
        }
    }

    #[test]
    fn a_count_limits_automatic_overviews_only() {
        assert_eq!(Overviews::Auto.with_count(3).unwrap(), Overviews::Count(3));
        for known in [Overviews::None, Overviews::Factors(vec![2]), Overviews::Finished(vec![(1, 1)])] {
            let error = known.with_count(3).unwrap_err();
            let expected = (OptionField::OverviewCount, Some(OptionField::Overviews));
            match error.kind() {
                ErrorKind::InvalidOption { option, other, .. } => assert_eq!((*option, *other), expected),
                _ => panic!("{error}"),
            }
        }
    }

    #[test]
    fn numbers_of_overviews_are_in_range() {
        for (overviews, expected) in [
            (Overviews::Count(0), "option 'overview_count': must be at least 1"),
            (Overviews::Factors(vec![]), "the list of factors is empty"),
            (Overviews::Factors(vec![1, 2]), "factor 1 is too small; factors must be at least 2"),
            (Overviews::Factors(vec![2, 4, 4]), "factor 4 follows 4; factors must be at least 2 and increase"),
        ] {
            let (.., message) = refused(&EncodeOptions { overviews, ..EncodeOptions::default() });
            assert!(message.contains(expected), "{message}");
        }
        for side in [0, 8, 100, 65_536] {
            let options = EncodeOptions { tile_size: TileSize::square(side), ..EncodeOptions::default() };
            let (option, _, message) = refused(&options);
            assert!(option == OptionField::TileSize && message.contains("multiple of 16"), "{message}");
        }
    }
}
