//! Shards of a file: encoded by tasks of a cluster, and assembled at the end.

use cogsmith::distributed::{
    Assembler, Assembly, Mosaic, ShardOutput, ShardPixels, ShardRecord, encode_shard, predictor_windows,
    settle_predictor_from_windows,
};
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::{CogPlan, Executor, Predictor};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};

use crate::array::Pixels;
use crate::encode::{Run, plain, with_sources};
use crate::error::raise;
use crate::plan::Plan;

/// Tier, row, column.
type Id = (u32, u32, u32);

/// Output of a task: record, digest of the record, fragment, pixels for the next tier, and the starts of the fragment's runs
/// with the end of the last one.
type Output<'py> = (Bound<'py, PyBytes>, u64, Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>, Vec<u64>);

/// A plan, and the division of its image into shards.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Shards {
    /// With the predictor by type until pixels have settled it.
    shards: ShardPlan,
    /// The plan, if pixels have yet to settle the predictor, and the size of shards.
    open: Option<(CogPlan, ShardOptions)>,
}

impl Shards {
    fn of(plan: CogPlan, options: ShardOptions) -> PyResult<Self> {
        let shards = ShardPlan::new(plan.clone().with_predictor_by_type(), &options).map_err(raise)?;
        let is_open = plan.predictor() == Predictor::Auto;
        Ok(Self { shards, open: is_open.then_some((plan, options)) })
    }
}

#[pymethods]
impl Shards {
    /// Divides the image into shards of about `width` columns and `height` rows.
    #[new]
    fn new(plan: &Plan, width: u32, height: u32) -> PyResult<Self> {
        Self::of(plan.plan.clone(), ShardOptions::new().width(width).height(height))
    }

    /// Restores the shards from the result of `to_bytes`.
    #[classmethod]
    fn from_bytes(_: &Bound<'_, PyType>, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self { shards: ShardPlan::from_bytes(bytes).map_err(raise)?, open: None })
    }

    /// Restores shards whose predictor pixels have yet to settle.
    #[classmethod]
    fn from_open_plan(_: &Bound<'_, PyType>, plan: &[u8], width: u32, height: u32) -> PyResult<Self> {
        let plan = CogPlan::from_bytes(plan).map_err(raise)?;
        Self::of(plan, ShardOptions::new().width(width).height(height))
    }

    /// Returns the windows whose pixels settle the predictor, each as start and end of rows, then of columns; none if it is
    /// settled.
    #[getter]
    fn predictor_windows(&self) -> Vec<(u32, u32, u32, u32)> {
        let windows = self.open.as_ref().map(|(plan, _)| predictor_windows(plan)).unwrap_or_default();
        windows.into_iter().map(|one| (one.rows.start, one.rows.end, one.columns.start, one.columns.end)).collect()
    }

