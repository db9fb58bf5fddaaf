//! Output of the command: progress, warnings, the summary, and errors.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use cogsmith::{BandStatistics, Compression, Error, ErrorKind, Predictor, Progress, RasterSource, Summary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde::Serialize;

use crate::arguments::CreateArguments;
use crate::create::{Failure, Source};
use crate::flags;
use crate::hints;
use crate::remote::Traffic;
use crate::warp::Warp;

/// The summary: the object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    output: String,
    /// Without statistics and warnings, which come last.
    #[serde(flatten)]
    summary: Summary,
    ratio: f64,
    seconds: f64,
    /// Requests and bytes of inputs that are addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read: Option<Traffic>,
    /// The warp, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warp: Option<Warp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statistics: Vec<BandStatistics>,
    pub(crate) warnings: Vec<String>,
}

impl Report {
    /// Collects the summary of a finished job.
    pub(crate) fn new(arguments: &CreateArguments, source: &Source, mut summary: Summary, elapsed: Duration) -> Self {
        let warnings = std::mem::take(&mut summary.warnings);
        Self {
            output: arguments.output.to_string_lossy().into_owned(),
            ratio: thousandths(summary.uncompressed_bytes as f64 / summary.bytes.max(1) as f64),
            seconds: thousandths(elapsed.as_secs_f64()),
            read: None,
            warp: None,
            statistics: std::mem::take(&mut summary.statistics),
            warnings: [source.warnings(), &warnings].concat(),
            summary,
        }
    }

    /// Prints the summary, to standard output unless the COG itself goes there.
    pub(crate) fn print(&self, arguments: &CreateArguments) -> io::Result<()> {
        let text = if arguments.json {
            serde_json::to_string(self)?
        } else if arguments.quiet {
            return Ok(());
        } else {
            self.line()
        };
        if arguments.to_standard_output() {
            writeln!(io::stderr().lock(), "{text}")
        } else {
            let mut output = io::stdout().lock();
            writeln!(output, "{text}")?;
            output.flush()
        }
    }

    /// Returns the summary as one line.
    fn line(&self) -> String {
        let Summary { width, height, bands, data_type, compression, predictor, .. } = self.summary;
        let codec = match predictor {
            Predictor::None if compression == Compression::None => "uncompressed".into(),
            Predictor::None => compression.name().into(),
            predictor => format!("{} (predictor {predictor})", compression.name()),
        };
        let read = self.read.map_or_else(String::new, |read| format!(", read in {}", read.text()));
        format!(
            "{}: {width}x{height}, {} {data_type}, {}, {codec}, {}, ratio {:.1}, {:.1} s{read}",
            one_line(&self.output),
            count(bands.into(), "band"),
            count(self.summary.levels.len(), "level"),
            size(self.summary.bytes),
            self.ratio,
            self.seconds
        )
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

pub(crate) fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Formats a number of bytes for people, in powers of 1000.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    // 999.95 would be rounded to 1000.0.
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.95 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Returns text of unknown origin as one line, without characters that control a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Prints warnings.
pub(crate) fn warnings(warnings: &[String]) {
    for warning in warnings {
        say("warning", warning);
    }
}

/// Prints why a command failed, and what to do about it.
pub(crate) fn failure(command: &str, failure: &Failure) {
    match failure {
        Failure::Usage(message) => {
            say("error", message);
            say("hint", &hints::list_of_options(command));
        }
        Failure::Other(message) => say("error", message),
        Failure::Library { error, input, output } => {
            let output = output.as_deref();
            say("error", &message(error, input, output));
            if let Some(hint) = hints::of_error(command, error, output) {
                say("hint", &hint);
            }
        }
    }
}

/// Words a library error for the command line.
fn message(error: &Error, input: &Path, output: Option<&Path>) -> String {
    match error.kind() {
        ErrorKind::InvalidOption { option, other, reason } => {
            let input = error.input().map_or_else(String::new, |input| format!("'{input}': "));
            input + &flags::message(*option, *other, reason)
        }
        // The error names the one of several inputs, or none is meant.
        _ if input.as_os_str().is_empty() || error.input().is_some() => error.to_string(),
        ErrorKind::TargetExists { path } => format!("'{}' already exists", path.display()),
        ErrorKind::NotTiff { .. }
        | ErrorKind::Corrupt { .. }
        | ErrorKind::Unsupported { .. }
        | ErrorKind::InvalidImage { .. } => {
            format!("'{}': {error}", input.display())
        }
        // The reader and the encoder do not know the names of the files they use.
        ErrorKind::Io { action, path: None, .. } if action.starts_with("read") => {
            format!("'{}': {error}", input.display())
        }
        ErrorKind::Io { path: None, .. } => match output.filter(|output| *output != Path::new("-")) {
            Some(output) => format!("'{}': {error}", output.display()),
            None => error.to_string(),
        },
        _ => error.to_string(),
    }
}

/// Prints the summary of a finished job, if there is one. `what` is the file that is complete by now.
pub(crate) fn print_summary(
    what: &Path,
    text: serde_json::Result<Option<String>>,
    to_standard_error: bool,
) -> Result<(), Failure> {
    let text = text.map_err(|error| Failure::Other(format!("cannot write the summary as JSON: {error}")))?;
    let Some(text) = text else { return Ok(()) };
    let printed = if to_standard_error {
        writeln!(io::stderr().lock(), "{text}")
    } else {
        let mut standard = io::stdout().lock();
        writeln!(standard, "{text}").and_then(|()| standard.flush())
    };
    printed.map_err(|error| {
        Failure::Other(format!("'{}' is complete, but its summary could not be printed: {error}", what.display()))
    })
}

/// Prints one line to standard error. If that fails, there is nowhere to report it.
pub(crate) fn say(kind: &str, message: &str) {
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", one_line(message));
}

/// The progress bar, shown on terminals only.
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Creates a bar for an image of `rows` rows.
    pub(crate) fn new(quiet: bool, rows: u32) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(rows.into()), ProgressDrawTarget::stderr_with_hz(10))
            .with_finish(ProgressFinish::AndClear);
        // The template is a constant; if it were wrong, the default bar would do.
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3}% {msg} {eta}") {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// Updates the bar.
    pub(crate) fn show(&self, progress: &Progress) {
        let Some(bar) = &self.0 else { return };
        bar.set_position(progress.rows_done.into());
        if progress.rows_done >= progress.rows {
            bar.set_message("writing");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let texts: Vec<_> = [0, 999, 1000, 3_149_999, 999_949_999, 999_950_000, u64::MAX].map(size).into();
        assert_eq!(texts, ["0 B", "999 B", "1.0 kB", "3.1 MB", "999.9 MB", "1.0 GB", "18446744.1 TB"]);
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\n\u{1b}[2Jb"), "a\u{fffd}\u{fffd}[2Jb");
    }
}
