//! Stands in for the parts of the library that are not there yet.
#![allow(dead_code, reason = "stands in for the parts of the library that are not there yet")]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cogsmith::{
    EncodeOptions, Error, ErrorKind, Executor, GeoRef, ImageSpec, Metadata, Nodata, PixelSource, Predictor,
    RasterSource, Resampling, Result, Stripe,
};

fn missing() -> Error {
    ErrorKind::Unsupported { feature: "reading and encoding".into() }.into()
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOptions {
    pub(crate) image: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct GeoTiffSource {
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
}

impl GeoTiffSource {
    pub(crate) fn open(path: &Path, _options: &ReadOptions) -> Result<Self> {
        std::fs::File::open(path)
            .map_err(|source| Error::from(ErrorKind::Io { action: "open", path: Some(path.into()), source }))?;
        Err(missing())
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &[]
    }

    pub(crate) fn set_nodata(&mut self, _nodata: Option<Nodata>) {}

    pub(crate) fn widen(&mut self) {}
}

impl PixelSource for GeoTiffSource {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, _first_row: u32, _stripe: &mut Stripe<'_>, _executor: &Executor) -> Result<()> {
        Err(missing())
    }
}

impl RasterSource for GeoTiffSource {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

#[derive(Debug)]
pub(crate) struct CogPlan;

impl CogPlan {
    pub(crate) fn new(_: &ImageSpec, _: &GeoRef, _: &Metadata, _: &EncodeOptions) -> Result<Self> {
        Err(missing())
    }

    pub(crate) fn predictor(&self) -> Predictor {
        Predictor::None
    }

    pub(crate) fn resampling(&self) -> Resampling {
        Resampling::Nearest
    }

    pub(crate) fn uncompressed_bytes(&self) -> u64 {
        0
    }
}

#[derive(Debug, Default)]
pub(crate) struct StoreOptions {
    pub(crate) memory: u64,
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) rows_done: u32,
    pub(crate) rows: u32,
}

#[derive(Debug)]
pub(crate) struct LevelSummary {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) tiles: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) bytes: u64,
    pub(crate) big_tiff: bool,
    pub(crate) levels: Vec<LevelSummary>,
}

pub(crate) fn encode(
    _source: &mut dyn PixelSource,
    _plan: &CogPlan,
    _executor: &Executor,
    _store: &StoreOptions,
    _writer: &mut dyn Write,
    _progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    Err(missing())
}
