//! Comparison of overviews with the previous level, by what all kernels have in common.
//!
//! Nearest and mode take an existing pixel; average, rms, median, min, max, and the smooth kernels stay within the
//! range of the values under them; bilinear, cubic, and Lanczos overshoot by at most the width of that range. All reach
//! at most three overview pixels, and produce no data where there is none. So a cell of 16x16 pixels is compared with
//! the range of the values under it and four pixels around it, widened on both sides by its width; it is wrong only if
//! not a single pixel fits. That leaves ample room for rounding, values moved off nodata, drift of odd sizes, and lossy
//! codecs, and finds overviews that are empty, belong to another image, or are garbled.
//!
//! The comparison happens while tiles are decoded anyway, from full resolution to the smallest level: the tiles of a
//! level contribute to the ranges that the next level is compared with. Cells that don't fit the previous level may
//! come from full resolution; its tiles under them are decoded once more at the end.

use std::collections::BTreeSet;

use super::cells::{cells, is_quick, nominal, under};
use super::footprint::{Footprints, Part, Piece, Sample, Window, Windows};
use super::image::Image;
use super::pair::{Doubt, Doubts, Level, MANY_DOUBTS, Outcome, Own, Pair};
use super::report::Report;
use super::{CheckOptions, Depth};

/// Maximum bytes of the ranges and masks under the cells of one level; two levels are held at once, plus as much for
/// cells in doubt. If all cells take more, fewer are compared.
const MAX_CELL_BYTES: u64 = 32 << 20;
/// Levels that are compared with full resolution: halving gives at most 31.
const MAX_DOUBTED_LEVELS: usize = 31;

/// Values collected from a piece of a tile, for [`Overviews::take`].
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// For each of the footprints that are being filled.
    under: Vec<Vec<Part>>,
    own: Vec<(usize, Vec<Own>)>,
}

/// The comparison of all overviews of a file.
pub(super) struct Overviews<'a> {
    /// Full resolution first; `None` if a level cannot be compared.
    levels: Vec<Option<Level<'a>>>,
    quick: bool,
    /// Remaining bytes of pixels that may be compared.
    budget: u64,
    /// The level being read, compared with the previous level.
    judged: Option<Pair<'a>>,
    /// The next level, for which values are collected.
    filled: Option<Pair<'a>>,
    doubts: Vec<Doubts<'a>>,
    doubt_bytes: u64,
    /// True if tiles are decoded again for cells in doubt.
    again: bool,
    /// Bands that are compared if not all tiles are decoded, in addition to alpha.
    planes: BTreeSet<u64>,
    outcomes: Vec<Outcome<'a>>,
}

impl<'a> Overviews<'a> {
    /// Creates the comparison of all levels, each with its mask.
    pub(super) fn new(levels: &[(&'a Image, Option<&'a Image>)], options: &CheckOptions, budget: u64) -> Self {
        let full = levels.first().map(|(full, _)| *full);
        let levels = levels.iter().map(|(image, mask)| {
            let level = Level::new(image, full?, *mask);
            level.is_comparable(full?).then_some(level)
        });
        Self {
            levels: levels.collect(),
            quick: options.depth == Depth::Quick,
            budget,
            judged: None,
            filled: None,
            doubts: Vec::new(),
            doubt_bytes: 0,
            again: false,
            planes: BTreeSet::from([0]),
            outcomes: Vec::new(),
        }
    }

    /// Begins a level: its mask is read, then its image.
    pub(super) fn begin(&mut self, index: usize) {
        self.judged = self.filled.take();
        self.filled = self.pair(index);
    }

    /// Ends the level: decides all cells except those in doubt.
    pub(super) fn end(&mut self) {
        if let Some(mut pair) = self.judged.take() {
            let doubted = pair.close();
            self.doubt(pair, doubted);
        }
    }

    /// Begins the second pass. Returns true if tiles of full resolution must be decoded again, its mask first;
    /// [`needs`](Self::needs) then selects them.
    pub(super) fn begin_again(&mut self) -> bool {
        self.again = true;
        (self.judged, self.filled) = (None, None);
        let bands = self.doubts.iter().flat_map(|doubts| &doubts.cells).flat_map(|(_, doubts)| doubts);
        self.planes = bands.map(|doubt| doubt.band as u64).chain(self.planes.iter().copied()).collect();
        !self.doubts.is_empty()
    }

    /// Reports the results of all overviews.
    pub(super) fn finish(mut self, report: &mut Report) {
        self.outcomes.extend(self.doubts.into_iter().map(Doubts::close));
        self.outcomes.sort_by_key(|outcome| outcome.image.directory);
        self.outcomes.into_iter().for_each(|outcome| outcome.report(report));
    }

