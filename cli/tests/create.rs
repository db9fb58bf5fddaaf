//! `cogsmith create` from end to end: output files, messages, and cleanup after a failure.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

type TestResult = Result<(), Box<dyn Error>>;

/// A directory of this test that contains only `in.tif`: one band of u16, `side` pixels square.
fn directory(test: &str, side: u32) -> Result<PathBuf, Box<dyn Error>> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("create-{test}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("in.tif"), tiff(side))?;
    Ok(directory)
}

/// Returns a classic TIFF of one uncompressed strip.
fn tiff(side: u32) -> Vec<u8> {
    let entries: [(u16, u16, u32); 9] = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 9 * 12 + 4),
        (277, 3, 1),
        (278, 4, side),
        (279, 4, side * side * 2),
    ];
    let mut bytes = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, field_type, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(field_type.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    // Multiplied by a large odd number, so that it takes some work to compress.
    bytes.extend((0..side * side).flat_map(|pixel| ((pixel.wrapping_mul(2_654_435_761) >> 16) as u16).to_le_bytes()));
    bytes
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cogsmith"));
    command.arg("create").args(arguments).current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs the command and asserts its exit code.
fn run(directory: &Path, arguments: &[&str], code: i32) -> Result<Output, Box<dyn Error>> {
    let output = command(directory, arguments).output()?;
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert_eq!(message.contains("error: "), code != 0, "{arguments:?}: {message}");
    Ok(output)
}

/// Returns the names in a directory except the input, sorted.
fn made(directory: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != "in.tif");
    names.sort();
    Ok(names)
}

#[test]
fn the_summary_is_one_line() -> TestResult {
    let directory = directory("summary", 1100)?;
    let output = run(&directory, &["in.tif", "out.tif"], 0)?;
    let line = String::from_utf8(output.stdout)?;
    assert!(line.starts_with("out.tif: 1100x1100, 1 band u16, 3 levels, deflate (predictor horizontal), "), "{line}");
    assert_eq!(line.lines().count(), 1);
    assert!(output.stderr.is_empty(), "progress without a terminal");
    assert_eq!(made(&directory)?, ["out.tif"]);
    let output = run(&directory, &["--quiet", "in.tif", "quiet.tif"], 0)?;
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    Ok(())
}

#[test]
fn json_has_the_documented_keys() -> TestResult {
    let directory = directory("json", 600)?;
    let output = run(&directory, &["--json", "--quiet", "--blocksize", "256x512", "in.tif", "out.tif"], 0)?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command.md"))?;
    let keys = json.as_object().ok_or("no object")?.keys();
    for key in keys.chain(json["levels"][0].as_object().ok_or("no level")?.keys()) {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    assert_eq!((&json["output"], &json["data_type"]), (&"out.tif".into(), &"u16".into()));
    assert_eq!((&json["tile_width"], &json["tile_height"]), (&256.into(), &512.into()));
    assert_eq!(json["bytes"], fs::metadata(directory.join("out.tif"))?.len());
    assert_eq!(json["uncompressed_bytes"], 600 * 600 * 2);
    assert_eq!((&json["levels"][0]["tiles"], &json["levels"][0]["width"]), (&6.into(), &600.into()));
    Ok(())
}

#[test]
fn standard_output_gets_the_same_bytes_and_standard_error_the_summary() -> TestResult {
    let directory = directory("pipe", 600)?;
    run(&directory, &["in.tif", "out.tif"], 0)?;
    let output = run(&directory, &["--json", "in.tif", "-"], 0)?;
    assert!(output.stdout == fs::read(directory.join("out.tif"))?, "other bytes than in the file");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stderr)?["output"], "-");
    assert_eq!(made(&directory)?, ["out.tif"]);
    Ok(())
}

#[test]
fn an_existing_file_needs_overwrite_even_if_it_is_the_input() -> TestResult {
    let directory = directory("overwrite", 600)?;
    let before = fs::read(directory.join("in.tif"))?;
    let output = run(&directory, &["in.tif", "in.tif"], 1)?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("--overwrite"));
    assert!(fs::read(directory.join("in.tif"))? == before, "the input was changed");
    run(&directory, &["in.tif", "out.tif"], 0)?;
    run(&directory, &["--overwrite", "in.tif", "in.tif"], 0)?;
    assert!(fs::read(directory.join("in.tif"))? == fs::read(directory.join("out.tif"))?, "other bytes in place");
    assert_eq!(made(&directory)?, ["out.tif"]);
    Ok(())
}

#[test]
fn a_failure_leaves_nothing() -> TestResult {
    let directory = directory("failure", 600)?;
    let whole = fs::read(directory.join("in.tif"))?;
    fs::write(directory.join("in.tif"), &whole[..whole.len() / 2])?;
    run(&directory, &["in.tif", "out.tif"], 1)?;
    assert!(made(&directory)?.is_empty());
    fs::write(directory.join("in.tif"), &whole)?;
    // Options that only this input rules out are usage errors too.
    run(&directory, &["--predictor", "float", "in.tif", "out.tif"], 2)?;
    run(&directory, &["--image", "2", "in.tif", "out.tif"], 2)?;
    assert!(made(&directory)?.is_empty());
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_and_a_reader_that_leaves_are_errors() -> TestResult {
    let directory = directory("full", 600)?;
    let output = run(&directory, &["in.tif", "/dev/full"], 1)?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("'/dev/full'"));
    let (reader, closed) = std::io::pipe()?;
    drop(reader);
    for arguments in [["in.tif", "-"], ["in.tif", "out.tif"]] {
        let output = command(&directory, &arguments).stdout(closed.try_clone()?).stderr(Stdio::piped()).output()?;
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.starts_with("error: "), "{message}");
    }
    assert_eq!(made(&directory)?, ["out.tif"], "complete; only the summary had no reader");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_signal_cleans_up() -> TestResult {
    use std::time::{Duration, Instant};
    let directory = directory("signal", 3000)?;
    let arguments = ["--compress", "zstd", "--level", "19", "--threads", "1", "in.tif", "out.tif"];
    let mut child = command(&directory, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let start = Instant::now();
    while made(&directory)?.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60), "no temporary file");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?.success());
    let status = child.wait()?;
    let mut message = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut message)?;
    }
    assert_eq!((status.code(), message.as_str()), (Some(1), "error: cancelled\n"));
    assert!(made(&directory)?.is_empty());
    Ok(())
}
