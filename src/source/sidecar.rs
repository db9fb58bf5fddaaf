//! Files next to a raster: world files, `.prj` files, external masks.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::geo::{Crs, GeoKeys, GeoRef, Placement};
use crate::source::file::{Folders, bounded_text};

/// A world file has six numbers, a `.prj` file one CRS; a larger file is something else.
const MAX_LEN: usize = 1 << 16;
/// GTRasterTypeGeoKey (GeoTIFF 1.1 section 7.1): 2 = coordinates refer to pixel centers.
const RASTER_TYPE_KEY: u16 = 1025;

/// TIFF files next to a raster, as GDAL writes them.
pub(crate) struct FilesBeside {
    /// The `.ovr` file with overviews.
    pub(crate) overviews: Option<PathBuf>,
    /// The `.msk` file with a mask.
    pub(crate) mask: Option<PathBuf>,
}

/// Finds the TIFF files next to a raster.
pub(crate) fn files_beside(raster: &Path) -> FilesBeside {
    let sidecars = Sidecars::of(raster, &Folders::default());
    FilesBeside { overviews: sidecars.overviews(), mask: sidecars.mask() }
}

/// The files of a folder that belong to a raster.
pub(super) struct Sidecars {
    folder: PathBuf,
    /// Name of the raster in lower case; `stem` is without the extension.
    name: String,
    stem: String,
    files: Vec<OsString>,
}

impl Sidecars {
    pub(super) fn of(path: &Path, folders: &Folders) -> Self {
        let lower = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().to_lowercase();
        let (name, stem) = (lower(path.file_name()), lower(path.file_stem()));
        let files = folders.names(path, &stem);
        Self { folder: path.parent().unwrap_or(Path::new("")).to_owned(), name, stem, files }
    }

    /// Returns the first file named like the raster with `ending` appended, or in place of its extension.
    fn find(&self, ending: &str) -> Option<PathBuf> {
        let wanted = [format!("{}{ending}", self.stem), format!("{}{ending}", self.name)];
        let found = self.files.iter().find(|file| wanted.contains(&file.to_string_lossy().to_lowercase()));
        found.map(|file| self.folder.join(file))
    }

    /// Returns the mask next to the raster, as written by GDAL.
    pub(super) fn mask(&self) -> Option<PathBuf> {
        self.appended(".msk")
    }

    /// Returns the file with overviews next to the raster, as written by GDAL.
    pub(super) fn overviews(&self) -> Option<PathBuf> {
        self.appended(".ovr")
    }

    /// Returns the file named like the raster with `ending` appended.
    fn appended(&self, ending: &str) -> Option<PathBuf> {
        let wanted = format!("{}{ending}", self.name);
        let found = self.files.iter().find(|file| file.to_string_lossy().to_lowercase() == wanted);
        found.map(|file| self.folder.join(file))
    }

    /// Takes from a world file with one of these endings and a `.prj` file what the raster and its `.aux.xml` file lack, and
    /// warns about ignored files.
    pub(super) fn apply(
        &self,
        world_files: &[&str],
        reads_overviews: bool,
        geo: &mut GeoRef,
        warnings: &mut Vec<String>,
    ) {
        if geo.placement == Placement::None
            && let Some((path, text)) = world_files.iter().find_map(|ending| {
                let path = self.find(ending)?;
                bounded_text(&path, MAX_LEN).ok().flatten().map(|text| (path, text))
            })
        {
            match world(&text, is_point(geo.keys.as_ref())) {
                Some(placement) => geo.placement = placement,
                None => warnings.push(format!("'{}' is ignored: not a world file of six numbers", path.display())),
            }
        }
        if geo.keys.is_none()
            && let Some(path) = self.find(".prj")
        {
            let text = bounded_text(&path, MAX_LEN).ok().flatten().unwrap_or_default();
            // If keys cannot express the CRS, GDAL stores Esri's text in the citation.
            match Crs::parse(&text).and_then(|crs| crs.with_wkt_citation(true).geo_keys()) {
                Ok(keys) => geo.keys = Some(keys),
                Err(reason) => warnings.push(format!("'{}' is ignored: {reason}", path.display())),
            }
        }
        let ignored = [".ovr", ".tab", ".rpb", "_rpc.txt", ".rpc", ".imd"];
        // GDAL finds auxiliary metadata under one name only.
        let misnamed = self.files.iter().filter(|file| {
            let file = file.to_string_lossy();
            file.to_lowercase() == format!("{}.aux.xml", self.stem)
        });
        let ignored: Vec<String> = ignored
            .iter()
            .filter_map(|ending| self.find(ending))
            .filter(|path| !reads_overviews || self.overviews().as_ref() != Some(path))
            .chain(misnamed.map(|file| self.folder.join(file)))
            .map(|path| format!("'{}'", path.file_name().unwrap_or_default().to_string_lossy()))
            .collect();
        if !ignored.is_empty() {
            warnings.push(format!("these files next to the raster are not read: {}", ignored.join(", ")));
        }
    }
}

fn is_point(keys: Option<&GeoKeys>) -> bool {
    let entries = keys.into_iter().flat_map(|keys| keys.directory.chunks_exact(4).skip(1));
    entries.into_iter().any(|entry| matches!(entry, [RASTER_TYPE_KEY, 0, _, 2]))
}

/// Returns the placement of a world file. World files refer to the center of the first pixel, GeoTIFF to its upper left
/// corner unless the raster type is point.
fn world(text: &str, is_point: bool) -> Option<Placement> {
    let numbers: Vec<f64> =
        text.split_whitespace().map(|number| number.replace(',', ".").parse().ok()).collect::<Option<_>>()?;
    let &[a, d, b, e, c, f] = numbers.first_chunk::<6>()?;
    if numbers.iter().any(|number| !number.is_finite()) || a * e - b * d == 0.0 {
        return None;
    }
    let half = if is_point { 0.0 } else { 0.5 };
    let (x, y) = (c - half * (a + b), f - half * (d + e));
    if b == 0.0 && d == 0.0 && a > 0.0 && e < 0.0 {
        return Some(Placement::ScaleAndTiepoint { scale: [a, -e, 0.0], tiepoints: vec![0.0, 0.0, 0.0, x, y, 0.0] });
    }
    let matrix = [a, b, 0.0, x, d, e, 0.0, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    Some(Placement::Matrix(Box::new(matrix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn world_files_tell_the_middle_of_pixels() {
        let text = "10.0\r\n0\r\n0\r\n-20.0\r\n105\r\n990\r\n";
        let tiepoints = vec![0.0, 0.0, 0.0, 100.0, 1000.0, 0.0];
        let scale = [10.0, 20.0, 0.0];
        assert_eq!(world(text, false), Some(Placement::ScaleAndTiepoint { scale, tiepoints }));
        let Some(Placement::Matrix(matrix)) = world("1 2 3 4 10 20", false) else { panic!("rotated") };
        assert_eq!(matrix[..8], [1.0, 3.0, 0.0, 8.0, 2.0, 4.0, 0.0, 17.0]);
        assert_eq!(world("1 0 0 0 1 1", false), None);
        assert_eq!(world("<html>", false), None);
    }
}
