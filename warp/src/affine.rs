//! Geotransforms and grids.

/// A geotransform in GDAL's order: x origin, pixel width, row rotation, y origin, column rotation, pixel height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [f64; 6]);

impl Affine {
    /// Returns the coordinates of a place in pixels; (0, 0) is the upper-left corner of the first pixel.
    #[must_use]
    pub fn apply(&self, [column, row]: [f64; 2]) -> [f64; 2] {
        let [x, a, b, y, d, e] = self.0;
        [x + a * column + b * row, y + d * column + e * row]
    }

    /// Returns the transform from coordinates to pixels; `None` if the pixels have no area.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let [x, a, b, y, d, e] = self.0;
        if b == 0.0 && d == 0.0 {
            // Without the rounding of the general case.
            return (a != 0.0 && e != 0.0).then(|| Self([-x / a, 1.0 / a, 0.0, -y / e, 0.0, 1.0 / e]));
        }
        let determinant = a * e - b * d;
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let (ia, ib, id, ie) = (e / determinant, -b / determinant, -d / determinant, a / determinant);
        Some(Self([-(ia * x + ib * y), ia, ib, -(id * x + ie * y), id, ie]))
    }

    /// Returns whether rows run from west to east, and down from north to south.
    #[must_use]
    pub fn is_north_up(&self) -> bool {
        let [_, a, b, _, d, e] = self.0;
        b == 0.0 && d == 0.0 && a > 0.0 && e < 0.0
    }
}

/// The size and place of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Place of the pixels in the CRS.
    pub affine: Affine,
}

impl Grid {
    /// Returns left, bottom, right, and top of a north-up grid.
    #[must_use]
    pub fn bounds(&self) -> [f64; 4] {
        let [left, top] = self.affine.apply([0.0, 0.0]);
        let [right, bottom] = self.affine.apply([f64::from(self.width), f64::from(self.height)]);
        [left, bottom, right, top]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_undoes_its_transform() {
        for affine in [Affine([3.0, 2.0, 0.0, 7.0, 0.0, -2.0]), Affine([3.0, 2.0, 0.5, 7.0, -0.25, -2.0])] {
            let inverse = affine.inverse().unwrap();
            let [column, row] = inverse.apply(affine.apply([12.5, 40.25]));
            assert!((column - 12.5).abs() < 1e-12 && (row - 40.25).abs() < 1e-12);
        }
        assert_eq!(Affine([0.0, 1.0, 1.0, 0.0, 1.0, 1.0]).inverse(), None);
    }
}
