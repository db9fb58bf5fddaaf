//! The creation options of GDAL's COG driver, and their meaning here: one table, which front ends read.

use crate::error::{Error, OptionField, Result};
use crate::names::any_of;

/// A creation option of GDAL's COG driver (`frmts/gtiff/cogdriver.cpp`, GDAL 3.13).
///
/// ```
/// use cogsmith::{CreationOption, OptionField};
/// let option = CreationOption::find("predictor").expect("GDAL has it");
/// assert_eq!(option.setting("YES")?, Some((OptionField::Predictor, "auto".to_owned())));
/// assert!(CreationOption::find("ADD_ALPHA").is_some_and(|option| option.setting("YES").is_err()));
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CreationOption {
    /// The name, in uppercase.
    pub name: &'static str,
    /// A value that GDAL accepts.
    pub example: &'static str,
    /// The option with this meaning; `None` if there is none.
    pub field: Option<OptionField>,
    /// GDAL's words for values, and the values that they mean.
    words: &'static [(&'static str, &'static str)],
    /// Values that ask for what happens anyway.
    implied: &'static [&'static str],
    /// The reason why other values are refused; `None` if they are passed to the option.
    refused: Option<&'static str>,
}

impl CreationOption {
    /// All creation options of GDAL 3.13.
    pub const ALL: &'static [Self] = &TABLE;

    /// Returns the option with a name, in either case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|option| option.name.eq_ignore_ascii_case(name))
    }

    /// Returns the option and the value that a value of GDAL's means; `None` if it asks for what happens anyway.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) with the reason if there is no such feature.
    pub fn setting(&self, value: &str) -> Result<Option<(OptionField, String)>> {
        let is = |word: &str| word.eq_ignore_ascii_case(value.trim());
        if self.implied.iter().any(|word| is(word)) {
            return Ok(None);
        }
        if let Some((field, (_, own))) = self.field.zip(self.words.iter().find(|(word, _)| is(word))) {
            return Ok(Some((field, (*own).to_owned())));
        }
        let field = self.field.filter(|_| self.refused.is_none());
        match field {
            // Definitions of CRSs have names in them.
            Some(OptionField::TargetCrs) => Ok(Some((OptionField::TargetCrs, value.trim().to_owned()))),
            Some(field) => Ok(Some((field, value.trim().to_ascii_lowercase()))),
            None => {
                let known: Vec<_> =
                    self.words.iter().map(|(word, _)| *word).chain(self.implied.iter().copied()).collect();
                let known = if known.is_empty() { String::new() } else { format!(" (only {})", any_of(&known)) };
                let reason = self.refused.unwrap_or_default();
                let reason = format!("{}={value} is not supported{known}: {reason}", self.name);
                Err(Error::option(self.field.unwrap_or(OptionField::CreationOption), reason))
            }
        }
    }

    /// Returns whether some value has an equivalent here.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.field.is_some()
    }

    const fn of(name: &'static str, example: &'static str, field: OptionField) -> Self {
        Self { name, example, field: Some(field), words: &[], implied: &[], refused: None }
    }

    const fn without(name: &'static str, example: &'static str, refused: &'static str) -> Self {
        Self { name, example, field: None, words: &[], implied: &[], refused: Some(refused) }
    }

    const fn words(mut self, words: &'static [(&'static str, &'static str)]) -> Self {
        self.words = words;
        self
    }

    const fn implied(mut self, implied: &'static [&'static str]) -> Self {
        self.implied = implied;
        self
    }

    const fn only(mut self, reason: &'static str) -> Self {
        self.refused = Some(reason);
        self
    }
}

const PREDICTORS: &[(&str, &str)] = &[
    ("YES", "auto"),
    ("ON", "auto"),
    ("TRUE", "auto"),
    ("NO", "none"),
    ("OFF", "none"),
    ("FALSE", "none"),
    ("1", "none"),
    ("STANDARD", "horizontal"),
    ("2", "horizontal"),
    ("FLOATING_POINT", "float"),
    ("3", "float"),
];
const SWITCH: &[(&str, &str)] = &[("TRUE", "yes"), ("YES", "yes"), ("ON", "yes"), ("1", "yes")];
const NO: &[&str] = &["NO", "FALSE", "OFF", "0"];
const JPEG_XL: &str = "JPEG XL is not written, since hardly any reader has it";

