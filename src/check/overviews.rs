//! Overviews against the level before them: the values that every kernel has in common.
//!
//! Nearest and mode take a pixel that is there; average, rms, median, min, max and the smooth kernels stay within the
//! values under them; bilinear, cubic and Lanczos overshoot by no more than the range of those values. All look no
//! further than three pixels of the overview, and give no data where there are none. So a cell of 16x16 pixels is
//! compared with the range of what lies under it and four pixels around, widened on both sides by that range; it is wrong
//! only if not a single pixel fits. That leaves rounding, nodata that is stepped over, drift of odd sizes, and lossy
//! codecs far inside, and finds overviews that are empty, of another image, or garbled.
//!
//! The comparison is made while tiles are decoded anyway, from full resolution to the smallest level: the tiles of a level
//! add to the ranges that the next level is compared with, and those of the next level are compared with them. Cells that
//! don't fit the level before may come from full resolution; its tiles under them are decoded once more at the end.

use std::collections::BTreeSet;

use super::cells::{cells, is_quick, nominal, under};
use super::footprint::{Footprints, Part, Piece, Sample, Window, Windows};
use super::image::Image;
use super::pair::{Doubt, Doubts, Level, MANY_DOUBTS, Outcome, Own, Pair};
use super::report::Report;
use super::{CheckOptions, Depth};

/// Bytes of the ranges and masks under the cells of one level; those of two levels are held at once, and as much for
/// cells in doubt. Where all cells take more, fewer are compared.
const MAX_CELL_BYTES: u64 = 32 << 20;
/// Levels that are compared with full resolution: a pyramid of halves has 31 at most.
const MAX_DOUBTED_LEVELS: usize = 31;

/// The contents of a piece of a tile, for [`Overviews::take`].
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// For each of the footprints that are being filled.
    under: Vec<Vec<Part>>,
    own: Vec<(usize, Vec<Own>)>,
}

/// The comparison of all overviews of a file.
pub(super) struct Overviews<'a> {
    /// Full resolution first; `None` where a level can't be compared.
    levels: Vec<Option<Level<'a>>>,
    quick: bool,
    /// Bytes of pixels that may still be compared.
    budget: u64,
    /// The level that is read, and how it compares with the level before.
    judged: Option<Pair<'a>>,
    /// The next level, for which what is read is collected.
    filled: Option<Pair<'a>>,
    doubts: Vec<Doubts<'a>>,
    doubt_bytes: u64,
    /// Whether tiles are decoded again for the doubts.
    again: bool,
    /// Bands that are compared where not all tiles are decoded; alpha is always one of them.
    planes: BTreeSet<u64>,
    outcomes: Vec<Outcome<'a>>,
}

impl<'a> Overviews<'a> {
    /// Takes all levels, each with its mask.
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

    /// Goes on to a level: its mask is read, then its image.
    pub(super) fn begin(&mut self, index: usize) {
        self.judged = self.filled.take();
        self.filled = self.pair(index);
    }

    /// Ends the level: decides on its cells, except those in doubt.
    pub(super) fn end(&mut self) {
        if let Some(mut pair) = self.judged.take() {
            let doubted = pair.close();
            self.doubt(pair, doubted);
        }
    }

    /// Whether tiles of full resolution have to be decoded again, its mask first. Then [`needs`](Self::needs) tells which.
    pub(super) fn begin_again(&mut self) -> bool {
        self.again = true;
        (self.judged, self.filled) = (None, None);
        let bands = self.doubts.iter().flat_map(|doubts| &doubts.cells).flat_map(|(_, doubts)| doubts);
        self.planes = bands.map(|doubt| doubt.band as u64).chain(self.planes.iter().copied()).collect();
        !self.doubts.is_empty()
    }

    /// Reports on all overviews.
    pub(super) fn finish(mut self, report: &mut Report) {
        self.outcomes.extend(self.doubts.into_iter().map(Doubts::close));
        self.outcomes.sort_by_key(|outcome| outcome.image.directory);
        self.outcomes.into_iter().for_each(|outcome| outcome.report(report));
    }

    /// An overview and the level of an index before it.
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
            _ if !known => "a mask is not decoded",
            _ if capacity == 0 => "one of them takes too much memory",
            _ if few => "more tiles lie under one of them than quick checks decode",
            false => "the limit of pixels is reached",
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

    /// Keeps the cells in doubt for full resolution to decide on, as far as limits allow.
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
                outcome.skip(1, "they do not fit the level before, and quick checks do not go back to full resolution");
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

    /// Takes the pixels of some windows from the budget, if it has as many.
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

    /// Whether pixels of a tile are compared where not all tiles are decoded.
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

    /// Looks at rows of a tile, of the image of the level or of its mask.
    pub(super) fn look(&self, piece: &Piece<'_>) -> Seen {
        let mut seen = Seen::default();
        let is_mask = piece.image.is_mask();
        if !is_mask {
            seen.under = self.footprints().map(|footprints| footprints.look(piece)).collect();
            seen.own = self.judged.as_ref().map_or_else(Vec::new, |pair| pair.judge(piece));
        }
        // Alpha does not hide itself: its plane is compared first, and covers the others then.
        if is_mask || (piece.image.planar && piece.image.alpha() == Some(piece.plane)) {
            let own = self.judged.iter().map(|pair| &pair.cells);
            self.footprints().map(|footprints| &footprints.cells).chain(own).for_each(|cells| cells.mask(piece));
        }
        seen
    }

    /// Takes in what was seen in a piece.
    pub(super) fn take(&mut self, seen: Seen) {
        if let Some(pair) = &mut self.judged {
            pair.take(seen.own);
        }
        let doubts = self.doubts.iter_mut().filter(|_| self.again).map(|doubts| &mut doubts.under);
        let footprints = self.filled.iter_mut().map(|pair| &mut pair.under).chain(doubts);
        footprints.zip(seen.under).for_each(|(footprints, parts)| footprints.take(parts));
    }
}
