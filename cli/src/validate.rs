//! `cogsmith validate`: checks files and reports what is wrong with them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueHint};
use cogsmith::check::{self, CheckOptions, RULES, Report, Severity};
use cogsmith::{Error, Executor};
use serde::Serialize;

use crate::arguments::Threads;
use crate::hints;
use crate::remote::{self, Remote, Traffic, is_remote};
use crate::report::{one_line, say};
use crate::store::ConnectionArguments;
use crate::values::threads;

const EXIT_CODES: &str = "Exit codes: 0 all files are valid, 1 a file is invalid, 2 a file cannot be checked (it \
                          cannot be read, or is not a TIFF), or usage error.";

/// A file is invalid.
const INVALID: u8 = 1;
/// A file could not be checked.
const UNJUDGED: u8 = 2;

/// Check whether files are valid Cloud Optimized GeoTIFFs
///
/// Checks the rules of TIFF, GeoTIFF, OGC 21-026, GDAL, and rio-cogeo, and the pixels themselves. --rules prints all
/// rules; docs/validation.md explains them.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ValidateArguments {
    /// Files to check; also objects and URLs
    #[arg(required_unless_present = "rules", value_hint = ValueHint::FilePath, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Decode a sample of the tiles instead of all of them
    ///
    /// Of objects and URLs, it takes at most 256 KiB of tiles, the overviews first.
    #[arg(long)]
    quick: bool,

    /// Treat warnings as errors
    ///
    /// Warnings are what OGC 21-026 and rio-cogeo --strict require beyond what readers need.
    #[arg(long)]
    strict: bool,

    /// Number of threads (1 to 1024), or all for one per core
    #[arg(long, value_name = "N|all", value_parser = threads, default_value = "all")]
    threads: Threads,

    /// Print only errors, on standard error; the exit code is the result
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,

    /// Print one JSON object per file, one per line
    #[arg(long)]
    json: bool,

    /// Print all rules without checking any file
    #[arg(long, conflicts_with_all = ["files", "quick", "strict", "quiet"])]
    rules: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

/// A verdict: the object that `--json` prints. Its keys are stable, and documented in docs/command.md.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    file: String,
    /// `valid`, `invalid` or `unjudged`.
    verdict: &'static str,
    strict: bool,
    quick: bool,
    #[serde(flatten)]
    report: &'a Report,
    /// The reason that the file could not be checked.
    error: Option<String>,
    /// The requests and bytes of the check, if the file is at an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Traffic>,
}

/// Checks all files.
pub(crate) fn validate(arguments: &ValidateArguments) -> ExitCode {
    if arguments.rules {
        return match print_rules(arguments.json) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cannot_print(&error),
        };
    }
    let paths: Vec<_> = arguments.files.iter().map(PathBuf::as_path).collect();
    if let Err(message) = arguments.connection.check(&paths) {
        say("error", &message);
        return ExitCode::from(UNJUDGED);
    }
    let executor = match arguments.threads {
        Threads::All => Executor::all_cores(),
        Threads::Count(count) => Executor::threads(count.get()),
    };
    let remote = Remote::new(paths, &arguments.connection, Arc::default());
    let (executor, remote) = match executor.and_then(|executor| Ok((executor, remote?))) {
        Ok(both) => both,
        Err(error) => {
            say("error", &error.to_string());
            return ExitCode::from(UNJUDGED);
        }
    };
    let mut code = 0;
    for file in &arguments.files {
        let before = remote.traffic();
        let judged = judge(file, arguments, &executor, &remote);
        let read = remote.traffic().zip(before).filter(|_| is_remote(file)).map(|(now, before)| now.since(before));
        let of_file = match &judged {
            Ok(report) if report.is_valid(arguments.strict) => 0,
            Ok(_) => INVALID,
            Err(_) => UNJUDGED,
        };
        code = code.max(of_file);
        if let Err(error) = &judged {
            let name = remote::name(file);
            let message = error.to_string();
            say("error", &if message.contains(&name) { message } else { format!("'{name}': {message}") });
            if let Some(hint) = hints::of_error("validate", error, None) {
                say("hint", &hint);
            }
        }
        if let Err(error) = print(file, &judged, read, arguments) {
            return cannot_print(&error);
        }
    }
    ExitCode::from(code)
}

fn cannot_print(error: &io::Error) -> ExitCode {
    say("error", &format!("cannot write to standard output: {error}"));
    ExitCode::from(UNJUDGED)
}