    /// Settles the predictor from the pixels of the predictor windows, as the local encoder does.
    fn settle(&self, windows: Vec<Pixels<'_>>) -> PyResult<Self> {
        let Some((plan, options)) = &self.open else {
            return Ok(Self { shards: self.shards.clone(), open: None });
        };
        let specs = predictor_windows(plan)
            .into_iter()
            .map(|window| plan.source_spec().clone().width(window.width()).height(window.height()));
        let parts: Vec<_> = specs.zip(&windows).collect();
        let settle: Run<'_, CogPlan> = Box::new(|mut sources| {
            settle_predictor_from_windows(plan, &mut plain(&mut sources), &Executor::serial()).map_err(raise)
        });
        Self::of(with_sources(&parts, Vec::new(), settle)?, options.clone())
    }

    /// Returns the plan and its shards as bytes, for other processes and machines.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.shards.to_bytes())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let this = slf.get();
        Ok(match &this.open {
            Some((plan, options)) => {
                let arguments = (PyBytes::new(py, &plan.to_bytes()), options.width, options.height);
                (slf.get_type().getattr("from_open_plan")?, arguments.into_pyobject(py)?)
            }
            None => (slf.get_type().getattr("from_bytes")?, (this.to_bytes(py),).into_pyobject(py)?),
        })
    }

    /// Returns the shards, tier by tier.
    #[getter]
    fn tiers(&self) -> Vec<Vec<Id>> {
        let tiers = 0..self.shards.tiers();
        tiers.map(|tier| self.shards.shards(tier).map(|id| (id.tier, id.row, id.column)).collect()).collect()
    }

    /// Returns start and end of the rows, then of the columns, of full resolution that a shard of the first tier needs.
    fn window(&self, id: Id) -> PyResult<(u32, u32, u32, u32)> {
        let window = self.shards.shard(address(id)).map_err(raise)?.source();
        Ok((window.rows.start, window.rows.end, window.columns.start, window.columns.end))
    }

    /// Returns the shards of the previous tier whose pixels a shard needs.
    fn inputs(&self, id: Id) -> PyResult<Vec<Id>> {
        let inputs = self.shards.inputs(address(id)).map_err(raise)?;
        Ok(inputs.into_iter().map(|id| (id.tier, id.row, id.column)).collect())
    }

    /// Encodes a shard of the first tier from the pixels of its window.
    fn encode<'py>(&self, py: Python<'py>, id: Id, pixels: Pixels<'py>, threads: usize) -> PyResult<Output<'py>> {
        let shard = self.shards.shard(address(id)).map_err(raise)?;
        let window = shard.source();
        let spec = self.shards.plan().source_spec().clone().width(window.width()).height(window.height());
        let executor = Executor::threads(threads).map_err(raise)?;
        let output = pixels.with_source(&spec, |source| {
            py.detach(|| encode_shard(&self.shards, address(id), source, &executor)).map_err(raise)
        })?;
        give(py, &self.shards, &output)
    }

    /// Encodes a shard of a later tier from the pixels of shards of the previous tier.
    fn encode_from<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        inputs: Vec<PyBackedBytes>,
        threads: usize,
    ) -> PyResult<Output<'py>> {
        let executor = Executor::threads(threads).map_err(raise)?;
        let output = py.detach(|| {
            let pixels =
                inputs.iter().map(|bytes| ShardPixels::from_bytes(bytes)).collect::<cogsmith::Result<Vec<_>>>()?;
            // Otherwise the pixels are in memory twice.
            drop(inputs);
            encode_shard(&self.shards, address(id), &mut Mosaic::new(&self.shards, address(id), &pixels)?, &executor)
        });
        give(py, &self.shards, &output.map_err(raise)?)
    }

    /// Combines records of single shards, in the form that `merge` takes.
    fn gather<'py>(&self, py: Python<'py>, records: Vec<PyBackedBytes>) -> PyResult<Bound<'py, PyBytes>> {
        let gathered = py.detach(|| {
            let mut assembler = Assembler::new(&self.shards);
            for record in &records {
                assembler.add(ShardRecord::from_bytes(record)?)?;
            }
            Ok(assembler.to_bytes())
        });
        Ok(PyBytes::new(py, &gathered.map_err(raise)?))
    }

    /// Combines the results of several calls of `gather` or `merge`.
    fn merge<'py>(&self, py: Python<'py>, gathered: Vec<PyBackedBytes>) -> PyResult<Bound<'py, PyBytes>> {
        let merged = py.detach(|| {
            let mut assembler = Assembler::new(&self.shards);
            for bytes in &gathered {
                assembler.merge(Assembler::from_bytes(&self.shards, bytes)?)?;
            }
            Ok(assembler.to_bytes())
        });
        Ok(PyBytes::new(py, &merged.map_err(raise)?))
    }

    /// Returns the runs of all shards in file order, in groups of at most `max_bytes`, or a single run. A run is a shard and
    /// the position among its runs.
    fn groups(&self, max_bytes: u64) -> Vec<Vec<(Id, usize)>> {
        let (mut groups, mut bytes) = (Vec::new(), u64::MAX);
        for run in self.shards.runs() {
            bytes = bytes.saturating_add(run.max_bytes);
            if bytes > max_bytes {
                groups.push(Vec::new());
                bytes = run.max_bytes;
            }
            if let Some(group) = groups.last_mut() {
                group.push(((run.shard.tier, run.shard.row, run.shard.column), run.index));
            }
        }
        groups
    }

    /// Creates the header from the records of all shards.
    fn layout(&self, py: Python<'_>, merged: PyBackedBytes) -> PyResult<Layout> {
        let assembly = py.detach(|| Assembler::from_bytes(&self.shards, &merged)?.finish());
        Ok(Layout { assembly: assembly.map_err(raise)? })
    }
}

/// The layout of the file: header, size, and offsets.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Layout {
    assembly: Assembly,
}

#[pymethods]
impl Layout {
    /// Returns the bytes before the first tile.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.assembly.header())
    }

    /// Returns the size of the file in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.assembly.bytes()
    }

    /// Returns the sizes in bytes of all runs, in file order.
    fn lengths(&self) -> Vec<u64> {
        self.assembly.pieces().map(|piece| piece.len()).collect()
    }

    /// Returns the digest of a shard's record.
    fn digest(&self, id: Id) -> PyResult<u64> {
        let record = self.assembly.record(address(id));
        record.map(ShardRecord::digest).ok_or_else(|| PyValueError::new_err(format!("shard {id:?} has no record")))
    }

    /// Returns, by shard, the digest of its record, and its runs of bytes: start and end in its fragment, and the
    /// offset in the file.
    fn pieces<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut by_shard: std::collections::BTreeMap<ShardId, Vec<(u64, u64, u64)>> = Default::default();
        for piece in self.assembly.pieces() {
            let pieces = by_shard.entry(piece.shard).or_default();
            match pieces.last_mut() {
                // Runs that are adjacent in both the fragment and the file are merged.
                Some((start, end, offset))
                    if *end == piece.range.start && *offset + (*end - *start) == piece.offset =>
                {
                    *end = piece.range.end;
                }
                _ => pieces.push((piece.range.start, piece.range.end, piece.offset)),
            }
        }
        let result = PyDict::new(py);
        for (shard, pieces) in by_shard {
            let record = self.assembly.record(shard);
            let digest = record.ok_or_else(|| PyValueError::new_err(format!("shard {shard} has no record")))?.digest();
            result.set_item((shard.tier, shard.row, shard.column), (digest, pieces))?;
        }
        Ok(result)
    }
}

fn address((tier, row, column): Id) -> ShardId {
    ShardId { tier, row, column }
}

fn give<'py>(py: Python<'py>, shards: &ShardPlan, output: &ShardOutput) -> PyResult<Output<'py>> {
    let starts = output.record.run_starts(shards).map_err(raise)?;
    let record = PyBytes::new(py, &output.record.to_bytes());
    let pixels = output.pixels.as_ref().map(|pixels| PyBytes::new(py, &pixels.to_bytes()));
    Ok((record, output.record.digest(), PyBytes::new(py, &output.fragment), pixels, starts))
}
