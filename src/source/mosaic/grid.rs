//! The grid that all inputs of a mosaic lie on.

use crate::error::{Error, ErrorKind, Result};
use crate::geo::Transform;
use crate::grid::Rectangle;

/// Largest distance of an input from the grid, in pixels. The same as GDAL's tolerance for windows.
const TOLERANCE: f64 = 0.001;

/// An input as it is placed: its name, size, and transform.
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) size: (u32, u32),
    pub(super) transform: Transform,
}

/// The inputs on their common grid.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) transform: Transform,
    /// The pixels of each input.
    pub(super) rectangles: Vec<Rectangle>,
}

/// Places inputs on the grid of the first one.
///
/// # Errors
/// [`ErrorKind::Mismatch`] for an input with other pixels than the first one, or between them; [`ErrorKind::Limit`] for
/// inputs too far apart.
pub(super) fn place(inputs: &[Placed]) -> Result<Grid> {
    let Some(first) = inputs.first() else { return Err(Error::image("a mosaic needs at least one input")) };
    let corners = inputs.iter().map(|input| corner(first, input)).collect::<Result<Vec<_>>>()?;
    let least = |of: fn(&(i64, i64)) -> i64| {
        corners.iter().enumerate().map(|(index, corner)| (of(corner), index)).min().unwrap_or_default()
    };
    let ((left, leftmost), (top, topmost)) = (least(|corner| corner.0), least(|corner| corner.1));
    let side = |near: i64, length: u32, origin: i64| {
        let (start, end) = (near - origin, near - origin + i64::from(length));
        let limit = i64::from(i32::MAX);
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) if i64::from(end) <= limit => Ok(start..end),
            _ => Err(Error::limit("side of the mosaic in pixels", end.unsigned_abs(), limit.unsigned_abs())),
        }
    };
    let rectangles = corners.iter().zip(inputs).map(|(corner, input)| {
        let (columns, rows) = (side(corner.0, input.size.0, left)?, side(corner.1, input.size.1, top)?);
        Ok(Rectangle { columns, rows })
    });
    let rectangles = rectangles.collect::<Result<Vec<_>>>()?;
    let [_, a, b, _, d, e] = first.transform.to_gdal();
    let origin = if b == 0.0 && d == 0.0 {
        // The numbers of the files themselves, which a multiple of the pixel size would round.
        (inputs[leftmost].transform.to_gdal()[0], inputs[topmost].transform.to_gdal()[3])
    } else {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^32 pixels")]
        first.transform.apply(left as f64, top as f64)
    };
    Ok(Grid {
        width: rectangles.iter().map(|one| one.columns.end).max().unwrap_or(0),
        height: rectangles.iter().map(|one| one.rows.end).max().unwrap_or(0),
        transform: Transform::from_gdal([origin.0, a, b, origin.1, d, e])?,
        rectangles,
    })
}

