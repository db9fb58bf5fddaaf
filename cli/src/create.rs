//! `cogsmith create`: open, plan, encode, commit, report.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cogsmith::{
    CogPlan, Error, ErrorKind, Executor, FileOptions, GeoTiffSource, MaskedSource, OutputFile, PixelSource, Progress,
    RasterSource, ReadOptions, StoreOptions, Summary, encode, encode_to_output,
};

use crate::arguments::{BitsChoice, CreateArguments, NodataChoice, Threads};
use crate::cancel::Cancel;
use crate::report::{self, Bar, Report};

/// Why the command ends without having done its job.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The library refused or failed.
    Library {
        /// Its error.
        error: Error,
        /// The input, for errors that are about it but name no file.
        input: PathBuf,
        /// The output, likewise, if there is one.
        output: Option<PathBuf>,
    },
    /// Anything else.
    Other(String),
}

impl Failure {
    /// Whether the user gave wrong options, rather than a job that failed.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Usage(_) => true,
            Self::Library { error, .. } => matches!(error.kind(), ErrorKind::InvalidOption { .. }),
            Self::Other(_) => false,
        }
    }
}

/// Writes the COG that the arguments ask for, and says so.
pub(crate) fn create(arguments: &CreateArguments) -> Result<(), Failure> {
    arguments.check().map_err(Failure::Usage)?;
    if arguments.to_standard_output() && io::stdout().is_terminal() {
        return Err(Failure::Usage("standard output is a terminal; give a file, or a pipe behind '-'".into()));
    }
    if let Some(directory) = arguments.temp_dir.as_deref().filter(|directory| !directory.is_dir()) {
        return Err(Failure::Other(format!("--temp-dir '{}' is no directory", directory.display())));
    }
    run(arguments).map_err(|failure| match failure {
        Failed::Library(error) => {
            Failure::Library { error, input: arguments.input.clone(), output: Some(arguments.output.clone()) }
        }
        Failed::Report(error) => {
            Failure::Other(format!("'{}' is written, but not its summary: {error}", arguments.output.display()))
        }
    })
}

/// What [`run`] fails with, before it is known whom to tell.
enum Failed {
    Library(Error),
    Report(io::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

fn run(arguments: &CreateArguments) -> Result<(), Failed> {
    let start = Instant::now();
    let cancel = Cancel::listen();
    let executor = match arguments.threads {
        Threads::All => Executor::all_cores()?,
        Threads::Count(count) => Executor::threads(count.get())?,
    };
    let mut source = open(arguments)?;
    if !arguments.quiet {
        report::warnings(source.inner().warnings());
    }
    let options = arguments.encode_options()?;
    let size = (source.spec().width, source.spec().height);
    let mut metadata = source.metadata().clone();
    let geo = arguments.overrides().apply(source.geo().clone(), &mut metadata, size, source.spec().bands)?;
    let plan = CogPlan::new(source.spec(), &geo, &metadata, &options)?;
    if !arguments.quiet {
        report::warnings(plan.warnings());
    }
    // Everything that can be wrong with the options is known by now, and nothing has been made yet.
    let job = Job { arguments, executor, cancel };
    let summary = if arguments.to_standard_output() {
        job.write_to_standard_output(&mut source, &plan)?
    } else {
        job.write_to_file(&mut source, &plan)?
    };
    let mut report = Report::new(arguments, &options, &source, &plan, &summary, start.elapsed());
    if let Some(warning) = stale_aux(arguments) {
        if !arguments.quiet {
            report::warnings(std::slice::from_ref(&warning));
        }
        report.warnings.push(warning);
    }
    report.print(arguments).map_err(Failed::Report)
}

/// A warning if auxiliary metadata of an older file would now be taken for that of the output.
fn stale_aux(arguments: &CreateArguments) -> Option<String> {
    let mut path = arguments.output.clone().into_os_string();
    path.push(".aux.xml");
    let is_there = !arguments.to_standard_output() && Path::new(&path).is_file();
    is_there.then(|| {
        let path = path.to_string_lossy();
        format!("'{path}' is older than the output, and GDAL reads it over what the output says; remove it")
    })
}

/// The source of the pixels.
pub(crate) type Source = MaskedSource<GeoTiffSource>;

fn open(arguments: &CreateArguments) -> Result<Source, Error> {
    // People count images from 1, the library from 0.
    let image = arguments.image.map(|image| image.get() - 1);
    let mut source = GeoTiffSource::open(&arguments.input, &ReadOptions { image, ignore_aux: arguments.ignore_aux })?;
    match arguments.nodata {
        None => {}
        Some(NodataChoice::None) => source.set_nodata(None)?,
        Some(NodataChoice::Value(value)) => source.set_nodata(Some(value))?,
    }
    if let Some(crs) = arguments.crs()? {
        source.set_crs(&crs)?;
    }
    if arguments.nbits == BitsChoice::Widen {
        source.widen();
    }
    MaskedSource::with_metadata(source, arguments.mask)
}

/// What encoding needs, wherever its bytes go.
struct Job<'a> {
    arguments: &'a CreateArguments,
    executor: Executor,
    cancel: Cancel,
}

impl Job<'_> {
    fn write_to_file(&self, source: &mut Source, plan: &CogPlan) -> Result<Summary, Error> {
        let options = FileOptions { overwrite: self.arguments.overwrite, sync: self.arguments.sync };
        let mut output = OutputFile::create(&self.arguments.output, &options)?;
        let store = self.store(output.directory());
        let bar = Bar::new(self.arguments.quiet, source.spec().height);
        let summary = encode_to_output(source, plan, &self.executor, &store, &mut output, &mut self.progress(&bar))?;
        if self.cancel.requested() {
            return Err(ErrorKind::Cancelled.into());
        }
        output.commit()?;
        Ok(summary)
    }

    fn write_to_standard_output(&self, source: &mut Source, plan: &CogPlan) -> Result<Summary, Error> {
        let failed = |source| Error::from(ErrorKind::Io { action: "open standard output", path: None, source });
        let mut output = standard_output().map_err(failed)?;
        let store = self.store(&std::env::temp_dir());
        let bar = Bar::new(self.arguments.quiet, source.spec().height);
        encode(source, plan, &self.executor, &store, &mut output, &mut self.progress(&bar))
    }

    /// What may be taken of memory; `directory` is where the rest goes unless the user said otherwise.
    fn store(&self, directory: &Path) -> StoreOptions {
        let directory = self.arguments.temp_dir.as_deref().unwrap_or(directory);
        let default = StoreOptions::default();
        StoreOptions {
            memory: self.arguments.tile_memory.unwrap_or(default.memory),
            batch: self.arguments.row_memory.unwrap_or(default.batch),
            directory: Some(directory.to_path_buf()),
            verify: self.arguments.verify,
        }
    }

    /// Shows how far the job is, and stops it when the user asks for that.
    fn progress<'a>(&'a self, bar: &'a Bar) -> impl FnMut(Progress) -> ControlFlow<()> + 'a {
        move |progress| {
            bar.show(&progress);
            if self.cancel.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
}

/// Standard output without the standard library's buffer, which looks for line ends in what is no text.
#[cfg(unix)]
fn standard_output() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Standard output without the standard library's buffer, which looks for line ends in what is no text.
#[cfg(windows)]
fn standard_output() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// Standard output.
#[cfg(not(any(unix, windows)))]
fn standard_output() -> io::Result<io::StdoutLock<'static>> {
    Ok(io::stdout().lock())
}
