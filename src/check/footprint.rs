//! Footprints: the pixels of a level that a cell of an overview can come from, and their values.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sample::DataType;

use super::image::Image;

/// A rectangle of pixels of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) left: u64,
    pub(super) top: u64,
    pub(super) width: u64,
    pub(super) height: u64,
}

impl Window {
    pub(super) const fn right(&self) -> u64 {
        self.left.saturating_add(self.width)
    }

    pub(super) const fn bottom(&self) -> u64 {
        self.top.saturating_add(self.height)
    }

    pub(super) const fn area(&self) -> u64 {
        self.width.saturating_mul(self.height)
    }

    fn common(&self, other: &Self) -> Option<Self> {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        (left < right && top < bottom).then(|| Self { left, top, width: right - left, height: bottom - top })
    }
}

/// Windows of one level in rows, from top to bottom and from left to right.
#[derive(Debug, Default)]
pub(super) struct Windows {
    all: Vec<Window>,
    /// Start and end of each row.
    rows: Vec<(usize, usize)>,
}

impl Windows {
    /// Creates the collection from windows ordered by row; windows of the same row have equal `tops`.
    pub(super) fn new(windows: Vec<Window>, tops: &[u64]) -> Self {
        let mut rows: Vec<(usize, usize)> = Vec::new();
        let mut last = None;
        for (index, top) in tops.iter().enumerate() {
            match rows.last_mut() {
                Some(row) if last == Some(top) => row.1 = index + 1,
                _ => rows.push((index, index + 1)),
            }
            last = Some(top);
        }
        Self { all: windows, rows }
    }

    pub(super) fn all(&self) -> &[Window] {
        &self.all
    }

    /// Returns the indices of the windows that intersect `area`, each with the intersection.
    pub(super) fn touching(&self, area: Window) -> impl Iterator<Item = (usize, Window)> {
        let row = |&(start, end): &(usize, usize)| self.all.get(start..end).unwrap_or_default();
        let first =
            self.rows.partition_point(|span| row(span).first().is_none_or(|window| window.bottom() <= area.top));
        let rows = self.rows.iter().skip(first);
        let rows = rows.take_while(move |span| row(span).first().is_some_and(|window| window.top < area.bottom()));
        rows.flat_map(move |span| {
            let windows = row(span);
            let first = windows.partition_point(|window| window.right() <= area.left);
            let indices = span.0 + first..span.1;
            let windows = windows.get(first..).unwrap_or_default().iter();
            windows.take_while(move |window| window.left < area.right()).zip(indices)
        })
        .filter_map(move |(window, index)| Some((index, window.common(&area)?)))
    }

    /// Returns the tiles of `image` (of its first plane) under a window.
    pub(super) fn tiles(image: &Image, window: &Window) -> impl Iterator<Item = u64> + use<> {
        let (width, height, across) = (image.tile_width.max(1), image.tile_height.max(1), image.across());
        let columns = window.left / width..window.right().div_ceil(width);
        let rows = window.top / height..window.bottom().div_ceil(height);
        rows.flat_map(move |row| columns.clone().map(move |column| row * across + column))
    }
}

/// The criteria by which pixels of a level are valid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    /// The smallest and the largest sample that equal nodata.
    pub(super) nodata: Option<(f64, f64)>,
    /// The alpha band.
    pub(super) alpha: Option<u64>,
    /// True if the level has a mask.
    pub(super) masked: bool,
    pub(super) lossy: bool,
}

/// A sample of a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sample {
    Valid(f64),
    /// Equal to nodata, but valid according to the mask: GDAL treats it as a value, other writers as nodata.
    Either(f64),
    Missing,
}

impl Validity {
    fn sample(&self, band: u64, value: f64, covered: bool) -> Sample {
        // Alpha is 0 where there is no data, whatever nodata is; lossy codecs do not preserve that.
        let is_alpha = self.alpha == Some(band) && !self.lossy;
        let nodata = if is_alpha { Some((0.0, 0.0)) } else { self.nodata };
        if !covered || value.is_nan() {
            Sample::Missing
        } else if !nodata.is_some_and(|(low, high)| low <= value && value <= high) {
            Sample::Valid(value)
        } else if self.masked && !is_alpha {
            Sample::Either(value)
        } else {
            Sample::Missing
        }
    }
}

