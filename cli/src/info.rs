//! `cogsmith info`: describes a file.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use cogsmith::DiskFile;
use cogsmith::check::{self, Info, LevelInfo, MetadataEntry, Requests};
use serde::Serialize;

use crate::create::Failure;
use crate::report::{count, one_line, size, thousandths};

/// Characters shown of a metadata value; `--json` prints the whole value.
const LONGEST_VALUE: usize = 200;

/// Describe a TIFF file: levels, compression, georeferencing, metadata, and the cost of reading it over HTTP
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 success, 1 the file cannot be read or is not a TIFF, 2 usage error.")]
pub(crate) struct InfoArguments {
    /// File to describe; it does not have to be a Cloud Optimized GeoTIFF
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints a description of a file.
pub(crate) fn info(arguments: &InfoArguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let failed = |error| Failure::Library { error, input: file.clone(), output: None };
    let info = DiskFile::open(file).and_then(|reader| check::inspect(&reader)).map_err(failed)?;
    let name = file.to_string_lossy();
    let mut output = io::stdout().lock();
    let written =
        if arguments.json { write_json(&mut output, &name, &info) } else { write_text(&mut output, &name, &info) };
    written
        .and_then(|()| output.flush())
        .map_err(|error| Failure::Other(format!("cannot write to standard output: {error}")))
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct InfoReport<'a> {
    file: &'a str,
    bytes: u64,
    big_tiff: bool,
    byte_order: &'static str,
    gdal_layout: bool,
    width: u64,
    height: u64,
    bands: u64,
    data_type: &'a str,
    bits: u64,
    color: &'a str,
    alpha_band: Option<u64>,
    interleave: &'a str,
    nodata: Option<&'a str>,
    mask: bool,
    levels: Vec<LevelReport<'a>>,
    other_images: usize,
    crs: Option<&'a str>,
    crs_name: Option<&'a str>,
    crs_kind: Option<&'a str>,
    vertical_crs: Option<&'a str>,
    transform: Option<[f64; 6]>,
    pixel_is_point: bool,
    control_points: usize,
    bounds: Option<[f64; 4]>,
    metadata: Vec<ItemReport<'a>>,
    open: RequestsReport,
    whole_view: RequestsReport,
    detail_view: RequestsReport,
}

#[derive(Debug, Serialize)]
struct LevelReport<'a> {
    directory: usize,
    width: u64,
    height: u64,
    tiled: bool,
    tile_width: u64,
    tile_height: u64,
    tiles: u64,
    sparse_tiles: u64,
    compression: &'a str,
    predictor: &'a str,
    bytes: u64,
    mask_bytes: u64,
    uncompressed_bytes: u64,
    ratio: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ItemReport<'a> {
    name: &'a str,
    domain: &'a str,
    band: Option<u32>,
    role: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
struct RequestsReport {
    requests: u64,
    bytes: u64,
    tiles: u64,
}

impl From<Requests> for RequestsReport {
    fn from(cost: Requests) -> Self {
        Self { requests: cost.requests, bytes: cost.bytes, tiles: cost.tiles }
    }
}

/// Returns uncompressed bytes divided by compressed bytes, if there are tiles.
fn ratio(level: &LevelInfo) -> Option<f64> {
    (level.bytes > 0).then(|| thousandths(level.uncompressed_bytes as f64 / level.bytes as f64))
}

fn write_json(output: &mut impl Write, file: &str, info: &Info) -> io::Result<()> {
    let report = InfoReport {
        file,
        bytes: info.bytes,
        big_tiff: info.big_tiff,
        byte_order: if info.big_endian { "big" } else { "little" },
        gdal_layout: info.gdal_layout,
        width: info.width,
        height: info.height,
        bands: info.bands,
        data_type: &info.data_type,
        bits: info.bits,
        color: &info.color,
        // People count bands from 1.
        alpha_band: info.alpha.map(|band| band + 1),
        interleave: &info.interleave,
        nodata: info.nodata.as_deref(),
        mask: info.mask,
        levels: info
            .levels
            .iter()
            .map(|level| LevelReport {
                directory: level.directory,
                width: level.width,
                height: level.height,
                tiled: level.tiled,
                tile_width: level.tile_width,
                tile_height: level.tile_height,
                tiles: level.tiles,
                sparse_tiles: level.sparse_tiles,
                compression: &level.compression,
                predictor: &level.predictor,
                bytes: level.bytes,
                mask_bytes: level.mask_bytes,
                uncompressed_bytes: level.uncompressed_bytes,
                ratio: ratio(level),
            })
            .collect(),
        other_images: info.other_images,
        crs: info.crs.as_deref(),
        crs_name: info.crs_name.as_deref(),
        crs_kind: info.crs_kind.as_deref(),
        vertical_crs: info.vertical_crs.as_deref(),
        transform: info.transform,
        pixel_is_point: info.pixel_is_point,
        control_points: info.control_points,
        bounds: info.bounds.map(|bounds| [bounds.left, bounds.bottom, bounds.right, bounds.top]),
        metadata: info
            .metadata
            .iter()
            .map(|item| ItemReport {
                name: &item.name,
                domain: &item.domain,
                // People count bands from 1.
                band: item.band.map(|band| band.saturating_add(1)),
                role: &item.role,
                value: &item.value,
            })
            .collect(),
        open: info.open.into(),
        whole_view: info.whole_view.into(),
        detail_view: info.detail_view.into(),
    };
    writeln!(output, "{}", serde_json::to_string(&report)?)
}

fn write_text(output: &mut impl Write, file: &str, info: &Info) -> io::Result<()> {
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
        text += &ratio(level).map_or(String::new(), |ratio| format!(", ratio {ratio:.1}"));
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
