//! An overview and the previous level: the cells of the overview, and the values under them.

use super::fit::Fit;
use super::footprint::{Cells, Cover, Footprints, Piece, Range, Sample, Validity, Window, Windows};
use super::image::Image;
use super::report::{Place, Report};
use super::rules;

/// Maximum number of cells of a level, and bands of each, that are compared with full resolution if they don't fit the
/// previous level.
const MAX_DOUBTS: usize = 1024;
const MAX_DOUBTED_BANDS: usize = 4;
pub(super) const MANY_DOUBTS: &str =
    "too many cells do not fit the previous level to compare all of them with full resolution";

/// A level, and the validity of its pixels.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) image: &'a Image,
    pub(super) mask: Option<&'a Image>,
    pub(super) validity: Validity,
}

impl<'a> Level<'a> {
    pub(super) fn new(image: &'a Image, full: &Image, mask: Option<&'a Image>) -> Self {
        let (alpha, lossy) = (image.alpha(), image.is_lossy());
        let equal = full.nodata().zip(image.data_type).and_then(|(nodata, of)| nodata.equal_samples(of));
        let nodata = equal.map(|samples| (*samples.start(), *samples.end()));
        let validity = Validity { nodata, alpha, masked: mask.is_some(), lossy };
        Self { image, mask, validity }
    }

    pub(super) fn is_comparable(&self, full: &Image) -> bool {
        let image = self.image;
        image.sound
            && image.format.is_ok()
            && image.tiles() > 0
            && !image.is_mask()
            && (image.samples, image.data_type, image.bits) == (full.samples, full.data_type, full.bits)
            && image.data_type.is_some_and(|data_type| !data_type.is_complex())
    }

    /// Returns true if its mask, if any, can be decoded.
    pub(super) fn has_known_mask(&self) -> bool {
        self.mask.is_none_or(|mask| mask.sound && mask.format.is_ok())
    }

    /// Returns the number of masks and alpha planes that determine the validity of its pixels.
    pub(super) fn layers(&self) -> u64 {
        u64::from(self.mask.is_some()) + u64::from(self.alpha_plane().is_some())
    }

    pub(super) fn alpha_plane(&self) -> Option<u64> {
        self.validity.alpha.filter(|_| self.image.planar)
    }

    pub(super) fn cells(&self, windows: Windows) -> Cells {
        Cells::new(windows, self.validity, self.layers())
    }

    /// Returns the memory needed for the validity of a window, in bytes.
    pub(super) fn cover_bytes(&self, window: &Window) -> u64 {
        if self.layers() > 0 { Cover::bytes(window) } else { 0 }
    }
}

/// The pixels of a band in a cell.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) seen: u64,
    /// True if one of them fits the values under the cell.
    pub(super) fits: bool,
    pub(super) range: Range,
    /// All of them, if none fits the previous level and full resolution may decide.
    pub(super) samples: Vec<Sample>,
}

impl Own {
    pub(super) const UNSEEN: Self = Self { seen: 0, fits: false, range: Range::EMPTY, samples: Vec::new() };
}

/// An overview, and the values under its cells in the previous level.
pub(super) struct Pair<'a> {
    pub(super) coarse: Level<'a>,
    pub(super) cells: Cells,
    pub(super) under: Footprints,
    /// True if the previous level is full resolution: then nothing else can explain a misfit.
    pub(super) is_first: bool,
    pub(super) gaps: bool,
    pub(super) bands: usize,
    /// For each cell, one per band.
    pub(super) own: Vec<Own>,
    /// Number of bands of cells whose samples are held.
    pub(super) held: usize,
    pub(super) outcome: Outcome<'a>,
}