/// The values of a band in a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Pixels examined so far, and those that certainly or possibly have no value.
    seen: u64,
    missing: u64,
}

impl Range {
    pub(super) const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY, seen: 0, missing: 0 };

    pub(super) fn add(&mut self, sample: Sample) {
        self.seen += 1;
        match sample {
            Sample::Valid(value) => (self.low, self.high) = (self.low.min(value), self.high.max(value)),
            Sample::Either(value) => {
                (self.low, self.high) = (self.low.min(value), self.high.max(value));
                self.missing += 1;
            }
            Sample::Missing => self.missing += 1,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        (self.low, self.high) = (self.low.min(other.low), self.high.max(other.high));
        self.seen += other.seen;
        self.missing += other.missing;
    }

    /// Returns the smallest and largest value, or `None` if there is none.
    pub(super) fn values(&self) -> Option<(f64, f64)> {
        (self.low <= self.high).then_some((self.low, self.high))
    }

    /// Returns true if every pixel certainly has a value.
    pub(super) const fn is_full(&self) -> bool {
        self.missing == 0
    }
}

/// Rows of a decoded tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) image: &'a Image,
    pub(super) plane: u64,
    /// The pixels it covers; at the edges of the image some of them are padding.
    pub(super) area: Window,
    pub(super) samples: &'a [u8],
}

impl<'a> Piece<'a> {
    /// Creates a piece from the rows of a tile starting at `first_row`.
    pub(super) fn new(image: &'a Image, tile: u64, first_row: u64, samples: &'a [u8]) -> Self {
        let row_len = (pixel_len(image) as u64).saturating_mul(image.tile_width).max(1);
        let whole = Self::area_of(image, tile);
        let area = Window { top: whole.top + first_row, height: samples.len() as u64 / row_len, ..whole };
        Self { image, plane: tile / image.per_plane().max(1), area, samples }
    }

    /// Returns the pixels of a whole tile.
    pub(super) fn area_of(image: &Image, tile: u64) -> Window {
        let across = image.across().max(1);
        let place = tile % image.per_plane().max(1);
        let (width, height) = (image.tile_width, image.tile_height);
        Window {
            left: (place % across).saturating_mul(width),
            top: (place / across).saturating_mul(height),
            width,
            height,
        }
    }

    /// Returns the number of bands in this plane.
    pub(super) fn bands(&self) -> usize {
        if self.image.planar { 1 } else { usize::try_from(self.image.samples).unwrap_or(0) }
    }

    /// Returns the first of these bands.
    pub(super) fn first_band(&self) -> u64 {
        if self.image.planar { self.plane } else { 0 }
    }

    /// Returns the bytes of one row of `window`, which must lie within this piece.
    fn row(&self, window: &Window, row: u64) -> &'a [u8] {
        let len = pixel_len(self.image) as u64;
        let pixel = (row - self.area.top) * self.area.width + (window.left - self.area.left);
        let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        self.samples.get(index(pixel * len)..index((pixel + window.width) * len)).unwrap_or_default()
    }

    /// Returns the pixels of `window`, which must lie within this piece, with their validity by `cover` and alpha.
    fn pixels(
        &self,
        window: Window,
        validity: &Validity,
        cover: Option<(&Cover, usize)>,
    ) -> impl Iterator<Item = Pixel<'a>> {
        let alpha = validity.alpha.filter(|_| !self.image.planar).and_then(|alpha| usize::try_from(alpha).ok());
        let piece = *self;
        (window.top..window.bottom()).flat_map(move |row| {
            let pixels = piece.row(&window, row).chunks_exact(pixel_len(piece.image).max(1));
            (window.left..).zip(pixels).map(move |(column, samples)| {
                let covered = cover.is_none_or(|(cover, index)| cover.has(index, column, row));
                let opaque = alpha.is_none_or(|alpha| piece.number(samples, alpha) != Some(0.0));
                Pixel { samples, covered, opaque }
            })
        })
    }

    /// Returns the numeric value of a band of a pixel.
    fn number(&self, samples: &[u8], band: usize) -> Option<f64> {
        let data_type = self.image.data_type?;
        number(data_type, samples.get(band.checked_mul(data_type.size())?..)?)
    }

    /// Returns the sample of a pixel in a band of the plane.
    fn sample(&self, pixel: &Pixel<'_>, band: usize, validity: &Validity) -> Sample {
        let band_of_image = self.first_band() + band as u64;
        let covered = pixel.covered && (pixel.opaque || validity.alpha == Some(band_of_image));
        let value = self.number(pixel.samples, band).unwrap_or(f64::NAN);
        validity.sample(band_of_image, value, covered)
    }

    /// Returns the samples of a band of the plane in `window`, which must lie within this piece.
    pub(super) fn samples(
        &self,
        window: Window,
        band: usize,
        validity: &'a Validity,
        cover: Option<(&'a Cover, usize)>,
    ) -> impl Iterator<Item = Sample> {
        let piece = *self;
        self.pixels(window, validity, cover).map(move |pixel| piece.sample(&pixel, band, validity))
    }
}

