//! The rules: one list, from which reports, the command and docs/validation.md take them.

use super::report::Severity;

/// What a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// TIFF 6.0, BigTIFF and the Adobe technical notes.
    Tiff,
    /// GeoTIFF 1.1 (OGC 19-008).
    GeoTiff,
    /// The layout that GDAL and rio-cogeo ask of a COG.
    Layout,
    /// OGC 21-026, requirements class `geotiff-format`.
    OgcFormat,
    /// OGC 21-026, requirements class `geotiff-overviews`.
    OgcOverviews,
    /// OGC 21-026, requirements class `geotiff-keys`.
    OgcKeys,
    /// OGC 21-026, requirements class `optimized_geotiff`.
    OgcOptimized,
    /// What the pixels say.
    Content,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 8] = [
        Self::Tiff,
        Self::GeoTiff,
        Self::Layout,
        Self::OgcFormat,
        Self::OgcOverviews,
        Self::OgcKeys,
        Self::OgcOptimized,
        Self::Content,
    ];

    /// The name, such as `ogc-geotiff-format`.
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

    /// The classes that a class depends on (OGC 21-026 clauses 7 and 8).
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

/// Something that a file must, should or may better be.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, stable: `tiff-tag-order`.
    pub id: &'static str,
    /// What breaking it means.
    pub severity: Severity,
    /// What it belongs to.
    pub class: Class,
    /// What has to be.
    pub title: &'static str,
    /// Who says so: standard and clause, or the tool that checks it.
    pub source: &'static str,
    /// What to do about it.
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
        "The header is that of a classic TIFF or a BigTIFF: a BigTIFF says that offsets have 8 bytes, followed by 0",
        "TIFF 6.0 section 2; BigTIFF design, header", "write the file again";
    DIRECTORY_BOUNDS: "tiff-directory-bounds", Error, Tiff,
        "Every directory lies within the file, behind the header",
        "TIFF 6.0 section 2, Image File Directory", "the file may be cut short: copy it again, or write it again";
    DIRECTORY_EMPTY: "tiff-directory-empty", Error, Tiff,
        "Every directory has at least one entry", "TIFF 6.0 section 2, Image File Directory", "write the file again";
    DIRECTORY_CYCLE: "tiff-directory-cycle", Error, Tiff,
        "The chain of directories comes to an end: none follows twice",
        "TIFF 6.0 section 2 (the last directory's next offset is 0)", "write the file again";
    DIRECTORY_COUNT: "tiff-directory-count", Error, Tiff,
        "There are no more directories and entries than readers accept: 65536 directories, 4096 entries in each, and a \
         million entries in all",
        "libtiff, TIFF_MAX_DIR_COUNT and its limit of entries", "split the file into several";
    TAG_ORDER: "tiff-tag-order", Error, Tiff,
        "Entries of a directory are sorted by tag", "TIFF 6.0 section 2, sort order", "write the file again";
    TAG_UNIQUE: "tiff-tag-unique", Error, Tiff,
        "No tag stands twice in a directory", "TIFF 6.0 section 2, sort order (ascending)", "write the file again";
    FIELD_TYPE: "tiff-field-type", Error, Tiff,
        "Entries have a field type that is known: 1 to 13, and 16 to 18 in a BigTIFF",
        "TIFF 6.0 section 2, types; BigTIFF design; GDAL does not open such a file", "leave the entry out, or write it with a \
         known type";
    TAG_TYPE: "tiff-tag-type", Error, Tiff,
        "Tags have a field type that their definition allows", "TIFF 6.0 section 8 and 15, Type of each field; OGC 19-008 \
         Annex A", "write the tag with the type of its definition";
    TAG_COUNT: "tiff-tag-count", Error, Tiff,
        "Tags have as many values as their definition says", "TIFF 6.0 section 8 and 15, N of each field",
        "write the tag with the count of its definition";
    SAMPLES_COUNT: "tiff-samples-count", Warning, Tiff,
        "BitsPerSample and SampleFormat have a value for each band",
        "TIFF 6.0 section 8, BitsPerSample, and section 19: N = SamplesPerPixel", "write one value for each band";
    VALUE_BOUNDS: "tiff-value-bounds", Error, Tiff,
        "Values that stand outside of their entry lie within the file", "TIFF 6.0 section 2, value offset",
        "the file may be cut short: copy it again, or write it again";
    VALUE_OVERLAP: "tiff-value-overlap", Error, Tiff,
        "Header, directories and values don't overlap, unless two entries share one value",
        "TIFF 6.0 section 2 (each value has its place)", "write the file again: something was written over";
    REQUIRED_TAG: "tiff-required-tag", Error, Tiff,
        "ImageWidth, ImageLength, PhotometricInterpretation, and offsets and sizes of tiles or strips are there",
        "TIFF 6.0 section 8; section 15 for tiles", "write the file again with these tags";
    DIMENSIONS: "tiff-dimensions", Error, Tiff,
        "An image has 1 to 2147483647 columns and rows", "TIFF 6.0 section 8; libtiff and GDAL count with 31 bits",
        "write the file again";
    TILE_SIZE: "tiff-tile-size", Error, Tiff,
        "Sides of tiles are positive multiples of 16", "TIFF 6.0 section 15, TileWidth and TileLength",
        "write the file again with tiles of, for instance, 512 pixels";
    SAMPLE_TYPE: "tiff-sample-type", Error, Tiff,
        "Bits and format of the samples make a type that exists; all bands have the same",
        "TIFF 6.0 sections 8 and 19", "write the file again with samples of a common type";
    PREDICTOR: "tiff-predictor", Error, Tiff,
        "The predictor is 1, 2 or 3, and one that the samples can take",
        "TIFF 6.0 section 14; Adobe Photoshop TIFF Technical Note 3", "write the file again with predictor 1";
    PLANAR: "tiff-planar-configuration", Error, Tiff,
        "PlanarConfiguration is 1 or 2", "TIFF 6.0 section 8, PlanarConfiguration", "write the tag with 1 or 2";
    COLOR_MAP: "tiff-color-map", Error, Tiff,
        "A palette image has a ColorMap of 3 times 2^BitsPerSample values",
        "TIFF 6.0 sections 5 and 8, ColorMap", "write the colour table, or another PhotometricInterpretation";
    EXTRA_SAMPLES: "tiff-extra-samples", Warning, Tiff,
        "Bands beyond those of the PhotometricInterpretation are described by ExtraSamples, one value each",
        "TIFF 6.0 section 18, ExtraSamples", "write ExtraSamples";
    SUBFILE_TYPE: "tiff-subfile-type", Warning, Tiff,
        "NewSubfileType has no bits but those of reduced resolution, page and mask",
        "TIFF 6.0 section 8, NewSubfileType", "readers ignore such a directory; leave it out";
    WORD_BOUNDARY: "tiff-word-boundary", Warning, Tiff,
        "Directories start at even offsets", "TIFF 6.0 section 2: a directory must begin on a word boundary",
        "write the file again";
    // GeoTIFF
    GEO_KEY_DIRECTORY: "geotiff-key-directory", Error, GeoTiff,
        "The GeoKeyDirectory has version 1, revision 1, and as many keys as it says",
        "OGC 19-008 clause 7.1, requirements class GeoKeyDirectoryTag", "write the georeference again";
    GEO_KEY_ORDER: "geotiff-key-order", Error, GeoTiff,
        "GeoKeys are sorted by their number, and none stands twice", "OGC 19-008 clause 7.1: keys in ascending order",
        "write the georeference again";
    GEO_KEY_VALUE: "geotiff-key-value", Error, GeoTiff,
        "Values of GeoKeys lie within GeoDoubleParams, GeoAsciiParams or the directory itself",
        "OGC 19-008 clause 7.1, TIFFTagLocation and ValueOffset", "write the georeference again";
    GEO_MODEL_TYPE: "geotiff-model-type", Warning, GeoTiff,
        "GTModelTypeGeoKey is there and 1 (projected), 2 (geographic), 3 (geocentric), 0 or 32767",
        "OGC 19-008, requirements class GTModelTypeGeoKey", "write the coordinate reference system again";
    GEO_RASTER_TYPE: "geotiff-raster-type", Warning, GeoTiff,
        "GTRasterTypeGeoKey is there and 1 (area) or 2 (point)", "OGC 19-008, requirements class GTRasterTypeGeoKey",
        "say whether a pixel is an area or a point";
    GEO_CRS: "geotiff-crs", Warning, GeoTiff,
        "The coordinate reference system that the model type promises is there: key 3072, 2048, or a user-defined one",
        "OGC 19-008, requirements classes ProjectedCRSGeoKey and GeodeticCRSGeoKey",
        "write the coordinate reference system again";
    GEO_TRANSFORM: "geotiff-transform", Error, GeoTiff,
        "ModelPixelScale has 3 numbers, the first two not 0; ModelTiepoint has 6 for each point; ModelTransformation has \
         16; all are finite", "OGC 19-008 clause 7.2 (raster to model)", "write the georeference again";
    GEO_TRANSFORM_CONFLICT: "geotiff-transform-conflict", Warning, GeoTiff,
        "ModelTransformation does not stand beside ModelPixelScale",
        "OGC 19-008 clause 7.2: if ModelTransformationTag is included, ModelPixelScaleTag shall not be",
        "keep one of them";

    // Layout
    GHOST_AREA: "layout-ghost-area", Error, Layout,
        "The first line of GDAL's structural metadata is complete: its size has six digits, and the text of that size ends \
         before the first directory",
        "GDAL, COG driver, header ghost area; GDAL validate_cloud_optimized_geotiff", "write the file again";
    GHOST_TEXT: "layout-ghost-text", Warning, Layout,
        "GDAL's structural metadata is what a version of GDAL writes: known lines in their order, INTERLEAVE only where bands \
         have tiles of their own, and as many bytes as its first line says",
        "GDAL 3.1 to 3.13, GTiff driver, CreateCopy; COG driver, header ghost area",
        "readers ignore what they don't know in it; it may be damaged: write the file again";
    INCOMPATIBLE_EDITION: "layout-incompatible-edition", Error, Layout,
        "The structural metadata does not say KNOWN_INCOMPATIBLE_EDITION=YES",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "the file was changed after it was made: write it again";
    FIRST_DIRECTORY: "layout-first-directory", Error, Layout,
        "The first directory follows the header (byte 8 or 16) or GDAL's structural metadata at once",
        "GDAL validate_cloud_optimized_geotiff", "write the file again";
    FIRST_DIRECTORY_NEAR: "layout-first-directory-near", Error, Layout,
        "The first directory starts before byte 301", "rio cogeo validate", "write the file again";
    EXTERNAL_OVERVIEWS: "layout-external-overviews", Error, Layout,
        "Overviews stand in the file, not beside it in a file .ovr",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate", "write the file again with its overviews";
    TILE_AS_WIDE_AS_IMAGE: "layout-tile-as-wide-as-image", Error, Layout,
        "An image wider than 1024 pixels has tiles narrower than itself",
        "GDAL validate_cloud_optimized_geotiff, which calls it not tiled; OGC 21-026 /req/optimized_geotiff/small-sizes",
        "write the file again with smaller tiles";
    RIO_TILE_WIDTH: "layout-rio-tile-width", Warning, Layout,
        "An image over 512 pixels has tiles of another width than its own, since rio-cogeo calls it not tiled otherwise",
        "rio cogeo validate", "readers don't mind; another tile size avoids it";
    DIRECTORY_ORDER: "layout-directory-order", Error, Layout,
        "Directories of full resolution and its overviews stand in this order in the file",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate", "write the file again";
    DATA_AFTER_DIRECTORIES: "layout-data-after-directories", Error, Layout,
        "Tiles stand behind the directories of all levels",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate", "write the file again";
    METADATA_AFTER_DATA: "layout-metadata-after-data", Warning, Layout,
        "Nothing that is needed to open the file stands behind the first tile: no directory, no value, no array",
        "OGC 21-026 /rec/geotiff-overviews/ifd-order; GDAL COG driver (LAYOUT=IFDS_BEFORE_DATA)",
        "readers need more requests to open it: write the file again";
    LEVEL_ORDER: "layout-level-order", Error, Layout,
        "Tiles of a level start behind the first one of the next smaller level; full resolution comes last",
        "GDAL validate_cloud_optimized_geotiff; rio cogeo validate", "write the file again";
    TILE_ORDER: "layout-tile-order", Error, Layout,
        "Where the structural metadata says BLOCK_ORDER=ROW_MAJOR, tiles follow each other row by row",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes", "write the file again";
    TILE_LEADER: "layout-tile-leader", Error, Layout,
        "Where the structural metadata says BLOCK_LEADER=SIZE_AS_UINT4, the 4 bytes before a tile are its size",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes", "write the file again";
    TILE_TRAILER: "layout-tile-trailer", Error, Layout,
        "Where the structural metadata says BLOCK_TRAILER=LAST_4_BYTES_REPEATED, a tile's last 4 bytes stand twice",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes",
        "the tile was written over, perhaps in place: write the file again";
    MASK_INTERLEAVE: "layout-mask-interleave", Error, Layout,
        "Where the structural metadata says MASK_INTERLEAVED_WITH_IMAGERY=YES, a mask's tile follows that of the image, \
         and has its size in pixels",
        "GDAL validate_cloud_optimized_geotiff --full-check=yes", "write the file again";
    OVERVIEWS_MISSING: "layout-overviews-missing", Warning, Layout,
        "An image over 512 pixels in width or height has overviews",
        "GDAL validate_cloud_optimized_geotiff and rio cogeo validate (a warning; rio --strict: an error); OGC 21-026 \
         /req/optimized_geotiff/number", "write the file again with overviews";
    DECIMATION: "layout-decimation", Error, Layout,
        "Overviews are smaller than full resolution by a factor that rounds to 2 or more, in width or height",
        "rio cogeo validate; OGC 21-026 /req/optimized_geotiff/number", "write the file again with overviews that halve";
    RIO_DECIMATION: "layout-rio-decimation", Warning, Layout,
        "Overviews are smaller than full resolution in width by a factor that rounds to 2 or more: rio-cogeo doesn't look \
         at the height", "rio cogeo validate", "readers don't mind; images one or two pixels wide can't have it";

    // OGC 21-026
    OGC_BIG_TIFF: "ogc-big-tiff", Error, OgcFormat,
        "A file over 4 GiB is a BigTIFF", "OGC 21-026 /req/geotiff-format/use-geotiff", "write the file again as BigTIFF";
    OGC_CLASSIC_TIFF: "ogc-classic-tiff", Note, OgcFormat,
        "A file under 4 GiB is a classic TIFF", "OGC 21-026 /rec/geotiff-format/use-geotiff",
        "old readers don't open a BigTIFF";
    OGC_TILING: "ogc-tiling", Error, OgcFormat,
        "Every directory is organised in tiles, not in strips",
        "OGC 21-026 /req/geotiff-format/tiling; over 512 pixels also GDAL validate_cloud_optimized_geotiff, rio cogeo \
         validate", "write the file again with tiles";
    OGC_COMPRESSION: "ogc-compression", Note, OgcFormat,
        "Tiles are compressed", "OGC 21-026 /rec/geotiff-format/rec-compression",
        "compression saves time on the network; DEFLATE and LZW are read by all";
    OGC_FULL_RESOLUTION: "ogc-full-resolution", Error, OgcOverviews,
        "The first directory is of full resolution: bit 0 of its NewSubfileType is not set, nor is that of masks",
        "OGC 21-026 /req/geotiff-overviews/overviews A and B", "write the file again";
    OVERVIEW_SIZE: "ogc-overview-size", Error, OgcOverviews,
        "Every overview is smaller than the one before: not larger in either direction, and smaller in one",
        "OGC 21-026 /req/geotiff-overviews/overviews C and E; GDAL validate_cloud_optimized_geotiff; rio cogeo validate",
        "write the file again";
    OGC_CHAIN: "ogc-overview-chain", Error, OgcOverviews,
        "Overviews follow their image in the chain, before the next one of full resolution",
        "OGC 21-026 /req/geotiff-overviews/overviews B, D and F", "write the file again";
    OGC_SUB_DIRECTORIES: "ogc-sub-directories", Warning, OgcOverviews,
        "Overviews stand in the chain of directories, not in SubIFDs",
        "OGC 21-026 /req/geotiff-overviews/overviews B and D: by the offset to the next IFD",
        "GDAL finds them there, others don't: write the file again";
    OGC_DIRECTORY_ORDER: "ogc-directory-order", Note, OgcOverviews,
        "Directories stand in the order image, its mask, overviews from large to small, their masks",
        "OGC 21-026 /rec/geotiff-overviews/ifd-order", "GDAL's order is the one that readers are tuned for";
    OGC_GEOREFERENCE: "ogc-georeference", Warning, OgcKeys,
        "Full resolution has ModelTiepoint, ModelPixelScale and GeoKeyDirectory",
        "OGC 21-026 /req/geotiff-keys/georeference and /req/optimized_geotiff/geotiff",
        "add the georeference; a rotated or sheared image can't meet this, and readers know ModelTransformation too";
    OGC_OVERVIEW_GEOREFERENCE: "ogc-overview-georeference", Error, OgcKeys,
        "Overviews have no georeference of their own", "OGC 21-026 /req/geotiff-keys/point-of-origin",
        "write the file again: the georeference belongs to the first directory";
    OGC_SQUARE_TILES: "ogc-square-tiles", Warning, OgcOptimized,
        "Tiles are square", "OGC 21-026 /req/optimized_geotiff/small-sizes A", "write the file again with square tiles";
    OGC_TILE_VIEWPORT: "ogc-tile-viewport", Warning, OgcOptimized,
        "Tiles are not larger than a screen: 1024 pixels",
        "OGC 21-026 /req/optimized_geotiff/small-sizes B and its note", "write the file again with tiles of 512 pixels";
    OGC_DECIMATION: "ogc-decimation", Warning, OgcOptimized,
        "Each overview is 2 to 10 times smaller than the level before (sizes rounded up or down)",
        "OGC 21-026 /req/optimized_geotiff/number A", "write the file again with overviews that halve";
    OGC_LAST_LEVEL: "ogc-last-level", Warning, OgcOptimized,
        "The smallest level has one tile across or down", "OGC 21-026 /req/optimized_geotiff/number B",
        "write the file again with more overviews";
    OGC_TILE_POWER: "ogc-tile-power", Note, OgcOptimized,
        "Sides of tiles are powers of two", "OGC 21-026 /rec/optimized_geotiff/size-and-numbers A", "none needed";
    OGC_TILE_EQUAL: "ogc-tile-equal", Note, OgcOptimized,
        "All levels have tiles of the same size", "OGC 21-026 /rec/optimized_geotiff/size-and-numbers B", "none needed";
    OGC_HALVING: "ogc-halving", Note, OgcOptimized,
        "Each level has half the resolution of the one before", "OGC 21-026 /rec/optimized_geotiff/size-and-numbers C",
        "none needed";

    // Content
    TILE_BOUNDS: "tile-bounds", Error, Content,
        "Every tile lies within the file, behind the header", "TIFF 6.0 section 15, TileOffsets and TileByteCounts",
        "the file may be cut short: copy it again, or write it again";
    TILE_EMPTY: "tile-empty", Error, Content,
        "A tile has both an offset and a size, or neither", "TIFF 6.0 section 15; GDAL, sparse files",
        "the tile was never written: write the file again";
    TILE_SPARSE: "tile-sparse", Note, Content,
        "Every tile is there", "GDAL, sparse files: tiles with offset 0 and size 0 are nodata or 0",
        "not all readers know sparse files";
    TILE_OVERLAP: "tile-overlap", Error, Content,
        "Tiles overlap neither each other nor directories and values, unless two tiles are the same bytes",
        "TIFF 6.0 section 2 (each value has its place)", "something was written over: write the file again";
    TILE_DECODE: "tile-decode", Error, Content,
        "Every tile can be decoded to its size in pixels",
        "TIFF 6.0 section 15: all tiles have the same size; the codec's definition", "the tile is damaged: write the file \
         again";
    TILE_SHORT: "tile-short", Warning, Content,
        "Tiles at the lower edge are whole, with padding", "TIFF 6.0 section 15, Padding",
        "libtiff does without the padding, others may not: write the file again";
    TILE_UNJUDGED: "tile-unjudged", Warning, Content,
        "All tiles can be judged: their codec is one that is decoded here, and their size is within the limits",
        "this program's own limits", "judge the pixels by another reader";
    NODATA_VALUE: "nodata-value", Warning, Content,
        "The text of GDAL_NODATA is a number", "GDAL, tag 42113", "write the value as a number, or nan";
    NODATA_MISSING: "nodata-missing", Warning, Content,
        "Overviews have the nodata value of full resolution", "GDAL, tag 42113; TIFF 6.0 section 8, NewSubfileType bit 0",
        "readers that open an overview alone take nodata for data: write the file again";
    NODATA_DIFFERS: "nodata-differs", Error, Content,
        "No overview has another nodata value than full resolution",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image; GDAL, tag 42113",
        "write the file again";
    METADATA_TEXT: "metadata-text", Warning, Content,
        "GDAL_METADATA is well-formed XML", "GDAL, tag 42112", "GDAL ignores it: write it again";
    LEVEL_SAMPLES: "level-samples", Error, Content,
        "Overviews have the bands and the type of samples of full resolution (8-bit overviews of 1-bit images are allowed)",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image", "write the file again";
    LEVEL_COLORS: "level-colors", Warning, Content,
        "Overviews have the photometric interpretation and the colour table of full resolution",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image", "write the file again";
    MASK_SIZE: "mask-size", Error, Content,
        "Every mask has the size of an image", "TIFF 6.0 section 8, NewSubfileType bit 2: the mask of another image",
        "write the file again";
    MASK_FORMAT: "mask-format", Warning, Content,
        "Masks have one band of one bit, and PhotometricInterpretation 4",
        "TIFF 6.0 section 8, NewSubfileType bit 2 and PhotometricInterpretation 4", "write the file again";
    MASK_LEVELS: "mask-levels", Warning, Content,
        "Where full resolution has a mask, every overview has one",
        "GDAL, internal masks; OGC 21-026 /rec/geotiff-overviews/ifd-order 6 to 8",
        "zoomed out, what is masked shows: write the file again";
    OVERVIEW_CONTENT: "overview-content", Error, Content,
        "Pixels of an overview are such as any kernel could make of the level before",
        "TIFF 6.0 section 8, NewSubfileType bit 0: a reduced version of the same image",
        "the overviews are of another image, empty, or old: make them again";
    OVERVIEW_UNJUDGED: "overview-unjudged", Note, Content,
        "All cells of an overview that are looked at can be compared with the level before, or with full resolution",
        "this program's own limits", "compare the pixels by another reader";
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
        for class in Class::ALL {
            assert!(RULES.iter().any(|rule| rule.class == class), "{class:?}");
        }
    }
}
