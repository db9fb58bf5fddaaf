//! Tags known to the checks: names, field types, counts (TIFF 6.0 section 8 and others, OGC 19-008 Annex A, GDAL).

pub(super) const NEW_SUBFILE_TYPE: u16 = 254;
pub(super) const IMAGE_WIDTH: u16 = 256;
pub(super) const IMAGE_LENGTH: u16 = 257;
pub(super) const BITS_PER_SAMPLE: u16 = 258;
pub(super) const COMPRESSION: u16 = 259;
pub(super) const PHOTOMETRIC: u16 = 262;
pub(super) const FILL_ORDER: u16 = 266;
pub(super) const STRIP_OFFSETS: u16 = 273;
pub(super) const SAMPLES_PER_PIXEL: u16 = 277;
pub(super) const ROWS_PER_STRIP: u16 = 278;
pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
pub(super) const PLANAR_CONFIGURATION: u16 = 284;
pub(super) const T4_OPTIONS: u16 = 292;
pub(super) const PREDICTOR: u16 = 317;
pub(super) const COLOR_MAP: u16 = 320;
pub(super) const TILE_WIDTH: u16 = 322;
pub(super) const TILE_LENGTH: u16 = 323;
pub(super) const TILE_OFFSETS: u16 = 324;
pub(super) const TILE_BYTE_COUNTS: u16 = 325;
pub(super) const SUB_IFDS: u16 = 330;
pub(super) const EXTRA_SAMPLES: u16 = 338;
pub(super) const SAMPLE_FORMAT: u16 = 339;
pub(super) const JPEG_TABLES: u16 = 347;
pub(super) const YCBCR_COEFFICIENTS: u16 = 529;
pub(super) const YCBCR_SUBSAMPLING: u16 = 530;
pub(super) const REFERENCE_BLACK_WHITE: u16 = 532;
pub(super) const MODEL_PIXEL_SCALE: u16 = 33550;
pub(super) const MODEL_TIEPOINT: u16 = 33922;
pub(super) const MODEL_TRANSFORMATION: u16 = 34264;
pub(super) const GEO_KEY_DIRECTORY: u16 = 34735;
pub(super) const GEO_DOUBLE_PARAMS: u16 = 34736;
pub(super) const GEO_ASCII_PARAMS: u16 = 34737;
pub(super) const GDAL_METADATA: u16 = 42112;
pub(super) const GDAL_NODATA: u16 = 42113;
pub(super) const LERC_PARAMETERS: u16 = 50674;

/// The definition of a tag.
pub(super) struct Definition {
    pub(super) tag: u16,
    pub(super) name: &'static str,
    /// Allowed field types. LONG8 replaces LONG in a BigTIFF; readers accept both SHORT and LONG.
    pub(super) kinds: &'static [u16],
    /// Number of values, if the definition fixes it.
    pub(super) count: Option<u64>,
}

const WHOLE: &[u16] = &[3, 4, 16];
const SHORT: &[u16] = &[3];
const ASCII: &[u16] = &[2];
const DOUBLE: &[u16] = &[12];
const RATIONAL: &[u16] = &[5];

const fn tag(tag: u16, name: &'static str, kinds: &'static [u16], count: Option<u64>) -> Definition {
    Definition { tag, name, kinds, count }
}

const DEFINITIONS: &[Definition] = &[
    tag(NEW_SUBFILE_TYPE, "NewSubfileType", WHOLE, Some(1)),
    tag(IMAGE_WIDTH, "ImageWidth", WHOLE, Some(1)),
    tag(IMAGE_LENGTH, "ImageLength", WHOLE, Some(1)),
    tag(BITS_PER_SAMPLE, "BitsPerSample", SHORT, None),
    tag(COMPRESSION, "Compression", WHOLE, Some(1)),
    tag(PHOTOMETRIC, "PhotometricInterpretation", WHOLE, Some(1)),
    tag(FILL_ORDER, "FillOrder", WHOLE, Some(1)),
    tag(STRIP_OFFSETS, "StripOffsets", WHOLE, None),
    tag(274, "Orientation", WHOLE, Some(1)),
    // Some software writes one value per band, but none that makes COGs.
    tag(SAMPLES_PER_PIXEL, "SamplesPerPixel", WHOLE, Some(1)),
    tag(ROWS_PER_STRIP, "RowsPerStrip", WHOLE, Some(1)),
    tag(STRIP_BYTE_COUNTS, "StripByteCounts", WHOLE, None),
    tag(282, "XResolution", RATIONAL, Some(1)),
    tag(283, "YResolution", RATIONAL, Some(1)),
    tag(PLANAR_CONFIGURATION, "PlanarConfiguration", WHOLE, Some(1)),
    tag(T4_OPTIONS, "T4Options", WHOLE, Some(1)),
    tag(296, "ResolutionUnit", WHOLE, Some(1)),
    tag(PREDICTOR, "Predictor", WHOLE, Some(1)),
    tag(COLOR_MAP, "ColorMap", SHORT, None),
    tag(TILE_WIDTH, "TileWidth", WHOLE, Some(1)),
    tag(TILE_LENGTH, "TileLength", WHOLE, Some(1)),
    tag(TILE_OFFSETS, "TileOffsets", &[3, 4, 13, 16, 18], None),
    tag(TILE_BYTE_COUNTS, "TileByteCounts", WHOLE, None),
    tag(SUB_IFDS, "SubIFDs", &[4, 13, 16, 18], None),
    tag(EXTRA_SAMPLES, "ExtraSamples", SHORT, None),
    tag(SAMPLE_FORMAT, "SampleFormat", SHORT, None),
    tag(JPEG_TABLES, "JPEGTables", &[7], None),
    tag(YCBCR_COEFFICIENTS, "YCbCrCoefficients", RATIONAL, Some(3)),
    tag(YCBCR_SUBSAMPLING, "YCbCrSubSampling", SHORT, Some(2)),
    tag(REFERENCE_BLACK_WHITE, "ReferenceBlackWhite", &[5, 4], None),
    tag(MODEL_PIXEL_SCALE, "ModelPixelScale", DOUBLE, None),
    tag(MODEL_TIEPOINT, "ModelTiepoint", DOUBLE, None),
    tag(MODEL_TRANSFORMATION, "ModelTransformation", DOUBLE, None),
    tag(GEO_KEY_DIRECTORY, "GeoKeyDirectory", SHORT, None),
    tag(GEO_DOUBLE_PARAMS, "GeoDoubleParams", DOUBLE, None),
    tag(GEO_ASCII_PARAMS, "GeoAsciiParams", ASCII, None),
    tag(GDAL_METADATA, "GDAL_METADATA", ASCII, None),
    tag(GDAL_NODATA, "GDAL_NODATA", ASCII, None),
    tag(LERC_PARAMETERS, "LercParameters", &[4], None),
];

/// Returns the definition of a known tag.
pub(super) fn definition(tag: u16) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.tag == tag)
}

/// Returns the name of a tag.
pub(super) fn name(tag: u16) -> &'static str {
    definition(tag).map_or("unknown", |definition| definition.name)
}
