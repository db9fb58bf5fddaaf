//! `cogsmith patch`: replaces a window of a COG, and encodes only the tiles that change.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{ArgAction, Args, ValueHint};
use cogsmith::{FileOptions, InputFiles, OptionField, PatchOptions, PatchSummary, ReadOptions, Resampling};
use serde::Serialize;

use crate::arguments::Threads;
use crate::cancel::Cancel;
use crate::create::Failure;
use crate::edit::auxiliary;
use crate::remote::Remote;
use crate::report::{self, count, one_line, size};
use crate::store::ConnectionArguments;
use crate::values::{named, threads};

const EXAMPLES: &str = "\
Examples:
  cogsmith patch country.tif county.tif
  cogsmith patch country.tif 'updates/*.tif' --output patched.tif
  cogsmith patch --dry-run --json country.tif county.tif";

/// Replace a window of a COG with other rasters, encoding only the tiles that change
///
/// UPDATEs lie on the grid of FILE: same CRS, pixel size, bands, and data type, at whole pixels, within its edges. Their pixels
/// that are nodata, masked, transparent, or NaN leave the old ones. The tiles that an UPDATE touches and those of the overviews
/// that depend on them are encoded as the others are; all others are copied byte for byte. The new file replaces FILE at the
/// end. Files with lossy codecs are refused.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PatchArguments {
    /// COG to change
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Rasters with the new pixels, the last one on top: files, folders, patterns, addresses, or @LIST
    ///
    /// As the inputs of 'cogsmith mosaic': GeoTIFFs and VRTs, folders of GeoTIFFs, patterns such as 'tiles/*.tif', objects and
    /// URLs, and text files with one path per line.
    #[arg(required = true, value_name = "UPDATE", value_hint = ValueHint::AnyPath)]
    updates: Vec<PathBuf>,

    /// COG to write, instead of replacing FILE
    #[arg(short, long, value_name = "OUTPUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Replace OUTPUT if it exists
    #[arg(long, requires = "output")]
    overwrite: bool,

    /// Also replace pixels by those that are nodata or masked in UPDATE
    #[arg(long)]
    replace_all: bool,

    /// Resampling kernel of FILE's overviews, or one per band [default: the one that its metadata name]
    ///
    /// Needed if FILE does not say it. GDAL's COG driver, rio-cogeo, and cogsmith write it.
    #[arg(long, value_parser = named(Resampling::ALL, Resampling::name, |_| ""), ignore_case = true, value_name = "KERNEL|LIST",
          value_delimiter = ',', action = ArgAction::Set, num_args = 1)]
    overview_resampling: Option<Vec<Resampling>>,

    /// Compression level of new tiles [default: that of FILE]
    ///
    /// No tag holds the level. By default, some tiles are encoded again at each level until their bytes are the same; if no
    /// level gives them, a warning says so, and the default level applies.
    #[arg(long, value_name = "N")]
    level: Option<u8>,

    /// Compute statistics of all bands, exactly, from all pixels of full resolution, which takes as long as reading them
    ///
    /// Without it, statistics in the metadata of FILE are removed, with a warning.
    #[arg(long)]
    stats: bool,

    /// Print which tiles would be encoded, without writing anything
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    connection: ConnectionArguments,

    /// Number of threads (1 to 1024), or all for one per core
    ///
    /// The output is the same, byte for byte, for any number of threads.
    #[arg(long, value_name = "N|all", value_parser = threads, default_value = "all")]
    threads: Threads,

    /// Wait until the file is safely on disk; slower
    #[arg(long)]
    sync: bool,

    /// Print no warnings or summary
    ///
    /// --json still prints its object.
    #[arg(long, short)]
    quiet: bool,

    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct PatchReport<'a> {
    file: &'a str,
    output: &'a str,
    dry_run: bool,
    bytes: u64,
    big_tiff: bool,
    levels: Vec<LevelReport>,
    encoded: u64,
    copied: u64,
    /// Column, row, width, and height in FILE of each UPDATE.
    windows: Vec<[u32; 4]>,
    seconds: f64,
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct LevelReport {
    width: u32,
    height: u32,
    encoded: u64,
    copied: u64,
}

