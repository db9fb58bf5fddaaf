//! Means of palette indices: the entry nearest to the mean color (GDAL `GDALResampleChunk_AverageOrRMS_T` with a color
//! table, `BestColorEntry`).

use std::collections::HashMap;

use crate::sample::Value;
use crate::spec::ImageSpec;

use super::real::Real;
use super::rows::{Fill, Rows};
use super::{Kernel, Piece};

/// Red, green, and blue with 8 bits each.
type Color = [u64; 3];

/// The colors of indices.
#[derive(Debug)]
pub(super) struct Palette {
    /// Colors by index.
    colors: Vec<Color>,
    /// The index that cannot be chosen, because it is nodata.
    nodata: Option<usize>,
}

impl Palette {
    /// Returns the palette of an image; `None` if it has none, or if every index is its own shade of gray: then means
    /// are plain means.
    pub(super) fn new(spec: &ImageSpec) -> Option<Self> {
        let map = &spec.color_map;
        let entries = map.len() / 3;
        if entries == 0 {
            return None;
        }
        // 16 bits hold 8 as v * 257; in some files as v * 256, and in very old ones as v.
        let divisor = if map.iter().all(|&value| value < 256) {
            1
        } else if map.iter().all(|&value| value % 257 == 0) {
            257
        } else {
            256
        };
        let shades: Vec<u64> = map.iter().map(|&value| (value / divisor).into()).collect();
        let color = |index: usize| [shades[index], shades[entries + index], shades[2 * entries + index]];
        let grey = |index: usize| color(index).iter().all(|&shade| shade == index as u64);
        if (0..entries).all(grey) {
            return None;
        }
        let nodata = spec.nodata_in_range().as_ref().and_then(u16::from_nodata).map(usize::from);
        Some(Self { colors: (0..entries).map(color).collect(), nodata })
    }

    /// Returns the entry nearest to a color, the first one if several are equally near.
    fn nearest(&self, to: Color) -> usize {
        let distance = |color: &Color| color.iter().zip(&to).map(|(a, b)| a.abs_diff(*b).pow(2)).sum::<u64>();
        let entries = self.colors.iter().enumerate().filter(|(index, _)| Some(*index) != self.nodata);
        entries.map(|(index, color)| (distance(color), index)).min().map_or(0, |(_, index)| index)
    }
}

/// Fills a piece with the entries nearest to mean colors, or to root mean squares of colors.
pub(super) fn compute<T: Real>(
    kernel: &Kernel,
    palette: &Palette,
    source: &Rows<'_, T>,
    rms: bool,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    let mut known: HashMap<Color, T> = HashMap::new();
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.covered(row);
        for (target, window) in target.chunks_exact_mut(samples).zip(&kernel.covered) {
            for sample in piece.bands.clone() {
                let mut fill = Fill::default();
                let (mut total, mut count) = ([0; 3], 0);
                for source_row in rows.start..rows.end {
                    for source_column in window.range() {
                        let Some(value) = source.valid(source_row, source_column, sample, &mut fill) else { continue };
                        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
                        let index = value.to_f64() as usize;
                        // An index beyond the palette has no color.
                        let Some(color) = palette.colors.get(index) else { continue };
                        for (total, shade) in total.iter_mut().zip(color) {
                            *total += if rms { shade * shade } else { *shade };
                        }
                        count += 1;
                    }
                }
                target[sample] = if count == 0 {
                    fill.value(source.void)
                } else {
                    let color = total.map(|total| if rms { root(total / count) } else { (total + count / 2) / count });
                    *known.entry(color).or_insert_with(|| T::from_f64(palette.nearest(color) as f64))
                };
            }
        }
    }
}

/// Returns the rounded square root of the square of a shade.
fn root(square: u64) -> u64 {
    (0..=255).find(|&root| square < root * root + root + 1).unwrap_or(255)
}