static TABLE: [CreationOption; 36] = [
    CreationOption::of("COMPRESS", "ZSTD", OptionField::Compression),
    CreationOption::of("LEVEL", "6", OptionField::Level),
    CreationOption::of("PREDICTOR", "YES", OptionField::Predictor).words(PREDICTORS),
    CreationOption::of("QUALITY", "80", OptionField::Quality),
    CreationOption::of("MAX_Z_ERROR", "0.01", OptionField::MaxZError),
    CreationOption::of("MAX_Z_ERROR_OVERVIEW", "0.1", OptionField::OverviewMaxZError),
    CreationOption::without("JXL_LOSSLESS", "YES", JPEG_XL),
    CreationOption::without("JXL_EFFORT", "5", JPEG_XL),
    CreationOption::without("JXL_DISTANCE", "1.0", JPEG_XL),
    CreationOption::without("JXL_ALPHA_DISTANCE", "-1", JPEG_XL),
    CreationOption::of("OVERVIEW_COMPRESS", "JPEG", OptionField::OverviewCompression).implied(&["AUTO"]),
    CreationOption::of("OVERVIEW_QUALITY", "60", OptionField::OverviewQuality),
    CreationOption::of("OVERVIEW_PREDICTOR", "NO", OptionField::OverviewPredictor).words(PREDICTORS),
    CreationOption::of("NUM_THREADS", "ALL_CPUS", OptionField::Threads).words(&[("ALL_CPUS", "all")]),
    CreationOption::of("NBITS", "12", OptionField::BitsPerSample),
    CreationOption::of("BLOCKSIZE", "256", OptionField::TileSize),
    CreationOption::of("INTERLEAVE", "BAND", OptionField::Interleave),
    // The size of the finished file decides, so nothing has to be guessed.
    CreationOption::of("BIGTIFF", "IF_SAFER", OptionField::BigTiff).words(&[
        ("IF_NEEDED", "auto"),
        ("IF_SAFER", "auto"),
        ("TRUE", "yes"),
        ("FALSE", "no"),
    ]),
    CreationOption::of("RESAMPLING", "AVERAGE", OptionField::Resampling).words(&[("NEAR", "nearest")]),
    CreationOption::of("OVERVIEW_RESAMPLING", "AVERAGE", OptionField::Resampling).words(&[("NEAR", "nearest")]),
    CreationOption::of("WARP_RESAMPLING", "CUBIC", OptionField::WarpResampling)
        .words(&[("NEAR", "nearest"), ("MED", "median")]),
    CreationOption::of("OVERVIEWS", "AUTO", OptionField::Overviews)
        .words(&[("AUTO", "existing"), ("IGNORE_EXISTING", "auto"), ("NONE", "none")])
        .only("levels that the input lacks are computed; OVERVIEWS=AUTO takes those that it has"),
    CreationOption::of("OVERVIEW_COUNT", "3", OptionField::OverviewCount),
    CreationOption::without("GEOTIFF_VERSION", "1.1", "the version follows from the CRS").implied(&["AUTO"]),
    CreationOption::of("SPARSE_OK", "TRUE", OptionField::Sparse).words(SWITCH).implied(NO).only("it is a switch"),
    CreationOption::of("STATISTICS", "YES", OptionField::Statistics)
        .words(&[("YES", "yes"), ("NO", "no")])
        .implied(&["AUTO"])
        .only("statistics are computed, left out, or copied from the input"),
    CreationOption::of("COPY_SRC_MDD", "NO", OptionField::StripMetadata)
        .words(&[("NO", "yes"), ("FALSE", "yes")])
        .implied(&["AUTO", "YES", "TRUE"])
        .only("metadata is copied or left out as a whole"),
    CreationOption::without("SRC_MDD", "RPC", "metadata is copied or left out as a whole"),
    CreationOption::of("TILING_SCHEME", "GoogleMapsCompatible", OptionField::TilingScheme).implied(&["CUSTOM"]),
    CreationOption::of("ZOOM_LEVEL", "12", OptionField::ZoomLevel),
    CreationOption::of("ZOOM_LEVEL_STRATEGY", "UPPER", OptionField::ZoomStrategy),
    CreationOption::of("ALIGNED_LEVELS", "5", OptionField::AlignedLevels),
    CreationOption::of("TARGET_SRS", "EPSG:3857", OptionField::TargetCrs),
    CreationOption::of("RES", "10", OptionField::Resolution),
    CreationOption::of("EXTENT", "500000,5290000,510000,5300000", OptionField::Extent),
    CreationOption::without(
        "ADD_ALPHA",
        "YES",
        "no alpha band is added; a warp makes a mask, and --mask nodata makes one from the nodata value",
    )
    .implied(NO),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_either_case() {
        for option in CreationOption::ALL {
            assert_eq!(CreationOption::find(&option.name.to_lowercase()).map(|found| found.name), Some(option.name));
            assert_eq!(option.is_supported(), option.setting(option.example).is_ok(), "{}", option.name);
        }
        assert!(CreationOption::find("TILED").is_none());
    }

    #[test]
    fn words_of_gdal_become_values() {
        let setting = |name: &str, value: &str| {
            let option = CreationOption::find(name).unwrap();
            option.setting(value).map_err(|error| error.to_string())
        };
        assert_eq!(setting("COMPRESS", "LERC_ZSTD"), Ok(Some((OptionField::Compression, "lerc_zstd".into()))));
        assert_eq!(setting("bigtiff", "if_safer"), Ok(Some((OptionField::BigTiff, "auto".into()))));
        assert_eq!(setting("SPARSE_OK", "NO"), Ok(None));
        assert_eq!(setting("sparse_ok", "true"), Ok(Some((OptionField::Sparse, "yes".into()))));
        assert!(setting("SPARSE_OK", "masked").unwrap_err().contains("only TRUE"));
        let refused = setting("OVERVIEWS", "FORCE_USE_EXISTING").unwrap_err();
        assert!(refused.contains("(only AUTO, IGNORE_EXISTING, or NONE)"), "{refused}");
        assert_eq!(setting("TARGET_SRS", "EPSG:3857"), Ok(Some((OptionField::TargetCrs, "EPSG:3857".into()))));
        assert_eq!(setting("TILING_SCHEME", "CUSTOM"), Ok(None));
    }
}
