//! Writing rows as they come.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cogsmith::{CogPlan, CogWriter, DataType, Executor, OutputFile, Sample};
use half::f16;
use num_complex::Complex;
use numpy::{Element, PyArray2, PyArray3, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::encode::Work;
use crate::error::raise;
use crate::plan::{Plan, summary};
use crate::store;
use crate::supervise::{Audience, supervise};
use crate::target::{Failure, PythonWriter};

/// A writer that takes rows as they come; the file appears when it is finished.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Writer {
    plan: CogPlan,
    work: Work,
    state: Mutex<Option<State>>,
}

struct State {
    writer: CogWriter<'static>,
    /// The exception of the target, if it is a Python object.
    failure: Option<Failure>,
}

#[pymethods]
impl Writer {
    #[new]
    fn new(py: Python<'_>, plan: &Plan, target: Bound<'_, PyAny>, work: Work) -> PyResult<Self> {
        let executor = match work.threads {
            Some(count) => Executor::threads(count),
            None => Executor::all_cores(),
        };
        let (executor, own) = (executor.map_err(raise)?, plan.plan.clone());
        let object = store::object(&target)?;
        let (writer, failure) = match (object, target.extract::<PathBuf>()) {
            (Some(object), _) => {
                // Waits for the store.
                let sink = py.detach(|| work.object_sink(&object, &plan.plan, Arc::default())).map_err(raise)?;
                (CogWriter::to_sink(own, executor, &work.store(None), Box::new(sink)), None)
            }
            (None, Ok(path)) => {
                let output = OutputFile::create(&path, &work.file_options()).map_err(raise)?;
                let store = work.store(Some(output.directory().to_path_buf()));
                (CogWriter::to_file(own, executor, store, output), None)
            }
            (None, Err(_)) => {
                work.file_options().check_for_stream().map_err(raise)?;
                let (object, failure) = PythonWriter::new(target.unbind());
                (CogWriter::to_writer(own, executor, work.store(None), object), Some(failure))
            }
        };
        let state = State { writer: writer.map_err(raise)?, failure };
        Ok(Self { plan: plan.plan.clone(), work, state: Mutex::new(Some(state)) })
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
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let State { writer, failure } = self.take().ok_or_else(ended)?;
        let audience = Audience { callback: self.work.progress.as_ref(), rows: self.plan.spec().height };
        let written = supervise(py, Some(1), &audience, |supervisor| writer.finish_with(&mut supervisor.progress()));
        let written = written.map_err(|error| failure.and_then(|failure| failure.take()).unwrap_or(error))?;
        summary(py, written)
    }

    /// Closes the writer without writing the file.
    fn discard(&self, py: Python<'_>) {
        // An upload is aborted by a request.
        py.detach(|| drop(self.take()));
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
