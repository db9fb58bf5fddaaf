//! Recognition of unreadable inputs: files by their first bytes, addresses by their form.

use std::fmt;
use std::path::Path;

/// Kind of a file that is not a TIFF, judging by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileKind {
    name: &'static str,
    family: FileFamily,
}

/// Family of file kinds, for hints on what to do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFamily {
    /// A raster that GDAL reads, such as PNG or VRT.
    Raster,
    /// Arrays that xarray or GDAL read, such as NetCDF or GRIB.
    Array,
    /// Vectors, points, or tables, such as GeoPackage or Parquet.
    Vector,
    /// An archive or a compressed file.
    Archive,
    /// A server's response instead of a file: a web page or an error message.
    Response,
    /// A Git LFS pointer: a placeholder for a file that has not been fetched.
    LfsPointer,
    /// An empty file or one of zeros, as left behind by a failed copy or download.
    Incomplete,
    /// Anything else.
    Other,
}

impl FileKind {
    /// Number of leading bytes that identify a kind.
    pub const HEAD_LEN: usize = 1024;

    /// Returns the name of the kind, such as `a NetCDF file`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the family of the kind.
    #[must_use]
    pub fn family(&self) -> FileFamily {
        self.family
    }

    /// Returns the kind of a file with these first bytes; `None` if they are not recognized.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        use FileFamily::Incomplete;
        let kind = |name, family| Some(Self { name, family });
        if head.is_empty() {
            return kind("an empty file", Incomplete);
        }
        if head.iter().all(|byte| *byte == 0) {
            return kind("a file of zeros", Incomplete);
        }
        let binary = MAGIC.iter().find(|(at, magic, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
        if let Some(&(_, _, name, family)) = binary {
            return kind(name, family);
        }
        let (name, family) = text_kind(head)?;
        kind(name, family)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Offset and magic bytes of each kind; longer ones come before their prefixes.
const MAGIC: &[(usize, &[u8], &str, FileFamily)] = {
    use FileFamily::{Archive, Array, Other, Raster, Vector};
    &[
        (0, b"\x89PNG\r\n\x1a\n", "a PNG image", Raster),
        (0, b"\xff\xd8\xff", "a JPEG image", Raster),
        (0, b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", Raster),
        (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", Raster),
        (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", Raster),
        (0, b"\xff\x0a", "a JPEG XL image", Raster),
        (0, b"II\xbc\x01", "a JPEG XR image", Raster),
        (0, b"GIF8", "a GIF image", Raster),
        (8, b"WEBPVP8", "a WebP image", Raster),
        (4, b"ftypavif", "an AVIF image", Raster),
        (4, b"ftypheic", "a HEIF image", Raster),
        (4, b"ftypmif1", "a HEIF image", Raster),
        (0, b"8BPS", "a Photoshop image", Raster),
        (0, b"IIU\0", "a camera raw image", Other),
        (0, b"IIRO", "a camera raw image", Other),
        (0, b"IIRS", "a camera raw image", Other),
        (0, b"MMOR", "a camera raw image", Other),
        (0, b"EHFA_HEADER_TAG", "an ERDAS Imagine image", Raster),
        (0, b"msid", "a MrSID image", Raster),
        (0, b"NITF", "a NITF image", Raster),
        (0, b"NSIF", "a NITF image", Raster),
        (0, b"UHL1", "a DTED elevation file", Raster),
        (0, b"CDF\x01", "a NetCDF file", Array),
        (0, b"CDF\x02", "a NetCDF file", Array),
        (0, b"CDF\x05", "a NetCDF file", Array),
        (0, b"\x89HDF\r\n\x1a\n", "a NetCDF-4 or HDF5 file", Array),
        (0, b"\x0e\x03\x13\x01", "an HDF4 file", Array),
        (0, b"GRIB", "a GRIB file", Array),
        (0, b"SIMPLE  =", "a FITS file", Array),
        (0, b"\x93NUMPY", "a NumPy array", Array),
        (0, b"SQLite format 3\0", "an SQLite database, such as GeoPackage or MBTiles", Vector),
        (0, b"PAR1", "a Parquet file", Vector),
        (0, b"\0\0\x27\x0a", "a shapefile", Vector),
        (0, b"fgb\x03", "a FlatGeobuf file", Vector),
        (0, b"LASF", "a LAS point cloud", Vector),
        (0, b"PMTiles", "a PMTiles archive", Vector),
        (0, b"PK\x03\x04", "a ZIP archive", Archive),
        (0, b"PK\x05\x06", "a ZIP archive", Archive),
        (0, b"\x1f\x8b", "a gzip file", Archive),
        (0, b"BZh", "a bzip2 file", Archive),
        (0, b"\xfd7zXZ\0", "an xz file", Archive),
        (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", Archive),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", Archive),
        (0, b"Rar!\x1a\x07", "a RAR archive", Archive),
        (257, b"ustar", "a tar archive", Archive),
        (0, b"%PDF-", "a PDF document", Other),
    ]
};

/// Returns the kind of a text file by how it begins.
fn text_kind(head: &[u8]) -> Option<(&'static str, FileFamily)> {
    use FileFamily::{LfsPointer, Other, Raster, Response};
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text: String = head.iter().map(|byte| char::from(*byte).to_ascii_lowercase()).collect();
    let text = text.trim_start();
    let root = root_element(text);
    let is_xml = text.starts_with('<');
    let is_html = text.starts_with("<!doctype html") || (is_xml && root.is_some_and(|root| root.starts_with("html")));
    Some(match root {
        _ if text.starts_with("version https://git-lfs.github.com/spec/") => ("a Git LFS pointer", LfsPointer),
        _ if is_html => ("an HTML page", Response),
        Some(root) if is_xml && root.starts_with("vrtdataset") => ("a GDAL virtual raster (VRT)", Raster),
        // Amazon S3 and compatible stores.
        Some(root) if is_xml && root.starts_with("error>") => ("an XML error message from a server", Response),
        _ if is_xml => ("an XML file", Other),
        _ if text.starts_with('{') => ("a JSON file", Other),
        _ if text.starts_with("ncols") => ("an Esri ASCII grid", Raster),
        _ if text.starts_with("envi") => ("an ENVI header", Raster),
        _ if head.iter().all(|byte| matches!(byte, 9 | 10 | 13 | 32..=126)) => ("a text file", Other),
        _ => return None,
    })
}

/// Returns the text starting at the name of the first element, after XML declaration and comments.
fn root_element(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.split_once('<')?.1;
        let end = match rest {
            comment if comment.starts_with("!--") => "-->",
            declaration if declaration.starts_with(['?', '!']) => ">",
            element => return Some(element),
        };
        rest = rest.split_once(end)?.1;
    }
}

/// A URL or GDAL dataset name that was passed as a file path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A web address: `http://`, `https://`, or `ftp://`.
    Web,
    /// An object in object storage, such as `s3://` or `gs://`.
    Object,
    /// `file://`.
    File,
    /// A path in one of GDAL's virtual file systems, such as `/vsicurl/` or `/vsis3/`.
    Virtual,
    /// A GDAL dataset name with a driver prefix, such as `NETCDF:file.nc:variable`.
    Driver,
}

/// GDAL driver prefixes that users pass along.
const DRIVERS: [&str; 9] =
    ["GTIFF_DIR:", "GTIFF_RAW:", "COG:", "NETCDF:", "HDF5:", "HDF4_SDS:", "VRT:", "SENTINEL2_L1C:", "SENTINEL2_L2A:"];

impl Address {
    /// Returns the kind of address that a path looks like; `None` for other paths.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        if text.starts_with("/vsi") {
            return Some(Self::Virtual);
        }
        if DRIVERS.iter().any(|driver| text.get(..driver.len()).is_some_and(|start| start.eq_ignore_ascii_case(driver)))
        {
            return Some(Self::Driver);
        }
        let (scheme, _) = text.split_once("://")?;
        let is_scheme =
            scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
        is_scheme.then(|| match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" | "ftp" => Self::Web,
            "file" => Self::File,
            _ => Self::Object,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Web => "a web address",
            Self::Object => "an object store address",
            Self::File => "a file:// address",
            Self::Virtual => "a GDAL virtual file system path",
            Self::Driver => "a GDAL dataset name",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: &[u8]) -> &'static str {
        FileKind::of(head).map_or("nothing", |kind| kind.name())
    }

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        for (at, magic, expected, family) in MAGIC {
            let mut head = vec![1; *at];
            head.extend_from_slice(magic);
            head.push(200);
            let kind = FileKind::of(&head).unwrap();
            assert_eq!((kind.name(), kind.family()), (*expected, *family));
        }
        for (text, expected) in [
            ("", "an empty file"),
            ("\0\0\0\0\0\0\0\0\0", "a file of zeros"),
            ("<VRTDataset rasterXSize=\"1\">", "a GDAL virtual raster (VRT)"),
            ("\u{feff}<?xml version='1.0'?>\n<!-- <html> -->\n<VRTDataset>", "a GDAL virtual raster (VRT)"),
            ("\n <!DOCTYPE HTML PUBLIC", "an HTML page"),
            ("<html lang=en>", "an HTML page"),
            ("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code>", "an XML error message from a server"),
            ("<?xml version=\"1.0\"?>\n<kml>", "an XML file"),
            ("{\"type\": \"Feature\"}", "a JSON file"),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer"),
            ("ncols 5\nnrows 6\n", "an Esri ASCII grid"),
            ("see the other file\n", "a text file"),
            ("\u{1}\u{2}\u{3}\u{4}", "nothing"),
        ] {
            assert_eq!(name(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_are_told_from_paths() {
        for (text, expected) in [
            ("s3://bucket/a.tif", Some(Address::Object)),
            ("gs://bucket/a.tif", Some(Address::Object)),
            ("HTTPS://example.com/a.tif", Some(Address::Web)),
            ("file:///tmp/a.tif", Some(Address::File)),
            ("/vsis3/bucket/a.tif", Some(Address::Virtual)),
            ("GTIFF_DIR:2:a.tif", Some(Address::Driver)),
            ("netcdf:\"a.nc\":t", Some(Address::Driver)),
            ("/data/a.tif", None),
            ("C:\\data\\a.tif", None),
            ("c://a.tif", None),
            ("a b://c", None),
            ("-", None),
        ] {
            assert_eq!(Address::of(Path::new(text)), expected, "{text}");
        }
    }
}
