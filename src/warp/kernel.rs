//! Weights of the kernels, as in GDAL's warper (`alg/gdalwarpkernel.cpp`).

use crate::options::Resampling;

/// Taps of a kernel along one axis: the first source pixel, and the weights from there on.
#[derive(Debug, Default)]
pub(super) struct Taps {
    pub(super) first: i64,
    pub(super) weights: Vec<f64>,
}

impl Taps {
    /// Returns the source pixel after the last one.
    pub(super) fn end(&self) -> i64 {
        self.first + i64::try_from(self.weights.len()).unwrap_or(i64::MAX)
    }
}

/// A kernel of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    Bilinear,
    Cubic,
    CubicSpline,
    Lanczos,
}

impl Kernel {
    /// Returns the kernel of weights, if the resampling is one.
    pub(super) fn of(resampling: Resampling) -> Option<Self> {
        match resampling {
            Resampling::Bilinear => Some(Self::Bilinear),
            Resampling::Cubic => Some(Self::Cubic),
            Resampling::CubicSpline => Some(Self::CubicSpline),
            Resampling::Lanczos => Some(Self::Lanczos),
            _ => None,
        }
    }

    /// Returns the distance in source pixels beyond which weights are 0, at a scale of 1.
    pub(super) fn radius(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Cubic | Self::CubicSpline => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// Returns whether the kernel is widened wherever pixels become larger. As in GDAL, bilinear and cubic are not before they become
    /// twice as large.
    pub(super) fn always_widens(self) -> bool {
        matches!(self, Self::CubicSpline | Self::Lanczos)
    }

    /// Returns the weight at a distance.
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            // Catmull-Rom: a = -0.5.
            Self::Cubic if x <= 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Cubic if x <= 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            // B-spline.
            Self::CubicSpline if x <= 1.0 => (0.5 * x - 1.0) * x * x + 2.0 / 3.0,
            Self::CubicSpline if x <= 2.0 => {
                let rest = 2.0 - x;
                rest * rest * rest / 6.0
            }
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }

    /// Computes the taps around a place, in source pixels from the edge of the first one; the kernel is `scale` times as wide.
    pub(super) fn taps(self, place: f64, scale: f64, taps: &mut Taps) {
        let reach = (self.radius() * scale).ceil();
        let near = (place - 0.5).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place within an image, a few pixels"
        )]
        let (first, count) = ((near - reach) as i64 + 1, 2 * reach as usize);
        taps.first = first;
        taps.weights.clear();
        let offset = near - reach + 1.5 - place;
        if self == Self::Cubic && scale <= 1.0 {
            taps.weights.extend(catmull_rom(place - 0.5 - near));
            return;
        }
        taps.weights.extend((0..count).map(|tap| self.weight((offset + tap as f64) / scale)));
    }
}

/// Returns the four weights at a distance from the second pixel.
fn catmull_rom(t: f64) -> [f64; 4] {
    [
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ]
}

/// Returns sin(pi x) / (pi x).
fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    cogsmith_warp::sin(x) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one() {
        for kernel in [Kernel::Bilinear, Kernel::Cubic, Kernel::CubicSpline, Kernel::Lanczos] {
            let mut taps = Taps::default();
            for (place, scale) in [(7.3, 1.0), (7.5, 1.0), (8.0, 1.0), (9.99, 2.5), (4.0, 10.0)] {
                kernel.taps(place, scale, &mut taps);
                let sum: f64 = taps.weights.iter().sum::<f64>() / scale;
                // Samples of a kernel add up to its integral approximately, at scales that are no whole numbers by a few per
                // cent; sums of pixels are divided by them.
                assert!((sum - 1.0).abs() < 0.05, "{kernel:?} at {place}, {scale}: {sum}");
                let mean: f64 =
                    (taps.first..).zip(&taps.weights).map(|(pixel, weight)| (pixel as f64 + 0.5) * weight).sum();
                assert!((mean / sum / scale - place).abs() < 0.05, "{kernel:?} at {place}, {scale}: {mean}");
            }
        }
    }

    #[test]
    fn a_place_in_the_middle_of_a_pixel_is_that_pixel() {
        let mut taps = Taps::default();
        for kernel in [Kernel::Bilinear, Kernel::Cubic, Kernel::Lanczos] {
            kernel.taps(12.5, 1.0, &mut taps);
            for (pixel, weight) in (taps.first..).zip(&taps.weights) {
                assert!((weight - f64::from(u8::from(pixel == 12))).abs() < 1e-15, "{kernel:?}: {pixel} {weight}");
            }
        }
        Kernel::Cubic.taps(12.5 + 0.25, 1.0, &mut taps);
        let expected: Vec<f64> = [-1.25, -0.25, 0.75, 1.75].iter().map(|x| Kernel::Cubic.weight(*x)).collect();
        assert!(taps.weights.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15));
    }
}
