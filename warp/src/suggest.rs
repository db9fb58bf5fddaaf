//! Extent and resolution of a raster in another CRS, by the rule of GDAL's `GDALSuggestedWarpOutput2`.

use crate::affine::Grid;
use crate::error::WarpError;
use crate::transform::{CoordinateTransform, Direction};

/// A raster in another CRS.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Suggestion {
    /// Left, bottom, right, and top, in units of the target CRS.
    pub bounds: [f64; 4],
    /// Pixel size with which the diagonal has as many pixels as in the source.
    pub resolution: f64,
    /// Columns and rows.
    pub size: [u32; 2],
}

/// Source pixels between two sampled points, unless that gives fewer than [`MIN_STEPS`].
const PIXELS_PER_STEP: f64 = 50.0;
/// Sampled intervals along each edge.
const MIN_STEPS: usize = 20;
/// Steps of the bisection between points of which one has no coordinates, or which have different signs.
const BISECTIONS: usize = 16;
/// Latitude of the edge of the Web Mercator square. GDAL's COG driver cuts rasters in longitude and latitude there.
const WEB_MERCATOR_LATITUDE: f64 = 85.051_128_779_806_6;

/// The points that were sampled, and what they became.
struct Samples {
    /// Columns and rows in source pixels, relative to the size.
    at: Vec<[f64; 2]>,
    points: Vec<[f64; 2]>,
}