impl Pair<'_> {
    /// Compares the pixels of a piece of the overview within the cells.
    pub(super) fn judge(&self, piece: &Piece<'_>) -> Vec<(usize, Vec<Own>)> {
        let first_band = usize::try_from(piece.first_band()).unwrap_or(usize::MAX);
        let judged = self.cells.windows.touching(piece.area).map(|(index, window)| {
            let mut held = 0;
            let own = (0..piece.bands()).map(|band| {
                let mut own = Own { seen: window.area(), ..Own::UNSEEN };
                let Some(range) = self.under.range(index, first_band.saturating_add(band)) else { return own };
                let fit = Fit::new(piece.image, range, self.gaps);
                let samples = || piece.samples(window, band, &self.cells.validity, self.cells.cover(index));
                own.fits = samples().any(|sample| fit.fits(sample));
                if !own.fits {
                    samples().for_each(|sample| own.range.add(sample));
                    if !self.is_first && held < MAX_DOUBTED_BANDS {
                        held += 1;
                        own.samples = samples().collect();
                    }
                }
                own
            });
            (index * self.bands + first_band, own.collect())
        });
        judged.collect()
    }

    pub(super) fn take(&mut self, judged: Vec<(usize, Vec<Own>)>) {
        for (first, own) in judged {
            for (known, mut more) in self.own.iter_mut().skip(first).zip(own) {
                if !more.samples.is_empty() {
                    if self.held >= MAX_DOUBTS * MAX_DOUBTED_BANDS {
                        more.samples = Vec::new();
                    }
                    self.held += usize::from(known.samples.is_empty());
                }
                known.seen += more.seen;
                known.fits |= more.fits;
                known.range.merge(&more.range);
                known.samples.append(&mut more.samples);
                if known.fits {
                    known.samples = Vec::new();
                }
            }
        }
    }

    /// Decides all cells except those in doubt, and returns the latter: index and bands.
    pub(super) fn close(&mut self) -> Vec<(usize, Vec<Doubt>)> {
        let mut doubted = Vec::new();
        for (index, window) in self.cells.windows.all().iter().enumerate() {
            let first = index * self.bands;
            let own = self.own.get_mut(first..first + self.bands).unwrap_or_default();
            let mut known = false;
            let mut misfits = Vec::new();
            for (band, own) in own.iter_mut().enumerate() {
                let range = self.under.range(index, band).filter(|_| own.seen == window.area());
                let Some(range) = range.filter(|_| self.cells.is_complete(index)) else { continue };
                known = true;
                if !own.fits {
                    misfits.push(Doubt { band, range, own: own.range, samples: std::mem::take(&mut own.samples) });
                }
            }
            match misfits.first() {
                None => self.outcome.compared += u64::from(known),
                Some(misfit) if self.is_first => {
                    let fit = Fit::new(self.coarse.image, misfit.range, self.gaps);
                    self.outcome.wrong(window, misfit.band, &fit.describe(&misfit.own));
                }
                Some(_) => {
                    misfits.retain(|misfit| misfit.samples.len() as u64 == window.area());
                    if misfits.is_empty() || doubted.len() >= MAX_DOUBTS {
                        self.outcome.skip(1, MANY_DOUBTS);
                    } else {
                        doubted.push((index, misfits));
                    }
                }
            }
        }
        doubted
    }
}

/// A band of a cell that does not fit the previous level.
pub(super) struct Doubt {
    pub(super) band: usize,
    /// The values under it in the previous level.
    pub(super) range: Range,
    pub(super) own: Range,
    pub(super) samples: Vec<Sample>,
}

/// Cells of an overview that are decided by full resolution.
pub(super) struct Doubts<'a> {
    pub(super) coarse: Level<'a>,
    pub(super) gaps: bool,
    pub(super) cells: Vec<(Window, Vec<Doubt>)>,
    /// The values under them in full resolution.
    pub(super) under: Footprints,
    pub(super) outcome: Outcome<'a>,
}

impl<'a> Doubts<'a> {
    pub(super) fn close(mut self) -> Outcome<'a> {
        for (index, (window, doubts)) in self.cells.iter().enumerate() {
            let mut known = true;
            let misfit = doubts.iter().find_map(|doubt| {
                let Some(mut range) = self.under.range(index, doubt.band) else {
                    known = false;
                    return None;
                };
                range.merge(&doubt.range);
                let fit = Fit::new(self.coarse.image, range, self.gaps);
                let fits = doubt.samples.iter().any(|sample| fit.fits(*sample));
                (!fits).then(|| (doubt.band, fit.describe(&doubt.own)))
            });
            match misfit {
                Some((band, reason)) => self.outcome.wrong(window, band, &reason),
                None if known => self.outcome.compared += 1,
                None => self.outcome.skip(1, "full resolution under them cannot be decoded"),
            }
        }
        self.outcome
    }
}

/// The result of comparing an overview.
pub(super) struct Outcome<'a> {
    pub(super) image: &'a Image,
    pub(super) compared: u64,
    pub(super) wrong: u64,
    /// The first tile with a wrong cell, and the reason.
    pub(super) first: Option<(u64, String)>,
    /// Number of cells that were not compared, and the reason.
    pub(super) skipped: u64,
    pub(super) reason: &'static str,
}

impl<'a> Outcome<'a> {
    pub(super) fn of(image: &'a Image) -> Self {
        Self { image, compared: 0, wrong: 0, first: None, skipped: 0, reason: "" }
    }

    pub(super) fn wrong(&mut self, window: &Window, band: usize, reason: &str) {
        self.compared += 1;
        self.wrong += 1;
        let tile = Windows::tiles(self.image, window).next().unwrap_or(0);
        if self.first.as_ref().is_none_or(|(first, _)| tile < *first) {
            self.first = Some((tile, format!("band {}: {reason}", band + 1)));
        }
    }

    pub(super) fn skip(&mut self, cells: u64, reason: &'static str) {
        self.skipped += cells;
        self.reason = reason;
    }

    pub(super) fn report(self, report: &mut Report) {
        let Self { image, compared, wrong, .. } = self;
        report.cells_compared += compared;
        if let Some((tile, reason)) = self.first {
            let message = format_args!("{wrong} of {compared} cells don't fit; first: {reason}");
            report.add(&rules::OVERVIEW_CONTENT, Place::tile(image.directory, tile), message);
        }
        if self.skipped > 0 {
            let message = format_args!("{} cells not compared: {}", self.skipped, self.reason);
            report.add(&rules::OVERVIEW_UNJUDGED, Place::directory(image.directory), message);
        }
    }
}
