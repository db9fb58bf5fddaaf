//! Errors of the library as Python exceptions.

use cogsmith::{Error, ErrorKind, OptionField};
use pyo3::exceptions::{PyFileExistsError, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// `EEXIST`, the same number on every system that Python runs on.
const FILE_EXISTS: i32 = 17;

/// The keywords of an option in `create`, and in functions for arrays; `None` where it does not exist.
pub(crate) struct Keywords {
    pub(crate) create: Option<&'static str>,
    pub(crate) array: Option<&'static str>,
}

impl Keywords {
    const fn of(create: Option<&'static str>, array: Option<&'static str>) -> Self {
        Self { create, array }
    }

    const fn both(name: &'static str) -> Self {
        Self::of(Some(name), Some(name))
    }
}

/// Returns the keywords of an option of the library.
pub(crate) const fn keywords(option: OptionField) -> Keywords {
    match option {
        OptionField::Compression => Keywords::both("compress"),
        OptionField::Level => Keywords::both("level"),
        OptionField::Quality => Keywords::both("quality"),
        OptionField::MaxZError => Keywords::both("max_z_error"),
        OptionField::OverviewMaxZError => Keywords::both("overview_max_z_error"),
        OptionField::StripMetadata => Keywords::of(Some("strip_metadata"), None),
        OptionField::JpegSubsampling => Keywords::both("jpeg_subsampling"),
        OptionField::Photometric => Keywords::both("photometric"),
        OptionField::OverviewCompression => Keywords::both("overview_compress"),
        OptionField::OverviewLevel => Keywords::both("overview_level"),
        OptionField::OverviewQuality => Keywords::both("overview_quality"),
        OptionField::OverviewPredictor => Keywords::both("overview_predictor"),
        OptionField::Predictor => Keywords::both("predictor"),
        OptionField::TileSize => Keywords::both("blocksize"),
        OptionField::OverviewTileSize => Keywords::both("overview_blocksize"),
        OptionField::Interleave => Keywords::both("interleave"),
        OptionField::BigTiff => Keywords::both("bigtiff"),
        OptionField::Sparse => Keywords::both("sparse"),
        OptionField::HeaderRoom => Keywords::of(Some("header_room"), None),
        OptionField::Overviews => Keywords::both("overviews"),
        OptionField::OverviewCount => Keywords::both("overview_count"),
        OptionField::Resampling | OptionField::BandResampling => Keywords::both("overview_resampling"),
        OptionField::Statistics => Keywords::both("statistics"),
        OptionField::Image => Keywords::of(Some("image"), None),
        OptionField::IgnoreAux => Keywords::of(Some("ignore_aux"), None),
        OptionField::Nodata => Keywords::both("nodata"),
        OptionField::Mask => Keywords::both("mask"),
        OptionField::Crs => Keywords::both("crs"),
        OptionField::CrsWkt => Keywords::of(Some("crs_wkt"), None),
        OptionField::Transform => Keywords::both("transform"),
        OptionField::Bounds => Keywords::of(Some("bounds"), None),
        OptionField::Gcps => Keywords::both("gcps"),
        OptionField::Description => Keywords::of(Some("band_description"), Some("band_names")),
        OptionField::Scale => Keywords::both("band_scale"),
        OptionField::Offset => Keywords::both("band_offset"),
        OptionField::Unit => Keywords::both("band_unit"),
        OptionField::ColorInterpretation => Keywords::of(Some("color_interpretation"), Some("colorinterp")),
        OptionField::Metadata => Keywords::of(Some("metadata"), Some("tags")),
        OptionField::BitsPerSample => Keywords::of(Some("nbits"), None),
        OptionField::WrapLongitude => Keywords::both("wrap_longitude"),
        OptionField::Window => Keywords::both("window"),
        OptionField::Bbox => Keywords::both("bbox"),
        OptionField::Bands => Keywords::both("bands"),
        OptionField::ExpandPalette => Keywords::of(Some("expand_palette"), None),
        OptionField::Unscale => Keywords::of(Some("unscale"), None),
        OptionField::Rescale => Keywords::of(Some("rescale"), None),
        OptionField::DataType => Keywords::of(Some("dtype"), None),
        OptionField::Size => Keywords::of(Some("size"), None),
        OptionField::SizeResampling => Keywords::of(Some("size_resampling"), None),
        OptionField::Overlap => Keywords::of(Some("method"), None),
        OptionField::Threads => Keywords::both("threads"),
        OptionField::Verify => Keywords::both("verify"),
        OptionField::Overwrite => Keywords::both("overwrite"),
        OptionField::Sync => Keywords::both("sync"),
        _ => Keywords::of(None, None),
    }
}

/// Returns the exception for an option of `create`, or of a function for arrays, by its keyword.
fn of_option(option: OptionField, other: Option<OptionField>, reason: &str, is_create: bool) -> PyErr {
    let name = |option: OptionField| {
        let keywords = keywords(option);
        if is_create { keywords.create } else { keywords.array }.unwrap_or(option.name())
    };
    let hint = match option {
        OptionField::Nodata => "; pass nodata=None, or a value that samples can have",
        _ => "",
    };
    let contradicts = other.map_or_else(String::new, |other| format!(" contradicts '{}'", name(other)));
    PyValueError::new_err(format!("option '{}'{contradicts}: {reason}{hint}", name(option)))
}

/// Returns the reason with the name of the input that it is about, if there are several.
fn of_input(error: &Error, reason: &str) -> String {
    error.input().map_or_else(|| reason.to_owned(), |input| format!("'{input}': {reason}"))
}

/// [`to_python`] for errors of `create`, some of whose keywords differ from those of functions for arrays.
pub(crate) fn raise_for_create(error: Error) -> PyErr {
    match error.kind() {
        ErrorKind::InvalidOption { option, other, reason } => {
            of_option(*option, *other, &of_input(&error, reason), true)
        }
        _ => raise(error),
    }
}

/// Returns the exception for an error, with its message.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::InvalidOption { option, other, reason } => {
            of_option(*option, *other, &of_input(error, reason), false)
        }
        ErrorKind::Mismatch { option, .. } => {
            let keyword = option.and_then(|option| keywords(option).create);
            let hint = keyword.map_or_else(String::new, |keyword| format!("; {keyword}=... makes inputs fit"));
            PyValueError::new_err(text + &hint)
        }
        ErrorKind::NoInputs { .. } => pyo3::exceptions::PyFileNotFoundError::new_err(text),
        ErrorKind::Confined { .. } => PyValueError::new_err(text + "; vrt_root=... permits the files below a folder"),
        ErrorKind::OutputIsInput { .. }
        | ErrorKind::InvalidImage { .. }
        | ErrorKind::Unsupported { .. }
        | ErrorKind::NotTiff { .. }
        | ErrorKind::Address { .. }
        | ErrorKind::Corrupt { .. }
        | ErrorKind::Limit { .. }
        | ErrorKind::PixelCount { .. } => PyValueError::new_err(text),
        ErrorKind::OutOfMemory { .. } => PyMemoryError::new_err(text),
        // Callers of datacube and odc-geo look for "File exists".
        ErrorKind::TargetExists { path } => {
            let reason = "File exists; pass overwrite=True to replace it";
            // As a path, the address of an object would lose a slash.
            let name = path.to_string_lossy();
            if name.contains("://") {
                PyFileExistsError::new_err((FILE_EXISTS, reason, name.into_owned()))
            } else {
                PyFileExistsError::new_err((FILE_EXISTS, reason, path.clone()))
            }
        }
        ErrorKind::Io { source, .. } => match source.raw_os_error() {
            // OSError selects the subclass by the number: FileNotFoundError, PermissionError, …
            Some(number) => PyOSError::new_err((number, text)),
            None => match source.kind() {
                std::io::ErrorKind::NotFound => pyo3::exceptions::PyFileNotFoundError::new_err(text),
                std::io::ErrorKind::IsADirectory => pyo3::exceptions::PyIsADirectoryError::new_err(text),
                std::io::ErrorKind::NotADirectory => pyo3::exceptions::PyNotADirectoryError::new_err(text),
                _ => PyOSError::new_err(text),
            },
        },
        _ => PyRuntimeError::new_err(text),
    }
}

/// [`to_python`] for `map_err`.
pub(crate) fn raise(error: Error) -> PyErr {
    to_python(&error)
}