/// Returns extent and resolution of `source` in the target CRS of `transform`.
///
/// # Errors
/// [`WarpError::OutOfArea`] if fewer than ten sampled points have coordinates in the target CRS, [`WarpError::Grid`] if the
/// result would have more than 2^31 columns or rows.
pub fn suggest(source: &Grid, transform: &dyn CoordinateTransform) -> Result<Suggestion, WarpError> {
    let size = [f64::from(source.width), f64::from(source.height)];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2^32 / 50 at most")]
    let steps = ((size[0].min(size[1]) / PIXELS_PER_STEP + 0.5) as usize).clamp(MIN_STEPS, 1000);
    let forward = |at: [f64; 2]| {
        let mut point = [source.affine.apply([at[0] * size[0], at[1] * size[1]])];
        transform.transform(Direction::Forward, &mut point);
        point[0]
    };
    let sampled = |at: Vec<[f64; 2]>| Samples { points: at.iter().map(|at| forward(*at)).collect(), at };
    let ratio = |step: usize| if step == steps { 1.0 } else { step as f64 / steps as f64 };
    let edges = (0..=steps).map(ratio).flat_map(|ratio| [[ratio, 0.0], [ratio, 1.0], [0.0, ratio], [1.0, ratio]]);
    let mut samples = sampled(edges.collect());
    if !is_reversible(&samples, source, transform, steps) {
        // The edges do not tell the extent: look inside.
        let rows = (0..=steps).map(ratio);
        samples = sampled(rows.flat_map(|row| (0..=steps).map(move |column| [ratio(column), row])).collect());
    }
    let is_valid = |point: &[f64; 2]| point[0].is_finite() && point[1].is_finite();
    let valid = samples.points.iter().filter(|point| is_valid(point)).count();
    if valid < 10 {
        let reason =
            format!("only {valid} of {} points of the raster have coordinates in the target CRS", samples.points.len());
        return Err(WarpError::OutOfArea(reason));
    }
    let mut bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let mut include = |[x, y]: [f64; 2]| {
        bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
    };
    samples.points.iter().filter(|point| is_valid(point)).for_each(|point| include(*point));
    for index in
        (1..samples.points.len()).filter(|index| samples.at[*index][1].to_bits() == samples.at[index - 1][1].to_bits())
    {
        bisect(&samples, index, &forward, &mut include);
    }
    let (first, last) = (samples.points[0], samples.points[samples.points.len() - 1]);
    let [dx, dy] = if is_valid(&first) && is_valid(&last) {
        [last[0] - first[0], last[1] - first[1]]
    } else {
        [bounds[2] - bounds[0], bounds[3] - bounds[1]]
    };
    let resolution = (dx * dx + dy * dy).sqrt() / (size[0] * size[0] + size[1] * size[1]).sqrt();
    let columns = ((bounds[2] - bounds[0]) / resolution + 0.5).floor().max(1.0);
    let rows = ((bounds[3] - bounds[1]) / resolution + 0.5).floor().max(1.0);
    if !(resolution > 0.0 && columns <= f64::from(i32::MAX) && rows <= f64::from(i32::MAX)) {
        return Err(WarpError::Grid(format!(
            "the raster would have {columns} columns and {rows} rows in the target CRS"
        )));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^31")]
    let pixels = [columns as u32, rows as u32];
    let bounds = [bounds[0], bounds[3] - rows * resolution, bounds[0] + columns * resolution, bounds[3]];
    Ok(Suggestion { bounds, resolution, size: pixels })
}

/// Returns whether all points have coordinates that lead back to where they were.
fn is_reversible(samples: &Samples, source: &Grid, transform: &dyn CoordinateTransform, steps: usize) -> bool {
    let Some(inverse) = source.affine.inverse() else { return false };
    let mut back = samples.points.clone();
    transform.transform(Direction::Inverse, &mut back);
    let size = [f64::from(source.width), f64::from(source.height)];
    let tolerance = size.map(|size| (size / steps as f64).floor());
    samples.at.iter().zip(back).all(|(at, point)| {
        let pixel = inverse.apply(point);
        (0..2).all(|axis| (pixel[axis] - at[axis] * size[axis]).abs() <= tolerance[axis])
    })
}

/// Includes points between two neighbors in a row where one has no coordinates, or x changes sign, as at the antimeridian.
fn bisect(samples: &Samples, index: usize, forward: &dyn Fn([f64; 2]) -> [f64; 2], include: &mut dyn FnMut([f64; 2])) {
    let (mut before, mut after) = (samples.at[index - 1], samples.at[index]);
    let (mut left, mut right) = (samples.points[index - 1], samples.points[index]);
    if left[0].is_nan() && right[0].is_nan() {
        return;
    }
    for _ in 0..BISECTIONS {
        if !left[0].is_nan() && !right[0].is_nan() && left[0] * right[0] >= 0.0 {
            return;
        }
        let middle = [(before[0] + after[0]) / 2.0, before[1]];
        let point = forward(middle);
        if point[0].is_nan() {
            match (left[0].is_nan(), right[0].is_nan()) {
                (true, _) => before = middle,
                (_, true) => after = middle,
                _ => return,
            }
            continue;
        }
        include(point);
        if left[0].is_nan() || left[0] * point[0] < 0.0 {
            (after, right) = (middle, point);
        } else {
            (before, left) = (middle, point);
        }
    }
}

/// Returns `source` without the rows beyond the Web Mercator square, if it is in longitude and latitude; GDAL's COG driver does
/// the same before it computes the extent.
#[must_use]
pub fn within_web_mercator(source: &Grid) -> Grid {
    let mut grid = *source;
    let [left, width, row_x, top, column_y, height] = source.affine.0;
    if row_x != 0.0 || column_y != 0.0 || height >= 0.0 {
        return grid;
    }
    let bottom = top + f64::from(source.height) * height;
    let (from, to) = (top.min(WEB_MERCATOR_LATITUDE), bottom.max(-WEB_MERCATOR_LATITUDE));
    if (from < top || to > bottom) && from > to {
        let skipped = ((top - from) / -height + 0.001).floor();
        let rows = ((from - to) / -height + 0.5).floor().clamp(1.0, f64::from(source.height) - skipped);
        grid.affine.0 = [left, width, row_x, top + skipped * height, column_y, height];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the height")]
        let rows = rows as u32;
        grid.height = rows;
    }
    grid
}
