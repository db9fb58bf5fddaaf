//! `cogsmith edit`: changes georeferencing and metadata of a COG without encoding it again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueHint};
use cogsmith::{CopyPart, Crs, EditOptions, EditPart, EditSummary, Overrides};
use serde::Serialize;

use crate::arguments::NodataChoice;
use crate::cancel::Cancel;
use crate::create::Failure;
use crate::describe::DescribeArguments;
use crate::place::PlaceArguments;
use crate::report::{self, count, one_line, size};
use crate::values::{header_room, named, nodata};

const EXAMPLES: &str = "\
Examples:
  cogsmith edit --crs EPSG:32633 --nodata -9999 scene.tif
  cogsmith edit --band-description 1=red --band-scale 0.0001 scene.tif
  cogsmith edit --dry-run --remove crs --remove-metadata AREA scene.tif";

/// Change georeferencing and metadata of a COG without encoding it again
///
/// Tiles are copied byte for byte; tags that no option concerns stay as they are. The new file replaces FILE at the end,
/// unless the change fits in the free bytes of the header: then it is made in place. A tiled TIFF in another layout becomes
/// a COG, as with 'repack'. Nothing is written if nothing changes.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct EditArguments {
    /// File to change
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Value that marks pixels without data, or none; pixel values are unchanged
    ///
    /// A number (64-bit integers are exact), nan, inf, or -inf, for all levels. Statistics in the metadata are dropped.
    /// Example: --nodata -9999
    #[arg(long, value_name = "VALUE|none", value_parser = nodata, allow_hyphen_values = true)]
    nodata: Option<NodataChoice>,

    /// Coordinate reference system (CRS), such as EPSG:32633; does not reproject
    ///
    /// An EPSG code (EPSG:32633, or EPSG:32633+5773 with heights, or EPSG:9000@2021.3 with a coordinate epoch),
    /// OGC:CRS84, WKT 1 or 2, PROJJSON, or a PROJ string. Pixels stay where they are.
    #[arg(long, value_name = "CRS", allow_hyphen_values = true, help_heading = "Georeferencing")]
    crs: Option<String>,

    /// If GeoKeys cannot express --crs, store WKT in the citation instead of failing
    ///
    /// GDAL reads this WKT; readers that only look at GeoKeys do not.
    #[arg(long, help_heading = "Georeferencing")]
    crs_wkt: bool,

    #[command(flatten)]
    place: PlaceArguments,

    #[command(flatten)]
    describe: DescribeArguments,

    /// ICC profile to store, from a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Metadata")]
    icc_profile: Option<PathBuf>,

    /// Part to remove (repeatable, or separated by commas), before others are set
    ///
    /// transform also removes ground control points. --nodata none removes the nodata value, and empty text removes
    /// descriptions and units. Example: --remove crs,rpc
    #[arg(long, value_name = "PART,…", value_parser = named(EditPart::ALL, EditPart::name, |_| ""), ignore_case = true, value_delimiter = ',', help_heading = "Removal")]
    remove: Vec<EditPart>,

    /// File to copy parts of the description from: those of --copy; parts that it lacks are removed
    ///
    /// Files next to it count as when it is read. Options that set a value are applied after.
    /// Example: --from original.tif --copy crs,transform,metadata
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Copy")]
    from: Option<PathBuf>,

    /// Parts to copy from the file of --from
    ///
    /// transform includes ground control points; metadata includes texts and what bands have, but not statistics and colors.
    #[arg(long, value_name = "PART,…", value_parser = named(CopyPart::ALL, CopyPart::name, |_| ""), ignore_case = true, value_delimiter = ',',
          default_value = "crs,transform", requires = "from", help_heading = "Copy")]
    copy: Vec<CopyPart>,

    /// Metadata item to remove (repeatable)
    ///
    /// Example: --remove-metadata AREA
    #[arg(long, value_name = "[DOMAIN:]KEY", value_parser = item_name, help_heading = "Removal")]
    remove_metadata: Vec<(Option<String>, String)>,

    /// Free bytes after the directories, in which later changes fit [default: as many as the file has]
    ///
    /// Takes effect when a new file is written, which happens if the file has fewer. Bytes, or a number with the suffix K or M
    /// (powers of 1024), at most 16M. Example: --header-room 16K
    #[arg(long, value_parser = header_room, value_name = "SIZE", help_heading = "Running")]
    header_room: Option<u32>,

    /// Print the changes without writing them
    #[arg(long, help_heading = "Running")]
    dry_run: bool,

    /// Wait until the file is safely on disk; slower
    #[arg(long, help_heading = "Running")]
    sync: bool,

    /// Print no warnings or summary
    ///
    /// --json still prints its object.
    #[arg(long, short, help_heading = "Messages")]
    quiet: bool,

    /// Print the changes and the summary as one JSON object
    #[arg(long, help_heading = "Messages")]
    json: bool,
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct EditReport<'a> {
    file: &'a str,
    changes: Vec<String>,
    written: bool,
    in_place: bool,
    dry_run: bool,
    bytes: u64,
    seconds: f64,
    warnings: &'a [String],
}

