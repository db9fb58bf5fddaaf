//! NumPy arrays as sources, read in place, a stripe at a time.

use cogsmith::{ArraySource, DataType, ImageSpec, Nodata, PixelSource, Result, Sample, Stripe};
use half::f16;
use ndarray::{ArrayView2, ArrayView4, Axis};
use num_complex::Complex;
use numpy::{Element, PyArray2, PyArray3, PyArray4, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// Arrays whose bands, in their order, make up an image: `_plan.Pixels`.
#[derive(FromPyObject)]
pub(crate) struct Pixels<'py> {
    /// One array (row, column, band) of native samples, or none.
    array: Option<Bound<'py, PyAny>>,
    /// Without `array`: arrays of bytes (row, column, band, byte of a sample), and whether bytes must be swapped.
    parts: Vec<(Bound<'py, PyAny>, bool)>,
    /// (row, column), 0 = invalid.
    mask: Option<Bound<'py, PyAny>>,
    /// True if the bytes of `array` must be swapped.
    swapped: bool,
    /// True if samples are bools, of which any value except 0 counts as 1.
    truth: bool,
    /// A nodata value that replaces NaN.
    fill: Option<String>,
}

impl Pixels<'_> {
    /// Passes the pixels as a source to `run`.
    pub(crate) fn with_source<R>(
        &self,
        spec: &ImageSpec,
        run: impl FnOnce(&mut (dyn PixelSource + Send)) -> PyResult<R>,
    ) -> PyResult<R> {
        macro_rules! by_type {
            ($($name:ident => $type:ty),*) => {
                match spec.data_type {
                    $(DataType::$name => self.typed::<$type, R>(spec, run),)*
                    other => Err(PyTypeError::new_err(format!("NumPy has no type {other}"))),
                }
            };
        }
        if self.array.is_none() {
            return self.bytes(spec, run);
        }
        by_type!(
            U8 => u8, I8 => i8, U16 => u16, I16 => i16, U32 => u32, I32 => i32, U64 => u64, I64 => i64,
            F16 => f16, F32 => f32, F64 => f64, CF32 => Complex<f32>, CF64 => Complex<f64>
        )
    }

    fn typed<T: Sample + Element, R>(
        &self,
        spec: &ImageSpec,
        run: impl FnOnce(&mut (dyn PixelSource + Send)) -> PyResult<R>,
    ) -> PyResult<R> {
        let Some(array) = &self.array else { return Err(PyTypeError::new_err("there is no array")) };
        let array = array.cast::<PyArray3<T>>()?.try_readonly()?;
        let mask = self.mask()?;
        let mut source = ArraySource::bands_last(array.as_array()).map_err(crate::error::raise)?;
        if let Some(mask) = &mask {
            source = source.with_mask(mask.as_array()).map_err(crate::error::raise)?;
        }
        let swap = if self.swapped { component(spec.data_type) } else { 1 };
        run(&mut Mended { inner: source, spec: spec.clone(), swap, truth: self.truth, fill: self.fill()? })
    }

    fn bytes<R>(
        &self,
        spec: &ImageSpec,
        run: impl FnOnce(&mut (dyn PixelSource + Send)) -> PyResult<R>,
    ) -> PyResult<R> {
        let mut arrays = Vec::with_capacity(self.parts.len());
        for (array, swapped) in &self.parts {
            arrays.push((array.cast::<PyArray4<u8>>()?.try_readonly()?, *swapped));
        }
        let parts = arrays.iter().map(|(array, swapped)| (array.as_array(), *swapped)).collect();
        let mask = self.mask()?;
        let mask = mask.as_ref().map(|mask| mask.as_array());
        let source = BytesSource { spec: spec.clone(), parts, mask, row: Vec::new() };
        run(&mut Mended { inner: source, spec: spec.clone(), swap: 1, truth: self.truth, fill: self.fill()? })
    }

    fn mask(&self) -> PyResult<Option<numpy::PyReadonlyArray2<'_, u8>>> {
        self.mask.as_ref().map(|mask| Ok(mask.cast::<PyArray2<u8>>()?.try_readonly()?)).transpose()
    }

    fn fill(&self) -> PyResult<Option<Nodata>> {
        self.fill.as_deref().map(crate::plan::nodata).transpose()
    }
}

