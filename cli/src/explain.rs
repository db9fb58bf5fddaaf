//! `cogsmith explain`: where the bytes of a file are, what reading it costs, and what other options would make of it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use cogsmith::check::{Content, ReaderCost, Requests};
use cogsmith::{Advice, ExplainOptions, Explanation, FileOptions, OutputFile, ReadOptions, Trial, TrialSample};
use serde::Serialize;

use crate::cancel::Cancel;
use crate::create::Failure;
use crate::remote::{self, Remote, Traffic};
use crate::report::{count, one_line, size};
use crate::store::ConnectionArguments;

/// The page of `--html`, with a place for the object of `--json`.
const PAGE: &str = include_str!("explain.html");
/// The place in the page.
const PLACE: &str = "/*EXPLANATION*/null";

const EXAMPLES: &str = "\
Examples:
  cogsmith explain scene.tif
  cogsmith explain --html scene.html scene.tif
  cogsmith explain --no-trials https://example.com/scene.tif";

/// Explain a file: where its bytes are, the requests for reading it, and what other options would save
///
/// Three windows of full resolution are encoded with other codecs and tile sizes. The last lines say what would make the
/// file better, and the command that does it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// TIFF file to explain, or an object or URL
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Read the header only: no trials of other options
    #[arg(long)]
    no_trials: bool,

    /// Write a page with a map of the bytes: one file, without scripts or images from elsewhere
    #[arg(long, value_name = "PAGE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,

    /// Replace PAGE if it exists
    #[arg(long, requires = "html")]
    overwrite: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

/// The object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct ExplainReport<'a> {
    file: &'a str,
    #[serde(flatten)]
    explanation: &'a Explanation,
    /// The requests and bytes that the explanation took, if the file is at an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Traffic>,
}

/// Prints an explanation.
pub(crate) fn explain(arguments: &ExplainArguments) -> Result<(), Failure> {
    let file = &arguments.file;
    arguments.connection.check(&[file]).map_err(Failure::Usage)?;
    let name = remote::name(file);
    let failed = |error| Failure::Library { error, input: PathBuf::from(&name), output: arguments.html.clone() };
    let page = arguments
        .html
        .as_deref()
        .map(|page| OutputFile::create(page, &FileOptions::new().overwrite(arguments.overwrite)));
    let page = page.transpose().map_err(failed)?;
    let cancel = Cancel::listen();
    let remote = Remote::new([file.as_path()], &arguments.connection, cancel.flag()).map_err(failed)?;
    let options = ExplainOptions::new()
        .trials(!arguments.no_trials)
        .read_options(ReadOptions::new().addresses(remote.addresses()))
        .cancel(cancel.flag());
    let explanation = cogsmith::explain(file, &options).map_err(failed)?;
    let report = ExplainReport { file: &name, explanation: &explanation, read: remote.traffic() };
    let json = || {
        serde_json::to_string(&report)
            .map_err(|error| Failure::Other(format!("cannot write the explanation as JSON: {error}")))
    };
    if let Some(mut page) = page {
        // A slash after '<' would end the script.
        let text = PAGE.replace(PLACE, &json()?.replace("</", "<\\/"));
        let written = page.write_all(text.as_bytes()).map_err(|error| {
            Failure::Other(format!("cannot write '{}': {error}", arguments.html.as_deref().unwrap_or(file).display()))
        });
        written.and_then(|()| page.commit().map_err(failed))?;
    }
    let mut output = io::stdout().lock();
    let written = if arguments.json { writeln!(output, "{}", json()?) } else { write_text(&mut output, &report) };
    written
        .and_then(|()| output.flush())
        .map_err(|error| Failure::Other(format!("cannot print to standard output: {error}")))
}

fn write_text(output: &mut impl Write, report: &ExplainReport<'_>) -> io::Result<()> {
    let Explanation { info, map, sample, trials, advice, .. } = report.explanation;
    writeln!(output, "{}: {}x{} pixels, {}", one_line(report.file), info.width, info.height, size(info.bytes))?;
    writeln!(output, "  bytes")?;
    for (content, bytes) in &map.totals {
        #[expect(clippy::cast_precision_loss, reason = "a share in per cent")]
        let share = *bytes as f64 * 100.0 / info.bytes.max(1) as f64;
        writeln!(output, "    {:<28} {:>10}  {share:5.1} %", words(*content), size(*bytes))?;
    }
    if map.padding > 0 {
        writeln!(output, "    beyond the edges of the image: {} before compression", size(map.padding))?;
    }
    writeln!(output, "  requests, each followed by bytes")?;
    for cost in &map.readers {
        write_cost(output, cost)?;
    }
    if let Some(sample) = sample {
        write_trials(output, sample, trials)?;
    }
    if let Some(read) = report.read {
        writeln!(output, "  this explanation: {}", read.text())?;
    }
    if advice.is_empty() {
        return writeln!(output, "  nothing to improve");
    }
    writeln!(output, "  advice")?;
    advice.iter().try_for_each(|advice| {
        writeln!(output, "    {}", one_line(&advice.reason))?;
        writeln!(output, "      {}", command(advice, report.file))
    })
}

/// Returns the words for a content.
fn words(content: Content) -> String {
    match content {
        Content::Header => "header".to_owned(),
        Content::Index => "offsets and sizes of tiles".to_owned(),
        Content::Tiles { level } => format!("level {level}"),
        Content::Mask { level } => format!("mask of level {level}"),
        Content::Other => "other images".to_owned(),
        _ => "unused".to_owned(),
    }
}

fn write_cost(output: &mut impl Write, cost: &ReaderCost) -> io::Result<()> {
    let text = |requests: &Requests| format!("{} ({})", requests.requests, size(requests.bytes));
    let views: Vec<_> = (0..).zip(&cost.views).map(|(level, view)| format!("level {level} {}", text(view))).collect();
    writeln!(output, "    {}: open {}; 1024x1024 pixels of {}", cost.reader, text(&cost.open), views.join(", "))
}

fn write_trials(output: &mut impl Write, sample: &TrialSample, trials: &[Trial]) -> io::Result<()> {
    let (windows, bytes) = (count(sample.windows.len(), "window"), size(sample.uncompressed_bytes));
    writeln!(output, "  trials on {windows} of {bytes}, stored in {}; one thread", size(sample.stored_bytes))?;
    for trial in trials {
        #[expect(clippy::cast_precision_loss, reason = "bytes of a sample")]
        let speed = sample.uncompressed_bytes as f64 / 1e6 / trial.seconds.max(1e-6);
        let lossy = if trial.lossy { ", lossy" } else { "" };
        let predictor = &trial.predictor;
        let size = size(trial.bytes);
        writeln!(output, "    {:<24} {size:>10}  {speed:6.0} MB/s  predictor {predictor}{lossy}", trial.name)?;
    }
    Ok(())
}

/// Returns the command line of an advice.
fn command(advice: &Advice, file: &str) -> String {
    let quoted = if file.contains([' ', '\'', '"', '$', '&', ';', '(', ')']) {
        format!("'{}'", file.replace('\'', "'\\''"))
    } else {
        file.to_owned()
    };
    format!("cogsmith {} {} out.tif", advice.arguments.join(" "), one_line(&quoted))
}
