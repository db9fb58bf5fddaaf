//! The `cogsmith` command: creates, validates, and describes Cloud Optimized GeoTIFFs.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub)]
// An error says what is wrong, where, and what to do; a panic says none of it.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod cancel;
mod compression;
mod create;
mod creation;
mod describe;
mod edit;
mod explain;
mod flags;
mod hints;
mod info;
mod patch;
mod pixels;
mod place;
mod preview;
mod remote;
mod repack;
mod report;
mod several;
mod store;
mod tools;
mod validate;
mod values;
mod warp;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use arguments::{Arguments, Command, CreateArguments};
use create::Failure;

/// The job failed.
const FAILED: u8 = 1;
/// The command line is invalid; clap exits with the same code.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let (words, notes) = match words::rewrite(std::env::args_os().collect()) {
        Ok(rewritten) => (rewritten.words, rewritten.notes),
        Err(message) => {
            report::failure("create", &Failure::Usage(message));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => hints::improve(error, words.get(1..).unwrap_or_default()).exit(),
    };
    let run = |arguments: CreateArguments| {
        if !arguments.quiet {
            notes.iter().for_each(|note| report::say("note", note));
        }
        create::create(&arguments)
    };
    let command = arguments.command.name();
    let result = match arguments.command {
        Command::Create(arguments) => run(arguments.into_create()),
        Command::Mosaic(arguments) => run(arguments.into_create()),
        Command::Stack(arguments) => run(arguments.into_create()),
        Command::Edit(arguments) => edit::edit(&arguments),
        Command::Patch(arguments) => patch::patch(&arguments),
        Command::Repack(arguments) => repack::repack(&arguments),
        Command::Preview(arguments) => preview::preview(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Validate(arguments) => return validate::validate(&arguments),
        Command::Info(arguments) => info::info(&arguments),
        Command::Completions { shell } => completions(shell),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    report::failure(command, &failure);
    ExitCode::from(if failure.is_usage() { WRONG_USAGE } else { FAILED })
}

/// Prints the completion script for a shell.
fn completions(shell: Shell) -> Result<(), Failure> {
    // Into memory first: the generator panics if its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "cogsmith", &mut script);
    let mut output = io::stdout().lock();
    output
        .write_all(&script)
        .and_then(|()| output.flush())
        .map_err(|error| Failure::Other(format!("cannot write to standard output: {error}")))
}
