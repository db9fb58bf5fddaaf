//! Description of a file: levels, compression, georeferencing, and the cost of reading it.

use crate::error::{Error, Result};
use crate::read::ReadAt;

use super::cost::{GDAL, Requests, SCREEN, Visit};
use super::geo::{self, GeoReference, MetadataEntry};
use super::image::{Image, codec_name};
use super::layout::Pyramid;
use super::parse::Tiff;
use super::report::Report;

/// Description of a file, returned by [`inspect`] for any TIFF, Cloud Optimized GeoTIFF or not.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// File size in bytes.
    pub bytes: u64,
    /// True if the file is a BigTIFF.
    pub big_tiff: bool,
    /// True if the file is big-endian.
    pub big_endian: bool,
    /// True if GDAL's structural metadata states the layout of a COG, and does not state that an edit has broken it.
    pub gdal_layout: bool,
    /// Width of full resolution in pixels.
    pub width: u64,
    /// Height of full resolution in pixels.
    pub height: u64,
    /// Number of bands, without the mask.
    pub bands: u64,
    /// Data type of samples in memory, such as `u16`; `unknown` if there is none.
    pub data_type: String,
    /// Bits per sample in the file.
    pub bits: u64,
    /// Photometric interpretation: `gray`, `rgb`, `palette`, `ycbcr`, `cmyk`, or `other`.
    pub color: String,
    /// Alpha band, counted from 0.
    pub alpha: Option<u64>,
    /// Interleave: `pixel`, `band`, or `tile`.
    pub interleave: String,
    /// Nodata value, as written in the file.
    pub nodata: Option<String>,
    /// True if full resolution has a mask.
    pub mask: bool,
    /// Levels, full resolution first, then its overviews.
    pub levels: Vec<LevelInfo>,
    /// Number of full-resolution images after the first.
    pub other_images: usize,
    /// Code of the coordinate reference system, such as `EPSG:32633`.
    pub crs: Option<String>,
    /// Name of the coordinate reference system in the file.
    pub crs_name: Option<String>,
    /// Kind of the coordinate reference system: `projected`, `geographic`, or `geocentric`.
    pub crs_kind: Option<String>,
    /// Code of the vertical coordinate reference system.
    pub vertical_crs: Option<String>,
    /// Transform from column and row to coordinates, at the upper left corners of pixels: for `[a, b, c, d, e, f]`,
    /// x = a · column + b · row + c and y = d · column + e · row + f.
    pub transform: Option<[f64; 6]>,
    /// True if coordinates in the file refer to pixel centers (key 1025 is 2).
    pub pixel_is_point: bool,
    /// Number of ground control points, if the file is georeferenced by them.
    pub control_points: usize,
    /// Smallest rectangle around the image, in units of the coordinate reference system.
    pub bounds: Option<Bounds>,
    /// GDAL metadata items.
    pub metadata: Vec<MetadataEntry>,
    /// Cost of opening the file: the header, all directories, and their values, except the arrays of tile offsets and
    /// byte counts.
    pub open: Requests,
    /// Cost, after opening, of showing the whole image on a screen of 1024x1024 pixels: from the smallest level that is
    /// not smaller than the screen, or from full resolution.
    pub whole_view: Requests,
    /// Cost, after opening, of showing the 1024x1024 pixels of full resolution in the middle of the image.
    pub detail_view: Requests,
}

/// Description of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelInfo {
    /// Index of its directory in the file, counted from 0.
    pub directory: usize,
    /// Width in pixels.
    pub width: u64,
    /// Height in pixels.
    pub height: u64,
    /// True for tiles, false for strips.
    pub tiled: bool,
    /// Width of a tile or strip in pixels.
    pub tile_width: u64,
    /// Height of a tile or strip in pixels.
    pub tile_height: u64,
    /// Number of tiles or strips, in all bands.
    pub tiles: u64,
    /// Number of tiles or strips that are not stored.
    pub sparse_tiles: u64,
    /// Codec, such as `deflate`.
    pub compression: String,
    /// Predictor: `none`, `horizontal`, or `float`.
    pub predictor: String,
    /// Size of all tiles in bytes.
    pub bytes: u64,
    /// Size of all mask tiles in bytes.
    pub mask_bytes: u64,
    /// Size of its pixels before compression, in bytes, without padding and mask.
    pub uncompressed_bytes: u64,
}

impl LevelInfo {
    /// Returns uncompressed bytes divided by compressed bytes, to three decimals; `None` without tiles.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "byte counts are below 2^53")]
    pub fn ratio(&self) -> Option<f64> {
        let ratio = self.uncompressed_bytes as f64 / self.bytes as f64;
        (self.bytes > 0).then(|| (ratio * 1000.0).round() / 1000.0)
    }
}

/// A rectangle in units of the coordinate reference system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Smallest x.
    pub left: f64,
    /// Smallest y.
    pub bottom: f64,
    /// Largest x.
    pub right: f64,
    /// Largest y.
    pub top: f64,
}

