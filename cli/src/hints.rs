//! Hints: what to do about an input that is not a GeoTIFF, and options that match words of other tools.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind as ClapErrorKind};
use cogsmith::{Address, Error, ErrorKind, FileFamily, OptionField};

use crate::remote;

/// Returns the hint for a library error of a command; `output` is the file to be written, if any.
pub(crate) fn of_error(command: &str, error: &Error, output: Option<&Path>) -> Option<String> {
    Some(match error.kind() {
        ErrorKind::NotTiff { found, .. } => of_family(found.map(|kind| kind.family())).to_owned(),
        ErrorKind::Address { path, address } if output == Some(path) => of_output(*address, path),
        ErrorKind::Address { path, address } => of_input(*address, path),
        // The input lacks something; a list of options does not help.
        ErrorKind::InvalidOption { option: OptionField::Image | OptionField::Mask | OptionField::Verify, .. } => {
            return None;
        }
        ErrorKind::InvalidOption { option: OptionField::Nodata, .. } => {
            "pass --nodata none, or a value that samples can have".to_owned()
        }
        ErrorKind::Mismatch { option: Some(option), .. } if command == "patch" => {
            crate::patch::hint(*option)?.to_owned()
        }
        ErrorKind::Mismatch { option: Some(option), .. } => crate::several::hint(*option)?.to_owned(),
        ErrorKind::Confined { .. } => "--vrt-root permits the files below a folder, or below an address".to_owned(),
        ErrorKind::OutputIsInput { .. } => "write to another file, outside of the folder of the inputs".to_owned(),
        ErrorKind::InvalidOption { .. } => list_of_options(command),
        ErrorKind::TargetExists { .. } => "pass --overwrite to replace it".to_owned(),
        #[cfg(feature = "store")]
        ErrorKind::Io { .. } if crate::store::upload::hint(error).is_some() => {
            crate::store::upload::hint(error).unwrap_or_default().to_owned()
        }
        ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "free some space, or pass --temp-dir to store temporary tiles elsewhere".to_owned()
        }
        ErrorKind::Corrupt { .. } => "the file may be truncated or damaged; copy or download it again".to_owned(),
        _ => return None,
    })
}

/// Returns where the options of a command are listed.
pub(crate) fn list_of_options(command: &str) -> String {
    format!("'cogsmith {command} --help' lists all options")
}

fn of_family(family: Option<FileFamily>) -> &'static str {
    match family {
        Some(FileFamily::Raster) => {
            "'cogsmith create IN OUT.tif' reads PNG, JPEG, and VRT files; convert others to GeoTIFF first, for example with \
             'gdal_translate IN OUT.tif'"
        }
        Some(FileFamily::Array) => {
            "xarray reads it, in Python: 'import cogsmith, xarray' and \
             'cogsmith.write(xarray.open_dataset(\"IN\")[\"VARIABLE\"], \"OUT.tif\")'"
        }
        Some(FileFamily::Vector) => "cogsmith reads rasters; 'gdalinfo' and 'ogrinfo' show what the file contains",
        Some(FileFamily::Archive) => "unpack it first",
        Some(FileFamily::Response) => {
            "a server sent this instead of the file; check the URL and the login, and download it again"
        }
        Some(FileFamily::LfsPointer) => "run 'git lfs pull' to fetch the file itself",
        Some(FileFamily::Incomplete) => "copy or download it again",
        _ => "cogsmith reads GeoTIFF files; 'gdalinfo' may identify this one",
    }
}

fn of_input(address: Address, path: &Path) -> String {
    let path = remote::name(path);
    match address {
        Address::Web | Address::Object | Address::Virtual if cfg!(not(feature = "store")) && is_known(&path) => {
            "this cogsmith was built without the feature 'store'; install it with 'cargo install cogsmith-cli --features \
             store', or copy the file first, for example with curl, 'aws s3 cp', or gsutil"
                .to_owned()
        }
        Address::Web | Address::Object => {
            "cogsmith reads from https://, http://, s3://, gs://, and az://; copy the file first".to_owned()
        }
        Address::File => "give the path alone, without 'file://'".to_owned(),
        Address::Driver if path.to_ascii_uppercase().starts_with("GTIFF_DIR:") => {
            "give the path of the file, and select the image with --image".to_owned()
        }
        Address::Driver => "convert it to GeoTIFF first, for example with 'gdal_translate NAME OUT.tif'".to_owned(),
        _ => "of GDAL's virtual file systems, cogsmith reads /vsicurl/, /vsis3/, /vsigs/, and /vsiaz/; copy the file first, for \
              example with 'gdal_translate NAME OUT.tif'"
            .to_owned(),
    }
}

