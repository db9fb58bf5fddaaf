//! Hints for creation options that GDAL's COG driver does not have.

use crate::hints::{MEANINGS, Meaning, find, meaning};

/// Creation options of GDAL's GTiff driver, and hints for them.
pub(crate) const OTHER_OPTIONS: &[Meaning] = &[
    meaning(&["ZLEVEL", "ZSTD_LEVEL"], "use LEVEL, or --level N"),
    meaning(&["JPEG_QUALITY", "WEBP_LEVEL"], "use QUALITY, or --quality N"),
    meaning(&["BLOCKXSIZE", "BLOCKYSIZE"], "--blocksize N or WxH sets the tile size"),
    meaning(&["TILED"], "leave it out: the output is always tiled"),
    meaning(&["COPY_SRC_OVERVIEWS"], "OVERVIEWS=AUTO takes the overviews of the input"),
    meaning(&["ALPHA", "PHOTOMETRIC"], "--color-interpretation COLOR,… sets the color interpretation of the bands"),
];

/// Returns the hint for a name.
pub(crate) fn hint(name: &str) -> Option<String> {
    // Some have a counterpart among the options of the tools.
    let found = find(OTHER_OPTIONS, name).or_else(|| find(MEANINGS, &name.replace('_', "-")));
    found.map(|meaning| meaning.hint.to_owned())
}
