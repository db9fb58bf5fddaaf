//! `cogsmith repack`: arranges the tiles of a TIFF file as a COG, without encoding them again.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueHint};
use cogsmith::{BigTiff, FileOptions, RepackOptions, RepackSummary};
use serde::Serialize;

use crate::cancel::Cancel;
use crate::create::{Failure, standard_output};
use crate::report::{self, count, one_line, size};
use crate::values::{big_tiff_help, header_room, named};

const EXAMPLES: &str = "\
Examples:
  gdaladdo scene.tif 2 4 8 && cogsmith repack scene.tif scene-cog.tif
  cogsmith repack --overwrite scene.tif scene.tif";

/// Arrange a tiled TIFF as a COG without encoding its tiles again
///
/// The tiles of full resolution, of the overviews that the file has (also in SubIFDs or in INPUT.ovr), and of their masks
/// are copied byte for byte into GDAL's COG layout. Overviews are not computed. Files with strips, and others whose tiles
/// cannot be copied, are refused; 'create' reads those.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RepackArguments {
    /// Tiled TIFF to read
    #[arg(value_hint = ValueHint::FilePath)]
    input: PathBuf,

    /// COG to write: a file, or - for standard output
    #[arg(value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// Write a BigTIFF, which can exceed 4 GiB but is not read by very old software
    #[arg(long, value_parser = named(BigTiff::ALL, BigTiff::name, big_tiff_help), ignore_case = true, value_name = "WHEN",
          default_value_t = BigTiff::Auto)]
    bigtiff: BigTiff,

    /// Free bytes after the directories, in which later changes by 'edit' fit
    ///
    /// Bytes, or a number with the suffix K or M (powers of 1024), at most 16M. Example: --header-room 16K
    #[arg(long, value_parser = header_room, value_name = "SIZE", default_value = "0")]
    header_room: u32,

    /// Replace OUTPUT if it exists; it may be the same file as INPUT
    #[arg(long)]
    overwrite: bool,

    /// Wait until the output is safely on disk; slower
    #[arg(long)]
    sync: bool,

    /// Print no warnings or summary
    ///
    /// --json still prints its object.
    #[arg(long, short)]
    quiet: bool,

    /// Print the summary as one JSON object
    ///
    /// To standard output, or to standard error if OUTPUT is -.
    #[arg(long)]
    json: bool,
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct RepackReport<'a> {
    output: &'a str,
    bytes: u64,
    big_tiff: bool,
    /// Width and height of each level.
    levels: &'a [(u32, u32)],
    tiles: u64,
    seconds: f64,
    warnings: &'a [String],
}

/// Repacks a file, and prints the summary.
pub(crate) fn repack(arguments: &RepackArguments) -> Result<(), Failure> {
    let start = Instant::now();
    let RepackArguments { input, output, .. } = arguments;
    let to_standard_output = output == Path::new("-");
    if to_standard_output && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "standard output is a terminal; write to a file, or pipe the output to another command".into(),
        ));
    }
    let failed = |error| Failure::Library { error, input: input.clone(), output: Some(output.clone()) };
    let cancel = Cancel::listen();
    let options = RepackOptions::new()
        .big_tiff(arguments.bigtiff)
        .header_room(arguments.header_room)
        .file(FileOptions::new().overwrite(arguments.overwrite).sync(arguments.sync))
        .cancel(cancel.flag());
    let summary = if to_standard_output {
        let standard =
            standard_output().map_err(|error| Failure::Other(format!("cannot open standard output: {error}")))?;
        cogsmith::repack_to(input, io::BufWriter::with_capacity(1 << 20, standard), &options)
    } else {
        cogsmith::repack(input, output, &options)
    };
    let summary = summary.map_err(failed)?;
    if !arguments.quiet {
        report::warnings(&summary.warnings);
    }
    report::print_summary(output, text(arguments, &summary, start.elapsed().as_secs_f64()), to_standard_output)
}

/// Returns the summary: JSON, a line, or nothing.
fn text(arguments: &RepackArguments, summary: &RepackSummary, seconds: f64) -> serde_json::Result<Option<String>> {
    let output = arguments.output.to_string_lossy();
    let RepackSummary { bytes, big_tiff, levels, tiles, warnings, .. } = summary;
    if arguments.json {
        let seconds = (seconds * 1000.0).round() / 1000.0;
        let (bytes, big_tiff, tiles) = (*bytes, *big_tiff, *tiles);
        let report = RepackReport { output: &output, bytes, big_tiff, levels, tiles, seconds, warnings };
        return serde_json::to_string(&report).map(Some);
    }
    let (width, height) = levels.first().copied().unwrap_or_default();
    let line = format!(
        "{}: {width}x{height}, {}, {} copied, {}, {seconds:.1} s",
        one_line(&output),
        count(levels.len(), "level"),
        count(usize::try_from(*tiles).unwrap_or(usize::MAX), "tile"),
        size(*bytes),
    );
    Ok((!arguments.quiet).then_some(line))
}