/// Returns whether an address is one that the feature `store` opens.
fn is_known(address: &str) -> bool {
    const KNOWN: [&str; 15] = [
        "https://",
        "http://",
        "/vsicurl/",
        "s3://",
        "s3a://",
        "/vsis3/",
        "/vsis3_streaming/",
        "gs://",
        "gcs://",
        "/vsigs/",
        "az://",
        "azure://",
        "abfs://",
        "abfss://",
        "/vsiaz/",
    ];
    KNOWN.iter().any(|known| address.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known)))
}

fn of_output(address: Address, path: &Path) -> String {
    let path = remote::name(path);
    match address {
        Address::Object => {
            let client = match path.split_once("://") {
                Some(("s3" | "s3a", _)) => format!("aws s3 cp - {path}"),
                Some(("gs" | "gcs", _)) => format!("gcloud storage cp - {path}"),
                _ => "YOUR_STORES_CLIENT".to_owned(),
            };
            format!(
                "this cogsmith was built without the feature 'store'; install it with 'cargo install cogsmith-cli \
                 --features store', or write to standard output and pipe it, as in 'cogsmith create INPUT - | {client}'"
            )
        }
        Address::File => "give the path alone, without 'file://'".to_owned(),
        _ => "write a local file and copy it, or write to standard output ('-') and pipe it".to_owned(),
    }
}

/// Words of other tools, and the hint for them.
pub(crate) struct Meaning {
    pub(crate) words: &'static [&'static str],
    pub(crate) hint: &'static str,
}

pub(crate) const fn meaning(words: &'static [&'static str], hint: &'static str) -> Meaning {
    Meaning { words, hint }
}

