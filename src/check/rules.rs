//! The list of rules, shared by reports, the command, and docs/validation.md.

use super::report::Severity;

/// The standard or topic of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// TIFF 6.0, BigTIFF and the Adobe technical notes.
    Tiff,
    /// GeoTIFF 1.1 (OGC 19-008).
    GeoTiff,
    /// The layout that GDAL and rio-cogeo require of a COG.
    Layout,
    /// OGC 21-026, requirements class `geotiff-format`.
    OgcFormat,
    /// OGC 21-026, requirements class `geotiff-overviews`.
    OgcOverviews,
    /// OGC 21-026, requirements class `geotiff-keys`.
    OgcKeys,
    /// OGC 21-026, requirements class `optimized_geotiff`.
    OgcOptimized,
    /// Tiles, pixel values, masks, and overviews.
    Content,
}

impl Class {
    /// All classes.
    pub const ALL: &'static [Self] = &[
        Self::Tiff,
        Self::GeoTiff,
        Self::Layout,
        Self::OgcFormat,
        Self::OgcOverviews,
        Self::OgcKeys,
        Self::OgcOptimized,
        Self::Content,
    ];

    /// Returns the name, such as `ogc-geotiff-format`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiff => "tiff",
            Self::GeoTiff => "geotiff",
            Self::Layout => "layout",
            Self::OgcFormat => "ogc-geotiff-format",
            Self::OgcOverviews => "ogc-geotiff-overviews",
            Self::OgcKeys => "ogc-geotiff-keys",
            Self::OgcOptimized => "ogc-optimized-geotiff",
            Self::Content => "content",
        }
    }

    /// Returns the classes that this class depends on (OGC 21-026 clauses 7 and 8).
    pub(super) const fn needs(self) -> &'static [Self] {
        match self {
            Self::OgcFormat => &[Self::Tiff],
            Self::OgcOverviews => &[Self::OgcFormat],
            Self::OgcKeys => &[Self::OgcFormat, Self::GeoTiff],
            Self::OgcOptimized => &[Self::OgcOverviews, Self::OgcKeys],
            _ => &[],
        }
    }
}