/// A pixel of a piece.
#[derive(Debug, Clone, Copy)]
struct Pixel<'a> {
    samples: &'a [u8],
    /// True if it is valid by the mask and by alpha in a plane of its own.
    covered: bool,
    /// True if its own alpha is not 0.
    opaque: bool,
}

/// Returns the size of a pixel in a plane, in bytes.
fn pixel_len(image: &Image) -> usize {
    let samples = if image.planar { 1 } else { usize::try_from(image.samples).unwrap_or(usize::MAX) };
    samples.saturating_mul(image.data_type.map_or(1, DataType::size))
}

/// Bitmap of the valid pixels of some windows, by masks and by alpha in a plane of its own.
#[derive(Debug)]
pub(super) struct Cover {
    windows: Vec<(Window, Box<[AtomicU64]>, AtomicU64)>,
    /// Number of masks and alpha planes that contribute.
    layers: u64,
}

impl Cover {
    /// Returns the memory needed for a window, in bytes.
    pub(super) const fn bytes(window: &Window) -> u64 {
        window.area() / 8 + 64
    }

    fn new(windows: &[Window], layers: u64) -> Self {
        let full = |window: &Window| {
            let words = usize::try_from(window.area().div_ceil(64)).unwrap_or(0);
            (*window, (0..words).map(|_| AtomicU64::new(u64::MAX)).collect(), AtomicU64::new(0))
        };
        Self { windows: windows.iter().map(full).collect(), layers }
    }

    /// Returns the word and the bit of a pixel.
    fn bit(&self, index: usize, column: u64, row: u64) -> Option<(&AtomicU64, u64)> {
        let (window, words, _) = self.windows.get(index)?;
        let pixel = (row - window.top) * window.width + (column - window.left);
        Some((words.get(usize::try_from(pixel / 64).ok()?)?, 1 << (pixel % 64)))
    }

