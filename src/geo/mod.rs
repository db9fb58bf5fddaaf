//! Where the pixels are, and what is said about them: georeferencing and metadata as they stand in a GeoTIFF.

#[cfg(feature = "geotiff")]
mod keys;
pub mod metadata;

use crate::error::{Error, Result};
use crate::tiff::{Tag, TagValue};

pub use metadata::{Metadata, MetadataItem};

/// Raster x, y, z, then model x, y, z.
const NUMBERS_OF_TIEPOINT: usize = 6;
/// Numbers of the RPC tag (Frank Warmerdam, 2007).
pub(crate) const RPC_NUMBERS: usize = 92;

/// Where a raster lies, in the terms of GeoTIFF 1.1 (OGC 19-008).
///
/// The values are those of the tags, so that what was read from a file is written again with the same meaning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeoRef {
    /// How pixels are placed in the model space.
    pub placement: Placement,
    /// The coordinate reference system and pixel convention.
    pub keys: Option<GeoKeys>,
    /// Rational polynomial coefficients (tag 50844): 92 doubles.
    pub rpc: Option<Vec<f64>>,
}

/// How pixels are placed in the model space (GeoTIFF 1.1 section 7.3).
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Placement {
    /// Not at all.
    #[default]
    None,
    /// The size of a pixel along x, y and z (tag 33550), and raster and model position of one point (tag 33922).
    ScaleAndTiepoint {
        /// Model units per pixel along x, y (positive = rows go down) and z.
        scale: [f64; 3],
        /// Raster x, y, z, then model x, y, z, of one or more points; six numbers each.
        tiepoints: Vec<f64>,
    },
    /// Ground control points (tag 33922 alone): raster x, y, z, then model x, y, z of each.
    Tiepoints(Vec<f64>),
    /// A 4x4 matrix, row by row (tag 34264).
    Matrix(Box<[f64; 16]>),
}

/// The GeoKey directory and its parameters (GeoTIFF 1.1 section 7.1), as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeoKeys {
    /// Tag 34735: the header of four numbers, then four numbers a key.
    pub directory: Vec<u16>,
    /// Tag 34736.
    pub doubles: Vec<f64>,
    /// Tag 34737, without the closing NUL.
    pub ascii: Vec<u8>,
}

impl GeoRef {
    /// Whether nothing is known of where the raster lies.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.placement == Placement::None && self.keys.is_none() && self.rpc.is_none()
    }

    /// Checks that the values have the shapes that their tags ask for.
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::image(format!("georeference: {reason}")));
        match &self.placement {
            Placement::ScaleAndTiepoint { scale, .. } if scale[0] == 0.0 || scale[1] == 0.0 => {
                return refuse(format!("a pixel of {} x {} model units has no size", scale[0], scale[1]));
            }
            Placement::ScaleAndTiepoint { tiepoints, .. } | Placement::Tiepoints(tiepoints)
                if tiepoints.is_empty() || tiepoints.len() % NUMBERS_OF_TIEPOINT != 0 =>
            {
                return refuse(format!("tiepoints of {} numbers; each has {NUMBERS_OF_TIEPOINT}", tiepoints.len()));
            }
            _ => {}
        }
        if let Some(GeoKeys { directory, .. }) = &self.keys {
            let claimed = directory.get(3).map(|&count| 4 + 4 * usize::from(count));
            if claimed != Some(directory.len()) {
                return refuse(format!(
                    "the GeoKey directory has {} numbers; it takes four, the last of which counts the keys, and four a key",
                    directory.len()
                ));
            }
        }
        match &self.rpc {
            Some(rpc) if rpc.len() != RPC_NUMBERS => {
                refuse(format!("{} RPC coefficients; there are {RPC_NUMBERS}", rpc.len()))
            }
            _ => Ok(()),
        }
    }

    /// The tags that say it, in the order in which GDAL writes their values.
    pub(crate) fn tags(&self) -> Vec<(Tag, TagValue)> {
        let mut tags = Vec::new();
        match &self.placement {
            Placement::None => {}
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                tags.push((Tag::MODEL_PIXEL_SCALE, TagValue::Double(scale.to_vec())));
                tags.push((Tag::MODEL_TIEPOINT, TagValue::Double(tiepoints.clone())));
            }
            Placement::Tiepoints(points) => tags.push((Tag::MODEL_TIEPOINT, TagValue::Double(points.clone()))),
            Placement::Matrix(matrix) => tags.push((Tag::MODEL_TRANSFORMATION, TagValue::Double(matrix.to_vec()))),
        }
        if let Some(keys) = &self.keys {
            tags.push((Tag::GEO_KEY_DIRECTORY, TagValue::Short(keys.directory.clone())));
            if !keys.doubles.is_empty() {
                tags.push((Tag::GEO_DOUBLE_PARAMS, TagValue::Double(keys.doubles.clone())));
            }
            if !keys.ascii.is_empty() {
                tags.push((Tag::GEO_ASCII_PARAMS, TagValue::Ascii(keys.ascii.clone())));
            }
        }
        if let Some(rpc) = &self.rpc {
            tags.push((Tag::RPC_COEFFICIENTS, TagValue::Double(rpc.clone())));
        }
        tags
    }
}
