//! The GeoKey directory of a GeoTIFF (OGC 19-008 section 7.1).

/// Tag 34736, which holds the numeric values of keys.
pub(super) const DOUBLE_PARAMS: u16 = 34736;
/// Tag 34737, which holds the texts of keys.
pub(super) const ASCII_PARAMS: u16 = 34737;
/// ProjectedCRSGeoKey and GeodeticCRSGeoKey: EPSG codes.
#[cfg(any(feature = "mosaic", feature = "warp"))]
pub(super) const PROJECTED: u16 = 3072;
#[cfg(any(feature = "mosaic", feature = "warp"))]
pub(super) const GEOGRAPHIC: u16 = 2048;
/// Not an EPSG code, but a definition by other keys.
#[cfg(any(feature = "mosaic", feature = "warp"))]
pub(super) const USER_DEFINED: u16 = 32767;

/// The GeoKey directory and its parameters (GeoTIFF 1.1 section 7.1), as stored in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeoKeys {
    /// Tag 34735: a header of four numbers, then four numbers per key.
    pub directory: Vec<u16>,
    /// Tag 34736.
    pub doubles: Vec<f64>,
    /// Tag 34737, without the final NUL.
    pub ascii: Vec<u8>,
}

impl GeoKeys {
    /// Returns the value of a key that is stored in the directory itself.
    pub(crate) fn short(&self, key: u16) -> Option<u16> {
        let entries = self.directory.chunks_exact(4).skip(1);
        let mut found = entries.filter_map(|entry| match *entry {
            [own, 0, _, value] if own == key => Some(value),
            _ => None,
        });
        found.next()
    }

    /// Returns the EPSG code of the projected or geographic CRS.
    #[cfg(any(feature = "mosaic", feature = "warp"))]
    pub(crate) fn crs_code(&self) -> Option<u16> {
        [PROJECTED, GEOGRAPHIC].into_iter().find_map(|key| self.short(key)).filter(|code| *code != USER_DEFINED)
    }
}

/// Collects keys and builds the directory.
#[derive(Debug, Default)]
pub(super) struct KeyWriter {
    keys: Vec<(u16, KeyValue)>,
}

#[derive(Debug)]
enum KeyValue {
    Short(u16),
    Doubles(Vec<f64>),
    /// Without the final bar.
    Text(String),
}

impl KeyWriter {
    pub(super) fn short(&mut self, key: u16, value: u16) {
        self.keys.push((key, KeyValue::Short(value)));
    }

    pub(super) fn double(&mut self, key: u16, value: f64) {
        // Drops the sign of negative zero.
        self.doubles(key, &[value + 0.0]);
    }

    pub(super) fn doubles(&mut self, key: u16, values: &[f64]) {
        self.keys.push((key, KeyValue::Doubles(values.to_vec())));
    }

    /// Adds a text. GeoKey texts are ASCII and end with a bar (GeoTIFF 1.1 section 7.1.3). Other characters, which can
    /// only be part of a comment, become question marks.
    pub(super) fn text(&mut self, key: u16, text: &str) {
        let is_plain = |letter: char| letter == ' ' || letter.is_ascii_graphic();
        let text = text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect();
        self.keys.push((key, KeyValue::Text(text)));
    }

    /// Builds the directory: version 1.1.0, as GDAL writes it, or 1.1.1 if it needs GeoTIFF 1.1.
    ///
    /// # Errors
    /// If there are too many texts or numbers for the directory's 16 bits, or a number is not finite.
    pub(super) fn finish(mut self, minor_revision: u16) -> Result<GeoKeys, String> {
        self.keys.sort_by_key(|(key, _)| *key);
        let mut keys = GeoKeys { directory: vec![1, 1, minor_revision, 0], ..GeoKeys::default() };
        let short = |length: usize| u16::try_from(length).map_err(|_| "the texts are too long for GeoKeys".to_owned());
        for (key, value) in self.keys {
            let entry = match value {
                KeyValue::Short(value) => [key, 0, 1, value],
                KeyValue::Doubles(values) => {
                    if values.iter().any(|value| !value.is_finite()) {
                        return Err(format!("a number in the definition is too large (GeoKey {key})"));
                    }
                    let entry = [key, DOUBLE_PARAMS, short(values.len())?, short(keys.doubles.len())?];
                    keys.doubles.extend(values);
                    entry
                }
                KeyValue::Text(text) => {
                    let entry = [key, ASCII_PARAMS, short(text.len() + 1)?, short(keys.ascii.len())?];
                    keys.ascii.extend(text.bytes());
                    keys.ascii.push(b'|');
                    entry
                }
            };
            keys.directory.extend(entry);
        }
        keys.directory[3] = short(keys.directory.len() / 4 - 1)?;
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_order_and_texts_behind_one_another() {
        let mut writer = KeyWriter::default();
        writer.short(3072, 32633);
        writer.text(1026, "n\u{e4}me");
        writer.text(2049, "b");
        writer.double(2057, 6_378_137.0);
        writer.doubles(2062, &[1.0, 2.0, 3.0]);
        let keys = writer.finish(0).unwrap();
        let entries =
            [[1, 1, 0, 5], [1026, 34737, 5, 0], [2049, 34737, 2, 5], [2057, 34736, 1, 0], [2062, 34736, 3, 1]];
        assert_eq!(keys.directory[..20], entries.concat());
        assert_eq!(keys.directory[20..], [3072, 0, 1, 32633]);
        assert_eq!(keys.ascii, b"n?me|b|");
    }
}