    /// Pairs the level at an index with the overview after it.
    fn pair(&mut self, index: usize) -> Option<Pair<'a>> {
        let (fine, coarse) = ((*self.levels.get(index)?)?, (*self.levels.get(index + 1)?)?);
        if coarse.image.width > fine.image.width {
            return None;
        }
        let mut outcome = Outcome::of(coarse.image);
        let bands = usize::try_from(coarse.image.samples).ok()?;
        let under = |own: &Window| under(own, coarse.image, fine.image);
        let nominal = nominal(coarse.image);
        let cell_bytes = Footprints::bytes(coarse.image.samples)
            .saturating_add(fine.cover_bytes(&under(&nominal)))
            .saturating_add(coarse.cover_bytes(&nominal))
            .saturating_add(coarse.image.samples.saturating_mul(size_of::<Own>() as u64));
        let capacity = MAX_CELL_BYTES / cell_bytes.max(1);
        let mut own = cells(coarse.image, capacity, self.quick);
        if self.quick {
            own.retain(|own| is_quick(fine.image, &under(own)));
        }
        let few = own.is_empty() && capacity > 0;
        let windows: Vec<_> = own.iter().map(under).collect();
        let known = fine.has_known_mask() && coarse.has_known_mask();
        let reason = match self.afford(fine.image, &windows) {
            _ if !known => "a mask cannot be decoded",
            _ if capacity == 0 => "a single cell takes too much memory",
            _ if few => "more tiles lie under a cell than quick checks decode",
            false => "the limit on compared pixels is reached",
            true => "",
        };
        if !reason.is_empty() {
            outcome.skip(own.len().max(1) as u64, reason);
            self.outcomes.push(outcome);
            return None;
        }
        let tops: Vec<_> = own.iter().map(|own| own.top).collect();
        let under = fine.cells(Windows::new(windows, &tops));
        Some(Pair {
            coarse,
            own: vec![Own::UNSEEN; own.len().saturating_mul(bands)],
            cells: coarse.cells(Windows::new(own, &tops)),
            under: Footprints::new(under, bands),
            is_first: index == 0,
            gaps: coarse.mask.is_some() == fine.mask.is_some() && (!coarse.validity.lossy || coarse.mask.is_some()),
            bands,
            held: 0,
            outcome,
        })
    }

    /// Keeps the cells in doubt, as far as limits allow, to be decided by full resolution.
    fn doubt(&mut self, pair: Pair<'a>, doubted: Vec<(usize, Vec<Doubt>)>) {
        let Pair { coarse, mut outcome, bands, gaps, .. } = pair;
        let Some(full) = self.levels.first().copied().flatten() else { return };
        let (mut cells, mut windows) = (Vec::new(), Vec::new());
        for (index, doubts) in doubted {
            let Some(own) = pair.cells.windows.all().get(index) else { continue };
            let window = under(own, coarse.image, full.image);
            let samples = doubts.len() as u64 * own.area() * size_of::<Sample>() as u64;
            let bytes =
                Footprints::bytes(bands as u64).saturating_add(full.cover_bytes(&window)).saturating_add(samples);
            if self.doubts.len() >= MAX_DOUBTED_LEVELS {
                outcome.skip(1, MANY_DOUBTS);
            } else if self.quick {
                outcome.skip(
                    1,
                    "they do not fit the previous level, and quick checks do not compare with full resolution",
                );
            } else if self.doubt_bytes.saturating_add(bytes) > MAX_CELL_BYTES || !self.afford(full.image, &[window]) {
                outcome.skip(1, MANY_DOUBTS);
            } else {
                self.doubt_bytes += bytes;
                windows.push(window);
                cells.push((*own, doubts));
            }
        }
        if cells.is_empty() {
            self.outcomes.push(outcome);
            return;
        }
        let tops: Vec<_> = cells.iter().map(|(own, _)| own.top).collect();
        let under = Footprints::new(full.cells(Windows::new(windows, &tops)), bands);
        let gaps = gaps && full.mask.is_some() == coarse.mask.is_some();
        self.doubts.push(Doubts { coarse, gaps, cells, under, outcome });
    }

    /// Takes the pixels of some windows from the budget; false if it is too small.
    fn afford(&mut self, image: &Image, windows: &[Window]) -> bool {
        let pixels = windows.iter().fold(0u64, |pixels, window| pixels.saturating_add(window.area()));
        let bytes = pixels.saturating_mul(image.samples).saturating_mul(image.data_type.map_or(1, |t| t.size() as u64));
        let left = self.budget.checked_sub(bytes);
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    fn footprints(&self) -> impl Iterator<Item = &Footprints> {
        let doubts = self.doubts.iter().filter(|_| self.again).map(|doubts| &doubts.under);
        self.filled.iter().map(|pair| &pair.under).chain(doubts)
    }

    /// Returns true if pixels of a tile are compared when not all tiles are decoded.
    pub(super) fn needs(&self, image: &Image, tile: u64) -> bool {
        let area = Piece::area_of(image, tile);
        let plane = tile / image.per_plane().max(1);
        let alpha = if image.is_mask() { None } else { image.alpha() };
        if image.planar && alpha != Some(plane) && !self.planes.contains(&plane) {
            return false;
        }
        self.footprints().any(|footprints| footprints.cells.windows.touching(area).next().is_some())
            || self.judged.as_ref().is_some_and(|pair| pair.cells.windows.touching(area).next().is_some())
    }

    /// Examines rows of a tile of the level's image or mask.
    pub(super) fn look(&self, piece: &Piece<'_>) -> Seen {
        let mut seen = Seen::default();
        let is_mask = piece.image.is_mask();
        if !is_mask {
            seen.under = self.footprints().map(|footprints| footprints.look(piece)).collect();
            seen.own = self.judged.as_ref().map_or_else(Vec::new, |pair| pair.judge(piece));
        }
        // Alpha does not hide itself: its plane is compared first, and then covers the other planes.
        if is_mask || (piece.image.planar && piece.image.alpha() == Some(piece.plane)) {
            let own = self.judged.iter().map(|pair| &pair.cells);
            self.footprints().map(|footprints| &footprints.cells).chain(own).for_each(|cells| cells.mask(piece));
        }
        seen
    }

    /// Adds the values collected from a piece.
    pub(super) fn take(&mut self, seen: Seen) {
        if let Some(pair) = &mut self.judged {
            pair.take(seen.own);
        }
        let doubts = self.doubts.iter_mut().filter(|_| self.again).map(|doubts| &mut doubts.under);
        let footprints = self.filled.iter_mut().map(|pair| &mut pair.under).chain(doubts);
        footprints.zip(seen.under).for_each(|(footprints, parts)| footprints.take(parts));
    }
}
