//! Inputs that are open only while their rows are read, and no more of them than a limit.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::buffer::{AlignedBytes, Pool};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::super::RasterSource;

type Open<'a> = dyn Fn() -> Result<Box<dyn RasterSource + 'a>> + Send + Sync + 'a;

/// One of several inputs: a name for messages, and a function that opens the source.
///
/// The function is called once to read the header, and again when the first rows are needed. It must return the same
/// image each time.
pub struct SourceInput<'a> {
    name: String,
    open: Box<Open<'a>>,
}

impl fmt::Debug for SourceInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceInput").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> SourceInput<'a> {
    /// Makes an input from its name and the function that opens it.
    pub fn new(
        name: impl Into<String>,
        open: impl Fn() -> Result<Box<dyn RasterSource + 'a>> + Send + Sync + 'a,
    ) -> Self {
        Self { name: name.into(), open: Box::new(open) }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the source.
    pub(in crate::source) fn open(&self) -> Result<Box<dyn RasterSource + 'a>> {
        (self.open)().map_err(|error| error.in_input(&self.name))
    }
}

/// Rows that are wanted of an input.
pub(in crate::source) struct Wanted {
    pub(in crate::source) input: usize,
    /// In rows of the input.
    pub(in crate::source) rows: Range<u32>,
}

/// Rows of an input.
pub(in crate::source) struct InputRows {
    pub(in crate::source) input: usize,
    width: usize,
    /// Bytes of a row of a plane, and from one plane to the next.
    row_bytes: usize,
    plane_bytes: usize,
    planes: AlignedBytes,
    mask: AlignedBytes,
    has_mask: bool,
}

impl InputRows {
    /// Returns a row of a plane.
    pub(in crate::source) fn plane_row(&self, plane: usize, row: usize) -> &[u8] {
        &self.planes.bytes()[plane * self.plane_bytes + row * self.row_bytes..][..self.row_bytes]
    }

    /// Returns the number of columns.
    pub(in crate::source) fn width(&self) -> usize {
        self.width
    }

    /// Returns the mask of a row, if the input has one.
    pub(in crate::source) fn mask_row(&self, row: usize) -> Option<&[u8]> {
        self.has_mask.then(|| &self.mask.bytes()[row * self.width..][..self.width])
    }
}

/// An open input, and the row after the last one that was read.
struct OpenInput<'a> {
    source: Box<dyn RasterSource + 'a>,
    next_row: u32,
    used: u64,
}

/// The inputs, of which some are open.
pub(in crate::source) struct Inputs<'a> {
    inputs: Vec<SourceInput<'a>>,
    open: BTreeMap<usize, OpenInput<'a>>,
    max_open: usize,
    clock: u64,
    buffers: Pool<AlignedBytes>,
}

impl<'a> Inputs<'a> {
    /// Takes inputs, of which at most `max_open` are open at once.
    pub(in crate::source) fn new(inputs: Vec<SourceInput<'a>>, max_open: usize) -> Self {
        Self { inputs, open: BTreeMap::new(), max_open: max_open.max(1), clock: 0, buffers: Pool::default() }
    }

    /// Returns the largest number of inputs that can be read at once.
    pub(in crate::source) fn max_open(&self) -> usize {
        self.max_open
    }

    /// Returns the bytes of memory for rows of an image.
    pub(in crate::source) fn bytes(spec: &ImageSpec, rows: usize) -> usize {
        let pixel = usize::from(spec.bands) * spec.data_type.size() + usize::from(spec.mask);
        rows.saturating_mul(spec.width as usize).saturating_mul(pixel)
    }