/// Options of gdal_translate, gdalwarp, `gdal raster`, and rio, and common guesses; without their dashes.
pub(crate) const MEANINGS: &[Meaning] = &[
    // The output is always a COG.
    meaning(&["of", "f", "format", "output-format", "driver"], "leave it out: the output is always a COG"),
    meaning(&["p", "profile", "cog-profile"], "--compress CODEC sets the codec"),
    meaning(
        &["co", "creation-option"],
        "-co NAME=VALUE takes the creation options of GDAL's COG driver, such as -co COMPRESS=ZSTD",
    ),
    // Compression.
    meaning(&["compression", "codec", "c"], "--compress CODEC sets the codec"),
    meaning(
        &["zlevel", "zstd-level", "zstd_level", "compression-level", "compress-level", "effort"],
        "--level N sets the compression level",
    ),
    meaning(&["jpeg-quality", "jpeg_quality", "jpegquality", "q"], "--compress jpeg --quality N sets the quality"),
    meaning(&["max_z_error", "tolerance"], "--compress lerc --max-z-error ERROR sets the largest error"),
    meaning(
        &["lossy"],
        "--compress jpeg and --compress lerc with --max-z-error are lossy; all other codecs are lossless",
    ),
    // Layout.
    meaning(
        &["blockxsize", "blockysize", "block-size", "tile-size", "tilesize", "tiled", "tile", "blocks"],
        "--blocksize N or WxH sets the tile size; the output is always tiled",
    ),
    meaning(&["big-tiff", "bigtif", "big"], "--bigtiff WHEN sets whether to write a BigTIFF"),
    meaning(&["planar", "planarconfig", "planar-config", "interleaved"], "--interleave ORDER sets the order of bands"),
    // Overviews.
    meaning(
        &["r", "resampling", "resample", "resampling-method", "overview-resample", "kernel"],
        "--overview-resampling KERNEL sets the kernel for overviews; full resolution is never resampled",
    ),
    meaning(
        &["overview-levels", "levels", "factors", "ovr", "overview", "pyramids"],
        "--overviews LIST sets the reduction factors; --overview-count N sets the number of overviews",
    ),
    meaning(&["no-overviews", "without-overviews"], "--overviews none writes no overviews"),
    meaning(
        &["web-optimized", "w", "tms", "web-mercator", "webmercator"],
        "--tiling-scheme GoogleMapsCompatible warps to the grid of web maps",
    ),
    meaning(
        &["t_srs", "t-srs", "target-srs", "reproject", "warp"],
        "--dst-crs CRS warps; --crs only declares the input's",
    ),
    // Pixels.
    meaning(&["b", "bidx", "band", "bidxs", "indexes"], "--bands LIST selects bands"),
    meaning(&["ot", "t", "output-data-type", "data-type", "type"], "--dtype TYPE sets the data type"),
    meaning(&["scale-range", "exponent"], "--rescale MIN,MAX maps values linearly to the range of the data type"),
    meaning(&["ts", "outsize"], "--size WIDTHxHEIGHT reduces the image"),
    meaning(
        &["tr", "te", "res"],
        "--dst-crs CRS with --resolution and --extent warps to a grid; --transform and --bounds set the georeferencing; --size \
         reduces the image",
    ),
    meaning(&["srcwin", "crop"], "--window COLUMN,ROW,WIDTH,HEIGHT selects a rectangle of pixels"),
    meaning(&["projwin", "clip"], "--bbox LEFT,BOTTOM,RIGHT,TOP selects a rectangle in units of the CRS"),
    meaning(
        &["cutline", "bounds-crs"],
        "cogsmith crops to rectangles only, with --bbox in the CRS of the input or --window",
    ),
    meaning(&["expand", "rgb", "rgba"], "--expand-palette rgb or rgba replaces palette indices by their colors"),
    // Nodata and mask.
    meaning(
        &[
            "a_nodata",
            "a-nodata",
            "dstnodata",
            "srcnodata",
            "src-nodata",
            "dst-nodata",
            "no-data",
            "fill-value",
            "fill_value",
        ],
        "--nodata VALUE sets the nodata value",
    ),
    meaning(&["add-mask", "m", "add_mask", "dstalpha", "add-alpha"], "--mask nodata or --mask alpha creates a mask"),
    // Georeference.
    meaning(
        &["a_srs", "a-srs", "srs", "epsg", "s_srs", "s-srs", "proj", "projection", "override-crs", "src-crs"],
        "--crs CRS sets the coordinate reference system",
    ),
    meaning(&["a_ullr", "a-ullr", "ullr"], "--bounds LEFT,BOTTOM,RIGHT,TOP sets the outer edges of the image"),
    meaning(
        &["a_gt", "a-gt", "geotransform", "affine"],
        "--transform X,DX,RX,Y,RY,DY sets the transform, in GDAL's order",
    ),
    meaning(&["gcps", "control-point"], "--gcp COLUMN,ROW,X,Y[,Z] adds a ground control point"),
    meaning(&["area-or-point", "area_or_point", "pixel-type"], "--pixel-is area or point sets the raster type"),
    // Metadata.
    // Also the names of these options before they were renamed; gdal_translate has a -scale that changes pixels.
    meaning(
        &["scale", "a_scale", "a-scale", "scale-factor"],
        "--band-scale NUMBER records a scale factor in the metadata; pixel values are not rescaled, as \
         'gdal_translate -scale' does; --rescale MIN,MAX does that",
    ),
    meaning(
        &["offset", "a_offset", "a-offset", "add-offset"],
        "--band-offset NUMBER records an offset in the metadata, and --band-scale a scale factor; pixel values are not \
         rescaled, as 'gdal_translate -scale' does",
    ),
    meaning(&["a_coord_epoch", "a-coord-epoch"], "--crs EPSG:n@EPOCH sets the coordinate epoch"),
    meaning(
        &["mo", "tag", "tags", "metadata-option", "attrs", "attr", "meta"],
        "--metadata KEY=VALUE sets a metadata item",
    ),
    meaning(&["nomd", "no-metadata", "no-tags"], "--strip-metadata leaves out the input's metadata"),
    meaning(
        &["colorinterp", "color-interp", "colour-interpretation"],
        "--color-interpretation COLOR,… sets the color interpretation of the bands",
    ),
    meaning(
        &["description", "descriptions", "band-name", "band-names", "names"],
        "--band-description BAND=TEXT sets the description of a band",
    ),
    meaning(
        &["unit", "units", "unit-type"],
        "--band-unit TEXT records a unit in the metadata, and --band-scale a scale factor; pixel values are not \
         converted, as 'gdal_translate -scale' does",
    ),
    meaning(&["statistics", "compute-stats", "approx-stats", "hist"], "--stats computes the statistics of all bands"),
    meaning(&["no-aux", "no-aux-xml", "ignore-pam", "aux"], "--ignore-aux ignores the .aux.xml file next to the input"),
    // Input.
    meaning(
        &["sd", "sds", "subdataset", "page", "ifd", "directory"],
        "--image N selects an image from a file with several",
    ),
    meaning(&["i", "input", "src", "source"], "INPUT and OUTPUT take no flags: 'cogsmith create INPUT OUTPUT'"),
    meaning(&["o", "output", "dst", "out", "target"], "INPUT and OUTPUT take no flags: 'cogsmith create INPUT OUTPUT'"),
    // Running.
    meaning(
        &["num-threads", "num_threads", "j", "jobs", "workers", "cores", "cpus", "n", "multi", "wo", "processes"],
        "--threads N sets the number of threads",
    ),
    meaning(&["force", "y", "clobber", "replace", "overwrite-existing"], "--overwrite replaces an existing output"),
    meaning(
        &["wm", "memory", "cachemax", "in-memory", "max-memory"],
        "--tile-memory SIZE and --row-memory SIZE limit memory use",
    ),
    meaning(
        &["tmp", "tmpdir", "tmp-dir", "tempdir", "temp", "scratch"],
        "--temp-dir DIR sets where tiles beyond --tile-memory are stored",
    ),
    meaning(&["check", "validate"], "--verify reads the output back; 'cogsmith validate FILE' checks any file"),
    meaning(&["silent", "s"], "--quiet suppresses progress, warnings, and the summary"),
    meaning(
        &["v", "verbose", "debug", "progress", "no-progress"],
        "there is no verbosity level; --quiet suppresses progress, warnings, and the summary",
    ),
    meaning(&["config"], "GDAL configuration options have no effect here; 'cogsmith create --help' lists all options"),
];

