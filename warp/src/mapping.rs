//! Source pixels for the pixels of a target.
//!
//! Exact coordinates are computed for a few pixels of each cell of 64 x 64 target pixels. Between them, they are interpolated; a
//! cell in which that is off by more than a thousandth of a source pixel is split into four, down to single pixels. Cells are fixed
//! in target pixels and share nothing, so coordinates do not depend on the order in which, or the number of rows with which, a
//! target is computed.

use crate::affine::{Affine, Grid};
use crate::error::WarpError;
use crate::transform::{CoordinateTransform, Direction};

/// Side of a cell in target pixels.
pub const CELL: u32 = 64;
/// Units of source coordinates in a pixel: coordinates are rounded to 2^-16 pixel, so that the last bits of a transformation do not
/// count.
pub const SUBPIXELS: f64 = 65536.0;
/// Largest error of interpolated coordinates, in source pixels.
const TOLERANCE: f64 = 0.001;
/// Largest distance between a target pixel and its way back from the source, in target pixels. What is farther away comes from a
/// place where the transformation is not unique.
const MAX_DETOUR: f64 = 1.0;
/// Side of the smallest cell that is given up if none of its points has coordinates.
const MIN_EMPTY: u32 = 8;

/// The steps of squares of which nothing is known.
const NO_STEPS: [[f64; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];

/// A place in the source: column and row of the place in units of 2^-16 pixel, (0, 0) being the upper-left corner of the first pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePoint {
    /// Column.
    pub x: i64,
    /// Row.
    pub y: i64,
}

/// A square of target pixels between whose corners source coordinates are interpolated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaf {
    /// First column in the target.
    pub column: u32,
    /// First row in the target.
    pub row: u32,
    /// Columns, and rows: a power of two.
    pub side: u32,
    /// Source columns and rows of the centers of the corner pixels: upper left, upper right, lower left, lower right.
    corners: [[f64; 2]; 4],
    /// Source pixels per target pixel: along a row, and down a column.
    steps: [[f64; 2]; 2],
}

impl Leaf {
    /// Returns the source of a target pixel, which must be in this square.
    #[must_use]
    pub fn source(&self, column: u32, row: u32) -> SourcePoint {
        let [x, y] = self.interpolated(self.part(column - self.column), self.part(row - self.row));
        #[expect(clippy::cast_possible_truncation, reason = "saturates, far from any image")]
        let [x, y] = [x, y].map(|value| (value * SUBPIXELS).round() as i64);
        SourcePoint { x, y }
    }

    /// Returns the distance between two neighboring target pixels in source columns, and in rows: how much a kernel has to be
    /// widened, never less than 1. Rounded to 1/256, and to 1 below 1.05, as in GDAL.
    #[must_use]
    pub fn scale(&self) -> [f64; 2] {
        [0, 1].map(|axis| {
            let [across, down] = self.steps.map(|step| step[axis]);
            let scale = ((across * across + down * down).sqrt() * 256.0).round() / 256.0;
            if scale < 1.05 || !scale.is_finite() { 1.0 } else { scale }
        })
    }

    /// Returns half the width, and height, of a rectangle of source pixels with the area of a target pixel.
    #[must_use]
    pub fn footprint(&self) -> [f64; 2] {
        [0, 1].map(|axis| {
            let [across, down] = self.steps.map(|step| step[axis]);
            (across * across + down * down).sqrt() / 2.0
        })
    }

    /// Returns the first and last source rows of all pixels, before rounding.
    #[must_use]
    pub fn rows(&self) -> [f64; 2] {
        let rows = self.corners.map(|corner| corner[1]);
        [rows.iter().copied().fold(f64::INFINITY, f64::min), rows.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
    }

    /// Returns the first and last source columns of all pixels, before rounding.
    #[must_use]
    pub fn columns(&self) -> [f64; 2] {
        let columns = self.corners.map(|corner| corner[0]);
        [
            columns.iter().copied().fold(f64::INFINITY, f64::min),
            columns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ]
    }

    /// Returns the relative position of a pixel between the first and the last one.
    fn part(&self, offset: u32) -> f64 {
        if self.side == 1 { 0.0 } else { f64::from(offset) / f64::from(self.side - 1) }
    }

    fn interpolated(&self, across: f64, down: f64) -> [f64; 2] {
        let [a, b, c, d] = self.corners;
        [0, 1].map(|axis| {
            let upper = a[axis] + (b[axis] - a[axis]) * across;
            let lower = c[axis] + (d[axis] - c[axis]) * across;
            upper + (lower - upper) * down
        })
    }
}

/// The source coordinates of all pixels of a target.
pub struct Mapping {
    transform: Box<dyn CoordinateTransform>,
    target: Grid,
    from_target: Affine,
    to_source: Affine,
    /// Columns and rows of the source.
    size: [f64; 2],
    /// Center of the source, and the length of a turn around the globe, if x wraps.
    wrap: Option<(f64, f64)>,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mapping").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Mapping {
    /// Creates the mapping of `target` to `source`; `transform` leads from the CRS of the source to that of the target.
    ///
    /// # Errors
    /// [`WarpError::Grid`] if the pixels of a grid have no area.
    pub fn new(source: &Grid, target: &Grid, transform: Box<dyn CoordinateTransform>) -> Result<Self, WarpError> {
        let singular = || WarpError::Grid("the pixels of the geotransform have no area".into());
        let to_source = source.affine.inverse().ok_or_else(singular)?;
        let from_target = target.affine.inverse().ok_or_else(singular)?;
        let [x, _] = source.affine.apply([f64::from(source.width) / 2.0, f64::from(source.height) / 2.0]);
        let wrap = transform.periods()[0].map(|period| (x, period));
        let size = [f64::from(source.width), f64::from(source.height)];
        Ok(Self { transform, target: *target, from_target, to_source, size, wrap })
    }