/// A requirement or recommendation that files are checked against.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Stable identifier, such as `tiff-tag-order`.
    pub id: &'static str,
    /// Severity of a violation.
    pub severity: Severity,
    /// Standard or topic.
    pub class: Class,
    /// The condition that a file must meet.
    pub title: &'static str,
    /// Origin: standard and clause, or the tool that checks it.
    pub source: &'static str,
    /// Fix for a violation.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($name:ident: $id:literal, $severity:ident, $class:ident, $title:literal, $source:literal, $remedy:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            severity: Severity::$severity,
            class: Class::$class,
            title: $title,
            source: $source,
            remedy: $remedy,
        };)*

        /// All rules.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // TIFF
    TIFF_HEADER: "tiff-header", Error, Tiff,
        "The header is that of a classic TIFF or a BigTIFF; a BigTIFF header gives an offset size of 8, followed by 0",
        "TIFF 6.0 section 2; BigTIFF design, header",
        "rewrite the file";
    DIRECTORY_BOUNDS: "tiff-directory-bounds", Error, Tiff,
        "Every directory lies within the file, after the header",
        "TIFF 6.0 section 2, Image File Directory",
        "the file may be truncated: copy it again, or rewrite it";
    DIRECTORY_EMPTY: "tiff-directory-empty", Error, Tiff,
        "Every directory has at least one entry",
        "TIFF 6.0 section 2, Image File Directory",
        "rewrite the file";
    DIRECTORY_CYCLE: "tiff-directory-cycle", Error, Tiff,
        "The chain of directories ends: no directory is linked twice",
        "TIFF 6.0 section 2 (the last directory's next offset is 0)",
        "rewrite the file";
    DIRECTORY_COUNT: "tiff-directory-count", Error, Tiff,
        "The numbers of directories and entries are within what readers accept: 65536 directories, 4096 entries in \
         each, and one million entries in total",
        "libtiff, TIFF_MAX_DIR_COUNT and its limit on entries",
        "split the file into several";
    TAG_ORDER: "tiff-tag-order", Error, Tiff,
        "The entries of a directory are sorted by tag",
        "TIFF 6.0 section 2, sort order",
        "rewrite the file";
    TAG_UNIQUE: "tiff-tag-unique", Error, Tiff,
        "No tag occurs twice in a directory",
        "TIFF 6.0 section 2, sort order (ascending)",
        "rewrite the file";
    FIELD_TYPE: "tiff-field-type", Error, Tiff,
        "Every entry has a known field type: 1 to 13, and in a BigTIFF also 16 to 18",
        "TIFF 6.0 section 2, types; BigTIFF design; GDAL does not open files with other types",
        "remove the entry, or write it with a known type";
    TAG_TYPE: "tiff-tag-type", Error, Tiff,
        "Every tag has a field type that its definition allows",
        "TIFF 6.0 sections 8 and 15, Type of each field; OGC 19-008 Annex A",
        "write the tag with a type that its definition allows";
    TAG_COUNT: "tiff-tag-count", Error, Tiff,
        "Every tag has the number of values that its definition requires",
        "TIFF 6.0 sections 8 and 15, N of each field",
        "write the tag with the number of values that its definition requires";
    SAMPLES_COUNT: "tiff-samples-count", Warning, Tiff,
        "BitsPerSample and SampleFormat have one value per band",
        "TIFF 6.0 section 8, BitsPerSample, and section 19: N = SamplesPerPixel",
        "write one value per band";
    VALUE_BOUNDS: "tiff-value-bounds", Error, Tiff,
        "Values stored outside their entry lie within the file",
        "TIFF 6.0 section 2, value offset",
        "the file may be truncated: copy it again, or rewrite it";
    VALUE_OVERLAP: "tiff-value-overlap", Error, Tiff,
        "The header, directories, and values do not overlap, unless two entries share one value",
        "TIFF 6.0 section 2 (each value has its own location)",
        "part of the file was overwritten: rewrite it";
    REQUIRED_TAG: "tiff-required-tag", Error, Tiff,
        "ImageWidth, ImageLength, PhotometricInterpretation, and the offsets and byte counts of tiles or strips are \
         present",
        "TIFF 6.0 section 8; section 15 for tiles",
        "rewrite the file with these tags";
    DIMENSIONS: "tiff-dimensions", Error, Tiff,
        "An image has 1 to 2147483647 columns and rows",
        "TIFF 6.0 section 8; libtiff and GDAL use 31-bit dimensions",
        "rewrite the file";
    TILE_SIZE: "tiff-tile-size", Error, Tiff,
        "Tile width and height are positive multiples of 16",
        "TIFF 6.0 section 15, TileWidth and TileLength",
        "rewrite the file with tiles of, for example, 512 pixels";
    SAMPLE_TYPE: "tiff-sample-type", Error, Tiff,
        "BitsPerSample and SampleFormat form a known sample type, the same for all bands",
        "TIFF 6.0 sections 8 and 19",
        "rewrite the file with samples of a common type";
    PREDICTOR: "tiff-predictor", Error, Tiff,
        "The predictor is 1, 2, or 3, and can be applied to the sample type",
        "TIFF 6.0 section 14; Adobe Photoshop TIFF Technical Note 3",
        "rewrite the file with predictor 1";
    PLANAR: "tiff-planar-configuration", Error, Tiff,
        "PlanarConfiguration is 1 or 2",
        "TIFF 6.0 section 8, PlanarConfiguration",
        "set the tag to 1 or 2";
    COLOR_MAP: "tiff-color-map", Error, Tiff,
        "A palette image has a ColorMap of 3 times 2^BitsPerSample values",
        "TIFF 6.0 sections 5 and 8, ColorMap",
        "write the color table, or another PhotometricInterpretation";
    EXTRA_SAMPLES: "tiff-extra-samples", Warning, Tiff,
        "ExtraSamples describes the bands beyond those of the PhotometricInterpretation, with one value per band",
        "TIFF 6.0 section 18, ExtraSamples",
        "write ExtraSamples";
    SUBFILE_TYPE: "tiff-subfile-type", Warning, Tiff,
        "NewSubfileType sets no bits other than reduced resolution, page, and mask",
        "TIFF 6.0 section 8, NewSubfileType",
        "readers ignore such a directory; remove it";
    WORD_BOUNDARY: "tiff-word-boundary", Warning, Tiff,
        "Directories start at even offsets",
        "TIFF 6.0 section 2: a directory must begin on a word boundary",
        "rewrite the file";
    // GeoTIFF
    GEO_KEY_DIRECTORY: "geotiff-key-directory", Error, GeoTiff,
        "The GeoKeyDirectory has version 1, revision 1, and as many keys as its header states",
        "OGC 19-008 clause 7.1, requirements class GeoKeyDirectoryTag",
        "rewrite the georeferencing";
    GEO_KEY_ORDER: "geotiff-key-order", Error, GeoTiff,
        "GeoKeys are sorted by ID, and none occurs twice",
        "OGC 19-008 clause 7.1: keys in ascending order",
        "rewrite the georeferencing";
    GEO_KEY_VALUE: "geotiff-key-value", Error, GeoTiff,
        "GeoKey values lie within GeoDoubleParams, GeoAsciiParams, or the directory itself",
        "OGC 19-008 clause 7.1, TIFFTagLocation and ValueOffset",
        "rewrite the georeferencing";
    GEO_MODEL_TYPE: "geotiff-model-type", Warning, GeoTiff,
        "GTModelTypeGeoKey is present and is 1 (projected), 2 (geographic), 3 (geocentric), 0, or 32767",
        "OGC 19-008, requirements class GTModelTypeGeoKey",
        "rewrite the coordinate reference system";
    GEO_RASTER_TYPE: "geotiff-raster-type", Warning, GeoTiff,
        "GTRasterTypeGeoKey is present and is 1 (area) or 2 (point)",
        "OGC 19-008, requirements class GTRasterTypeGeoKey",
        "record whether a pixel is an area or a point";
    GEO_CRS: "geotiff-crs", Warning, GeoTiff,
        "The coordinate reference system that the model type requires is present: key 3072, key 2048, or a \
         user-defined one",
        "OGC 19-008, requirements classes ProjectedCRSGeoKey and GeodeticCRSGeoKey",
        "rewrite the coordinate reference system";
    GEO_TRANSFORM: "geotiff-transform", Error, GeoTiff,
        "ModelPixelScale has 3 values, the first two nonzero; ModelTiepoint has 6 per point; ModelTransformation has \
         16; all are finite",
        "OGC 19-008 clause 7.2 (raster to model)",
        "rewrite the georeferencing";
    GEO_TRANSFORM_CONFLICT: "geotiff-transform-conflict", Warning, GeoTiff,
        "ModelTransformation and ModelPixelScale are not both present",
        "OGC 19-008 clause 7.2: if ModelTransformationTag is included, ModelPixelScaleTag shall not be",
        "keep only one of them";

    // Layout
    GHOST_AREA: "layout-ghost-area", Error, Layout,
        "The first line of GDAL's structural metadata is complete: its size has six digits, and text of that size \
         ends before the first directory",
        "GDAL, COG driver, header ghost area; GDAL validate_cloud_optimized_geotiff",
        "rewrite the file";
    GHOST_TEXT: "layout-ghost-text", Warning, Layout,
        "GDAL's structural metadata matches what a version of GDAL writes: known lines in their order, INTERLEAVE \
         only where bands have separate tiles, and as many bytes as its first line states",
        "GDAL 3.1 to 3.13, GTiff driver, CreateCopy; COG driver, header ghost area",
        "readers ignore unknown text, but it may be damaged: rewrite the file";
    INCOMPATIBLE_EDITION: "layout-incompatible-edition", Error, Layout,
        "The structural metadata does not contain KNOWN_INCOMPATIBLE_EDITION=YES",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "the file was edited after it was created: rewrite it";
    FIRST_DIRECTORY: "layout-first-directory", Error, Layout,
        "The first directory directly follows the header (byte 8 or 16) or GDAL's structural metadata",
        "GDAL validate_cloud_optimized_geotiff",
        "rewrite the file";
    FIRST_DIRECTORY_NEAR: "layout-first-directory-near", Error, Layout,
        "The first directory starts before byte 301",
        "rio cogeo validate",
        "rewrite the file";
    EXTERNAL_OVERVIEWS: "layout-external-overviews", Error, Layout,
        "Overviews are in the file itself, not in an .ovr file next to it",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "rewrite the file with internal overviews";
    TILE_AS_WIDE_AS_IMAGE: "layout-tile-as-wide-as-image", Error, Layout,
        "An image wider than 1024 pixels has tiles narrower than itself",
        "GDAL validate_cloud_optimized_geotiff, which reports it as not tiled; OGC 21-026 \
         /req/optimized_geotiff/small-sizes",
        "rewrite the file with smaller tiles";
    RIO_TILE_WIDTH: "layout-rio-tile-width", Warning, Layout,
        "In an image over 512 pixels, tiles are not exactly as wide as the image; otherwise rio-cogeo reports it as \
         not tiled",
        "rio cogeo validate",
        "readers are not affected; another tile size avoids the warning";
    DIRECTORY_ORDER: "layout-directory-order", Error, Layout,
        "The directories of full resolution and its overviews are stored in this order",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "rewrite the file";
    DATA_AFTER_DIRECTORIES: "layout-data-after-directories", Error, Layout,
        "Tiles are stored after the directories of all levels",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "rewrite the file";
    METADATA_AFTER_DATA: "layout-metadata-after-data", Warning, Layout,
        "Everything needed to open the file (directories, values, arrays) is stored before the first tile",
        "OGC 21-026 /rec/geotiff-overviews/ifd-order; GDAL COG driver (LAYOUT=IFDS_BEFORE_DATA)",
        "readers need more requests to open the file: rewrite it";
    LEVEL_ORDER: "layout-level-order", Error, Layout,
        "The tiles of a level start after the first tile of the next smaller level; full resolution comes last",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "rewrite the file";
    TILE_ORDER: "layout-tile-order", Error, Layout,
        "If the structural metadata contains BLOCK_ORDER=ROW_MAJOR, tiles are stored row by row",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes",
        "rewrite the file";
    TILE_LEADER: "layout-tile-leader", Error, Layout,
        "If the structural metadata contains BLOCK_LEADER=SIZE_AS_UINT4, the 4 bytes before a tile are its size",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes",
        "rewrite the file";
    TILE_TRAILER: "layout-tile-trailer", Error, Layout,
        "If the structural metadata contains BLOCK_TRAILER=LAST_4_BYTES_REPEATED, the last 4 bytes of a tile are \
         repeated after it",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes",
        "the tile was overwritten, perhaps by an edit in place: rewrite the file";
    MASK_INTERLEAVE: "layout-mask-interleave", Error, Layout,
        "If the structural metadata contains MASK_INTERLEAVED_WITH_IMAGERY=YES, each mask tile follows its image \
         tile and has the same size in pixels",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes",
        "rewrite the file";
    OVERVIEWS_MISSING: "layout-overviews-missing", Warning, Layout,
        "An image over 512 pixels in width or height has overviews",
        "GDAL validate_cloud_optimized_geotiff and rio cogeo validate (a warning; rio --strict: an error); OGC \
         21-026 /req/optimized_geotiff/number",
        "rewrite the file with overviews";
    DECIMATION: "layout-decimation", Error, Layout,
        "Overviews are smaller than full resolution by a factor that rounds to 2 or more, in width or height",
        "rio cogeo validate; OGC 21-026 /req/optimized_geotiff/number",
        "rewrite the file with overviews that halve the size";
    RIO_DECIMATION: "layout-rio-decimation", Warning, Layout,
        "Overviews are narrower than full resolution by a factor that rounds to 2 or more; rio-cogeo does not check \
         the height",
        "rio cogeo validate",
        "readers are not affected; images one or two pixels wide cannot meet this rule";

    // OGC 21-026
    OGC_BIG_TIFF: "ogc-big-tiff", Error, OgcFormat,
        "A file over 4 GiB is a BigTIFF",
        "OGC 21-026 /req/geotiff-format/use-geotiff",
        "rewrite the file as BigTIFF";
    OGC_CLASSIC_TIFF: "ogc-classic-tiff", Note, OgcFormat,
        "A file under 4 GiB is a classic TIFF",
        "OGC 21-026 /rec/geotiff-format/use-geotiff",
        "older readers do not open BigTIFF";
    OGC_TILING: "ogc-tiling", Error, OgcFormat,
        "Every directory is organized in tiles, not strips",
        "OGC 21-026 /req/geotiff-format/tiling; over 512 pixels also GDAL validate_cloud_optimized_geotiff, rio \
         cogeo validate",
        "rewrite the file with tiles";
    OGC_COMPRESSION: "ogc-compression", Note, OgcFormat,
        "Tiles are compressed",
        "OGC 21-026 /rec/geotiff-format/rec-compression",
        "compression reduces transfer time; all readers support DEFLATE and LZW";
    OGC_FULL_RESOLUTION: "ogc-full-resolution", Error, OgcOverviews,
        "The first directory is full resolution: its NewSubfileType sets neither bit 0 nor the mask bit",
        "OGC 21-026 /req/geotiff-overviews/overviews A and B",
        "rewrite the file";
    OVERVIEW_SIZE: "ogc-overview-size", Error, OgcOverviews,
        "Every overview is smaller than the previous level: larger in neither dimension, and smaller in at least one",
        "OGC 21-026 /req/geotiff-overviews/overviews C and E; GDAL validate_cloud_optimized_geotiff; rio cogeo \
         validate",
        "rewrite the file";
    OGC_CHAIN: "ogc-overview-chain", Error, OgcOverviews,
        "Overviews follow their image in the chain of directories, before the next full-resolution image",
        "OGC 21-026 /req/geotiff-overviews/overviews B, D and F",
        "rewrite the file";
    OGC_SUB_DIRECTORIES: "ogc-sub-directories", Warning, OgcOverviews,
        "Overviews are in the chain of directories, not in SubIFDs",
        "OGC 21-026 /req/geotiff-overviews/overviews B and D: by the offset to the next IFD",
        "GDAL finds overviews in SubIFDs, other readers do not: rewrite the file";
    OGC_DIRECTORY_ORDER: "ogc-directory-order", Note, OgcOverviews,
        "Directories are in this order: the image, its mask, overviews from large to small, their masks",
        "OGC 21-026 /rec/geotiff-overviews/ifd-order",
        "this is GDAL's order, for which readers are optimized";
    OGC_GEOREFERENCE: "ogc-georeference", Warning, OgcKeys,
        "Full resolution has ModelTiepoint, ModelPixelScale, and GeoKeyDirectory",
        "OGC 21-026 /req/geotiff-keys/georeference and /req/optimized_geotiff/geotiff",
        "add georeferencing; a rotated or sheared image cannot meet this rule, and readers also accept \
         ModelTransformation";
    OGC_OVERVIEW_GEOREFERENCE: "ogc-overview-georeference", Error, OgcKeys,
        "Overviews have no georeferencing of their own",
        "OGC 21-026 /req/geotiff-keys/point-of-origin",
        "rewrite the file: georeferencing belongs in the first directory";
    OGC_SQUARE_TILES: "ogc-square-tiles", Warning, OgcOptimized,
        "Tiles are square",
        "OGC 21-026 /req/optimized_geotiff/small-sizes A",
        "rewrite the file with square tiles";
    OGC_TILE_VIEWPORT: "ogc-tile-viewport", Warning, OgcOptimized,
        "Tiles are not larger than a screen, 1024 pixels",
        "OGC 21-026 /req/optimized_geotiff/small-sizes B and its note",
        "rewrite the file with tiles of 512 pixels";
    OGC_DECIMATION: "ogc-decimation", Warning, OgcOptimized,
        "Each overview is 2 to 10 times smaller than the previous level (sizes rounded up or down)",
        "OGC 21-026 /req/optimized_geotiff/number A",
        "rewrite the file with overviews that halve the size";
    OGC_LAST_LEVEL: "ogc-last-level", Warning, OgcOptimized,
        "The smallest level is one tile wide or one tile high",
        "OGC 21-026 /req/optimized_geotiff/number B",
        "rewrite the file with more overviews";
    OGC_TILE_POWER: "ogc-tile-power", Note, OgcOptimized,
        "Tile width and height are powers of two",
        "OGC 21-026 /rec/optimized_geotiff/size-and-numbers A",
        "no action needed";
    OGC_TILE_EQUAL: "ogc-tile-equal", Note, OgcOptimized,
        "All levels have tiles of the same size",
        "OGC 21-026 /rec/optimized_geotiff/size-and-numbers B",
        "no action needed";
    OGC_HALVING: "ogc-halving", Note, OgcOptimized,
        "Each level has half the resolution of the previous level",
        "OGC 21-026 /rec/optimized_geotiff/size-and-numbers C",
        "no action needed";

    // Content
    TILE_BOUNDS: "tile-bounds", Error, Content,
        "Every tile lies within the file, after the header",
        "TIFF 6.0 section 15, TileOffsets and TileByteCounts",
        "the file may be truncated: copy it again, or rewrite it";
    TILE_EMPTY: "tile-empty", Error, Content,
        "A tile has both an offset and a size, or neither",
        "TIFF 6.0 section 15; GDAL, sparse files",
        "the tile was never written: rewrite the file";
    TILE_SPARSE: "tile-sparse", Note, Content,
        "Every tile is present",
        "GDAL, sparse files: a tile with offset 0 and size 0 is nodata or 0",
        "some readers do not support sparse files";
    TILE_OVERLAP: "tile-overlap", Error, Content,
        "Tiles overlap neither each other nor directories and values, unless two tiles share the same bytes",
        "TIFF 6.0 section 2 (each value has its own location)",
        "part of the file was overwritten: rewrite it";
    TILE_DECODE: "tile-decode", Error, Content,
        "Every tile decodes to its full size in pixels",
        "TIFF 6.0 section 15: all tiles have the same size; the codec's specification",
        "the tile is damaged: rewrite the file";
    TILE_SHORT: "tile-short", Warning, Content,
        "Tiles at the bottom edge are complete, including padding",
        "TIFF 6.0 section 15, Padding",
        "libtiff reads tiles without the padding, other readers may not: rewrite the file";
    TILE_UNJUDGED: "tile-unjudged", Warning, Content,
        "All tiles can be checked: their codec is supported and their size is within the limits",
        "limits of this validator",
        "check the pixels with another reader";
    NODATA_VALUE: "nodata-value", Warning, Content,
        "GDAL_NODATA is a number",
        "GDAL, tag 42113",
        "write the value as a number, or as nan";
    NODATA_MISSING: "nodata-missing", Warning, Content,
        "Overviews have the nodata value of full resolution",
        "GDAL, tag 42113; TIFF 6.0 section 8, NewSubfileType bit 0",
        "readers that open only an overview treat nodata as data: rewrite the file";
    NODATA_DIFFERS: "nodata-differs", Error, Content,
        "No overview has a different nodata value than full resolution",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image; GDAL, tag 42113",
        "rewrite the file";
    NODATA_LOSSY: "nodata-lossy", Warning, Content,
        "No lossy codec changes pixels that are told apart by their nodata value",
        "ITU-T T.81 (decoded samples only resemble those that were encoded); GDAL, tag 42113",
        "nodata pixels at the edges are data now, or the reverse: rewrite the file from its source with a mask";
    METADATA_TEXT: "metadata-text", Warning, Content,
        "GDAL_METADATA is well-formed XML",
        "GDAL, tag 42112",
        "GDAL ignores malformed metadata: rewrite it";
    LEVEL_SAMPLES: "level-samples", Error, Content,
        "Overviews have the bands and the sample type of full resolution (8-bit overviews of 1-bit images are allowed)",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image",
        "rewrite the file";
    LEVEL_COLORS: "level-colors", Warning, Content,
        "Overviews have the photometric interpretation and the color table of full resolution",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image",
        "rewrite the file";
    MASK_SIZE: "mask-size", Error, Content,
        "Every mask has the size of an image",
        "TIFF 6.0 section 8, NewSubfileType bit 2: the mask of another image",
        "rewrite the file";
    MASK_FORMAT: "mask-format", Warning, Content,
        "Masks have one 1-bit band and PhotometricInterpretation 4",
        "TIFF 6.0 section 8, NewSubfileType bit 2 and PhotometricInterpretation 4",
        "rewrite the file";
    MASK_LEVELS: "mask-levels", Warning, Content,
        "If full resolution has a mask, every overview has one",
        "GDAL, internal masks; OGC 21-026 /rec/geotiff-overviews/ifd-order 6 to 8",
        "masked pixels become visible when zoomed out: rewrite the file";
    OVERVIEW_CONTENT: "overview-content", Error, Content,
        "Overview pixels have values that a resampling kernel could produce from the previous level",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image",
        "the overviews belong to another image, are empty, or are outdated: rebuild them";
    OVERVIEW_UNJUDGED: "overview-unjudged", Note, Content,
        "All selected cells of an overview can be compared with the previous level, or with full resolution",
        "limits of this validator",
        "compare the pixels with another reader";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_class_has_rules() {
        let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        for &class in Class::ALL {
            assert!(RULES.iter().any(|rule| rule.class == class), "{class:?}");
        }
    }
}
