//! Options and results.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::geo::{Crs, Overrides};
use crate::names::named;
use crate::options::BigTiff;
use crate::sample::Nodata;
use crate::sink::FileOptions;

use super::change::TagChange;

/// Options of [`repack`](crate::repack).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use]
pub struct RepackOptions {
    /// TIFF variant. Default: [`BigTiff::Auto`], BigTIFF only if the file exceeds 4 GiB.
    pub big_tiff: BigTiff,
    /// Options of the output file. Default: nothing is replaced.
    pub file: FileOptions,
    /// Free bytes after the directories, in which later changes fit ([`edit`](fn@crate::edit)). Default: 0.
    pub header_room: u32,
    cancel: Option<Arc<AtomicBool>>,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl RepackOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the TIFF variant. Default: [`BigTiff::Auto`].
    pub fn big_tiff(mut self, big_tiff: BigTiff) -> Self {
        self.big_tiff = big_tiff;
        self
    }

    /// Sets the number of free bytes after the directories, for later changes. Default: 0.
    pub fn header_room(mut self, header_room: u32) -> Self {
        self.header_room = header_room;
        self
    }

    /// Sets the options of the output file.
    pub fn file(mut self, file: FileOptions) -> Self {
        self.file = file;
        self
    }

    /// Sets a flag that stops the copy when it becomes true.
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// The result of [`repack`](crate::repack).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepackSummary {
    /// Size of the output in bytes.
    pub bytes: u64,
    /// True if the output is a BigTIFF.
    pub big_tiff: bool,
    /// Width and height of each level in pixels, full resolution first.
    pub levels: Vec<(u32, u32)>,
    /// Number of tiles that were copied, masks included.
    pub tiles: u64,
    /// Parts of the input that are left out, and the reasons.
    pub warnings: Vec<String>,
}

/// A part of a file's description that an edit can remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditPart {
    /// The coordinate reference system.
    Crs,
    /// The transform, or the ground control points.
    Transform,
    /// The rational polynomial coefficients.
    Rpc,
    /// The ICC profile.
    IccProfile,
    /// The XMP packet.
    Xmp,
}

named!(EditPart, Metadata, { Crs => "crs", Transform => "transform", Rpc => "rpc", IccProfile => "icc-profile", Xmp => "xmp" });

/// A part of another file's description that an edit can copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyPart {
    /// The coordinate reference system.
    Crs,
    /// The transform, or the ground control points. The images must have the same size.
    Transform,
    /// The rational polynomial coefficients.
    Rpc,
    /// The nodata value.
    Nodata,
    /// Metadata items of GDAL and text tags, in place of those that the file has: also descriptions, scales, offsets, and
    /// units of bands, but not statistics and colors. The images must have the same number of bands.
    Metadata,
    /// The ICC profile.
    IccProfile,
    /// The XMP packet.
    Xmp,
}

named!(CopyPart, Metadata, { Crs => "crs", Transform => "transform", Rpc => "rpc", Nodata => "nodata", Metadata => "metadata", IccProfile => "icc-profile", Xmp => "xmp" });

/// Options of [`edit`](fn@crate::edit): the changes, and how they are written.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use]
pub struct EditOptions {
    /// CRS to set; the raster stays in place.
    pub crs: Option<Crs>,
    /// Nodata value to set, or to remove (`Some(None)`), on all levels; pixel values are unchanged.
    pub nodata: Option<Option<Nodata>>,
    /// Georeferencing and metadata to set.
    pub overrides: Overrides,
    /// ICC profile to set.
    pub icc_profile: Option<Vec<u8>>,
    /// Parts to remove, before others are set.
    pub remove: Vec<EditPart>,
    /// File whose description is copied, before parts are set, and what is copied of it. Parts that it lacks are removed.
    /// Files next to it, such as world files, count as when it is read.
    pub copy_from: Option<(PathBuf, Vec<CopyPart>)>,
    /// Metadata items to remove: domain, if not the default one, and name.
    pub remove_items: Vec<(Option<String>, String)>,
    /// True to compute statistics of every band from the pixels of full resolution, exactly, and store them in place of
    /// others. Tiles are decoded for that. Not for complex samples. Default: `false`.
    pub statistics: bool,
    /// Free bytes after the directories, in which later changes fit, if a new file is written. A file with fewer free
    /// bytes is written again even if nothing else changes. Default (`None`): as many as the file has.
    pub header_room: Option<u32>,
    /// True to report the changes without writing them. Default: `false`.
    pub dry_run: bool,
    /// True to wait until the file is on disk. Default: `false`. Edits in place always wait.
    pub sync: bool,
    cancel: Option<Arc<AtomicBool>>,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl EditOptions {
    /// Returns options that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the CRS. The raster stays in place.
    pub fn crs(mut self, crs: impl Into<Option<Crs>>) -> Self {
        self.crs = crs.into();
        self
    }

    /// Sets the nodata value of all levels. Pixel values are unchanged; statistics in the metadata are dropped.
    pub fn nodata(mut self, nodata: impl Into<Nodata>) -> Self {
        self.nodata = Some(Some(nodata.into()));
        self
    }

    /// Removes the nodata value.
    pub fn without_nodata(mut self) -> Self {
        self.nodata = Some(None);
        self
    }

    /// Sets georeferencing and metadata.
    pub fn overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Sets the ICC profile.
    pub fn icc_profile(mut self, profile: impl Into<Option<Vec<u8>>>) -> Self {
        self.icc_profile = profile.into();
        self
    }

    /// Sets the parts to remove.
    pub fn remove(mut self, remove: impl Into<Vec<EditPart>>) -> Self {
        self.remove = remove.into();
        self
    }

    /// Copies parts of the description of another file. Parts that it lacks are removed.
    pub fn copy_from(mut self, path: impl Into<PathBuf>, parts: impl Into<Vec<CopyPart>>) -> Self {
        self.copy_from = Some((path.into(), parts.into()));
        self
    }

    /// Sets the metadata items to remove: domain, if not the default one, and name.
    pub fn remove_items(mut self, items: impl Into<Vec<(Option<String>, String)>>) -> Self {
        self.remove_items = items.into();
        self
    }

    /// Sets whether statistics of every band are computed and stored. Default: `false`.
    pub fn statistics(mut self, statistics: bool) -> Self {
        self.statistics = statistics;
        self
    }

    /// Sets the number of free bytes after the directories if a new file is written. Default (`None`): as many as the file
    /// has.
    pub fn header_room(mut self, header_room: impl Into<Option<u32>>) -> Self {
        self.header_room = header_room.into();
        self
    }

    /// Sets whether changes are only reported. Default: `false`.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets whether to wait until the file is on disk. Default: `false`.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Sets a flag that stops the copy when it becomes true.
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// The result of [`edit`](fn@crate::edit).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EditSummary {
    /// The tags of full resolution that change; empty if the file is as it should be already.
    pub changes: Vec<TagChange>,
    /// True if the file was written, or would be without `dry_run`.
    pub is_written: bool,
    /// True if the directories are replaced in place, rather than the whole file.
    pub in_place: bool,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Parts of the file that are left out, and the reasons.
    pub warnings: Vec<String>,
}
