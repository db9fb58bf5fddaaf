//! Raising the error bound: floats that are multiples of a step, such as 0.01, need no finer one.
//!
//! For each step of a list, the largest distance of a sample from a multiple of the step is measured. If it is at most half
//! the bound, half the step replaces the bound: samples are quantized to multiples of the step, hardly any of them change,
//! and they take fewer bits.

use crate::sample::Sample;
use crate::simd::newest;
use crate::tiles::Raster;

/// Samples that are measured at once.
const LANES: usize = 8;

/// Steps, coarsest first, and their inverses.
const STEPS: [(f64, f64); 9] = [
    (1.0, 1.0),
    (0.5, 2.0),
    (0.1, 10.0),
    (0.05, 20.0),
    (0.01, 100.0),
    (0.005, 200.0),
    (0.001, 1000.0),
    (0.0005, 2000.0),
    (0.0001, 10_000.0),
];

/// A step that may still replace the bound.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    step: f64,
    inverse: f64,
    /// The largest distances so far, as fractions of the step.
    distances: [f64; LANES],
}

impl Candidate {
    fn distance(&self) -> f64 {
        self.distances.iter().fold(0.0, |max, &distance| if distance > max { distance } else { max })
    }
}

/// Returns the bound to use instead of `max_z_error`, which is not 0.
pub(crate) fn raised<T: Sample>(raster: &Raster<'_, T>, max_z_error: f64) -> f64 {
    if !T::IS_FLOAT || raster.valid_count == 0 {
        return max_z_error;
    }
    let mut candidates: Vec<Candidate> = STEPS
        .iter()
        .filter(|(step, _)| step / 2.0 > max_z_error)
        .map(|&(step, inverse)| Candidate { step, inverse, distances: [0.0; LANES] })
        .collect();
    let row_len = raster.width * raster.depth;
    let mut gathered = Vec::new();
    for (row, samples) in raster.samples.chunks_exact(row_len).enumerate() {
        // Steps that fail are dropped after each row, and no earlier: a later step may see more samples without them.
        let samples = match raster.valid {
            Some(valid) => {
                gathered.clear();
                let pixels = samples.chunks_exact(raster.depth).zip(&valid[row * raster.width..]);
                pixels.filter(|(_, valid)| **valid != 0).for_each(|(pixel, _)| gathered.extend_from_slice(pixel));
                &gathered
            }
            None => samples,
        };
        newest(
            #[inline(always)]
            || measure(samples, &mut candidates),
        );
        candidates.retain(|candidate| {
            let is_too_far = candidate.distance() / candidate.inverse > max_z_error / 2.0;
            !is_too_far
        });
        if candidates.is_empty() {
            return max_z_error;
        }
    }
    candidates.first().map_or(max_z_error, |candidate| candidate.step / 2.0)
}

/// Measures samples. One that is a multiple of a step is not measured with the finer ones.
#[inline(always)]
fn measure<T: Sample>(samples: &[T], candidates: &mut [Candidate]) {
    let (groups, rest) = samples.as_chunks::<LANES>();
    for group in groups {
        measure_group(group.map(T::to_f64), candidates);
    }
    if let Some(first) = rest.first() {
        // Measured more than once, which changes nothing.
        let mut group = [first.to_f64(); LANES];
        group.iter_mut().zip(rest).for_each(|(lane, sample)| *lane = sample.to_f64());
        measure_group(group, candidates);
    }
}

#[inline(always)]
fn measure_group(samples: [f64; LANES], candidates: &mut [Candidate]) {
    let mut weights = [1.0; LANES];
    for candidate in candidates {
        for lane in 0..LANES {
            let scaled = samples[lane] * candidate.inverse;
            let is_multiple = scaled == f64::from(scaled as i32);
            weights[lane] = if is_multiple { 0.0 } else { weights[lane] };
            let distance = ((scaled + 0.5).floor() - scaled).abs() * weights[lane];
            let known = candidate.distances[lane];
            candidate.distances[lane] = if distance > known { distance } else { known };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise(samples: &[f32], max_z_error: f64) -> f64 {
        let raster =
            Raster { width: samples.len(), height: 1, depth: 1, samples, valid: None, valid_count: samples.len() };
        raised(&raster, max_z_error)
    }

    #[test]
    fn coarser_steps_are_found() {
        assert_eq!(raise(&[1.0, 2.0, -7.0], 0.01), 0.5);
        assert_eq!(raise(&[1.5, 2.0, -7.0], 0.01), 0.25);
        assert_eq!(raise(&[1.2, 2.0, -7.7], 0.01), 0.05);
        assert_eq!(raise(&[1.2, 2.0, -7.77], 0.001), 0.005);
        assert_eq!(raise(&[1.2, 2.0, -7.7777], 0.01), 0.01);
        assert_eq!(raise(&[1.0, f32::INFINITY], 0.01), 0.5);
        assert_eq!(raise(&[1.0], 0.5), 0.5);
    }
}
