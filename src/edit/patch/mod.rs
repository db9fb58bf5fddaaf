//! Replaces a part of a file by the pixels of other rasters, and encodes only the tiles that change.

mod format;
mod level;
mod options;
mod pixels;
mod tiles;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::encode::encode_part;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::options::BigTiff;
use crate::plan::{CogPlan, Share};
use crate::read::{DiskFile, ReadAt};
use crate::redact::redact;
use crate::sink::{AppendedFile, FileOptions, OutputFile};
use crate::source::geotiff::{GeoTiffSource, LevelSource, ReadOptions};
use crate::source::mosaic::SourceInput;
use crate::source::mosaic::patch::{Described as Base, Update};
use crate::source::{RasterSource, files_beside};
use crate::tiff::Tag;
use crate::tiff::file::TiffFile;
use crate::tiff::ghost::{LEADER_LEN, TRAILER_LEN};
use crate::tiff::variant::Variant;
use crate::view::PixelSource;

use super::change::{self, Described};
use super::in_place::HeaderSpace;
use super::pyramid::Pyramid;
use super::{copy, layout};
use format::Format;
use level::Trial;
pub use options::{PatchOptions, PatchSummary, PatchedLevel};
use pixels::{Levels, WindowSource};
use tiles::Touched;

/// Replaces the pixels of a COG that other rasters on the same grid cover, one raster after the other. Only the tiles in which
/// pixels may change are encoded, and those of the overviews that depend on them; all others are copied byte for byte. The
/// file appears complete or not at all.
///
/// Pixels of an update that are nodata, masked, transparent, or NaN leave the old ones as they are, unless
/// [`PatchOptions::replace_all`] is set. Codec, predictor, tiles, levels, and mask stay those of the file; the kernel of the
/// overviews is the one that its metadata name. A file that this library wrote without loss gets the bytes that it would have
/// if it were written from the changed pixels, with the same predictor. See `docs/edit.md` for what is refused.
///
/// ```no_run
/// use cogsmith::PatchOptions;
/// let summary = cogsmith::patch("country.tif", ["county.tif"], &PatchOptions::new())?;
/// println!("{} tiles encoded, {} copied", summary.encoded(), summary.copied());
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`] for an update on another grid, beyond the edges of the file, or with other bands, data type, CRS,
/// palette, or nodata value; [`ErrorKind::Unsupported`] for files with lossy codecs, and those that
/// [`repack`](crate::repack) refuses; [`ErrorKind::InvalidOption`] if the kernel of the overviews is unknown;
/// [`ErrorKind::NoInputs`] without updates. Also [`ErrorKind::Corrupt`], [`ErrorKind::NotTiff`], [`ErrorKind::Io`],
/// [`ErrorKind::TargetExists`], and [`ErrorKind::Cancelled`]. The file is then unchanged.
pub fn patch<P: AsRef<Path>>(
    path: impl AsRef<Path>,
    updates: impl IntoIterator<Item = P>,
    options: &PatchOptions,
) -> Result<PatchSummary> {
    let inputs = updates.into_iter().map(|update| {
        let (path, read) = (update.as_ref().to_owned(), options.read.clone());
        SourceInput::new(redact(&path.to_string_lossy()), move || crate::vrt::open(&path, &read))
    });
    patch_from(path, inputs.collect(), options)
}

/// Replaces the pixels of a COG as [`patch`] does, by those of any sources, such as arrays.
///
/// # Errors
/// Those of [`patch`].
pub fn patch_from(
    path: impl AsRef<Path>,
    updates: Vec<SourceInput<'_>>,
    options: &PatchOptions,
) -> Result<PatchSummary> {
    options.check()?;
    let path = path.as_ref();
    if updates.is_empty() {
        return Err(ErrorKind::NoInputs { path: Path::new("").into() }.into());
    }
    let (executor, disk) = (options.executor()?, DiskFile::open(path)?);
    let target = options.output.as_deref().unwrap_or(path);
    let file = FileOptions { overwrite: options.file.overwrite || options.output.is_none(), ..options.file };
    let mut output = if options.dry_run { None } else { Some(OutputFile::create(target, &file)?) };
    let directory = output.as_ref().map_or_else(std::env::temp_dir, |output| output.directory().to_owned());
    let appended = Arc::new(AppendedFile::new(disk, directory));
    let mut patched = Patched::open(path, Arc::clone(&appended))?;
    let updates = updates.into_iter().map(|update| Update::place(&patched.base, update, options.replace_all));
    let updates = updates.collect::<Result<Vec<_>>>()?;
    let format = Format::read(&patched.pyramid, &patched.base.spec, &options.overview_resampling)?;
    let mut warnings = patched.pyramid.warnings.clone();
    warnings.extend(updates.iter().flat_map(|update| update.warnings.clone()));
    let mut trial = Trial {
        pyramid: &patched.pyramid,
        levels: &patched.levels,
        format: &format,
        executor: &executor,
        warnings: &mut warnings,
    };
    let plan = trial.plan(options.level)?;
    let mut touched = Touched::new(&plan);
    let windows = updates.iter().map(|update| update.rectangle.clone()).collect();
    for update in updates {
        let share = Share::of_change(&plan, &update.rectangle);
        touched.add(&share);
        if !options.dry_run {
            patched.apply(&plan, share, update, options, &executor)?;
        }
    }
    let levels = touched.levels(&patched.pyramid);
    patched.settle_statistics(&plan, options, &executor, &mut warnings)?;
    let mut summary =
        PatchSummary { bytes: appended.file().len(), big_tiff: patched.is_big(), levels, windows, warnings };
    if let Some(mut output) = output.take() {
        // A file that has grown beyond classic TIFF becomes a BigTIFF.
        let big_tiff = if patched.is_big() { BigTiff::Yes } else { BigTiff::Auto };
        let layout = layout::lay_out(&patched.pyramid, big_tiff, patched.room)?;
        (summary.bytes, summary.big_tiff) = (layout.bytes, layout.variant == Variant::Big);
        output.write_all(&layout.header).map_err(|source| Error::io("write the output", source))?;
        copy::copy_framed(&patched.pyramid, appended.file(), &mut output, &mut || {
            if executor.is_cancelled() { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
        })?;
        // The output may replace the file.
        drop((patched, appended));
        output.commit()?;
    }
    Ok(summary)
}

/// A file that is being patched.
struct Patched {
    appended: Arc<AppendedFile>,
    variant: Variant,
    /// Its levels as they are stored by now: new tiles are after the end of the file.
    pyramid: Pyramid,
    /// Free bytes after the directories.
    room: u32,
    /// Its description.
    base: Base,
    /// Its pixels.
    levels: Levels,
}

impl Patched {
    /// Opens a file.
    fn open(path: &Path, appended: Arc<AppendedFile>) -> Result<Self> {
        let companions = files_beside(path);
        if let Some(other) = companions.mask.or(companions.overviews) {
            let name = other.file_name().unwrap_or_default().to_string_lossy();
            return Err(refused(format!(
                "'{name}' next to it, which belongs to the same image; write one file with 'create' first"
            )));
        }
        let file = TiffFile::open(Arc::clone(&appended) as Arc<dyn ReadAt>)?;
        let source = GeoTiffSource::read(Arc::clone(&file.reader), &ReadOptions::new(), None)?;
        let base = Base {
            name: redact(&path.to_string_lossy()),
            spec: source.spec().clone(),
            geo: source.geo().clone(),
            metadata: source.metadata().clone(),
            warnings: Vec::new(),
        };
        let directories = file.directories(&mut Vec::new())?;
        if directories.iter().any(|directory| directory.contains(Tag::SUB_IFDS)) {
            return Err(refused("overviews in SubIFDs; arrange them with 'repack' first".to_owned()));
        }
        let variant = file.variant();
        let pyramid = Pyramid::read(file.clone(), None)?;
        let room = HeaderSpace::of(&pyramid)?.map_or(0, |space| space.room());
        let levels = pyramid.levels.iter().map(|level| {
            let numbers = (level.image.number, level.mask.as_ref().map(|mask| mask.number));
            LevelSource::open(&file, &directories, numbers, &base.spec)
        });
        let levels = Levels::new(levels.collect::<Result<_>>()?);
        Ok(Self { appended, variant, pyramid, room, base, levels })
    }

    fn is_big(&self) -> bool {
        self.variant == Variant::Big
    }

    /// Encodes the tiles of a share that an update changes.
    fn apply(
        &mut self,
        plan: &CogPlan,
        share: Share,
        update: Update<'_>,
        options: &PatchOptions,
        executor: &Executor,
    ) -> Result<()> {
        let Some(window) = share.levels.first().map(|level| level.window.clone()) else { return Ok(()) };
        self.levels.limit(&share)?;
        let over = update.over(plan.spec(), &window, options.replace_all);
        let mut source = WindowSource::new(plan.spec(), &self.levels, (0, &window), Some(over));
        let mut changed = Vec::new();
        let others = Box::new(self.levels.clone());
        encode_part(plan, share, &mut source, Some(others), executor, &mut |tile, bytes| {
            let bytes = bytes.get(LEADER_LEN..bytes.len().saturating_sub(TRAILER_LEN)).unwrap_or_default();
            let offset = self.appended.append(bytes)?;
            changed.push((tile, offset, u32::try_from(bytes.len()).unwrap_or(u32::MAX)));
            Ok(())
        })?;
        for (tile, offset, count) in changed {
            let index = self.pyramid.replace(tile, offset, count);
            self.levels.level(tile.level)?.replace(tile.plane, index, offset, count.into());
        }
        Ok(())
    }

    /// Computes statistics, or removes those that the file has.
    fn settle_statistics(
        &mut self,
        plan: &CogPlan,
        options: &PatchOptions,
        executor: &Executor,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let (spec, geo) = (self.base.spec.clone(), self.base.geo.clone());
        let before = Described { spec, geo, metadata: self.base.metadata.clone() };
        let mut after = before.clone();
        if options.statistics {
            if options.dry_run {
                return Ok(());
            }
            let [full, ..] = plan.levels() else { return Ok(()) };
            let window = full.all_pixels();
            self.levels.level(0)?.start_at(0);
            let mut source = WindowSource::new(plan.spec(), &self.levels, (0, &window), None);
            let is_cancelled = || executor.is_cancelled();
            super::stats::compute(&mut source, &after.spec, &mut after.metadata, full.tile_size.height, &is_cancelled)?;
        } else if after.metadata.items().iter().any(crate::geo::MetadataItem::is_statistic) {
            after.metadata.drop_statistics();
            warnings.push("statistics of the bands are removed, since pixels change".to_owned());
        }
        let mut changes = change::changes(&self.pyramid, &before, &after)?;
        change::keep_lengths(&mut changes);
        change::apply(&changes, &mut self.pyramid);
        Ok(())
    }
}

fn refused(feature: String) -> Error {
    Error::unsupported(format!("patching a file with {feature}"))
}
