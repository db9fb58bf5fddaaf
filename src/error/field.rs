//! The options that errors are about.

use std::fmt;

/// Declares the fields with their names in this API.
macro_rules! fields {
    ($($(#[$doc:meta])+ $field:ident => $name:literal,)+) => {
        /// An option of this library, as the subject of [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption).
        ///
        /// Its name is the one in this API, such as `tile_size`. A front end with other names translates the field, and
        /// adds its own hint to the reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum OptionField {
            $($(#[$doc])+ $field,)+
        }

        impl OptionField {
            /// All fields.
            pub const ALL: &'static [Self] = &[$(Self::$field),+];

            /// Returns the name in this API, in lowercase with underscores.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }
    };
}

fields! {
    /// Codec: [`EncodeOptions::compression`](crate::EncodeOptions::compression).
    Compression => "compression",
    /// Compression level, a parameter of some codecs ([`Compression::with_parameter`](crate::Compression::with_parameter)).
    Level => "level",
    /// Quality, a parameter of lossy codecs ([`Compression::with_parameter`](crate::Compression::with_parameter)).
    Quality => "quality",
    /// Largest error of LERC, a parameter ([`Compression::with_parameter`](crate::Compression::with_parameter)).
    MaxZError => "max_z_error",
    /// Largest error of LERC in overviews: [`Compression::for_overviews`](crate::Compression::for_overviews).
    OverviewMaxZError => "overview_max_z_error",
    /// Chroma subsampling of JPEG: [`Subsampling`](crate::Subsampling).
    JpegSubsampling => "jpeg_subsampling",
    /// Color space of JPEG: [`JpegPhotometric`](crate::JpegPhotometric).
    Photometric => "photometric",
    /// Codec of overviews: [`EncodeOptions::overview_compression`](crate::EncodeOptions::overview_compression).
    OverviewCompression => "overview_compression",
    /// Compression level of overviews: [`Compression::for_overviews`](crate::Compression::for_overviews).
    OverviewLevel => "overview_level",
    /// Quality of overviews: [`Compression::for_overviews`](crate::Compression::for_overviews).
    OverviewQuality => "overview_quality",
    /// Predictor of overviews: [`EncodeOptions::overview_predictor`](crate::EncodeOptions::overview_predictor).
    OverviewPredictor => "overview_predictor",
    /// Predictor: [`EncodeOptions::predictor`](crate::EncodeOptions::predictor).
    Predictor => "predictor",
    /// Tile size: [`EncodeOptions::tile_size`](crate::EncodeOptions::tile_size).
    TileSize => "tile_size",
    /// Tile size of overviews: [`EncodeOptions::overview_tile_size`](crate::EncodeOptions::overview_tile_size).
    OverviewTileSize => "overview_tile_size",
    /// Layout of the bands: [`EncodeOptions::interleave`](crate::EncodeOptions::interleave).
    Interleave => "interleave",
    /// TIFF variant: [`EncodeOptions::big_tiff`](crate::EncodeOptions::big_tiff).
    BigTiff => "big_tiff",
    /// Tiles to leave out: [`EncodeOptions::sparse`](crate::EncodeOptions::sparse).
    Sparse => "sparse",
    /// Free bytes after the directories: [`EncodeOptions::header_room`](crate::EncodeOptions::header_room).
    HeaderRoom => "header_room",
    /// Overviews: [`EncodeOptions::overviews`](crate::EncodeOptions::overviews).
    Overviews => "overviews",
    /// Number of overviews: [`Overviews::with_count`](crate::Overviews::with_count).
    OverviewCount => "overview_count",
    /// Kernel of all bands: [`EncodeOptions::resampling`](crate::EncodeOptions::resampling).
    Resampling => "resampling",
    /// Kernel of each band: [`EncodeOptions::band_resampling`](crate::EncodeOptions::band_resampling).
    BandResampling => "band_resampling",
    /// Statistics: [`EncodeOptions::statistics`](crate::EncodeOptions::statistics).
    Statistics => "statistics",
    /// Image of a file with several: `ReadOptions::image`.
    Image => "image",
    /// Auxiliary metadata of an input file: `ReadOptions::ignore_aux`.
    IgnoreAux => "ignore_aux",
    /// Nodata value: [`CogOptions::nodata`](crate::CogOptions::nodata).
    Nodata => "nodata",
    /// Source of the mask: [`CogOptions::mask`](crate::CogOptions::mask).
    Mask => "mask",
    /// Coordinate reference system: [`CogOptions::crs`](crate::CogOptions::crs).
    Crs => "crs",
    /// Permission to write WKT in a citation: [`Crs::with_wkt_citation`](crate::Crs::with_wkt_citation).
    CrsWkt => "wkt_citation",
    /// Affine transform: [`Overrides::transform`](crate::Overrides::transform).
    Transform => "transform",
    /// Outer edges of the image: [`Overrides::bounds`](crate::Overrides::bounds).
    Bounds => "bounds",
    /// Ground control points: [`Overrides::gcps`](crate::Overrides::gcps).
    Gcps => "gcps",
    /// Rational polynomial coefficients: [`GeoRef::with_rpc`](crate::GeoRef::with_rpc).
    Rpc => "rpc",
    /// Band descriptions: [`Overrides::description`](crate::Overrides::description).
    Description => "description",
    /// Scale factors: [`Overrides::scale`](crate::Overrides::scale).
    Scale => "scale",
    /// Offsets: [`Overrides::offset`](crate::Overrides::offset).
    Offset => "offset",
    /// Units: [`Overrides::unit`](crate::Overrides::unit).
    Unit => "unit",
    /// Color interpretations: [`Overrides::color_interpretation`](crate::Overrides::color_interpretation).
    ColorInterpretation => "color_interpretation",
    /// Metadata items and tags: [`Overrides::items`](crate::Overrides::items), [`Metadata`](crate::Metadata).
    Metadata => "metadata",
    /// ICC profile: [`Metadata::set_icc_profile`](crate::Metadata::set_icc_profile).
    IccProfile => "icc_profile",
    /// Choice of pixels: [`CogOptions::pixels`](crate::CogOptions::pixels).
    Pixels => "pixels",
    /// First longitude of a global grid: [`PixelOptions::wrap_longitude`](crate::PixelOptions::wrap_longitude).
    WrapLongitude => "wrap_longitude",
    /// Rectangle of pixels: [`PixelOptions::window`](crate::PixelOptions::window).
    Window => "window",
    /// Rectangle in units of the CRS: [`PixelOptions::bbox`](crate::PixelOptions::bbox).
    Bbox => "bbox",
    /// Bands to write: [`PixelOptions::bands`](crate::PixelOptions::bands).
    Bands => "bands",
    /// Colors in place of palette indices: [`PixelOptions::expand_palette`](crate::PixelOptions::expand_palette).
    ExpandPalette => "expand_palette",
    /// Quantities in place of stored values: [`PixelOptions::unscale`](crate::PixelOptions::unscale).
    Unscale => "unscale",
    /// Linear mapping of values: [`PixelOptions::rescale`](crate::PixelOptions::rescale).
    Rescale => "rescale",
    /// Data type: [`PixelOptions::data_type`](crate::PixelOptions::data_type).
    DataType => "data_type",
    /// Size to reduce the image to: [`PixelOptions::size`](crate::PixelOptions::size).
    Size => "size",
    /// Kernel of the reduction: [`PixelOptions::size_resampling`](crate::PixelOptions::size_resampling).
    SizeResampling => "size_resampling",
    /// Tiling scheme of a warp: `WarpOptions::tiling_scheme`.
    TilingScheme => "tiling_scheme",
    /// Zoom level of a tiling scheme: `WarpOptions::zoom_level`.
    ZoomLevel => "zoom_level",
    /// Choice between two zoom levels: `WarpOptions::zoom_strategy`.
    ZoomStrategy => "zoom_strategy",
    /// Number of levels on the grid of a tiling scheme: `WarpOptions::aligned_levels`.
    AlignedLevels => "aligned_levels",
    /// Kernel of a warp: `WarpOptions::resampling`.
    WarpResampling => "warp_resampling",
    /// Target CRS of a warp: `WarpOptions::crs`.
    TargetCrs => "target_crs",
    /// Pixel size of a warp: `WarpOptions::resolution`.
    Resolution => "resolution",
    /// Outer edges of a warp: `WarpOptions::extent`.
    Extent => "extent",
    /// Bits per sample in the file: [`PixelOptions::bits_per_sample`](crate::PixelOptions::bits_per_sample).
    BitsPerSample => "bits_per_sample",
    /// A creation option of GDAL: [`CreationOption`](crate::CreationOption).
    CreationOption => "creation_option",
    /// Removal of the input's metadata: [`Overrides::strip_metadata`](crate::Overrides::strip_metadata).
    StripMetadata => "strip_metadata",
    /// Rule for pixels of several inputs: `MosaicOptions::overlap`.
    Overlap => "overlap",
    /// Number of threads: [`CogOptions::threads`](crate::CogOptions::threads).
    Threads => "threads",
    /// Comparison of the output with the pixels: [`CogOptions::verify`](crate::CogOptions::verify).
    Verify => "verify",
    /// Replacement of an existing file: [`CogOptions::overwrite`](crate::CogOptions::overwrite).
    Overwrite => "overwrite",
    /// Waiting for the disk: [`CogOptions::sync`](crate::CogOptions::sync).
    Sync => "sync",
    /// Sizes of shards: [`ShardOptions`](crate::distributed::ShardOptions).
    Shards => "shards",
}

/// The name in this API.
impl fmt::Display for OptionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rust_and_differ() {
        let mut names: Vec<_> = OptionField::ALL.iter().map(|field| field.name()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(OptionField::TileSize.to_string(), "tile_size");
    }
}
