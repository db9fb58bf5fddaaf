//! Changes to TIFF files that leave their tiles as they are: [`repack`] arranges them as a Cloud Optimized GeoTIFF, and
//! [`edit`](fn@edit) changes georeferencing and metadata. [`patch`](fn@patch) replaces pixels, and leaves all tiles as they are
//! that don't depend on them.

mod change;
mod copy;
mod in_place;
mod layout;
mod options;
#[cfg(feature = "mosaic")]
mod patch;
mod pyramid;
mod stats;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::options::{BigTiff, check_header_room};
use crate::read::{DiskFile, ReadAt};
use crate::sink::{FileOptions, OutputFile, UpdatedFile};
use crate::source::RasterSource;
use crate::source::files_beside;
use crate::source::geotiff::{GeoTiffSource, ReadOptions};
use crate::tiff::file::TiffFile;
use crate::tiff::variant::Variant;
use crate::view::PixelSource;

use self::change::Described;
pub use self::change::TagChange;
use self::in_place::HeaderSpace;
use self::layout::Layout;
pub use self::options::{CopyPart, EditOptions, EditPart, EditSummary, RepackOptions, RepackSummary};
#[cfg(feature = "mosaic")]
pub use self::patch::{PatchOptions, PatchSummary, PatchedLevel, patch, patch_from};
use self::pyramid::Pyramid;

/// Arranges a tiled TIFF file as a Cloud Optimized GeoTIFF in GDAL's layout, without decoding its tiles. The output
/// appears complete or not at all.
///
/// The levels are those of the file: full resolution, its overviews (also in SubIFDs, or in the `.ovr` file next to it),
/// and their masks. Overviews are not computed. Tags are carried over; those of EXIF directories are left out with a
/// warning. Each entry of a tile that several entries share gets its own copy, and tiles that are not stored stay so.
/// Memory use does not depend on the size of the image, apart from 24 bytes per tile.
///
/// ```no_run
/// use cogsmith::RepackOptions;
/// let summary = cogsmith::repack("scene.tif", "scene-cog.tif", &RepackOptions::new())?;
/// println!("{} levels, {} bytes", summary.levels.len(), summary.bytes);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Unsupported`] for files whose tiles would have to be encoded again: strips, compression 6, reversed bits,
/// samples in big-endian order, several images, masks in other tiles than their image, and a `.msk` file;
/// [`convert`](crate::convert) reads them. Also [`ErrorKind::Corrupt`], [`ErrorKind::NotTiff`], [`ErrorKind::Io`],
/// [`ErrorKind::TargetExists`], [`ErrorKind::Limit`], and [`ErrorKind::Cancelled`]. The output is then unchanged.
pub fn repack(input: impl AsRef<Path>, output: impl AsRef<Path>, options: &RepackOptions) -> Result<RepackSummary> {
    check_header_room(options.header_room)?;
    let pyramid = open(input.as_ref())?;
    let layout = layout::lay_out(&pyramid, options.big_tiff, options.header_room)?;
    let mut file = OutputFile::create(output.as_ref(), &options.file)?;
    let summary = write(pyramid, &layout, &mut file, &|| options.is_cancelled())?;
    file.commit()?;
    Ok(summary)
}

/// Arranges a tiled TIFF file as [`repack`] does, and writes it to anything that implements [`Write`], in order.
///
/// # Errors
/// Those of [`repack`]; [`ErrorKind::InvalidOption`] for options of the output file.
pub fn repack_to(input: impl AsRef<Path>, output: impl Write, options: &RepackOptions) -> Result<RepackSummary> {
    options.file.check_for_stream()?;
    check_header_room(options.header_room)?;
    write_to(open(input.as_ref())?, output, options)
}

/// Arranges a tiled TIFF as [`repack_to`] does, from any reader, without the files next to it.
///
/// # Errors
/// Those of [`repack_to`].
pub fn repack_from(input: impl ReadAt + 'static, output: impl Write, options: &RepackOptions) -> Result<RepackSummary> {
    options.file.check_for_stream()?;
    check_header_room(options.header_room)?;
    write_to(Pyramid::read(TiffFile::open(Arc::new(input))?, None)?, output, options)
}

fn write_to(pyramid: Pyramid, mut output: impl Write, options: &RepackOptions) -> Result<RepackSummary> {
    let layout = layout::lay_out(&pyramid, options.big_tiff, options.header_room)?;
    let summary = write(pyramid, &layout, &mut output, &|| options.is_cancelled())?;
    output.flush().map_err(|source| Error::io("write the output", source))?;
    Ok(summary)
}

