//! Golden files: readable dumps of headers, and their comparison with what is committed.

use std::fmt::Write as _;
use std::path::Path;

use super::parse::{Tiff, Value};

/// Values of a tag that are printed.
const MAX_VALUES: usize = 12;
/// Characters of a text that are printed.
const MAX_TEXT: usize = 300;

/// The first lines of GDAL's structural metadata, which are the same in all files.
const USUAL: &str =
    "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n";

/// The header of a file: GDAL's structural metadata, and all directories with their tags, as far as these differ from the
/// directory before; tiles by number and size.
pub fn dump(bytes: &[u8]) -> String {
    let tiff = Tiff::parse(bytes);
    let mut text = format!("{}\n", if tiff.big { "BigTIFF" } else { "classic TIFF" });
    let ghost = tiff.ghost.as_deref().unwrap_or_default();
    let _ = match ghost.strip_prefix(USUAL) {
        Some(rest) => writeln!(text, "structural metadata: as usual, then {rest:?}"),
        None => writeln!(text, "structural metadata: {ghost:?}"),
    };
    let mut before: Vec<String> = Vec::new();
    for (number, directory) in tiff.ifds.iter().enumerate() {
        let _ = writeln!(text, "directory {number} at {}", directory.start);
        let tags = directory.tags.iter().map(|(tag, value)| format!("{tag} {} {}", name(*tag), describe(*tag, value)));
        let tags: Vec<_> = tags.collect();
        // Tags that are as in the directory before are left out; those that it alone has are crossed out.
        for tag in tags.iter().filter(|tag| !before.contains(tag)) {
            let _ = writeln!(text, "  {tag}");
        }
        let number = |tag: &str| tag.split(' ').next().map(str::to_owned);
        for tag in before.iter().filter(|tag| !tags.iter().any(|other| number(other) == number(tag))) {
            let _ = writeln!(text, "  without {}", tag.split(' ').take(2).collect::<Vec<_>>().join(" "));
        }
        before = tags;
    }
    text
}

fn describe(tag: u16, value: &Value) -> String {
    let numbers = |count: usize, numbers: Vec<String>| {
        if count <= MAX_VALUES { numbers.join(" ") } else { format!("{count} values") }
    };
    let count = value.count;
    match value.field_type {
        2 => {
            let whole = value.text();
            let text: String = whole.chars().take(MAX_TEXT).collect();
            let more = if text.len() < whole.len() { format!("… ({} bytes)", whole.len()) } else { String::new() };
            format!("ASCII {text:?}{more}")
        }
        12 => {
            let doubles = value.bytes.chunks(8).map(|item| f64::from_le_bytes(item.try_into().expect("8 bytes")));
            format!("DOUBLE {}", numbers(count, doubles.map(|number| number.to_string()).collect()))
        }
        kind => {
            let kind = match kind {
                1 => "BYTE",
                3 => "SHORT",
                4 => "LONG",
                7 => "UNDEFINED",
                16 => "LONG8",
                other => return format!("type {other}, {count} values"),
            };
            // Where tiles lie follows from their sizes; the first one says how long the header is.
            match (tag, value.numbers()) {
                (324, offsets) => format!("{kind} {count} from {}", offsets.iter().min().unwrap_or(&0)),
                (_, values) => format!("{kind} {}", numbers(count, values.iter().map(u64::to_string).collect())),
            }
        }
    }
}

fn name(tag: u16) -> &'static str {
    match tag {
        254 => "NewSubfileType",
        256 => "ImageWidth",
        257 => "ImageLength",
        258 => "BitsPerSample",
        259 => "Compression",
        262 => "PhotometricInterpretation",
        277 => "SamplesPerPixel",
        284 => "PlanarConfiguration",
        317 => "Predictor",
        320 => "ColorMap",
        322 => "TileWidth",
        323 => "TileLength",
        324 => "TileOffsets",
        325 => "TileByteCounts",
        338 => "ExtraSamples",
        339 => "SampleFormat",
        33550 => "ModelPixelScale",
        33922 => "ModelTiepoint",
        34264 => "ModelTransformation",
        34735 => "GeoKeyDirectory",
        34736 => "GeoDoubleParams",
        34737 => "GeoAsciiParams",
        42112 => "GDAL_METADATA",
        42113 => "GDAL_NODATA",
        _ => "",
    }
}

/// Compares a text with a file that is committed; with `UPDATE_GOLDEN=1` in the environment the file is written instead.
pub fn compare(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(path, text).expect("the golden file is written");
        return;
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    if golden == text {
        return;
    }
    // The heading of the first difference, and what differs.
    let (mut heading, mut different) = ("", None);
    let golden_lines = golden.lines().chain(std::iter::repeat("(nothing)"));
    for (number, (line, before)) in text.lines().zip(golden_lines).enumerate() {
        if line.starts_with('#') {
            heading = line;
        }
        if before != line {
            different = Some((number + 1, before, line));
            break;
        }
    }
    let (number, before, line) = different.unwrap_or((0, "(more lines)", "(the end)"));
    panic!(
        "{} differs under {heading:?}, line {number}:\n  before: {before}\n  now:    {line}\n\
         if that is meant, run UPDATE_GOLDEN=1 cargo test --test golden, and look at the whole difference",
        path.display()
    );
}
