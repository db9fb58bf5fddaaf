//! `cogsmith create`: opens the input, plans, encodes, commits, and reports.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cogsmith::{
    CogPlan, EncodeOptions, Error, ErrorKind, Executor, MaskedSource, OutputFile, OverriddenSource, Overviews,
    PixelSource, Progress, RasterSource, StoreOptions, Summary, encode, encode_to_output,
};

use crate::arguments::{BitsChoice, CreateArguments, NodataChoice, Threads};
use crate::cancel::Cancel;
use crate::remote::{self, Remote};
use crate::report::{self, Bar, Report};
use crate::store;
use crate::warp::Warp;

/// The reason that the command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is invalid.
    Usage(String),
    /// The library rejected the job or failed.
    Library {
        /// The library's error.
        error: Error,
        /// The input, for errors about it that do not name a file.
        input: PathBuf,
        /// The output, likewise, if there is one.
        output: Option<PathBuf>,
    },
    /// Anything else.
    Other(String),
}

impl Failure {
    /// Returns whether the options are wrong, rather than the job having failed.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Usage(_) => true,
            Self::Library { error, .. } => matches!(error.kind(), ErrorKind::InvalidOption { .. }),
            Self::Other(_) => false,
        }
    }
}

/// Writes the COG and prints the summary.
pub(crate) fn create(arguments: &CreateArguments) -> Result<(), Failure> {
    arguments.check().map_err(Failure::Usage)?;
    if arguments.to_standard_output() && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "standard output is a terminal; write to a file, or pipe the output to another command".into(),
        ));
    }
    if let Some(directory) = arguments.temp_dir.as_deref().filter(|directory| !directory.is_dir()) {
        return Err(Failure::Other(format!("--temp-dir '{}' is not a directory", directory.display())));
    }
    run(arguments).map_err(|failure| match failure {
        Failed::Library(error) => {
            let input = PathBuf::from(remote::name(&arguments.input));
            Failure::Library { error, input, output: Some(arguments.output.clone()) }
        }
        Failed::Report(error) => Failure::Other(format!(
            "'{}' is complete, but its summary could not be printed: {error}",
            arguments.output.display()
        )),
    })
}

/// An error of [`run`], without the names of the files.
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
    let mut options = arguments.encode_options()?;
    let remote = Remote::new(arguments.sources(), &arguments.store.connection, cancel.flag())?;
    let stopped = |error: Error| if cancel.requested() { ErrorKind::Cancelled.into() } else { error };
    let (mut source, warp) = open(arguments, &mut options, &executor, &remote).map_err(stopped)?;
    if !arguments.quiet {
        report::warnings(source.warnings());
    }
    let size = (source.spec().width, source.spec().height);
    let mut metadata = source.metadata().clone();
    let geo = arguments.output_overrides().apply(source.geo().clone(), &mut metadata, size, source.spec().bands)?;
    let plan = CogPlan::new(source.spec(), &geo, &metadata, &options)?;
    if !arguments.quiet {
        report::warnings(plan.warnings());
    }
    // All errors in the options have been found by now, and nothing has been created yet.
    let job = Job { arguments, executor, cancel: cancel.clone() };
    let written = if arguments.to_standard_output() {
        job.write_to_standard_output(&mut source, &plan)
    } else if cfg!(feature = "store") && store::is_object(&arguments.output) {
        job.write_to_store(&mut source, &plan)
    } else {
        job.write_to_file(&mut source, &plan)
    };
    // A read that the user has stopped failed for no other reason.
    let summary = written.map_err(stopped)?;
    if !arguments.quiet {
        // Those of the plan have been printed.
        report::warnings(&summary.warnings[plan.warnings().len().min(summary.warnings.len())..]);
    }
    let mut report = Report::new(arguments, &source, summary, start.elapsed());
    report.read = remote.traffic();
    report.warp = warp;
    if let Some(warning) = stale_aux(arguments) {
        if !arguments.quiet {
            report::warnings(std::slice::from_ref(&warning));
        }
        report.warnings.push(warning);
    }
    report.print(arguments).map_err(Failed::Report)
}

/// Returns a warning if GDAL would apply the auxiliary metadata of an older file to the output.
fn stale_aux(arguments: &CreateArguments) -> Option<String> {
    let mut path = arguments.output.clone().into_os_string();
    path.push(".aux.xml");
    let is_there =
        !arguments.to_standard_output() && !store::is_object(&arguments.output) && Path::new(&path).is_file();
    is_there.then(|| {
        let path = path.to_string_lossy();
        format!("'{path}' is older than the output, and GDAL prefers its metadata to the output's; remove it")
    })
}