/// Returns column and row of an input's corner on the grid of the first one.
pub(super) fn corner(first: &Placed, input: &Placed) -> Result<(i64, i64)> {
    let mismatch = |reason: String| -> Error {
        let (first, second) = (first.name.clone(), input.name.clone());
        ErrorKind::Mismatch { first, second, reason, option: None }.into()
    };
    let (width, height) = (f64::from(input.size.0), f64::from(input.size.1));
    let on_grid = |column: f64, row: f64| inverse(first.transform, input.transform.apply(column, row));
    let (column, row) = on_grid(0.0, 0.0);
    // The far corners show whether pixels have the same size, however large the coordinates are.
    for ((x, y), (along, down)) in [(on_grid(width, 0.0), (width, 0.0)), (on_grid(0.0, height), (0.0, height))] {
        if !((x - column - along).abs() <= TOLERANCE && (y - row - down).abs() <= TOLERANCE) {
            return Err(mismatch(format!("pixels of {} and {}", size(first.transform), size(input.transform))));
        }
    }
    let off = |place: f64| place - place.round();
    if !(off(column).abs() <= TOLERANCE && off(row).abs() <= TOLERANCE) {
        return Err(mismatch(format!(
            "they are not aligned; the second one is {:.4} columns and {:.4} rows off the pixels of the first",
            off(column),
            off(row)
        )));
    }
    // Beyond this, a sum with another place is out of range too.
    if !(column.abs() < 4e9 && row.abs() < 4e9) {
        return Err(mismatch(format!("they are {column:.0} columns and {row:.0} rows apart")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range, as checked above")]
    Ok((column.round() as i64, row.round() as i64))
}

/// Returns column and row of a position.
fn inverse(transform: Transform, (x, y): (f64, f64)) -> (f64, f64) {
    let [c, a, b, f, d, e] = transform.to_gdal();
    let (x, y, area) = (x - c, y - f, a * e - b * d);
    ((e * x - b * y) / area, (a * y - d * x) / area)
}

/// Returns the size of pixels as text, with the rotation if there is one.
fn size(transform: Transform) -> String {
    let [_, a, b, _, d, e] = transform.to_gdal();
    if b == 0.0 && d == 0.0 {
        return format!("{a} x {}", -e);
    }
    format!("({a}, {d}) x ({b}, {e})")
}

/// Returns whether some pixels of an image are in none of the rectangles.
pub(super) fn has_gaps(width: u32, height: u32, rectangles: &[Rectangle]) -> bool {
    let mut by_top: Vec<&Rectangle> = rectangles.iter().collect();
    by_top.sort_unstable_by_key(|one| one.rows.start);
    let mut edges: Vec<u32> = rectangles.iter().flat_map(|one| [one.rows.start, one.rows.end]).collect();
    edges.sort_unstable();
    edges.dedup();
    if edges.first() != Some(&0) || edges.last() != Some(&height) {
        return true;
    }
    let mut coming = by_top.into_iter().peekable();
    let mut active: Vec<&Rectangle> = Vec::new();
    edges.iter().take(edges.len() - 1).any(|&row| {
        active.retain(|one| one.rows.end > row);
        while let Some(one) = coming.next_if(|one| one.rows.start <= row) {
            active.push(one);
        }
        active.sort_unstable_by_key(|one| one.columns.start);
        let covered = active
            .iter()
            .try_fold(0, |end, one| (one.columns.start <= end).then(|| end.max(one.columns.end)).ok_or(()));
        covered != Ok(width)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, x: f64, y: f64, pixel: f64, size: (u32, u32)) -> Placed {
        Placed { name: name.into(), size, transform: Transform::north_up(x, y, pixel, pixel).unwrap() }
    }

    #[test]
    fn inputs_are_placed_on_one_grid() {
        let inputs = [
            input("a", 500_000.0, 6_000_000.0, 10.0, (100, 50)),
            input("b", 499_000.0, 6_000_000.005, 10.0, (100, 50)),
            input("c", 500_000.0, 5_999_500.0, 10.0, (100, 10)),
        ];
        let grid = place(&inputs).unwrap();
        assert_eq!((grid.width, grid.height), (200, 60));
        assert_eq!(grid.rectangles[0], Rectangle { columns: 100..200, rows: 0..50 });
        assert_eq!(grid.rectangles[1], Rectangle { columns: 0..100, rows: 0..50 });
        assert_eq!(grid.rectangles[2], Rectangle { columns: 100..200, rows: 50..60 });
        assert_eq!(grid.transform.to_gdal(), [499_000.0, 10.0, 0.0, 6_000_000.0, 0.0, -10.0]);
        assert!(has_gaps(200, 60, &grid.rectangles) && !has_gaps(200, 50, &grid.rectangles[..2]));
    }

    #[test]
    fn other_grids_are_refused_with_their_numbers() {
        let refused = |second: Placed| {
            let first = input("a", 0.0, 100.0, 10.0, (10, 10));
            place(&[first, second]).unwrap_err().to_string()
        };
        let larger = refused(input("b", 100.0, 100.0, 10.01, (10, 10)));
        assert_eq!(larger, "'a' and 'b' differ: pixels of 10 x 10 and 10.01 x 10.01");
        let off = refused(input("b", 102.5, 100.0, 10.0, (10, 10)));
        assert!(off.contains("0.2500 columns and 0.0000 rows off"), "{off}");
        assert!(refused(input("b", 1e13, 100.0, 10.0, (10, 10))).contains("apart"));
        let far = refused(input("b", 3e10, 100.0, 10.0, (10, 10)));
        assert!(far.contains("side of the mosaic"), "{far}");
        assert!(place(&[]).is_err());
    }

    #[test]
    fn gaps_are_found_wherever_they_are() {
        let of = |parts: &[[u32; 4]]| -> Vec<Rectangle> {
            parts.iter().map(|&[x0, x1, y0, y1]| Rectangle { columns: x0..x1, rows: y0..y1 }).collect()
        };
        assert!(!has_gaps(10, 10, &of(&[[0, 6, 0, 10], [4, 10, 0, 10]])));
        assert!(!has_gaps(10, 10, &of(&[[0, 10, 5, 10], [0, 5, 0, 7], [5, 10, 0, 5]])));
        assert!(has_gaps(10, 10, &of(&[[0, 10, 5, 10], [0, 5, 0, 7], [6, 10, 0, 5]])));
        assert!(has_gaps(10, 10, &of(&[[0, 10, 0, 4], [0, 10, 5, 10]])));
        assert!(has_gaps(10, 10, &of(&[[0, 10, 0, 9]])) && has_gaps(11, 10, &of(&[[0, 10, 0, 10]])));
    }
}