/// Returns the entry for a word.
pub(crate) fn find(table: &'static [Meaning], name: &str) -> Option<&'static Meaning> {
    table.iter().find(|meaning| meaning.words.iter().any(|word| word.eq_ignore_ascii_case(name)))
}

/// Returns the unknown option, as written on the command line, and its hint.
fn of_option(words: &[OsString], unknown: &str) -> Option<(String, String)> {
    // clap reports a word such as -co by its first letter only.
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let is_unknown =
        |word: &str| word.split('=').next() == Some(unknown) || (unknown.len() == 2 && word.starts_with(unknown));
    let at = words.iter().position(|word| is_unknown(word))?;
    let name = words[at].split('=').next().unwrap_or_default().trim_start_matches('-');
    let word = words[at].split('=').next().unwrap_or_default().to_owned();
    find(MEANINGS, name).map(|meaning| (word, meaning.hint.to_owned()))
}

/// The equivalent of a value in the terms of other tools.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Translation {
    /// The value with the same meaning.
    Value(&'static str),
    /// There is none; the advice instead.
    Advice(&'static str),
}

use Translation::{Advice, Value};

/// Values in the terms of other tools: the option, the words, and their equivalent.
const VALUES: &[(&str, &[&str], Translation)] = &[
    ("--predictor", &["1", "no", "false"], Value("none")),
    ("--predictor", &["2"], Value("horizontal")),
    ("--predictor", &["3", "floating_point", "floatingpoint"], Value("float")),
    ("--predictor", &["yes", "true", "standard"], Value("auto")),
    ("--bigtiff", &["if_needed", "if_safer"], Advice("use 'auto', which decides by the size of the finished file")),
    ("--bigtiff", &["true", "1", "on"], Value("yes")),
    ("--bigtiff", &["false", "0", "off"], Value("no")),
    ("--compress", &["zip", "zlib", "gzip", "adobe_deflate"], Value("deflate")),
    ("--compress", &["zstandard"], Value("zstd")),
    ("--compress", &["raw", "no", "false", "uncompressed"], Value("none")),
    (
        "--compress",
        &["jxl", "jpegxl", "jpeg_xl"],
        Advice(
            "hardly any reader of COGs has JPEG XL, not even the builds of GDAL that pip and Debian install; use 'jpeg' or \
                'zstd'",
        ),
    ),
    (
        "--compress",
        &["lzma", "xz"],
        Advice("hardly any reader of COGs has LZMA, and it is slow; use 'zstd' for small files"),
    ),
    ("--interleave", &["bip", "chunky", "contig"], Value("pixel")),
    ("--interleave", &["bsq", "separate", "planar"], Value("band")),
    ("--threads", &["all_cpus", "auto", "max", "0", "-1"], Value("all")),
    ("--overviews", &["yes", "true", "ignore_existing"], Value("auto")),
    ("--overviews", &["no", "false", "0"], Value("none")),
    (
        "--overviews",
        &["force_use_existing"],
        Advice("'existing' takes those that the input has, and computes the others"),
    ),
    ("--overview-resampling", &["near"], Value("nearest")),
    ("--overview-resampling", &["cubic_spline"], Value("cubicspline")),
    ("--overview-resampling", &["med"], Value("median")),
];

/// Returns the equivalent of a value that an option does not accept.
pub(crate) fn translation(option: &str, value: &str) -> Option<Translation> {
    // Overviews take the same values.
    let option = match option {
        "--overview-compress" => "--compress",
        "--overview-predictor" => "--predictor",
        other => other,
    };
    let found = VALUES
        .iter()
        .find(|(own, words, _)| *own == option && words.iter().any(|word| word.eq_ignore_ascii_case(value)));
    found.map(|(.., translation)| *translation)
}

/// Returns the hint for a value that an option does not accept.
fn of_value(option: &str, value: &str) -> Option<String> {
    // clap names the option with its value: `--predictor <PREDICTOR>`.
    Some(match translation(option.split([' ', '=']).next()?, value)? {
        Value(value) => format!("use '{value}'"),
        Advice(advice) => advice.to_owned(),
    })
}

/// Returns the hint for a word in place of a command.
fn of_command(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "cogify" | "cog" | "convert" | "translate" | "build" | "make" | "write" | "encode" | "raster" => {
            Some("'cogsmith create INPUT OUTPUT' converts a GeoTIFF")
        }
        "rearrange" | "layout" | "optimize" | "reorder" => {
            Some("'cogsmith repack INPUT OUTPUT' makes a COG of a tiled TIFF without encoding it again")
        }
        "update" | "replace" | "paste" => Some("'cogsmith patch FILE UPDATE' replaces a window of a COG"),
        "check" | "verify" | "lint" => Some("'cogsmith validate FILE' checks files"),
        "show" | "describe" | "inspect" | "gdalinfo" | "stat" => Some("'cogsmith info FILE' describes a file"),
        word if [".tif", ".tiff", ".vrt"].iter().any(|ending| word.ends_with(ending)) => {
            Some("'cogsmith create INPUT OUTPUT' converts a GeoTIFF")
        }
        _ => None,
    }
}

/// Replaces clap's suggestion of an option with similar spelling with a hint at the intended one.
pub(crate) fn improve(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let hint = match error.kind() {
        ClapErrorKind::UnknownArgument => {
            let found = text(&error, ContextKind::InvalidArg).and_then(|unknown| of_option(words, &unknown));
            found.map(|(word, hint)| {
                // The whole word; clap names its first letter only.
                error.insert(ContextKind::InvalidArg, ContextValue::String(word));
                hint
            })
        }
        ClapErrorKind::InvalidValue | ClapErrorKind::ValueValidation => {
            let (option, value) = (text(&error, ContextKind::InvalidArg), text(&error, ContextKind::InvalidValue));
            option.zip(value).and_then(|(option, value)| of_value(&option, &value))
        }
        ClapErrorKind::InvalidSubcommand => {
            text(&error, ContextKind::InvalidSubcommand).and_then(|word| of_command(&word)).map(str::to_owned)
        }
        _ => None,
    };
    if let Some(hint) = hint {
        for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue] {
            error.remove(kind);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::{CommandFactory, Parser};

    /// Returns whether an option accepts a value.
    fn is_taken(option: &str, value: &str) -> bool {
        Arguments::try_parse_from(["cogsmith", "create", &format!("{option}={value}"), "INPUT", "OUTPUT"]).is_ok()
    }

    /// Options named in hints exist, and words with a hint are not options themselves.
    #[test]
    fn hints_name_options_that_exist() {
        let command = Arguments::command();
        let create = command.find_subcommand("create");
        let longs: Vec<_> =
            create.into_iter().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
        assert!(longs.len() > 30);
        for meaning in MEANINGS.iter().chain(crate::creation::OTHER_OPTIONS) {
            for word in meaning.hint.split([' ', ';', ',', '.', ')']).filter_map(|word| word.strip_prefix("--")) {
                let word = word.trim_end_matches('\'');
                assert!(longs.contains(&word) || word == "help", "--{word} in {:?}", meaning.hint);
            }
        }
        for word in MEANINGS.iter().flat_map(|meaning| meaning.words) {
            assert!(!longs.contains(word), "--{word} is an option");
        }
        let mut all: Vec<_> = MEANINGS.iter().flat_map(|meaning| meaning.words).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a word is listed twice");
    }
    /// Values that stand for others are accepted by the option.
    #[test]
    fn translated_values_are_accepted() {
        for (option, words, translation) in VALUES {
            assert!(words.iter().all(|word| !is_taken(option, word)), "{option} accepts one of {words:?}");
            if let Value(value) = translation {
                assert!(is_taken(option, value), "{option} {value}");
            }
        }
    }
}
