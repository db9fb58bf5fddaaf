//! Command lines of other tools, which become those of `create` with the tool's defaults: `cogsmith gdal_translate …` and
//! `cogsmith rio-cogeo create …`.

use std::ffi::OsString;

use crate::words::{Entry, own};

/// A tool whose command lines are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// GDAL's `gdal_translate`, with `-of COG`.
    GdalTranslate,
    /// `rio cogeo create` of rio-cogeo.
    RioCogeo,
}

/// The words that name each tool.
const NAMES: &[(&[&str], Tool)] = &[
    (&["gdal_translate"], Tool::GdalTranslate),
    (&["rio-cogeo", "create"], Tool::RioCogeo),
    (&["rio", "cogeo", "create"], Tool::RioCogeo),
];

/// Options of rio-cogeo that mean something else in `create`, or nothing. `--co` and `-b` are the same.
const RIO_COGEO: &[Entry] = &[
    ("--add-mask", (0, 0), |_| Ok(Some(("--mask", "nodata".into())))),
    ("--dtype", (1, 1), |words| own("--dtype", words)),
    ("-t", (1, 1), |words| own("--dtype", words)),
    ("--overview-level", (1, 1), |words| match words {
        ["0"] => Ok(Some(("--overviews", "none".into()))),
        _ => own("--overview-count", words),
    }),
    ("--threads", (1, 1), |words| match words {
        [count] if count.eq_ignore_ascii_case("ALL_CPUS") => Ok(Some(("--threads", "all".into()))),
        _ => own("--threads", words),
    }),
    ("--in-memory", (0, 0), |_| Ok(None)),
    ("--no-in-memory", (0, 0), |_| Ok(None)),
    ("-i", (0, 0), |_| Ok(None)),
    ("--allow-intermediate-compression", (0, 0), |_| Ok(None)),
    ("--forward-band-tags", (0, 0), |_| Ok(None)),
    ("--forward-ns-tags", (0, 0), |_| Ok(None)),
    ("--use-cog-driver", (0, 0), |_| Ok(None)),
    ("--web-optimized", (0, 0), |_| Err(NO_WARP.into())),
    ("-w", (0, 0), |_| Err(NO_WARP.into())),
    ("--config", (1, 1), |_| Err("--config sets options of GDAL, which is not used; leave it out".into())),
];

/// The reason for refusing options that warp.
const NO_WARP: &str = "--web-optimized is not supported: its blocks of 512 pixels are not those of its grid; use --tiling-scheme \
                       GoogleMapsCompatible";

impl Tool {
    /// Finds the tool that a command line names, and the number of words of the name. The first word is the program.
    pub(crate) fn find(words: &[OsString]) -> Option<(Self, usize)> {
        let rest = words.get(1..)?;
        let named = |name: &&[&str]| rest.len() >= name.len() && name.iter().zip(rest).all(|(name, word)| word == name);
        NAMES.iter().find(|(name, _)| named(name)).map(|(name, tool)| (*tool, name.len()))
    }

    /// Returns the tool's own meaning of an option, where it is not that of `create`.
    pub(crate) fn option(self, text: &str) -> Option<&'static Entry> {
        match self {
            Self::GdalTranslate => None,
            Self::RioCogeo => RIO_COGEO.iter().find(|(name, ..)| *name == text),
        }
    }

    /// Returns whether an option is followed by a creation option.
    pub(crate) fn takes_creation_option(self, text: &str) -> bool {
        self == Self::RioCogeo && text == "--profile"
    }

    /// Checks that the command line asks for a COG.
    pub(crate) fn check(self, words: &[OsString]) -> Result<(), String> {
        let asks = words.windows(2).any(|pair| pair[0] == "-of" && pair[1].eq_ignore_ascii_case("COG"));
        let helps = words.iter().any(|word| word == "--help" || word == "-h");
        match self {
            Self::GdalTranslate if !asks && !helps => {
                Err("gdal_translate writes other formats without '-of COG'; add it, since only COGs are written".into())
            }
            _ => Ok(()),
        }
    }

    /// Returns the options of `create` that the tool sets by default, for a command line in the words of `create`.
    pub(crate) fn defaults(self, words: &[OsString]) -> Vec<&'static str> {
        let texts: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        let value = |option: &str| {
            texts.iter().enumerate().find_map(|(index, text)| match text.strip_prefix(option)? {
                "" => texts.get(index + 1).copied(),
                rest => rest.strip_prefix('='),
            })
        };
        let is_set = |option: &str| value(option).is_some() || texts.contains(&option);
        let mut defaults = Vec::new();
        if !is_set("--overwrite") {
            defaults.push("--overwrite");
        }
        let codec = value("--compress").unwrap_or(if self == Self::GdalTranslate { "lzw" } else { "deflate" });
        if self == Self::GdalTranslate && !is_set("--compress") {
            defaults.push("--compress=lzw");
        }
        let is_predicted = ["lzw", "deflate", "zstd"].iter().any(|name| codec.eq_ignore_ascii_case(name));
        if is_predicted && !is_set("--predictor") {
            defaults.push("--predictor=none");
        }
        let has_overviews = !value("--overviews").is_some_and(|overviews| overviews.eq_ignore_ascii_case("none"));
        match self {
            Self::GdalTranslate if !is_set("--overviews") && !is_set("--overview-count") => {
                defaults.push("--overviews=existing")
            }
            Self::RioCogeo if has_overviews && !is_set("--overview-resampling") => {
                defaults.push("--overview-resampling=nearest")
            }
            _ => {}
        }
        defaults
    }
}