/// Describes a file.
///
/// # Errors
/// The errors of [`validate`](super::validate), and [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the first
/// directory cannot be read.
pub fn inspect(reader: &dyn ReadAt) -> Result<Info> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (directories, images) = super::read(&tiff, &mut report)?;
    let pyramid = Pyramid::of(&images);
    let (Some(directory), Some(full)) = (directories.first(), pyramid.levels.first()) else {
        return Err(Error::corrupt("first directory", "it cannot be read; validate the file for details"));
    };
    let geo = geo::read(&tiff, directory, &mut report)?;
    let metadata = geo::metadata(&tiff, directory, &mut report)?;
    let mut levels = Vec::new();
    for image in &pyramid.levels {
        levels.push(level(&tiff, image, pyramid.mask_of(image))?);
    }
    let (visit, open) = Visit::open(&tiff, &directories, &GDAL);
    let larger = |image: &&&Image| image.width.max(image.height) >= SCREEN;
    let whole = pyramid.levels.iter().rev().find(larger).unwrap_or(full);
    let whole_view = visit.view(&tiff, whole, [whole.width, whole.height])?;
    let detail_view = visit.view(&tiff, full, [SCREEN, SCREEN])?;
    let transform = geo.transform();
    let by_tile = metadata.iter().any(|item| item.name == "INTERLEAVE" && item.value == "TILE");
    let ghost = tiff.ghost.as_ref();
    Ok(Info {
        bytes: tiff.length,
        big_tiff: tiff.big,
        big_endian: tiff.big_endian,
        gdal_layout: ghost.is_some_and(|g| g.says("LAYOUT=IFDS_BEFORE_DATA") && !g.says("EDITION=YES")),
        width: full.width,
        height: full.height,
        bands: full.samples,
        data_type: full.data_type.map_or("unknown", |data_type| data_type.name()).to_owned(),
        bits: full.bits,
        color: color(full.photometric).to_owned(),
        alpha: full.alpha(),
        interleave: if !full.planar {
            "pixel"
        } else if by_tile {
            "tile"
        } else {
            "band"
        }
        .to_owned(),
        nodata: full.nodata.clone(),
        mask: pyramid.mask_of(full).is_some(),
        other_images: images.iter().skip(1).filter(|image| !image.is_reduced() && !image.is_mask()).count(),
        levels,
        crs: crs(&geo),
        crs_name: crs_name(&geo),
        crs_kind: crs_kind(&geo).map(str::to_owned),
        vertical_crs: geo.short(geo::VERTICAL_CRS).and_then(code),
        bounds: transform.map(|transform| bounds(transform, full)),
        transform,
        pixel_is_point: geo.short(geo::RASTER_TYPE) == Some(2),
        control_points: if transform.is_none() { geo.tiepoints.len() / 6 } else { 0 },
        metadata,
        open,
        whole_view,
        detail_view,
    })
}

fn color(photometric: u64) -> &'static str {
    match photometric {
        0 | 1 => "gray",
        2 => "rgb",
        3 => "palette",
        5 => "cmyk",
        6 => "ycbcr",
        _ => "other",
    }
}

fn code(code: u64) -> Option<String> {
    // 0 is undefined, 32767 is user-defined by other keys.
    (code != 0 && code != 32767).then(|| format!("EPSG:{code}"))
}

fn crs_kind(geo: &GeoReference) -> Option<&'static str> {
    match geo.short(geo::MODEL_TYPE) {
        Some(1) => Some("projected"),
        Some(2) => Some("geographic"),
        Some(3) => Some("geocentric"),
        _ => None,
    }
}

fn crs(geo: &GeoReference) -> Option<String> {
    let key = if geo.short(geo::MODEL_TYPE) == Some(1) { geo::PROJECTED_CRS } else { geo::GEODETIC_CRS };
    geo.short(key).and_then(code)
}

fn crs_name(geo: &GeoReference) -> Option<String> {
    let own = if geo.short(geo::MODEL_TYPE) == Some(1) { geo::PROJECTED_CITATION } else { geo::GEODETIC_CITATION };
    let text = [geo::CITATION, own].into_iter().find_map(|key| geo.text(key))?;
    Some(text.to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "sides have at most 31 bits")]
fn bounds([a, b, c, d, e, f]: [f64; 6], image: &Image) -> Bounds {
    let (width, height) = (image.width as f64, image.height as f64);
    let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)];
    let xs = corners.map(|(column, row)| a * column + b * row + c);
    let ys = corners.map(|(column, row)| d * column + e * row + f);
    Bounds {
        left: xs.into_iter().fold(f64::INFINITY, f64::min),
        bottom: ys.into_iter().fold(f64::INFINITY, f64::min),
        right: xs.into_iter().fold(f64::NEG_INFINITY, f64::max),
        top: ys.into_iter().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn level(tiff: &Tiff<'_>, image: &Image, mask: Option<&Image>) -> Result<LevelInfo> {
    let (bytes, sparse_tiles) = sizes(tiff, image)?;
    let mask_bytes = match mask {
        Some(mask) => sizes(tiff, mask)?.0,
        None => 0,
    };
    let row_bits = u128::from(image.width) * u128::from(image.samples) * u128::from(image.bits);
    Ok(LevelInfo {
        directory: image.directory,
        width: image.width,
        height: image.height,
        tiled: image.tiled,
        tile_width: image.tile_width,
        tile_height: image.tile_height,
        tiles: image.tiles(),
        sparse_tiles,
        compression: codec_name(image.compression).map_or_else(|| image.codec(), str::to_owned),
        predictor: match image.predictor {
            2 => "horizontal",
            3 => "float",
            _ => "none",
        }
        .to_owned(),
        bytes,
        mask_bytes,
        uncompressed_bytes: u64::try_from(row_bits.div_ceil(8).saturating_mul(image.height.into())).unwrap_or(u64::MAX),
    })
}

/// Returns the size of all tiles of a directory in bytes, and the number of tiles that are not stored.
fn sizes(tiff: &Tiff<'_>, image: &Image) -> Result<(u64, u64)> {
    let Some((_, mut counts)) = image.arrays(tiff) else { return Ok((0, 0)) };
    let (mut bytes, mut sparse) = (0u64, 0);
    for tile in 0..image.tiles().min(counts.count) {
        let count = counts.at(tile)?;
        bytes = bytes.saturating_add(count);
        sparse += u64::from(count == 0);
    }
    Ok((bytes, sparse))
}
