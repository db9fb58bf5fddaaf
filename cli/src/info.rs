//! `cogsmith info`: describes a file.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use cogsmith::check::{self, Info, MetadataEntry};
use serde::Serialize;

use crate::create::Failure;
use crate::remote::{self, Remote, Traffic};
use crate::report::{count, one_line, size};
use crate::store::ConnectionArguments;

/// Characters shown of a metadata value; `--json` prints the whole value.
const LONGEST_VALUE: usize = 200;

/// Describe a TIFF file: levels, compression, georeferencing, metadata, and the cost of reading it over HTTP
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 success, 1 the file cannot be read or is not a TIFF, 2 usage error.")]
pub(crate) struct InfoArguments {
    /// File to describe, or an object or URL; it does not have to be a Cloud Optimized GeoTIFF
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Prints a description of a file.
pub(crate) fn info(arguments: &InfoArguments) -> Result<(), Failure> {
    let file = &arguments.file;
    arguments.connection.check(&[file]).map_err(Failure::Usage)?;
    let name = remote::name(file);
    let failed = |error| Failure::Library { error, input: PathBuf::from(&name), output: None };
    let remote = Remote::new([file.as_path()], &arguments.connection, Arc::default()).map_err(failed)?;
    let info = remote::open(file, &remote).and_then(|reader| check::inspect(&*reader)).map_err(failed)?;
    let report = InfoReport { file: &name, info: &info, read: remote.traffic() };
    let mut output = io::stdout().lock();
    let written = if arguments.json {
        serde_json::to_string(&report).map_err(io::Error::from).and_then(|text| writeln!(output, "{text}"))
    } else {
        write_text(&mut output, &report)
    };
    written
        .and_then(|()| output.flush())
        .map_err(|error| Failure::Other(format!("cannot write to standard output: {error}")))
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct InfoReport<'a> {
    file: &'a str,
    #[serde(flatten)]
    info: &'a Info,
    /// The requests and bytes that this description took, if the file is at an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Traffic>,
}

fn write_text(output: &mut impl Write, report: &InfoReport<'_>) -> io::Result<()> {
    let InfoReport { file, info, read } = *report;
    let variant = if info.big_tiff { "BigTIFF" } else { "TIFF" };
    let order = if info.big_endian { ", big-endian" } else { "" };
    let layout = if info.gdal_layout { ", GDAL COG layout" } else { "" };
    writeln!(output, "{}: {variant}{order}{layout}, {}", one_line(file), size(info.bytes))?;
    let mut pixels = format!("{}x{} pixels, ", info.width, info.height);
    pixels += &count(usize::try_from(info.bands).unwrap_or(usize::MAX), "band");
    pixels += &format!(" {}", info.data_type);
    if info.data_type != "unknown" && u64::from(width_of(&info.data_type)) != info.bits {
        pixels += &format!(" of {} bits", info.bits);
    }
    pixels += &format!(", {}, {} interleave", info.color, info.interleave);
    if let Some(alpha) = info.alpha {
        pixels += &format!(", alpha in band {}", alpha + 1);
    }
    line(output, "image", &pixels)?;
    line(output, "nodata", info.nodata.as_deref().unwrap_or("none"))?;
    line(output, "mask", if info.mask { "yes" } else { "no" })?;
    if info.other_images > 0 {
        line(output, "others", &format!("{} at full resolution", count(info.other_images, "more image")))?;
    }
    write_place(output, info)?;
    writeln!(output, "  levels")?;
    for (number, level) in info.levels.iter().enumerate() {
        let kind = if level.tiled { "tile" } else { "strip" };
        let mut text = format!(
            "{}x{}, {} of {}x{}, {}",
            level.width,
            level.height,
            count(usize::try_from(level.tiles).unwrap_or(usize::MAX), kind),
            level.tile_width,
            level.tile_height,
            level.compression
        );
        if level.predictor != "none" {
            text += &format!(" (predictor {})", level.predictor);
        }
        text += &format!(", {}", size(level.bytes));
        text += &level.ratio().map_or(String::new(), |ratio| format!(", ratio {ratio:.1}"));
        if level.mask_bytes > 0 {
            text += &format!(", mask {}", size(level.mask_bytes));
        }
        if level.sparse_tiles > 0 {
            text += &format!(", {} sparse", level.sparse_tiles);
        }
        writeln!(output, "    {number}  {}", one_line(&text))?;
    }
    writeln!(output, "  HTTP cost, in reads of 16 KiB")?;
    let costs = [
        ("open", info.open),
        ("whole image at 1024x1024", info.whole_view),
        ("1024x1024 at full resolution", info.detail_view),
    ];
    for (what, cost) in costs {
        let requests = count(usize::try_from(cost.requests).unwrap_or(usize::MAX), "request");
        writeln!(output, "    {what}: {requests}, {}", size(cost.bytes))?;
    }
    if let Some(read) = read {
        writeln!(output, "    this description: {}", read.text())?;
    }
    write_metadata(output, &info.metadata)
}

fn line(output: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(output, "  {name:<9} {}", one_line(text))
}

fn width_of(data_type: &str) -> u16 {
    let known = cogsmith::DataType::ALL.iter().find(|known| known.name() == data_type);
    known.map_or(0, |known| known.bits())
}

fn write_place(output: &mut impl Write, info: &Info) -> io::Result<()> {
    let mut crs = info.crs.clone().or_else(|| info.crs_kind.as_ref().map(|kind| format!("{kind}, no code")));
    if let (Some(crs), Some(name)) = (&mut crs, &info.crs_name) {
        *crs += &format!(" ({name})");
    }
    if let (Some(crs), Some(vertical)) = (&mut crs, &info.vertical_crs) {
        *crs += &format!(", heights {vertical}");
    }
    line(output, "CRS", crs.as_deref().unwrap_or("none"))?;
    match info.transform {
        Some([a, b, c, d, e, f]) => {
            let kind = if info.pixel_is_point { "point" } else { "area" };
            let shear = if b == 0.0 && d == 0.0 { String::new() } else { format!(", rotated ({b}, {d})") };
            line(output, "pixel", &format!("{a} x {e}{shear}, {kind}, upper left corner {c}, {f}"))?;
        }
        None if info.control_points > 0 => {
            line(output, "pixel", &count(info.control_points, "ground control point"))?;
        }
        None => {}
    }
    if let Some(bounds) = info.bounds {
        line(output, "bounds", &format!("{}, {} to {}, {}", bounds.left, bounds.bottom, bounds.right, bounds.top))?;
    }
    Ok(())
}

fn write_metadata(output: &mut impl Write, items: &[MetadataEntry]) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(output, "  metadata")?;
    for item in items {
        let mut name = item.name.clone();
        if let Some(band) = item.band {
            name += &format!(" of band {}", band + 1);
        }
        if !item.domain.is_empty() {
            name += &format!(" [{}]", item.domain);
        }
        let mut value: String = item.value.chars().take(LONGEST_VALUE).collect();
        if value.len() < item.value.len() {
            value += " …";
        }
        writeln!(output, "    {}: {}", one_line(&name), one_line(value.trim()))?;
    }
    Ok(())
}
