//! Means of complex samples (GDAL `GDALResampleChunkC32R`): of whole pixels, real and imaginary parts separately.

use num_complex::Complex;

use crate::options::Resampling;
use crate::sample::{NodataRange, Value};

use super::real::Real;
use super::rows::{Fill, Rows};
use super::{Kernel, Piece};

/// Fills a piece with means, or with root mean squares.
pub(super) fn compute<T: Real>(
    kernel: &Kernel,
    source: &Rows<'_, Complex<T>>,
    resampling: Resampling,
    piece: &mut Piece<'_, Complex<T>>,
) where
    Complex<T>: Value,
{
    let rms = resampling == Resampling::Rms;
    let samples = source.samples;
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.rounded(row);
        for (column, target) in (0u32..).zip(target.chunks_exact_mut(samples)) {
            let columns = kernel.columns.rounded(column);
            for sample in piece.bands.clone() {
                let mut fill = Fill::default();
                let (mut real, mut imaginary, mut count) = (0.0, 0.0, 0.0);
                for source_row in rows.clone() {
                    for source_column in columns.clone() {
                        if let Some(value) = source.valid(source_row, source_column as usize, sample, &mut fill) {
                            let (re, im) = (value.re.to_f64(), value.im.to_f64());
                            real += if rms { re * re } else { re };
                            imaginary += if rms { im * im } else { im };
                            count += 1.0;
                        }
                    }
                }
                let mean = |total: f64| T::from_mean(if rms { (total / count).sqrt() } else { total / count });
                target[sample] = match Complex::new(mean(real), mean(imaginary)) {
                    _ if count == 0.0 => fill.value(source.void),
                    value => match source.void {
                        // Nodata is real, so changing the real part is enough.
                        Some(void) if void.contains(value) => {
                            let real = NodataRange::around(void.value().re);
                            Complex::new(value.re.off_nodata(real, T::largest(u16::MAX)), value.im)
                        }
                        _ => value,
                    },
                };
            }
        }
    }
}
