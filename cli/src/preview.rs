//! `cogsmith preview`: a small picture of a raster.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueHint};
use cogsmith::{BandChoice, FileOptions, Preview, PreviewFormat, PreviewOptions, ReadOptions};
use serde::Serialize;

use crate::cancel::Cancel;
use crate::create::Failure;
use crate::pixels::band;
use crate::remote::{self, Remote, Traffic};
use crate::report::{self, one_line, size};
use crate::store::ConnectionArguments;
use crate::values::image_number;

const EXAMPLES: &str = "\
Examples:
  cogsmith preview scene.tif scene.png
  cogsmith preview --size 1024 --bands 4,3,2 scene.tif scene.jpg";

/// Make a small picture of a raster, PNG or JPEG
///
/// It is made from the nearest overview, so that little of a large file is read. Eight-bit colors and palettes are shown as
/// they are; other values are stretched, per band, from the 2nd to the 98th percentile of the valid pixels. Pixels without
/// data are transparent, or white in a JPEG.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PreviewArguments {
    /// GeoTIFF, VRT, PNG, or JPEG to read, or an object or URL
    #[arg(value_hint = ValueHint::FilePath)]
    input: PathBuf,

    /// Picture to write; its name ends in .png, .jpg, or .jpeg
    #[arg(value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// Longer side of the picture in pixels, 1 to 8192; smaller images are not enlarged
    #[arg(long, value_name = "PIXELS", default_value_t = 512)]
    size: u32,

    /// Bands to show: one, or three as red, green, and blue [default: by color interpretation]
    ///
    /// Numbers counting from 1, or names. Without red, green, and blue, the first band is shown. Example: --bands 4,3,2
    #[arg(long, value_name = "BAND,…", value_parser = band, value_delimiter = ',')]
    bands: Vec<BandChoice>,

    /// Image to show of a file with several, counting from 1 [default: the first at full resolution]
    #[arg(long, value_name = "N", value_parser = image_number)]
    image: Option<NonZeroUsize>,

    /// Replace OUTPUT if it exists
    #[arg(long)]
    overwrite: bool,

    /// Print no warnings or summary
    ///
    /// --json still prints its object.
    #[arg(long, short)]
    quiet: bool,

    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct PreviewReport<'a> {
    output: &'a str,
    width: u32,
    height: u32,
    channels: u8,
    /// Width and height of the level that was read.
    level: (u32, u32),
    bytes: u64,
    seconds: f64,
    warnings: &'a [String],
    /// The requests and bytes that the picture took, if the input is at an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Traffic>,
}

/// Makes a picture, and prints the summary.
pub(crate) fn preview(arguments: &PreviewArguments) -> Result<(), Failure> {
    let start = Instant::now();
    let PreviewArguments { input, output, .. } = arguments;
    arguments.connection.check(&[input]).map_err(Failure::Usage)?;
    // An error about the output, not about the input.
    PreviewFormat::of(output).map_err(|error| Failure::Usage(error.to_string()))?;
    let failed = |error| {
        let input = PathBuf::from(remote::name(input));
        Failure::Library { error, input, output: Some(output.clone()) }
    };
    let cancel = Cancel::listen();
    let remote = Remote::new([input.as_path()], &arguments.connection, cancel.flag()).map_err(failed)?;
    let options = PreviewOptions::new()
        .size(arguments.size)
        .bands(&arguments.bands[..])
        .read_options(
            ReadOptions::new().image(arguments.image.map(|number| number.get() - 1)).addresses(remote.addresses()),
        )
        .file(FileOptions::new().overwrite(arguments.overwrite))
        .cancel(cancel.flag());
    let preview = cogsmith::preview(input, output, &options).map_err(failed)?;
    if !arguments.quiet {
        report::warnings(&preview.warnings);
    }
    let bytes = std::fs::metadata(output).map(|metadata| metadata.len());
    let bytes =
        bytes.map_err(|error| Failure::Other(format!("cannot read the size of '{}': {error}", output.display())))?;
    let seconds = start.elapsed().as_secs_f64();
    report::print_summary(output, text(arguments, &preview, bytes, seconds, remote.traffic()), false)
}

/// Returns the summary: JSON, a line, or nothing.
fn text(
    arguments: &PreviewArguments,
    preview: &Preview,
    bytes: u64,
    seconds: f64,
    read: Option<Traffic>,
) -> serde_json::Result<Option<String>> {
    let output = arguments.output.to_string_lossy();
    let Preview { width, height, channels, level, warnings, .. } = preview;
    if arguments.json {
        let seconds = (seconds * 1000.0).round() / 1000.0;
        let (width, height, channels, level) = (*width, *height, *channels, *level);
        let report = PreviewReport { output: &output, width, height, channels, level, bytes, seconds, warnings, read };
        return serde_json::to_string(&report).map(Some);
    }
    let mut line = format!(
        "{}: {width}x{height} from the level of {}x{}, {}, {seconds:.1} s",
        one_line(&output),
        level.0,
        level.1,
        size(bytes)
    );
    if let Some(read) = read {
        line += &format!(" (read: {})", read.text());
    }
    Ok((!arguments.quiet).then_some(line))
}
