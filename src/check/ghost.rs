//! GDAL's structural metadata, the "ghost area" between the header and the first directory: a line with the size of
//! the text that follows, and the text, which states how the tiles are laid out.

use crate::error::Result;

use super::parse::Tiff;
use super::report::{Place, Report};
use super::rules;

const SIZE_START: &[u8] = b"GDAL_STRUCTURAL_METADATA_SIZE=";
const SIZE_END: &[u8] = b" bytes\n";
const SIZE_DIGITS: usize = 6;
/// Length of the first line, `GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\n`.
const SIZE_LINE: u64 = (SIZE_START.len() + SIZE_DIGITS + SIZE_END.len()) as u64;
/// Bytes of deviating text quoted in a finding.
const QUOTED: usize = 40;

/// The text as written by GDAL 3.1 to 3.13 (`GTiffDataset::CreateCopy` in `frmts/gtiff/gtiffdataset_write.cpp`): one of
/// the alternatives of each line, in this order. The space after `NO` leaves room for the `YES` that GDAL writes over
/// it when an edit breaks the layout.
const LINES: [&[&str]; 7] = [
    &["LAYOUT=IFDS_BEFORE_DATA\n"],
    &["BLOCK_ORDER=ROW_MAJOR\n"],
    &["BLOCK_LEADER=SIZE_AS_UINT4\n"],
    &["BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"],
    &["INTERLEAVE=BAND\n", "INTERLEAVE=TILE\n", ""],
    &["KNOWN_INCOMPATIBLE_EDITION=NO\n ", "KNOWN_INCOMPATIBLE_EDITION=YES\n"],
    &["MASK_INTERLEAVED_WITH_IMAGERY=YES\n", ""],
];

/// The structural metadata of a file.
#[derive(Debug, Clone)]
pub(super) struct Ghost {
    /// The text after the first line; empty if its size is unknown.
    pub(super) text: String,
    /// End of the text in the file; 0 if its size is unknown.
    pub(super) end: u64,
}

impl Ghost {
    pub(super) fn says(&self, line: &str) -> bool {
        self.text.contains(line)
    }

    /// Returns true if the text states that each band has separate tiles.
    pub(super) fn says_planar(&self) -> bool {
        self.says("INTERLEAVE=BAND\n") || self.says("INTERLEAVE=TILE\n")
    }
}

/// Reads the structural metadata and compares it with what GDAL writes; `None` if the file has none.
pub(super) fn read(tiff: &Tiff<'_>, report: &mut Report) -> Result<Option<Ghost>> {
    let start = tiff.header_bytes();
    if !tiff.holds(start, SIZE_LINE) {
        return Ok(None);
    }
    let line = tiff.bytes(start, SIZE_LINE)?;
    let Some(rest) = line.strip_prefix(SIZE_START) else { return Ok(None) };
    let text_start = start + SIZE_LINE;
    let Some(size) = size(rest).filter(|size| tiff.holds(text_start, *size)) else {
        let line = String::from_utf8_lossy(&line);
        report.add(&rules::GHOST_AREA, Place::byte(start), format_args!("the first line is {line:?}"));
        return Ok(Some(Ghost { text: String::new(), end: 0 }));
    };
    let end = text_start + size;
    if tiff.first < end {
        let first = tiff.first;
        let message = format_args!("the text ends at byte {end}, but the first directory starts at byte {first}");
        report.add(&rules::GHOST_AREA, Place::byte(start), message);
    }
    let text = tiff.bytes(text_start, size)?;
    if let Some((at, expected)) = deviation(&text) {
        let message = match expected {
            "" => format!("the text has {at} bytes, but the first line states {size}"),
            line => {
                let found = text.get(at..).unwrap_or_default();
                let found = String::from_utf8_lossy(found.get(..QUOTED).unwrap_or(found));
                format!("found {found:?} where GDAL writes {line:?}")
            }
        };
        report.add(&rules::GHOST_TEXT, Place::byte(text_start + at as u64), format_args!("{message}"));
    }
    Ok(Some(Ghost { text: String::from_utf8_lossy(&text).into_owned(), end }))
}

/// Parses the size in the rest of the first line.
fn size(rest: &[u8]) -> Option<u64> {
    let digits = rest.strip_suffix(SIZE_END)?;
    let number = std::str::from_utf8(digits).ok()?;
    if digits.iter().all(u8::is_ascii_digit) { number.parse().ok() } else { None }
}

/// Returns the first position where a text differs from what GDAL writes, and the line expected there (empty at the
/// end).
fn deviation(text: &[u8]) -> Option<(usize, &'static str)> {
    let mut rest = text;
    for alternatives in LINES {
        let Some(after) = alternatives.iter().find_map(|line| rest.strip_prefix(line.as_bytes())) else {
            return Some((text.len() - rest.len(), alternatives.first().copied().unwrap_or_default()));
        };
        rest = after;
    }
    if rest.is_empty() { None } else { Some((text.len() - rest.len(), "")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts written by the versions of GDAL.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        for alternatives in LINES {
            texts =
                texts.iter().flat_map(|text| alternatives.iter().map(move |line| format!("{text}{line}"))).collect();
        }
        texts
    }

    #[test]
    fn texts_by_gdal_pass_and_every_flipped_bit_is_a_deviation() {
        let texts = texts();
        assert_eq!(texts.len(), 12);
        for text in &texts {
            assert_eq!(deviation(text.as_bytes()), None, "{text}");
            for bit in 0..text.len() * 8 {
                let mut changed = text.clone().into_bytes();
                changed[bit / 8] ^= 1 << (bit % 8);
                let (at, _) = deviation(&changed).unwrap();
                assert!(at <= bit / 8, "{text}, bit {bit}");
            }
        }
    }

    #[test]
    fn missing_moved_and_added_lines_are_deviations() {
        let plain = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n\
                     BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ";
        assert_eq!(deviation(plain.as_bytes()), None);
        assert_eq!(deviation(b""), Some((0, "LAYOUT=IFDS_BEFORE_DATA\n")));
        let at_end = |text: &str| Some((text.len(), ""));
        assert_eq!(deviation(format!("{plain}KEY=VALUE\n").as_bytes()), at_end(plain));
        assert_eq!(deviation(format!("{plain}\0").as_bytes()), at_end(plain));
        let without_space = plain.trim_end_matches(' ');
        assert_eq!(deviation(without_space.as_bytes()), Some((109, "KNOWN_INCOMPATIBLE_EDITION=NO\n ")));
        let moved = plain.replace("BLOCK_ORDER=ROW_MAJOR\n", "");
        assert_eq!(deviation(moved.as_bytes()), Some((24, "BLOCK_ORDER=ROW_MAJOR\n")));
    }

    #[test]
    fn sizes_are_six_digits() {
        assert_eq!(size(b"000140 bytes\n"), Some(140));
        for wrong in
            [&b"+00140 bytes\n"[..], b" 00140 bytes\n", b"00014\xC0 bytes\n", b"000140 bytes\0", b"0001400 bytes"]
        {
            assert_eq!(size(wrong), None);
        }
    }
}