/// Patches a file, and prints the summary.
pub(crate) fn patch(arguments: &PatchArguments) -> Result<(), Failure> {
    let start = Instant::now();
    let file = &arguments.file;
    let failed = |error| Failure::Library { error, input: file.clone(), output: arguments.output.clone() };
    let cancel = Cancel::listen();
    let options = PatchOptions::new()
        .overview_resampling(arguments.overview_resampling.clone().unwrap_or_default())
        .replace_all(arguments.replace_all)
        .level(arguments.level)
        .statistics(arguments.stats)
        .output(arguments.output.clone())
        .file(FileOptions::new().overwrite(arguments.overwrite).sync(arguments.sync))
        .dry_run(arguments.dry_run)
        .threads(match arguments.threads {
            Threads::All => None,
            Threads::Count(count) => Some(count.get()),
        })
        .cancel(cancel.flag());
    let updates = InputFiles::find(&arguments.updates, None).map_err(failed)?;
    let paths: Vec<&Path> = updates.paths().iter().map(PathBuf::as_path).collect();
    arguments.connection.check(&paths).map_err(Failure::Usage)?;
    let remote = Remote::new(paths, &arguments.connection, cancel.flag()).map_err(failed)?;
    let options = options.read_options(ReadOptions::new().addresses(remote.addresses()));
    let summary = cogsmith::patch(file, updates.paths(), &options).map_err(failed)?;
    let mut warnings = summary.warnings.clone();
    if arguments.output.is_none() {
        warnings.extend(auxiliary(file));
    }
    if !arguments.quiet {
        report::warnings(&warnings);
    }
    let written = arguments.output.as_deref().unwrap_or(file);
    report::print_summary(written, text(arguments, &summary, &warnings, start.elapsed().as_secs_f64()), false)
}

/// Returns the summary: JSON, a line, or nothing.
fn text(
    arguments: &PatchArguments,
    summary: &PatchSummary,
    warnings: &[String],
    seconds: f64,
) -> serde_json::Result<Option<String>> {
    let file = arguments.file.to_string_lossy();
    let output = arguments.output.as_ref().map_or_else(|| file.clone(), |output| output.to_string_lossy());
    if arguments.json {
        let levels = summary.levels.iter().map(|level| LevelReport {
            width: level.width,
            height: level.height,
            encoded: level.encoded,
            copied: level.copied,
        });
        let windows = summary.windows.iter();
        let windows = windows.map(|one| [one.columns.start, one.rows.start, one.width(), one.height()]);
        let report = PatchReport {
            file: &file,
            output: &output,
            dry_run: arguments.dry_run,
            bytes: summary.bytes,
            big_tiff: summary.big_tiff,
            levels: levels.collect(),
            encoded: summary.encoded(),
            copied: summary.copied(),
            windows: windows.collect(),
            seconds: (seconds * 1000.0).round() / 1000.0,
            warnings,
        };
        return serde_json::to_string(&report).map(Some);
    }
    let tiles = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX), "tile");
    let (encoded, copied) = (tiles(summary.encoded()), tiles(summary.copied()));
    let line = if arguments.dry_run {
        format!("{}: {encoded} to encode, {copied} to copy", one_line(&output))
    } else {
        format!("{}: {encoded} encoded, {copied} copied, {}, {seconds:.1} s", one_line(&output), size(summary.bytes))
    };
    Ok((!arguments.quiet).then_some(line))
}

/// Returns how to make an update fit, for an option in which it differs.
pub(crate) fn hint(option: OptionField) -> Option<&'static str> {
    Some(match option {
        OptionField::DataType => "'cogsmith create --dtype TYPE UPDATE NEW' converts an update",
        OptionField::Bands => "'cogsmith create --bands LIST UPDATE NEW' selects bands of an update",
        OptionField::BitsPerSample => "'cogsmith create --nbits N UPDATE NEW' sets the bits per sample of an update",
        OptionField::Nodata => "'cogsmith mosaic --nodata VALUE UPDATE -o NEW' converts the nodata value of an update",
        OptionField::Crs => {
            "if it is the same CRS, 'cogsmith edit --crs CRS UPDATE' sets it; otherwise 'cogsmith create --dst-crs CRS' warps it first"
        }
        OptionField::Mask => "leave out --replace-all, so that masked pixels leave the old ones",
        OptionField::Scale | OptionField::Offset => {
            "if the values are stored as those of the file, 'cogsmith edit --band-scale N --band-offset N UPDATE' says so"
        }
        _ => return None,
    })
}
