//! Writing rows as they come.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use cogsmith::{CogPlan, CogWriter, DataType, Executor, OutputFile, Sample};
use half::f16;
use num_complex::Complex;
use numpy::{Element, PyArray2, PyArray3, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::encode::Work;
use crate::error::raise;
use crate::plan::{Plan, summary};
use crate::supervise::{Audience, supervise};
use crate::target::PythonWriter;

/// A writer that takes rows as they come; the file appears when it is finished.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Writer {
    plan: CogPlan,
    work: Work,
    state: Mutex<Option<State>>,
}

struct State {
    writer: CogWriter,
    target: Target,
}

enum Target {
    File(OutputFile),
    Object(Py<PyAny>),
}

#[pymethods]
impl Writer {
    #[new]
    fn new(plan: &Plan, target: Bound<'_, PyAny>, work: Work) -> PyResult<Self> {
        let target = match target.extract::<PathBuf>() {
            Ok(path) => Target::File(OutputFile::create(&path, &work.file_options()).map_err(raise)?),
            Err(_) => Target::Object(target.unbind()),
        };
        let directory = match &target {
            Target::File(output) => Some(output.directory().to_path_buf()),
            Target::Object(_) => None,
        };
        let executor = match work.threads {
            Some(count) => Executor::threads(count),
            None => Executor::all_cores(),
        };
        let plan = plan.plan.clone();
        let writer = CogWriter::new(plan.clone(), executor.map_err(raise)?, work.store(directory)).map_err(raise)?;
        Ok(Self { plan, work, state: Mutex::new(Some(State { writer, target })) })
    }

    /// Adds rows: a contiguous native array (row, column, band), and a mask (row, column) if the image has one.
    fn push(&self, py: Python<'_>, rows: Bound<'_, PyAny>, mask: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        macro_rules! by_type {
            ($($name:ident => $type:ty),*) => {
                match self.plan.spec().data_type {
                    $(DataType::$name => self.push_typed::<$type>(py, &rows, mask.as_ref()),)*
                    other => Err(PyTypeError::new_err(format!("NumPy has no type {other}"))),
                }
            };
        }
        by_type!(
            U8 => u8, I8 => i8, U16 => u16, I16 => i16, U32 => u32, I32 => i32, U64 => u64, I64 => i64,
            F16 => f16, F32 => f32, F64 => f64, CF32 => Complex<f32>, CF64 => Complex<f64>
        )
    }

    /// Writes the file, and returns the summary.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let State { writer, target } = self.take().ok_or_else(ended)?;
        let audience = Audience { callback: self.work.progress.as_ref(), rows: self.plan.spec().height };
        let threads = Some(1);
        let written = match target {
            Target::File(mut output) => supervise(py, threads, &audience, |supervisor| {
                let written = writer.finish_to(&mut output)?;
                supervisor.check()?;
                output.commit()?;
                Ok(written)
            })?,
            Target::Object(object) => {
                let (mut to, failure) = PythonWriter::new(object);
                let written = supervise(py, threads, &audience, |_| writer.finish(&mut to));
                written.map_err(|error| failure.take().unwrap_or(error))?
            }
        };
        summary(py, &self.plan, &written)
    }

    /// Closes the writer without writing the file.
    fn discard(&self) {
        drop(self.take());
    }
}

impl Writer {
    fn take(&self) -> Option<State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn push_typed<T: Sample + Element>(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyAny>,
        mask: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let rows = rows.cast::<PyArray3<T>>()?.try_readonly()?;
        let mask = mask.map(|mask| PyResult::Ok(mask.cast::<PyArray2<u8>>()?.try_readonly()?)).transpose()?;
        let samples = rows.as_slice()?;
        let mask = mask.as_ref().map(|mask| mask.as_slice()).transpose()?;
        let mut state = self.take().ok_or_else(ended)?;
        // The writer cannot continue after a failure: the state is dropped, and with it the temporary file.
        py.detach(|| state.writer.push_rows(samples, mask)).map_err(raise)?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }
}

fn ended() -> PyErr {
    PyValueError::new_err("the writer is closed: it was finished or discarded, or it failed")
}
