//! The flags of the options that the library names in errors.

use cogsmith::{Error, ErrorKind, OptionField};

/// Returns the flag of an option, with its dashes; `None` if the command does not have the option.
pub(crate) fn flag(option: OptionField) -> Option<&'static str> {
    Some(match option {
        OptionField::Compression => "--compress",
        OptionField::Level => "--level",
        OptionField::Quality => "--quality",
        OptionField::JpegSubsampling => "--jpeg-subsampling",
        OptionField::Photometric => "--photometric",
        OptionField::OverviewCompression => "--overview-compress",
        OptionField::OverviewLevel => "--overview-level",
        OptionField::OverviewQuality => "--overview-quality",
        OptionField::OverviewPredictor => "--overview-predictor",
        OptionField::Predictor => "--predictor",
        OptionField::TileSize => "--blocksize",
        OptionField::OverviewTileSize => "--overview-blocksize",
        OptionField::Interleave => "--interleave",
        OptionField::BigTiff => "--bigtiff",
        OptionField::Sparse => "--sparse",
        OptionField::HeaderRoom => "--header-room",
        OptionField::Overviews => "--overviews",
        OptionField::OverviewCount => "--overview-count",
        OptionField::Resampling | OptionField::BandResampling => "--overview-resampling",
        OptionField::Statistics => "--stats",
        OptionField::Image => "--image",
        OptionField::IgnoreAux => "--ignore-aux",
        OptionField::Nodata => "--nodata",
        OptionField::Mask => "--mask",
        OptionField::Crs => "--crs",
        OptionField::CrsWkt => "--crs-wkt",
        OptionField::Transform => "--transform",
        OptionField::Bounds => "--bounds",
        OptionField::Gcps => "--gcp",
        OptionField::Description => "--band-description",
        OptionField::Scale => "--band-scale",
        OptionField::Offset => "--band-offset",
        OptionField::Unit => "--band-unit",
        OptionField::ColorInterpretation => "--color-interpretation",
        OptionField::Metadata => "--metadata",
        OptionField::BitsPerSample => "--nbits",
        OptionField::MaxZError => "--max-z-error",
        OptionField::OverviewMaxZError => "--overview-max-z-error",
        OptionField::StripMetadata => "--strip-metadata",
        OptionField::WrapLongitude => "--wrap-longitude",
        OptionField::Window => "--window",
        OptionField::Bbox => "--bbox",
        OptionField::Bands => "--bands",
        OptionField::ExpandPalette => "--expand-palette",
        OptionField::Unscale => "--unscale",
        OptionField::Rescale => "--rescale",
        OptionField::DataType => "--dtype",
        OptionField::Size => "--size",
        OptionField::SizeResampling => "--size-resampling",
        OptionField::TilingScheme => "--tiling-scheme",
        OptionField::ZoomLevel => "--zoom-level",
        OptionField::ZoomStrategy => "--zoom-level-strategy",
        OptionField::AlignedLevels => "--aligned-levels",
        OptionField::WarpResampling => "--warp-resampling",
        OptionField::TargetCrs => "--dst-crs",
        OptionField::Resolution => "--resolution",
        OptionField::Extent => "--extent",
        OptionField::Overlap => "--overlap",
        OptionField::Threads => "--threads",
        OptionField::Verify => "--verify",
        OptionField::Overwrite => "--overwrite",
        OptionField::Sync => "--sync",
        _ => return None,
    })
}

/// Words an error about an option for the command line.
pub(crate) fn message(option: OptionField, other: Option<OptionField>, reason: &str) -> String {
    let word = |option: OptionField| flag(option).unwrap_or(option.name());
    match other {
        None => format!("{}: {reason}", word(option)),
        Some(other) => format!("{} contradicts {}: {reason}", word(option), word(other)),
    }
}

/// Returns the reason of an error about an option, for errors that name the option themselves.
pub(crate) fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::InvalidOption { reason, .. } => reason.clone(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    /// Options that the command does not have.
    const LIBRARY_ONLY: [OptionField; 5] = [
        OptionField::Rpc,
        OptionField::IccProfile,
        OptionField::Pixels,
        OptionField::CreationOption,
        OptionField::Shards,
    ];

    /// Options of the feature `warp`.
    const OF_WARP: [OptionField; 8] = [
        OptionField::TilingScheme,
        OptionField::ZoomLevel,
        OptionField::ZoomStrategy,
        OptionField::AlignedLevels,
        OptionField::WarpResampling,
        OptionField::TargetCrs,
        OptionField::Resolution,
        OptionField::Extent,
    ];

    #[test]
    fn every_option_has_a_flag_that_exists() {
        let command = Arguments::command();
        let commands = ["create", "mosaic"].into_iter().filter_map(|name| command.find_subcommand(name));
        let longs: Vec<_> = commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
        for &option in OptionField::ALL {
            if cfg!(not(feature = "warp")) && OF_WARP.contains(&option) {
                continue;
            }
            match flag(option).map(|flag| flag.trim_start_matches('-')) {
                Some(flag) => assert!(longs.contains(&flag), "{option}: --{flag} is not an option"),
                None => assert!(LIBRARY_ONLY.contains(&option), "{option} has no flag"),
            }
        }
        for option in LIBRARY_ONLY {
            assert_eq!(flag(option), None, "{option} has a flag");
        }
    }

    #[test]
    fn errors_name_flags() {
        assert_eq!(message(OptionField::TileSize, None, "too large"), "--blocksize: too large");
        let other = Some(OptionField::Gcps);
        assert_eq!(message(OptionField::Bounds, other, "give one"), "--bounds contradicts --gcp: give one");
        assert_eq!(message(OptionField::Rpc, None, "not finite"), "rpc: not finite");
    }
}
