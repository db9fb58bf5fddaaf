//! Tag numbers, and the sections of the specifications that define them.

/// The number of a TIFF tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16);

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        impl Tag {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// Returns the tag's name in its specification, if this library knows the tag.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

tags! {
    /// TIFF 6.0 section 8: bit 0 = reduced resolution, bit 2 = transparency mask.
    NEW_SUBFILE_TYPE = 254 "NewSubfileType";
    /// TIFF 6.0 section 8 (deprecated): 2 = reduced resolution.
    SUBFILE_TYPE = 255 "SubfileType";
    /// TIFF 6.0 section 3.
    IMAGE_WIDTH = 256 "ImageWidth";
    /// TIFF 6.0 section 3.
    IMAGE_LENGTH = 257 "ImageLength";
    /// TIFF 6.0 section 4.
    BITS_PER_SAMPLE = 258 "BitsPerSample";
    /// TIFF 6.0 section 3.
    COMPRESSION = 259 "Compression";
    /// TIFF 6.0 section 3.
    PHOTOMETRIC_INTERPRETATION = 262 "PhotometricInterpretation";
    /// TIFF 6.0 section 8: 2 = bits of each byte in reverse order.
    FILL_ORDER = 266 "FillOrder";
    /// TIFF 6.0 section 12.
    DOCUMENT_NAME = 269 "DocumentName";
    /// TIFF 6.0 section 8.
    IMAGE_DESCRIPTION = 270 "ImageDescription";
    /// TIFF 6.0 section 8.
    MAKE = 271 "Make";
    /// TIFF 6.0 section 8.
    MODEL = 272 "Model";
    /// TIFF 6.0 section 3.
    STRIP_OFFSETS = 273 "StripOffsets";
    /// TIFF 6.0 section 8.
    ORIENTATION = 274 "Orientation";
    /// TIFF 6.0 section 6.
    SAMPLES_PER_PIXEL = 277 "SamplesPerPixel";
    /// TIFF 6.0 section 3.
    ROWS_PER_STRIP = 278 "RowsPerStrip";
    /// TIFF 6.0 section 3.
    STRIP_BYTE_COUNTS = 279 "StripByteCounts";
    /// TIFF 6.0 section 8.
    MIN_SAMPLE_VALUE = 280 "MinSampleValue";
    /// TIFF 6.0 section 8.
    MAX_SAMPLE_VALUE = 281 "MaxSampleValue";
    /// TIFF 6.0 section 3.
    X_RESOLUTION = 282 "XResolution";
    /// TIFF 6.0 section 3.
    Y_RESOLUTION = 283 "YResolution";
    /// TIFF 6.0 section 8: 1 = pixel interleave, 2 = one plane per band.
    PLANAR_CONFIGURATION = 284 "PlanarConfiguration";
    /// TIFF 6.0 section 11.
    T4_OPTIONS = 292 "T4Options";
    /// TIFF 6.0 section 11.
    T6_OPTIONS = 293 "T6Options";
    /// TIFF 6.0 section 3.
    RESOLUTION_UNIT = 296 "ResolutionUnit";
    /// TIFF 6.0 section 20.
    TRANSFER_FUNCTION = 301 "TransferFunction";
    /// TIFF 6.0 section 8.
    SOFTWARE = 305 "Software";
    /// TIFF 6.0 section 8.
    DATE_TIME = 306 "DateTime";
    /// TIFF 6.0 section 8.
    ARTIST = 315 "Artist";
    /// TIFF 6.0 section 8.
    HOST_COMPUTER = 316 "HostComputer";
    /// TIFF 6.0 section 14 and Adobe Photoshop TIFF Technical Note 3.
    PREDICTOR = 317 "Predictor";
    /// TIFF 6.0 section 20.
    WHITE_POINT = 318 "WhitePoint";
    /// TIFF 6.0 section 20.
    PRIMARY_CHROMATICITIES = 319 "PrimaryChromaticities";
    /// TIFF 6.0 section 5.
    COLOR_MAP = 320 "ColorMap";
    /// TIFF 6.0 section 15.
    TILE_WIDTH = 322 "TileWidth";
    /// TIFF 6.0 section 15.
    TILE_LENGTH = 323 "TileLength";
    /// TIFF 6.0 section 15.
    TILE_OFFSETS = 324 "TileOffsets";
    /// TIFF 6.0 section 15.
    TILE_BYTE_COUNTS = 325 "TileByteCounts";
    /// Adobe PageMaker 6.0 TIFF Technical Note 1.
    SUB_IFDS = 330 "SubIFDs";
    /// TIFF 6.0 section 16.
    INK_SET = 332 "InkSet";
    /// TIFF 6.0 section 16.
    INK_NAMES = 333 "InkNames";
    /// TIFF 6.0 section 18.
    EXTRA_SAMPLES = 338 "ExtraSamples";
    /// TIFF 6.0 section 19.
    SAMPLE_FORMAT = 339 "SampleFormat";
    /// Adobe Photoshop TIFF Technical Note 2.
    JPEG_TABLES = 347 "JPEGTables";
    /// TIFF 6.0 section 21.
    YCBCR_COEFFICIENTS = 529 "YCbCrCoefficients";
    /// TIFF 6.0 section 21.
    YCBCR_SUBSAMPLING = 530 "YCbCrSubSampling";
    /// TIFF 6.0 section 21.
    YCBCR_POSITIONING = 531 "YCbCrPositioning";
    /// TIFF 6.0 section 20.
    REFERENCE_BLACK_WHITE = 532 "ReferenceBlackWhite";
    /// XMP specification part 3.
    XMP = 700 "XMP";
    /// TIFF 6.0 section 8.
    COPYRIGHT = 33432 "Copyright";
    /// OGC GeoTIFF 1.1 section 7.3.
    MODEL_PIXEL_SCALE = 33550 "ModelPixelScaleTag";
    /// OGC GeoTIFF 1.1 section 7.3.
    MODEL_TIEPOINT = 33922 "ModelTiepointTag";
    /// OGC GeoTIFF 1.1 section 7.3.
    MODEL_TRANSFORMATION = 34264 "ModelTransformationTag";
    /// Exif 2.32 section 4.6.3.
    EXIF_IFD = 34665 "ExifIFD";
    /// ICC.1 annex B.4.
    ICC_PROFILE = 34675 "ICCProfile";
    /// OGC GeoTIFF 1.1 section 7.1.
    GEO_KEY_DIRECTORY = 34735 "GeoKeyDirectoryTag";
    /// OGC GeoTIFF 1.1 section 7.1.
    GEO_DOUBLE_PARAMS = 34736 "GeoDoubleParamsTag";
    /// OGC GeoTIFF 1.1 section 7.1.
    GEO_ASCII_PARAMS = 34737 "GeoAsciiParamsTag";
    /// Exif 2.32 section 4.6.3.
    GPS_IFD = 34853 "GPSInfoIFD";
    /// GDAL: XML text, see [`Metadata`](crate::Metadata).
    GDAL_METADATA = 42112 "GDAL_METADATA";
    /// GDAL: nodata as text.
    GDAL_NODATA = 42113 "GDAL_NODATA";
    /// libtiff: LERC version, then the compression of the LERC data.
    LERC_PARAMETERS = 50674 "LercParameters";
    /// Rational polynomial coefficients in TIFF (Frank Warmerdam, 2007): 92 doubles.
    RPC_COEFFICIENTS = 50844 "RPCCoefficientTag";
    /// DGIWG: a unique identifier of the raster.
    TIFF_RSID = 50908 "TIFF_RSID";
    /// DGIWG: ISO metadata as XML.
    GEO_METADATA = 50909 "GEO_METADATA";
}
