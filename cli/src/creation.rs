//! Hints for GDAL's creation options, `-co NAME=VALUE`.

use crate::hints::Translation::{Advice, Value};
use crate::hints::{MEANINGS, Meaning, find, is_taken, meaning, translation};

/// GDAL creation options, as in `-co NAME=VALUE`, and the options that take their values.
pub(crate) const OPTIONS: &[Meaning] = &[
    meaning(&["COMPRESS"], "--compress"),
    meaning(&["OVERVIEW_COMPRESS"], "--overview-compress"),
    meaning(&["QUALITY", "JPEG_QUALITY"], "--quality"),
    meaning(&["OVERVIEW_QUALITY", "JPEG_QUALITY_OVERVIEW"], "--overview-quality"),
    meaning(&["LEVEL", "ZLEVEL", "ZSTD_LEVEL"], "--level"),
    meaning(&["PREDICTOR"], "--predictor"),
    meaning(&["OVERVIEW_PREDICTOR"], "--overview-predictor"),
    meaning(&["BLOCKSIZE"], "--blocksize"),
    meaning(&["INTERLEAVE"], "--interleave"),
    meaning(&["BIGTIFF"], "--bigtiff"),
    meaning(&["OVERVIEWS"], "--overviews"),
    meaning(&["OVERVIEW_COUNT"], "--overview-count"),
    meaning(&["RESAMPLING", "OVERVIEW_RESAMPLING"], "--overview-resampling"),
    meaning(&["NUM_THREADS"], "--threads"),
];

/// GDAL creation options without an option that takes their values, and the hints for them.
pub(crate) const OTHER_OPTIONS: &[Meaning] = &[
    meaning(&["BLOCKXSIZE", "BLOCKYSIZE"], "--blocksize N or WxH sets the tile size"),
    meaning(&["TILED"], "leave it out: the output is always tiled"),
    meaning(&["COPY_SRC_OVERVIEWS"], "leave it out: overviews are always computed from full resolution"),
    meaning(&["NBITS"], "samples keep their width; --nbits widen widens them to the next type"),
    meaning(&["STATISTICS"], "--stats computes the statistics of all bands"),
    meaning(&["ADD_ALPHA"], "leave it out: no alpha band is added; --mask nodata creates a mask from the nodata value"),
    meaning(
        &["PHOTOMETRIC"],
        "--photometric ycbcr stores any three bands as YCbCr; jpeg does so with red, green, and blue",
    ),
    meaning(&["ALPHA"], "--color-interpretation COLOR,… sets the color interpretation of the bands"),
];

/// Returns the hint for a creation option of GDAL, `NAME=VALUE`; `None` if it has no counterpart.
pub(crate) fn hint(pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
    let Some(option) = find(OPTIONS, name).map(|meaning| meaning.hint) else {
        // Some have a counterpart among the options of the tools, as QUALITY does.
        let other = find(OTHER_OPTIONS, name).or_else(|| find(MEANINGS, &name.replace('_', "-")));
        return other.map(|meaning| meaning.hint.to_owned());
    };
    let instead = |value: &str| format!("use '{option} {value}' instead of '-co {name}=…'");
    let Some(value) = value.map(str::to_ascii_lowercase) else { return Some(instead("VALUE")) };
    if is_taken(option, &value) {
        return Some(instead(&value));
    }
    Some(match translation(option, &value) {
        Some(Value(value)) => instead(value),
        Some(Advice(advice)) => advice.to_owned(),
        None => format!("'-co {name}' is {option} here, which does not accept '{value}'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options and values of GDAL's drivers GTiff and COG, and the hints for them.
    #[test]
    fn hints_for_creation_options_can_be_used() {
        for (pair, expected) in [
            ("COMPRESS=ZSTD", "use '--compress zstd' instead of '-co COMPRESS=…'"),
            ("compress=adobe_deflate", "use '--compress deflate' instead"),
            ("COMPRESS=JPEG", "use '--compress jpeg'"),
            ("COMPRESS=LZMA", "hardly any reader of COGs has LZMA"),
            ("COMPRESS=JXL", "hardly any reader of COGs has JPEG XL"),
            ("COMPRESS=PACKBITS", "use '--compress packbits'"),
            ("OVERVIEW_COMPRESS=JPEG", "use '--overview-compress jpeg'"),
            ("OVERVIEW_PREDICTOR=2", "use '--overview-predictor horizontal'"),
            ("COMPRESS=CCITTFAX4", "--compress here, which does not accept 'ccittfax4'"),
            ("ZLEVEL=9", "use '--level 9'"),
            ("LEVEL=high", "does not accept 'high'"),
            ("PREDICTOR=2", "use '--predictor horizontal'"),
            ("PREDICTOR=YES", "use '--predictor auto'"),
            ("BLOCKSIZE=256", "use '--blocksize 256'"),
            ("BLOCKXSIZE=256", "--blocksize N or WxH"),
            ("TILED=YES", "the output is always tiled"),
            ("INTERLEAVE=BAND", "use '--interleave band'"),
            ("BIGTIFF=IF_SAFER", "use 'auto'"),
            ("BIGTIFF=YES", "use '--bigtiff yes'"),
            ("OVERVIEWS=IGNORE_EXISTING", "use '--overviews auto'"),
            ("OVERVIEWS=FORCE_USE_EXISTING", "overviews are always computed"),
            ("OVERVIEW_COUNT=3", "use '--overview-count 3'"),
            ("RESAMPLING=NEAR", "use '--overview-resampling nearest'"),
            ("NUM_THREADS=ALL_CPUS", "use '--threads all'"),
            ("NBITS=12", "--nbits widen"),
            ("STATISTICS=YES", "--stats computes"),
            ("ADD_ALPHA=YES", "no alpha band is added; --mask nodata"),
            ("ALPHA=YES", "--color-interpretation COLOR,…"),
            ("QUALITY=75", "use '--quality 75'"),
            ("OVERVIEW_QUALITY=50", "use '--overview-quality 50'"),
            ("PHOTOMETRIC=YCBCR", "--photometric ycbcr stores"),
            ("TILING_SCHEME=GoogleMapsCompatible", "does not reproject"),
            ("COMPRESS", "use '--compress VALUE'"),
        ] {
            let hint = hint(pair).unwrap_or_default();
            assert!(hint.contains(expected), "{pair}: {hint}");
            // A suggested value is accepted.
            let quoted = hint.strip_prefix("use '--").and_then(|text| text.split('\'').next());
            if let Some((option, value)) =
                quoted.and_then(|text| text.split_once(' ')).filter(|(_, value)| *value != "VALUE")
            {
                assert!(is_taken(&format!("--{option}"), value), "{pair}: {hint}");
            }
        }
        assert_eq!(hint("SPARSE_OK=TRUE"), None);
    }
}