    /// Returns the target.
    #[must_use]
    pub fn target(&self) -> &Grid {
        &self.target
    }

    /// Returns the number of cells across and down.
    #[must_use]
    pub fn cells(&self) -> [u32; 2] {
        [self.target.width.div_ceil(CELL), self.target.height.div_ceil(CELL)]
    }

    /// Appends the squares of a cell to `leaves`; what has no source is left out.
    pub fn cell(&self, [column, row]: [u32; 2], leaves: &mut Vec<Leaf>) {
        self.split([column * CELL, row * CELL], CELL, NO_STEPS, leaves);
    }

    /// Appends a square if its coordinates can be interpolated, and otherwise its quarters. `around` are the steps of the square
    /// that it is a quarter of.
    fn split(&self, [column, row]: [u32; 2], side: u32, around: [[f64; 2]; 2], leaves: &mut Vec<Leaf>) {
        if side == 1 {
            let mut points = [self.center(column, row)];
            self.locate(&mut points);
            if points[0][0].is_finite() {
                leaves.push(Leaf { column, row, side, corners: [points[0]; 4], steps: around });
            }
            return;
        }
        // Corners, centers of edges, and the center, in target pixels.
        let last = f64::from(side - 1);
        const PLACES: [[f64; 2]; 9] = [
            [0.0, 0.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [1.0, 1.0],
            [0.5, 0.0],
            [0.0, 0.5],
            [1.0, 0.5],
            [0.5, 1.0],
            [0.5, 0.5],
        ];
        let first = self.center(column, row);
        let mut points = PLACES.map(|[across, down]| [first[0] + across * last, first[1] + down * last]);
        self.locate(&mut points);
        let missing = points.iter().filter(|point| !point[0].is_finite()).count();
        if missing == points.len() && side <= MIN_EMPTY {
            return;
        }
        if missing == 0 && self.is_outside(&points) {
            return;
        }
        let step = |to: usize| [0, 1].map(|axis| (points[to][axis] - points[0][axis]) / last);
        let steps = [step(1), step(2)];
        let steps = if steps.iter().flatten().all(|step| step.is_finite()) { steps } else { around };
        if missing == 0 {
            let leaf = Leaf { column, row, side, corners: [points[0], points[1], points[2], points[3]], steps };
            let is_close = PLACES[4..].iter().zip(&points[4..]).all(|([across, down], exact)| {
                let [x, y] = leaf.interpolated(*across, *down);
                (x - exact[0]).abs() <= TOLERANCE && (y - exact[1]).abs() <= TOLERANCE
            });
            if is_close {
                leaves.push(leaf);
                return;
            }
        }
        let half = side / 2;
        for [right, down] in [[0, 0], [1, 0], [0, 1], [1, 1]] {
            let (column, row) = (column + right * half, row + down * half);
            if column < self.target.width && row < self.target.height {
                self.split([column, row], half, steps, leaves);
            }
        }
    }

    /// Returns whether a square is so far from the source, compared with its size there, that its coordinates do not matter.
    fn is_outside(&self, points: &[[f64; 2]]) -> bool {
        (0..2).any(|axis| {
            let places = points.iter().map(|point| point[axis]);
            let (first, last) =
                places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), place| (a.min(place), b.max(place)));
            let margin = last - first + 2.0;
            last + margin < 0.0 || first - margin > self.size[axis]
        })
    }

    /// Returns the center of a target pixel.
    fn center(&self, column: u32, row: u32) -> [f64; 2] {
        [f64::from(column) + 0.5, f64::from(row) + 0.5]
    }

    /// Replaces places in target pixels by those in source pixels, or NaN.
    fn locate(&self, points: &mut [[f64; 2]]) {
        let wanted: Vec<[f64; 2]> = points.to_vec();
        for point in points.iter_mut() {
            *point = self.target.affine.apply(*point);
        }
        self.transform.transform(Direction::Inverse, points);
        let mut back = points.to_vec();
        self.transform.transform(Direction::Forward, &mut back);
        let period = self.transform.periods()[1];
        for ((point, back), wanted) in points.iter_mut().zip(back).zip(wanted) {
            let place = self.target.affine.apply(wanted);
            let back = [period.map_or(back[0], |period| near(back[0], place[0], period)), back[1]];
            let [column, row] = self.from_target.apply(back);
            let is_back = (column - wanted[0]).abs() <= MAX_DETOUR && (row - wanted[1]).abs() <= MAX_DETOUR;
            if let Some((center, period)) = self.wrap {
                point[0] = near(point[0], center, period);
            }
            *point = if is_back { self.to_source.apply(*point) } else { [f64::NAN; 2] };
        }
    }
}