/// The pixel source of the command.
pub(crate) type Source = MaskedSource<OverriddenSource<Box<dyn RasterSource>>>;

fn open(
    arguments: &CreateArguments,
    options: &mut EncodeOptions,
    executor: &Executor,
    remote: &Remote,
) -> Result<(Source, Option<Warp>), Error> {
    let source = match &arguments.several {
        None => open_file(arguments, options, remote)?,
        Some(several) => several.open(arguments, executor, remote)?,
    };
    let mut source = OverriddenSource::new(source);
    if let Some(crs) = arguments.crs()? {
        source.set_crs(&crs)?;
    }
    if !arguments.warp.is_given() {
        return Ok((MaskedSource::for_options(source, options)?, None));
    }
    let mut metadata = source.metadata().clone();
    let (size, bands) = ((source.spec().width, source.spec().height), source.spec().bands);
    let geo = arguments.placing().apply(source.geo().clone(), &mut metadata, size, bands)?;
    source.set_geo(geo);
    let (source, warp) = arguments.warp.apply(source, arguments, options, executor)?;
    Ok((MaskedSource::for_options(OverriddenSource::new(source), options)?, warp))
}

/// Opens a single input.
fn open_file(
    arguments: &CreateArguments,
    options: &EncodeOptions,
    remote: &Remote,
) -> Result<Box<dyn RasterSource>, Error> {
    let read = arguments.read_options(remote).overviews(options.overviews == Overviews::Existing);
    let mut source = OverriddenSource::new(cogsmith::open(&arguments.input, &read)?);
    let mut pixels = arguments.pixels.options();
    match arguments.nodata {
        None => {}
        Some(NodataChoice::None) => source.set_nodata(None)?,
        Some(NodataChoice::Value(value)) if pixels.converts() => pixels = pixels.converted_nodata(value),
        Some(NodataChoice::Value(value)) => source.set_nodata(Some(value))?,
    }
    match arguments.nbits {
        None | Some(BitsChoice::Keep) => {}
        Some(BitsChoice::Widen) => source.widen(),
        Some(BitsChoice::Number(bits)) => pixels = pixels.bits_of(bits, source.spec().data_type),
    }
    pixels.apply(source)
}

/// An encoding job, for either kind of output.
struct Job<'a> {
    arguments: &'a CreateArguments,
    executor: Executor,
    cancel: Cancel,
}

impl Job<'_> {
    fn write_to_file(&self, source: &mut Source, plan: &CogPlan) -> Result<Summary, Error> {
        let options = self.arguments.file_options();
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

    #[cfg(feature = "store")]
    fn write_to_store(&self, source: &mut Source, plan: &CogPlan) -> Result<Summary, Error> {
        let store = self.store(&std::env::temp_dir());
        let bar = Bar::new(self.arguments.quiet, source.spec().height);
        let Job { arguments, executor, cancel } = self;
        let (input, means, progress) = ((source, plan), (executor, &store), &mut self.progress(&bar));
        arguments.store.write(&arguments.output, arguments.overwrite, input, means, cancel.flag(), progress)
    }

    /// Fails as any path does that is not one.
    #[cfg(not(feature = "store"))]
    fn write_to_store(&self, source: &mut Source, plan: &CogPlan) -> Result<Summary, Error> {
        self.write_to_file(source, plan)
    }

    /// Returns memory limits; `directory` is for temporary files, unless the user named another.
    fn store(&self, directory: &Path) -> StoreOptions {
        let directory = self.arguments.temp_dir.as_deref().unwrap_or(directory);
        let default = StoreOptions::default();
        StoreOptions::new()
            .memory(self.arguments.tile_memory.unwrap_or(default.memory))
            .batch(self.arguments.row_memory.unwrap_or(default.batch))
            .directory(directory)
            .verify(self.arguments.verify)
    }

    /// Shows progress, and stops the job when the user cancels it.
    fn progress<'a>(&'a self, bar: &'a Bar) -> impl FnMut(Progress) -> ControlFlow<()> + 'a {
        move |progress| {
            bar.show(&progress);
            if self.cancel.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
}

/// Returns standard output without the standard library's buffer, which looks for line ends in binary data.
#[cfg(unix)]
pub(crate) fn standard_output() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Returns standard output without the standard library's buffer, which looks for line ends in binary data.
#[cfg(windows)]
pub(crate) fn standard_output() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// Returns standard output.
#[cfg(not(any(unix, windows)))]
pub(crate) fn standard_output() -> io::Result<io::StdoutLock<'static>> {
    Ok(io::stdout().lock())
}
