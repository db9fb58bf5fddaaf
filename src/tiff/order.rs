//! The order in which the values of a directory are stored.

use super::Tag;

/// Tags in the order in which GDAL writes their values. Tags that are not listed follow the first list by number, apart
/// from those that describe the coordinate reference system and the arrays, which come last.
const FIRST: [Tag; 40] = [
    Tag::NEW_SUBFILE_TYPE,
    Tag::IMAGE_WIDTH,
    Tag::IMAGE_LENGTH,
    Tag::TILE_WIDTH,
    Tag::TILE_LENGTH,
    // Set by the writer's user before the structure of the image.
    Tag::X_RESOLUTION,
    Tag::Y_RESOLUTION,
    Tag::RESOLUTION_UNIT,
    Tag::MIN_SAMPLE_VALUE,
    Tag::MAX_SAMPLE_VALUE,
    // The structure of the image.
    Tag::BITS_PER_SAMPLE,
    Tag::COMPRESSION,
    Tag::PHOTOMETRIC_INTERPRETATION,
    Tag::SAMPLES_PER_PIXEL,
    Tag::PLANAR_CONFIGURATION,
    Tag::COLOR_MAP,
    Tag::EXTRA_SAMPLES,
    Tag::SAMPLE_FORMAT,
    Tag::PREDICTOR,
    Tag::JPEG_TABLES,
    Tag::YCBCR_SUBSAMPLING,
    Tag::REFERENCE_BLACK_WHITE,
    Tag::LERC_PARAMETERS,
    // Metadata.
    Tag::TRANSFER_FUNCTION,
    Tag::WHITE_POINT,
    Tag::PRIMARY_CHROMATICITIES,
    Tag::ICC_PROFILE,
    Tag::ARTIST,
    Tag::COPYRIGHT,
    Tag::DATE_TIME,
    Tag::DOCUMENT_NAME,
    Tag::HOST_COMPUTER,
    Tag::IMAGE_DESCRIPTION,
    Tag::SOFTWARE,
    Tag::RPC_COEFFICIENTS,
    Tag::GDAL_METADATA,
    Tag::GDAL_NODATA,
    Tag::MODEL_PIXEL_SCALE,
    Tag::MODEL_TIEPOINT,
    Tag::MODEL_TRANSFORMATION,
];

/// The last tags, after those that are not listed.
const LAST: [Tag; 5] =
    [Tag::GEO_KEY_DIRECTORY, Tag::GEO_DOUBLE_PARAMS, Tag::GEO_ASCII_PARAMS, Tag::TILE_OFFSETS, Tag::TILE_BYTE_COUNTS];

/// Returns the rank of a tag's value in its directory.
pub(super) fn rank(tag: Tag) -> (usize, Tag) {
    let position = |tags: &[Tag]| tags.iter().position(|listed| *listed == tag);
    let rank = position(&FIRST).or_else(|| Some(FIRST.len() + 1 + position(&LAST)?));
    (rank.unwrap_or(FIRST.len()), tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlisted_tags_come_before_the_coordinate_reference_system() {
        let mut tags = [
            Tag::TILE_OFFSETS,
            Tag::XMP,
            Tag::GEO_KEY_DIRECTORY,
            Tag::MAKE,
            Tag::GDAL_NODATA,
            Tag::SOFTWARE,
            Tag::BITS_PER_SAMPLE,
        ];
        tags.sort_by_key(|tag| rank(*tag));
        let expected = [
            Tag::BITS_PER_SAMPLE,
            Tag::SOFTWARE,
            Tag::GDAL_NODATA,
            Tag::MAKE,
            Tag::XMP,
            Tag::GEO_KEY_DIRECTORY,
            Tag::TILE_OFFSETS,
        ];
        assert_eq!(tags, expected);
    }
}