    /// Reads rows of inputs, in parallel. `expected` describes an input as its header did when it was read first.
    pub(in crate::source) fn read(
        &mut self,
        wanted: Vec<Wanted>,
        layout: StripeLayout,
        expected: impl Fn(usize) -> ImageSpec + Sync,
        executor: &Executor,
    ) -> Result<Vec<InputRows>> {
        self.clock += 1;
        let clock = self.clock;
        self.make_room(&wanted);
        let jobs: Vec<_> = wanted
            .into_iter()
            .map(|wanted| {
                let open = self.open.remove(&wanted.input);
                (wanted, open, self.buffers.take(), self.buffers.take())
            })
            .collect();
        let inputs = &self.inputs;
        let done = executor.map(jobs, |(wanted, open, planes, mask)| {
            let input = &inputs[wanted.input];
            let spec = expected(wanted.input);
            let mut rows = InputRows {
                input: wanted.input,
                width: spec.width as usize,
                row_bytes: 0,
                plane_bytes: 0,
                planes,
                mask,
                has_mask: spec.mask,
            };
            let read = read_input(input, open, wanted.rows, &spec, layout, &mut rows, executor);
            read.map(|mut open| {
                open.used = clock;
                (open, rows)
            })
        });
        let mut all = Vec::with_capacity(done.len());
        for one in done {
            let (open, rows) = one?;
            self.open.insert(rows.input, open);
            all.push(rows);
        }
        Ok(all)
    }

    /// Takes back the memory of rows.
    pub(in crate::source) fn give_back(&self, rows: Vec<InputRows>) {
        for one in rows {
            self.buffers.give(one.planes);
            self.buffers.give(one.mask);
        }
    }

    /// Closes inputs for which `is_done`.
    pub(in crate::source) fn close(&mut self, is_done: impl Fn(usize) -> bool) {
        self.open.retain(|input, _| !is_done(*input));
    }

    /// Closes the inputs that were not used for the longest time, so that those wanted can be opened.
    fn make_room(&mut self, wanted: &[Wanted]) {
        let coming = wanted.iter().filter(|one| !self.open.contains_key(&one.input)).count();
        let mut excess = (self.open.len() + coming).saturating_sub(self.max_open);
        let mut others: Vec<_> = self.open.iter().map(|(input, open)| (open.used, *input)).collect();
        others.retain(|(_, input)| wanted.iter().all(|one| one.input != *input));
        others.sort_unstable();
        for (_, input) in others {
            if excess == 0 {
                break;
            }
            self.open.remove(&input);
            excess -= 1;
        }
    }
}

/// Opens an input if it is not open, and reads rows of it.
fn read_input<'a>(
    input: &SourceInput<'a>,
    open: Option<OpenInput<'a>>,
    rows: Range<u32>,
    spec: &ImageSpec,
    layout: StripeLayout,
    into: &mut InputRows,
    executor: &Executor,
) -> Result<OpenInput<'a>> {
    let named = |error: Error| error.in_input(&input.name);
    let reaches = |open: &OpenInput<'_>| open.next_row <= rows.start || open.source.can_skip_rows();
    let mut open = match open.filter(reaches) {
        Some(open) => open,
        None => OpenInput { source: input.open()?, next_row: 0, used: 0 },
    };
    let shape = |spec: &ImageSpec| (spec.width, spec.height, spec.bands, spec.data_type, spec.mask);
    if shape(open.source.spec()) != shape(spec) {
        return Err(named(Error::image("it changed while it was read")));
    }
    let (bands, size) = (usize::from(spec.bands), spec.data_type.size());
    let (planes, samples) = match layout {
        StripeLayout::Chunky => (1, bands),
        StripeLayout::Planar => (bands, 1),
    };
    let count = (rows.end - rows.start) as usize;
    into.row_bytes = into.width * samples * size;
    // Every plane is aligned to 8 bytes.
    into.plane_bytes = (into.row_bytes * count).next_multiple_of(8);
    into.planes.grow(into.plane_bytes * planes, "rows of an input")?;
    if spec.mask {
        into.mask.grow(into.width * count, "rows of an input")?;
    }
    // Sources that cannot leave out rows are read from where they are.
    let mut row = if open.source.can_skip_rows() { rows.start } else { open.next_row };
    while row < rows.end {
        let end = if row < rows.start { rows.start.min(row.saturating_add(rows.end - rows.start)) } else { rows.end };
        let height = (end - row) as usize;
        let all = &mut into.planes.bytes_mut()[..into.plane_bytes * planes];
        let planes = all.chunks_exact_mut(into.plane_bytes.max(1)).map(|plane| &mut plane[..into.row_bytes * height]);
        let mask = spec.mask.then(|| &mut into.mask.bytes_mut()[..into.width * height]);
        let mut stripe = Stripe::new(spec, height, layout, planes.collect(), mask)?;
        open.source.read_rows(row, &mut stripe, executor).map_err(named)?;
        row = end;
    }
    open.next_row = rows.end;
    Ok(open)
}