/// Changes the georeferencing and metadata of a tiled TIFF file, without decoding its tiles. If nothing changes, nothing is
/// written.
///
/// If the new directories fit in the free bytes of the header ([`EncodeOptions::header_room`](crate::EncodeOptions)) along
/// with a copy of the old ones, they are written in place, in steps that keep the file readable: a process that is killed
/// leaves either all old or all new tags, and the next edit completes the file. Otherwise, a new file in GDAL's COG layout
/// replaces the old one at the end, or the old one stays as it is.
///
/// Only tags that the options change are replaced; the others stay as they are stored. Files that [`repack`] refuses are
/// refused.
///
/// ```no_run
/// use cogsmith::{Crs, EditOptions};
/// let summary = cogsmith::edit("scene.tif", &EditOptions::new().crs(Crs::epsg(32633)?).nodata(-9999.0))?;
/// for change in &summary.changes {
///     println!("{change}");
/// }
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`repack`], and of the options: [`ErrorKind::InvalidOption`] for a nodata value that the samples cannot
/// have, bands that the image does not have, items that cannot be removed because they are not there, and the like.
pub fn edit(path: impl AsRef<Path>, options: &EditOptions) -> Result<EditSummary> {
    let path = path.as_ref();
    check_header_room(options.header_room.unwrap_or(0))?;
    let file = TiffFile::open(Arc::new(DiskFile::open(path)?))?;
    let (bytes, variant) = (file.length, file.variant());
    let mut source = GeoTiffSource::read(Arc::clone(&file.reader), &ReadOptions::new(), None)?;
    let mut pyramid = Pyramid::read(file, None)?;
    let described = |source: &GeoTiffSource| Described {
        spec: source.spec().clone(),
        geo: source.geo().clone(),
        metadata: source.metadata().clone(),
    };
    let before = described(&source);
    let mut after = before.clone().edited(options)?;
    if options.statistics {
        // Tiles that are not stored are nodata, so the new value applies to them.
        source.set_nodata(after.spec.nodata)?;
        source.fill_with_nodata();
        let height = pyramid.levels.first().map_or(1, |full| full.level.tile_size.height);
        stats::compute(&mut source, &after.spec, &mut after.metadata, height, &|| options.is_cancelled())?;
    }
    let changes = change::changes(&pyramid, &before, &after)?;
    drop(source);
    let space = HeaderSpace::of(&pyramid)?;
    let present = space.map_or(0, |space| space.room());
    let is_interrupted = space.is_some_and(|space| space.is_interrupted());
    let needs_room = options.header_room.is_some_and(|room| room > present);
    let is_written = !changes.is_empty() || is_interrupted || needs_room;
    let mut summary = EditSummary { changes, is_written, in_place: false, bytes, warnings: pyramid.warnings.clone() };
    if !is_written {
        return Ok(summary);
    }
    summary.warnings.extend(pyramid.changed_by_nodata(&summary.changes));
    let old = pyramid.clone();
    change::apply(&summary.changes, &mut pyramid);
    let steps = match space {
        Some(space) if !needs_room || !summary.changes.is_empty() => space.steps(&old, &pyramid)?,
        _ => None,
    };
    drop(old);
    if let Some(steps) = steps {
        summary.in_place = true;
        if !options.dry_run {
            let file = UpdatedFile::open(path)?;
            steps.iter().try_for_each(|step| file.write_synced(&step.bytes, step.offset))?;
        }
        return Ok(summary);
    }
    // A file that has grown beyond classic TIFF becomes a BigTIFF.
    let big_tiff = if variant == Variant::Big { BigTiff::Yes } else { BigTiff::Auto };
    let layout = layout::lay_out(&pyramid, big_tiff, options.header_room.unwrap_or(present))?;
    summary.bytes = layout.bytes;
    if options.dry_run {
        return Ok(summary);
    }
    let mut output = OutputFile::create(path, &FileOptions::new().overwrite(true).sync(options.sync))?;
    write(pyramid, &layout, &mut output, &|| options.is_cancelled())?;
    output.commit()?;
    Ok(summary)
}

/// Opens a file with the overviews next to it.
fn open(path: &Path) -> Result<Pyramid> {
    let open = |path: &Path| TiffFile::open(Arc::new(DiskFile::open(path)?));
    let file = open(path)?;
    let companions = files_beside(path);
    if let Some(mask) = companions.mask {
        let name = mask.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Error::unsupported(format!(
            "copying an image whose mask is in '{name}', next to it; 'create' reads and encodes such a file"
        )));
    }
    let overviews = companions.overviews.map(|path| open(&path)).transpose()?;
    Pyramid::read(file, overviews)
}

/// Writes the header and all tiles. The source is closed at the end, since the output may replace it.
fn write(
    pyramid: Pyramid,
    layout: &Layout,
    output: &mut dyn Write,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<RepackSummary> {
    output.write_all(&layout.header).map_err(|source| Error::io("write the output", source))?;
    copy::copy_tiles(&pyramid, output, &mut || {
        if is_cancelled() { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
    })?;
    let levels = pyramid.levels.iter().map(|one| (one.level.width, one.level.height)).collect();
    let stored = pyramid.tiles().filter(|tile| pyramid.tile(*tile).2 > 0).count();
    Ok(RepackSummary {
        bytes: layout.bytes,
        big_tiff: layout.variant == Variant::Big,
        levels,
        tiles: stored as u64,
        warnings: pyramid.warnings,
    })
}