/// Edits a file, and prints the changes.
pub(crate) fn edit(arguments: &EditArguments) -> Result<(), Failure> {
    let start = Instant::now();
    let file = &arguments.file;
    let failed = |error| Failure::Library { error, input: file.clone(), output: None };
    let cancel = Cancel::listen();
    let options = options(arguments)?.cancel(cancel.flag());
    let summary = cogsmith::edit(file, &options).map_err(failed)?;
    let mut warnings = summary.warnings.clone();
    warnings.extend(auxiliary(file));
    if !arguments.quiet {
        report::warnings(&warnings);
    }
    report::print_summary(file, text(arguments, &summary, &warnings, start.elapsed().as_secs_f64()), false)
}

fn options(arguments: &EditArguments) -> Result<EditOptions, Failure> {
    let mut overrides = Overrides::default();
    arguments.place.add_to(&mut overrides);
    arguments.describe.add_to(&mut overrides);
    let failed = |error| Failure::Library { error, input: arguments.file.clone(), output: None };
    let crs = Crs::parse_option(arguments.crs.as_deref(), arguments.crs_wkt).map_err(failed)?;
    let profile = arguments.icc_profile.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| Failure::Other(format!("cannot read '{}': {error}", path.display())))
    });
    let options = EditOptions::new()
        .crs(crs)
        .overrides(overrides)
        .icc_profile(profile.transpose()?)
        .remove(arguments.remove.clone())
        .remove_items(arguments.remove_metadata.clone())
        .statistics(arguments.describe.computes_statistics())
        .header_room(arguments.header_room)
        .dry_run(arguments.dry_run)
        .sync(arguments.sync);
    let options = match &arguments.from {
        Some(path) => options.copy_from(path, &arguments.copy[..]),
        None => options,
    };
    Ok(match arguments.nodata {
        None => options,
        Some(NodataChoice::None) => options.without_nodata(),
        Some(NodataChoice::Value(value)) => options.nodata(value),
    })
}

/// Returns a warning if GDAL prefers the metadata in another file.
pub(crate) fn auxiliary(file: &Path) -> Option<String> {
    let mut path = file.as_os_str().to_owned();
    path.push(".aux.xml");
    Path::new(&path)
        .is_file()
        .then(|| format!("GDAL prefers the metadata in '{}', which is not changed", path.to_string_lossy()))
}

/// Returns the summary: JSON, lines, or nothing.
fn text(
    arguments: &EditArguments,
    summary: &EditSummary,
    warnings: &[String],
    seconds: f64,
) -> serde_json::Result<Option<String>> {
    let file = arguments.file.to_string_lossy();
    let changes: Vec<_> = summary.changes.iter().map(ToString::to_string).collect();
    if arguments.json {
        let report = EditReport {
            file: &file,
            changes,
            written: summary.is_written && !arguments.dry_run,
            in_place: summary.in_place,
            dry_run: arguments.dry_run,
            bytes: summary.bytes,
            seconds: (seconds * 1000.0).round() / 1000.0,
            warnings,
        };
        return serde_json::to_string(&report).map(Some);
    }
    if arguments.quiet {
        return Ok(None);
    }
    let file = one_line(&file);
    let mut lines: Vec<_> = changes.iter().map(|change| one_line(change)).collect();
    lines.push(match (summary.is_written, arguments.dry_run) {
        (false, _) => format!("{file}: nothing to change"),
        (true, true) => format!("{file}: {} to make", count(changes.len(), "change")),
        (true, false) => {
            let way = if summary.in_place { "in place" } else { "new file" };
            let (count, size) = (count(changes.len(), "change"), size(summary.bytes));
            format!("{file}: {count}, {way}, {size}, {seconds:.1} s")
        }
    });
    Ok(Some(lines.join("\n")))
}

fn item_name(text: &str) -> Result<(Option<String>, String), String> {
    let (domain, key) = match text.rsplit_once(':') {
        Some((domain, key)) => (Some(domain.to_owned()), key),
        None => (None, text),
    };
    if key.is_empty() || domain.as_deref() == Some("") || key.contains('=') {
        return Err("expected KEY or DOMAIN:KEY".into());
    }
    Ok((domain, key.to_owned()))
}
