//! `cogsmith validate` and `cogsmith info`: exit codes and output.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

type TestResult = Result<(), Box<dyn Error>>;

/// A directory with a valid COG, a truncated one, and a file that is not a TIFF.
fn directory(test: &str) -> Result<PathBuf, Box<dyn Error>> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("validate-{test}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/dem_f32.tif");
    let made = run(
        &directory,
        &["create", "--quiet", "--verify", "--blocksize", "64", &source.to_string_lossy(), "good.tif"],
    )?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bytes = fs::read(directory.join("good.tif"))?;
    fs::write(directory.join("cut.tif"), &bytes[..bytes.len() - 1000])?;
    fs::write(directory.join("text.tif"), "no TIFF")?;
    Ok(directory)
}

fn run(directory: &PathBuf, arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
    let command = Command::new(env!("CARGO_BIN_EXE_cogsmith"))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()?;
    Ok(command)
}

#[test]
fn the_exit_code_is_the_verdict() -> TestResult {
    let directory = directory("codes")?;
    for (files, code) in [
        (&["good.tif"][..], 0),
        (&["cut.tif"], 1),
        (&["good.tif", "cut.tif"], 1),
        (&["text.tif"], 2),
        (&["missing.tif"], 2),
        (&["."], 2),
        (&["missing.tif", "cut.tif", "good.tif"], 2),
        (&[], 2),
        (&["--quick", "good.tif"], 0),
        (&["--strict", "good.tif"], 0),
        (&["--quiet", "--json", "good.tif"], 2),
    ] {
        let output = run(&directory, &[&["validate"], files].concat())?;
        assert_eq!(output.status.code(), Some(code), "{files:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = run(&directory, &["validate", "--quiet", "cut.tif"])?;
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    Ok(())
}

#[test]
fn findings_say_rule_place_source_and_remedy() -> TestResult {
    let directory = directory("findings")?;
    let output = run(&directory, &["validate", "cut.tif"])?;
    let text = String::from_utf8(output.stdout)?;
    for expected in
        ["cut.tif: INVALID", "error tile-bounds: directory 0, tile", "required: ", "TIFF 6.0", "what to do: "]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let output = run(&directory, &["validate", "--json", "cut.tif", "text.tif"])?;
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!((lines.len(), &lines[0]["verdict"], &lines[1]["verdict"]), (2, &"invalid".into(), &"unjudged".into()));
    assert_eq!(lines[0]["findings"][0]["rule"], "tile-bounds");
    assert_eq!(lines[0]["classes"]["content"], false);
    assert!(lines[1]["error"].is_string());
    Ok(())
}

#[test]
fn a_sidecar_with_overviews_is_found() -> TestResult {
    let directory = directory("sidecar")?;
    fs::copy(directory.join("good.tif"), directory.join("good.tif.ovr"))?;
    let output = run(&directory, &["validate", "good.tif"])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout)?.contains("layout-external-overviews"));
    Ok(())
}

#[test]
fn info_says_what_a_file_is() -> TestResult {
    let directory = directory("info")?;
    let output = run(&directory, &["info", "good.tif"])?;
    let text = String::from_utf8(output.stdout)?;
    for expected in
        ["310x230 pixels, 1 band f32", "EPSG:4326 (WGS 84)", "155x115", "deflate (predictor float)", "1 request"]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let output = run(&directory, &["info", "--json", "good.tif"])?;
    let info: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        (&info["crs"], &info["width"], &info["levels"][2]["width"]),
        (&"EPSG:4326".into(), &310.into(), &77.into())
    );
    assert_eq!(run(&directory, &["info", "text.tif"])?.status.code(), Some(1));
    // Not only COGs.
    let strips = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/landcover_palette.tif");
    let text = String::from_utf8(run(&directory, &["info", &strips.to_string_lossy()])?.stdout)?;
    assert!(text.contains("7 strips") && text.contains("palette"), "{text}");
    Ok(())
}