    fn has(&self, index: usize, column: u64, row: u64) -> bool {
        self.bit(index, column, row).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn clear(&self, index: usize, column: u64, row: u64) {
        if let Some((word, bit)) = self.bit(index, column, row) {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Returns true if all masks of a window have been read.
    fn is_complete(&self, index: usize) -> bool {
        self.windows
            .get(index)
            .is_some_and(|(window, _, seen)| seen.load(Ordering::Relaxed) == window.area().saturating_mul(self.layers))
    }
}

/// Windows of a level, and the validity of their pixels.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) windows: Windows,
    pub(super) validity: Validity,
    cover: Option<Cover>,
}

impl Cells {
    /// Creates the cells. `layers` counts the mask of the level, and its alpha if that has a plane of its own.
    pub(super) fn new(windows: Windows, validity: Validity, layers: u64) -> Self {
        let cover = (layers > 0).then(|| Cover::new(windows.all(), layers));
        Self { windows, validity, cover }
    }

    /// Adds a piece of a mask or alpha plane, where 0 is invalid.
    pub(super) fn mask(&self, piece: &Piece<'_>) {
        let Some(cover) = &self.cover else { return };
        for (index, window) in self.windows.touching(piece.area) {
            for row in window.top..window.bottom() {
                let pixels = piece.row(&window, row).chunks_exact(pixel_len(piece.image).max(1));
                for (column, pixel) in (window.left..).zip(pixels) {
                    if piece.number(pixel, 0) == Some(0.0) {
                        cover.clear(index, column, row);
                    }
                }
            }
            if let Some((_, _, seen)) = cover.windows.get(index) {
                seen.fetch_add(window.area(), Ordering::Relaxed);
            }
        }
    }

    pub(super) fn cover(&self, index: usize) -> Option<(&Cover, usize)> {
        self.cover.as_ref().map(|cover| (cover, index))
    }

    /// Returns true if the validity of a window is fully known.
    pub(super) fn is_complete(&self, index: usize) -> bool {
        self.cover.as_ref().is_none_or(|cover| cover.is_complete(index))
    }
}

/// The values under the cells of an overview.
#[derive(Debug)]
pub(super) struct Footprints {
    pub(super) cells: Cells,
    bands: usize,
    /// For each window, one per band.
    ranges: Vec<Range>,
}

/// Values of some bands of a piece within a window.
#[derive(Debug)]
pub(super) struct Part {
    window: usize,
    first_band: usize,
    ranges: Vec<Range>,
}

impl Footprints {
    /// Returns the memory needed for a window, in bytes, without its cover.
    pub(super) const fn bytes(bands: u64) -> u64 {
        bands.saturating_mul(size_of::<Range>() as u64).saturating_add(size_of::<Window>() as u64)
    }

    pub(super) fn new(cells: Cells, bands: usize) -> Self {
        let ranges = vec![Range::EMPTY; cells.windows.all().len().saturating_mul(bands)];
        Self { cells, bands, ranges }
    }

    /// Collects the values of a piece of the level within the windows.
    pub(super) fn look(&self, piece: &Piece<'_>) -> Vec<Part> {
        let parts = self.cells.windows.touching(piece.area).map(|(index, window)| {
            let mut ranges = vec![Range::EMPTY; piece.bands()];
            for pixel in piece.pixels(window, &self.cells.validity, self.cells.cover(index)) {
                for (band, range) in ranges.iter_mut().enumerate() {
                    range.add(piece.sample(&pixel, band, &self.cells.validity));
                }
            }
            Part { window: index, first_band: usize::try_from(piece.first_band()).unwrap_or(usize::MAX), ranges }
        });
        parts.collect()
    }

    pub(super) fn take(&mut self, parts: Vec<Part>) {
        for part in parts {
            let first = part.window.saturating_mul(self.bands).saturating_add(part.first_band);
            for (range, more) in self.ranges.iter_mut().skip(first).zip(&part.ranges) {
                range.merge(more);
            }
        }
    }

    /// Returns the values of a band in a window, or `None` if not all of its pixels could be read.
    pub(super) fn range(&self, index: usize, band: usize) -> Option<Range> {
        let range = self.ranges.get(index.checked_mul(self.bands)?.checked_add(band)?)?;
        let window = self.cells.windows.all().get(index)?;
        (range.seen == window.area() && self.cells.is_complete(index)).then_some(*range)
    }
}

/// Returns the number at the start of `bytes`.
#[expect(clippy::cast_precision_loss, reason = "64-bit integers are compared with a tolerance")]
fn number(data_type: DataType, bytes: &[u8]) -> Option<f64> {
    macro_rules! read {
        ($type:ty) => {
            <$type>::from_ne_bytes(*bytes.first_chunk()?)
        };
    }
    Some(match data_type {
        DataType::U8 => read!(u8).into(),
        DataType::I8 => read!(i8).into(),
        DataType::U16 => read!(u16).into(),
        DataType::I16 => read!(i16).into(),
        DataType::U32 => read!(u32).into(),
        DataType::I32 => read!(i32).into(),
        DataType::U64 => read!(u64) as f64,
        DataType::I64 => read!(i64) as f64,
        DataType::F16 => half::f16::from_bits(read!(u16)).into(),
        DataType::F32 => read!(f32).into(),
        DataType::F64 => read!(f64),
        _ => return None,
    })
}