/// Returns the bytes that are swapped as a unit: a sample, or one part of a complex sample.
fn component(data_type: DataType) -> usize {
    if data_type.is_complex() { data_type.size() / 2 } else { data_type.size() }
}

/// Several arrays, or one that no Rust type can view: not aligned, or with strides that are not whole samples.
struct BytesSource<'a> {
    spec: ImageSpec,
    parts: Vec<(ArrayView4<'a, u8>, bool)>,
    mask: Option<ArrayView2<'a, u8>>,
    /// A row of one band.
    row: Vec<u8>,
}

impl PixelSource for BytesSource<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &cogsmith::Executor) -> Result<()> {
        let component = component(self.spec.data_type);
        for row in 0..stripe.rows {
            let source_row = first_row as usize + row;
            let mut first_band = 0;
            for (array, swapped) in &self.parts {
                let bands = array.dim().2;
                for band in 0..bands {
                    let samples = array.view().index_axis_move(Axis(0), source_row).index_axis_move(Axis(1), band);
                    if let (Some(together), false) = (samples.to_slice(), *swapped) {
                        stripe.put_band(first_band + band, row, 0, together);
                        continue;
                    }
                    self.row.clear();
                    for sample in samples.rows() {
                        self.row.extend(sample);
                    }
                    if *swapped {
                        swap(&mut self.row, component);
                    }
                    stripe.put_band(first_band + band, row, 0, &self.row);
                }
                first_band += bands;
            }
            if let Some(mask) = &self.mask {
                let mask: Vec<u8> = mask.row(source_row).iter().copied().collect();
                stripe.put_mask(row, 0, &mask);
            }
        }
        Ok(())
    }
}

/// A source whose samples are converted in place, in the encoder's buffers.
struct Mended<S> {
    inner: S,
    spec: ImageSpec,
    /// Number of bytes that are swapped as a unit; 1 for none.
    swap: usize,
    truth: bool,
    fill: Option<Nodata>,
}

impl<S: PixelSource> PixelSource for Mended<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &cogsmith::Executor) -> Result<()> {
        self.inner.read_rows(first_row, stripe, executor)?;
        for plane in &mut stripe.planes {
            swap(plane, self.swap);
            if self.truth {
                plane.iter_mut().for_each(|sample| *sample = u8::from(*sample != 0));
            }
            if let Some(fill) = &self.fill {
                fill_nan(plane, self.spec.data_type, fill.as_f64());
            }
        }
        Ok(())
    }
}

fn swap(bytes: &mut [u8], component: usize) {
    match component {
        2 => bytes.chunks_exact_mut(2).for_each(<[u8]>::reverse),
        4 => bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse),
        8 => bytes.chunks_exact_mut(8).for_each(<[u8]>::reverse),
        _ => {}
    }
}

/// Replaces every NaN with a value.
fn fill_nan(bytes: &mut [u8], data_type: DataType, value: f64) {
    macro_rules! fill {
        ($type:ty, $value:expr) => {
            for sample in bytes.as_chunks_mut::<{ size_of::<$type>() }>().0 {
                if <$type>::from_ne_bytes(*sample).is_nan() {
                    *sample = $value.to_ne_bytes();
                }
            }
        };
    }
    match data_type {
        DataType::F16 => fill!(f16, f16::from_f64(value)),
        #[expect(clippy::cast_possible_truncation, reason = "the nodata value that GDAL compares with is rounded too")]
        DataType::F32 => fill!(f32, (value as f32)),
        DataType::F64 => fill!(f64, value),
        _ => {}
    }
}