fn print_rules(json: bool) -> io::Result<()> {
    let mut output = io::stdout().lock();
    if json {
        writeln!(output, "{}", serde_json::to_string(RULES)?)?;
    } else {
        for rule in RULES {
            let (severity, class) = (rule.severity.name(), rule.class.name());
            writeln!(output, "{} ({severity}, {class}): {} [{}]", rule.id, rule.title, rule.source)?;
        }
    }
    output.flush()
}

fn judge(file: &Path, arguments: &ValidateArguments, executor: &Executor, remote: &Remote) -> Result<Report, Error> {
    let options = if arguments.quick { CheckOptions::quick() } else { CheckOptions::full() };
    let mut options = options.external_overviews(has_external_overviews(file));
    if arguments.quick && is_remote(file) {
        options = options.sample_bytes(CheckOptions::REMOTE_SAMPLE);
    }
    check::validate(&*remote::open(file, remote)?, &options, executor)
}

/// Returns whether there are overviews next to a file, where GDAL would look for them.
fn has_external_overviews(file: &Path) -> bool {
    [".ovr", ".OVR"].iter().any(|extension| {
        let mut name = file.as_os_str().to_owned();
        name.push(extension);
        Path::new(&name).is_file()
    })
}

fn print(
    file: &Path,
    judged: &Result<Report, Error>,
    read: Option<Traffic>,
    arguments: &ValidateArguments,
) -> io::Result<()> {
    let mut output = io::stdout().lock();
    if arguments.json {
        writeln!(output, "{}", verdict(file, judged, read, arguments)?)?;
    } else if let (false, Ok(report)) = (arguments.quiet, judged) {
        write_text(&mut output, file, report, read, arguments)?;
    }
    output.flush()
}

/// Returns the object of a file.
fn verdict(
    file: &Path,
    judged: &Result<Report, Error>,
    read: Option<Traffic>,
    arguments: &ValidateArguments,
) -> serde_json::Result<String> {
    let nothing = Report::default();
    let (verdict, report) = match judged {
        Ok(report) if report.is_valid(arguments.strict) => ("valid", report),
        Ok(report) => ("invalid", report),
        Err(_) => ("unjudged", &nothing),
    };
    serde_json::to_string(&Verdict {
        file: remote::name(file),
        verdict,
        strict: arguments.strict,
        quick: arguments.quick,
        report,
        error: judged.as_ref().err().map(Error::to_string),
        read,
    })
}

/// Writes the verdict, then the findings, most severe first, each with its remedy.
fn write_text(
    output: &mut impl Write,
    file: &Path,
    report: &Report,
    read: Option<Traffic>,
    arguments: &ValidateArguments,
) -> io::Result<()> {
    let verdict = if report.is_valid(arguments.strict) { "valid" } else { "INVALID" };
    let counts: Vec<_> = [Severity::Error, Severity::Warning, Severity::Note]
        .iter()
        .map(|severity| match report.count(*severity) {
            1 => format!("1 {}", severity.name()),
            count => format!("{count} {}s", severity.name()),
        })
        .collect();
    let name = one_line(&remote::name(file));
    let read = read.map_or_else(String::new, |read| format!("; read in {}", read.text()));
    writeln!(
        output,
        "{name}: {verdict} ({}; {} of {} tiles decoded{read})",
        counts.join(", "),
        report.tiles_decoded,
        report.tiles
    )?;
    let mut findings: Vec<_> = report.findings.iter().collect();
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.rule.severity), finding.rule.id));
    for (index, finding) in findings.iter().enumerate() {
        let rule = finding.rule;
        writeln!(output, "  {} {}: {}: {}", rule.severity.name(), rule.id, finding.place, one_line(&finding.message))?;
        // After the last finding of a rule: how many more there are, the requirement, and the remedy.
        if findings.get(index + 1).is_none_or(|next| next.rule.id != rule.id) {
            let kept = findings.iter().filter(|finding| finding.rule.id == rule.id).count() as u64;
            let all = report.counts.get(rule.id).copied().unwrap_or(kept);
            if all > kept {
                writeln!(output, "    and {} more", all - kept)?;
            }
            writeln!(output, "    required: {} ({})", rule.title, rule.source)?;
            writeln!(output, "    what to do: {}", rule.remedy)?;
        }
    }
    Ok(())
}