/// Returns `x` moved by turns around the globe to within half a turn of `center`.
fn near(x: f64, center: f64, period: f64) -> f64 {
    let turns = ((x - center) / period + 0.5).floor();
    // Adding zero turns must not round.
    if turns == 0.0 { x } else { x - turns * period }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::TilingScheme;
    use crate::transform::transform_between;

    fn leaves(mapping: &Mapping) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let [columns, rows] = mapping.cells();
        (0..rows).for_each(|row| (0..columns).for_each(|column| mapping.cell([column, row], &mut leaves)));
        leaves
    }

    #[test]
    fn interpolated_coordinates_are_within_a_thousandth_of_a_pixel() {
        let source =
            Grid { width: 10980, height: 10980, affine: Affine([300_000.0, 10.0, 0.0, 5_000_040.0, 0.0, -10.0]) };
        let web = TilingScheme::find("WebMercatorQuad").unwrap();
        let resolution = web.resolution(14);
        let affine = Affine([1_420_000.0, resolution, 0.0, 5_600_000.0, 0.0, -resolution]);
        let target = Grid { width: 1000, height: 700, affine };
        let transform = transform_between("EPSG:32633", "EPSG:3857").unwrap();
        let mapping = Mapping::new(&source, &target, transform_between("EPSG:32633", "EPSG:3857").unwrap()).unwrap();
        let leaves = leaves(&mapping);
        assert!(leaves.len() < 1000, "{} squares", leaves.len());
        let mut seen = 0u64;
        for leaf in &leaves {
            for row in (leaf.row..leaf.row + leaf.side).filter(|row| *row < 700).step_by(7) {
                for column in (leaf.column..leaf.column + leaf.side).filter(|column| *column < 1000).step_by(5) {
                    let point = leaf.source(column, row);
                    let mut exact = [affine.apply([f64::from(column) + 0.5, f64::from(row) + 0.5])];
                    transform.transform(Direction::Inverse, &mut exact);
                    let [x, y] = source.affine.inverse().unwrap().apply(exact[0]);
                    let error = (point.x as f64 / SUBPIXELS - x).abs().max((point.y as f64 / SUBPIXELS - y).abs());
                    assert!(error < 0.00101, "{column} {row}: {error}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 10_000);
    }

    #[test]
    fn a_global_source_wraps() {
        // Longitudes from 0 to 360.
        let source = Grid { width: 360, height: 180, affine: Affine([0.0, 1.0, 0.0, 90.0, 0.0, -1.0]) };
        let target = Grid { width: 64, height: 64, affine: Affine([-100.0, 0.5, 0.0, 20.0, 0.0, -0.5]) };
        let mapping = Mapping::new(&source, &target, transform_between("EPSG:4326", "EPSG:4326").unwrap()).unwrap();
        let leaves = leaves(&mapping);
        let point = leaves[0].source(0, 0);
        assert_eq!((point.x as f64 / SUBPIXELS, point.y as f64 / SUBPIXELS), (260.25, 70.25));
        assert_eq!(leaves.len(), 1);
    }

    #[test]
    fn pixels_beyond_a_projection_have_no_source() {
        let source =
            Grid { width: 100, height: 100, affine: Affine([166_000.0, 6_700.0, 0.0, 8_000_000.0, 0.0, -80_000.0]) };
        // The other side of the world.
        let target = Grid { width: 64, height: 64, affine: Affine([-170.0, 0.1, 0.0, 10.0, 0.0, -0.1]) };
        let mapping = Mapping::new(&source, &target, transform_between("EPSG:32633", "EPSG:4326").unwrap()).unwrap();
        let inside = |leaf: &Leaf| {
            let ([left, right], [top, bottom]) = (leaf.columns(), leaf.rows());
            right >= 0.0 && left <= 100.0 && bottom >= 0.0 && top <= 100.0
        };
        assert!(!leaves(&mapping).iter().any(inside));
    }

    #[test]
    fn far_pixels_cost_nothing() {
        let source = Grid { width: 100, height: 100, affine: Affine([400_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0]) };
        let target = Grid { width: 4096, height: 512, affine: Affine([-2e6, 1000.0, 0.0, 6e6, 0.0, -1000.0]) };
        let mapping = Mapping::new(&source, &target, transform_between("EPSG:32633", "EPSG:3857").unwrap()).unwrap();
        let leaves = leaves(&mapping);
        assert!((1..10).contains(&leaves.len()), "{}", leaves.len());
    }
}
