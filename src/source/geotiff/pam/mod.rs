//! GDAL's persistent auxiliary metadata (PAM): the `.aux.xml` file next to a raster.
//!
//! What it says wins over what the raster itself says, field by field, as in GDAL (`ApplyPamInfo` of its GeoTIFF
//! driver); `tests/judges/auxiliary.py` compares the two.

mod merge;
mod parse;
mod rpc;

use std::path::{Path, PathBuf};

use self::merge::Merge;
use self::parse::Pam;
use super::GeoTiffSource;
use crate::source::file::bounded_text;

/// The longest `.aux.xml` file that is read; attribute tables and histograms make them long.
const MAX_LEN: usize = 64 << 20;
/// Entries of a list in a warning.
const MAX_NAMED: usize = 12;

impl GeoTiffSource {
    /// Takes over what the `.aux.xml` file next to the raster says, if there is one.
    pub(super) fn read_aux(&mut self, raster: &Path) {
        let mut path = raster.as_os_str().to_owned();
        path.push(".aux.xml");
        let path = PathBuf::from(path);
        let parsed = match bounded_text(&path, MAX_LEN) {
            Ok(None) => return,
            Ok(Some(text)) => Pam::parse(&text, self.spec.bands, self.spec.data_type),
            Err(reason) => Err(reason),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match parsed {
            Err(reason) => self.warnings.push(format!("'{name}' is ignored: {reason}")),
            Ok(pam) => {
                let Merge { replaced, unusable, .. } = Merge::of(self, pam);
                if !replaced.is_empty() {
                    self.warnings.push(format!("'{name}' replaces what the file itself says: {}", list(&replaced)));
                }
                self.fill_with_nodata();
                if !unusable.is_empty() {
                    self.warnings.push(format!("'{name}' also has what is not taken over: {}", list(&unusable)));
                }
            }
        }
    }
}

/// The first entries, and how many more there are.
fn list(entries: &[String]) -> String {
    let named = entries.get(..MAX_NAMED).unwrap_or(entries);
    let more = entries.len() - named.len();
    let text = named.join(", ");
    if more == 0 { text } else { format!("{text}, and {more} more") }
}

#[cfg(test)]
mod tests;
