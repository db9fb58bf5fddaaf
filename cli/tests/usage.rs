//! Usage errors exit with code 2 before anything is opened or created; help and completions work.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

type TestResult = Result<(), Box<dyn Error>>;

/// Runs the command in an empty directory of this test, with an `in.tif` that is not a TIFF.
fn run(test: &str, arguments: &[&str]) -> Result<(Output, PathBuf), Box<dyn Error>> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("in.tif"), "no TIFF")?;
    let output = Command::new(env!("CARGO_BIN_EXE_cogsmith"))
        .args(arguments)
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output()?;
    Ok((output, directory))
}

/// Asserts exit code 2, a message that contains `expected`, nothing on standard output, and no new file.
fn refused(test: &str, arguments: &[&str], expected: &str) -> TestResult {
    let (output, directory) = run(test, arguments)?;
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(message.starts_with("error: ") && message.contains(expected), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(fs::read_dir(directory)?.count(), 1, "{arguments:?}");
    Ok(())
}

/// Asserts that options are rejected. The input is not a TIFF, so options wrongly accepted give exit code 1.
fn options_refused(test: &str, options: &[&str], expected: &str) -> TestResult {
    refused(test, &[&["create"], options, &["in.tif", "out.tif"]].concat(), expected)
}

#[test]
fn values_out_of_range_are_refused() -> TestResult {
    for (options, expected) in [
        (
            &["--compress", "jpeg2000"],
            "possible values: none, lzw, packbits, deflate, zstd, jpeg, webp, lerc, lerc_deflate, lerc_zstd",
        ),
        (&["--window", "1,2,3"], "such as 0,0,512,512"),
        (&["--bands", "0"], "count from 1"),
        (&["--rescale", "1,1"], "two different values"),
        (&["--dtype", "u7"], "is not one of u8"),
        (&["--size", "100"], "such as 1024x768"),
        (&["-co", "SPARSE_OK=MAYBE"], "SPARSE_OK=MAYBE is not supported"),
        (&["--sparse=some", "--quiet"], "possible values: no, yes, masked"),
        (&["-co", "TILED=YES"], "always tiled"),
        (&["--level", "0"], "1 to 9"),
        (&["--level", "10"], "1 to 9"),
        (&["--level", "256"], "--level"),
        (&["--predictor", "2"], "possible values: auto, none, horizontal, float"),
        (&["--blocksize", "100"], "multiple of 16"),
        (&["--blocksize", "0"], "multiple of 16"),
        (&["--blocksize", "65536"], "multiple of 16"),
        (&["--blocksize", "512x"], "512x256"),
        (&["--blocksize", "16x16x16"], "512x256"),
        (&["--overview-blocksize", "100"], "multiple of 16"),
        (&["--overviews", ""], "such as 2,4,8"),
        (&["--overviews", "1,2"], "at least 2"),
        (&["--overviews", "4,2"], "factor 2 follows 4"),
        (&["--overviews", "2,2"], "factor 2 follows 2"),
        (&["--overviews", "2,,4"], "such as 2,4,8"),
        (&["--overview-count", "0"], "--overview-count: must be at least 1"),
        (
            &["--overview-resampling", "cubist"],
            "possible values: auto, nearest, average, rms, bilinear, cubic, cubicspline, lanczos, mode, gauss, min, max, median",
        ),
        (&["--interleave", "line"], "possible values: pixel, band, tile"),
        (&["--nodata", "seven"], "or none"),
        (&["--nodata", "--quiet"], "or none"),
        (&["--crs", "nonsense"], "EPSG:4326"),
        (&["--crs", ""], "empty"),
        (&["--crs", "EPSG:1"], "not a coordinate reference system in EPSG"),
        (&["--crs", "EPSG:99999999999"], "not an EPSG code"),
        (&["--crs", "EPSG:5773"], "compound"),
        (&["--crs", "ESRI:54009"], "projinfo"),
        (&["--crs", "PROJCS[\"x\"]"], "no geographic CRS"),
        (&["--crs", "+proj=moll"], "moll"),
        (&["--crs", "{\"type\": 1}"], "PROJJSON"),
        (&["--crs-wkt", "--quiet"], "--crs-wkt: has no effect without a coordinate reference system"),
        (&["--nbits", "65"], "expected keep, widen, or a number of bits"),
        (&["--bigtiff", "maybe"], "possible values: auto, yes, no"),
        (&["--image", "0"], "counting from 1"),
        (&["--threads", "0"], "expected all"),
        (&["--threads", "1000000"], "--threads: 1000000 is out of range (1 to 1024)"),
        (&["--threads", "some"], "expected all"),
        (&["--transform", "0,1,0,0,0"], "six numbers"),
        (&["--transform", "0,1,0,0,1,0"], "no area"),
        (&["--bounds", "0,1,1,0"], "--bounds: 0, 1, 1, 0: left must be less than right"),
        (&["--bounds", "0,1,1"], "left, bottom, right, top"),
        (&["--gcp", "0,0,1"], "column, row, x, y"),
        (&["--pixel-is", "square"], "possible values: area, point"),
        (&["--band-description", "red"], "such as 1=red"),
        (&["--band-scale", "0"], "--band-scale: must be finite and nonzero, got 0"),
        (&["--band-offset", "inf"], "--band-offset: must be finite"),
        (&["--band-scale", "0=1"], "from 1 to 65535"),
        (&["--band-offset", "low"], "such as 0.0001"),
        (&["--color-interpretation", "ultraviolet"], "expected one of undefined, gray"),
        (&["--metadata", "KEY"], "KEY=VALUE"),
        (&["--metadata", ":KEY=VALUE"], "KEY=VALUE"),
    ] {
        options_refused("values", options, expected)?;
    }
    Ok(())
}

#[test]
fn contradictions_are_refused() -> TestResult {
    let cases: [(&[&str], &str); 17] = [
        (&["--compress", "none", "--level", "3"], "--level"),
        (&["--compress", "lzw", "--level", "3"], "--level"),
        (&["--compress", "zstd", "--level", "23"], "1 to 22"),
        (&["--compress", "none", "--predictor", "float"], "--predictor"),
        (&["--overview-count", "2", "--overviews", "none"], "--overview-count contradicts --overviews"),
        (&["--overview-count", "2", "--overviews", "2,4"], "--overview-count contradicts --overviews"),
        (&["--overview-resampling", "mode", "--overviews", "none"], "--overview-resampling contradicts --overviews"),
        (
            &["--overview-resampling", "mode,mode", "--overviews", "none"],
            "--overview-resampling contradicts --overviews",
        ),
        (&["--overview-blocksize", "256", "--overviews", "none"], "--overview-blocksize contradicts --overviews"),
        (&["--compress", "lzw", "--compress", "zstd"], "--compress"),
        (&["--overview-resampling", "min", "--overview-resampling", "max"], "--overview-resampling"),
        (&["--cubic"], "--cubic"),
        (&["--transform", "0,1,0,0,0,-1", "--bounds", "0,0,1,1"], "--transform contradicts --bounds"),
        (&["--bounds=-1,-1,1,1", "--gcp", "0,0,1,1"], "--bounds contradicts --gcp"),
        (&["--band-scale", "1=2", "--band-scale", "1=3"], "--band-scale: is given twice for band 1"),
        (&["--band-unit", "m", "--band-unit", "1=cm"], "for all bands"),
        (&["--metadata", "A=1", "--metadata", "A=2"], "twice"),
    ];
    for (options, expected) in cases {
        options_refused("contradictions", options, expected)?;
    }
    Ok(())
}

/// `gdal_translate -scale` changes pixel values, so these names are not options here.
#[test]
fn parameters_of_codecs_and_choices_of_pixels_are_checked() -> TestResult {
    for (options, expected) in [
        (&["--compress", "jpeg", "--quality", "101"], "1 to 100"),
        (&["--compress", "deflate", "--quality", "50"], "--quality: has no effect with codec deflate"),
        (&["--compress", "lerc", "--max-z-error", "-1"], "at least 0"),
        (&["--window", "0,0,1,1", "--bbox", "0,0,1,1"], "cannot be used with"),
    ] {
        options_refused("parameters", options, expected)?;
    }
    Ok(())
}

#[test]
fn scale_offset_and_unit_are_refused_with_a_hint() -> TestResult {
    for words in [&["--scale", "0.1"] as &[&str], &["--scale=0.1"]] {
        options_refused("scale", words, "--band-scale NUMBER records a scale factor in the metadata")?;
        options_refused("scale", words, "not rescaled, as 'gdal_translate -scale' does")?;
    }
    for (word, option) in [("--offset", "--band-offset NUMBER"), ("--unit", "--band-unit TEXT")] {
        options_refused("scale", &[word, "1"], &format!("{option} records"))?;
        options_refused("scale", &[word, "1"], "--band-scale a scale factor")?;
        options_refused("scale", &[word, "1"], "as 'gdal_translate -scale' does")?;
    }
    Ok(())
}

#[test]
fn standard_input_and_useless_options_of_standard_output_are_refused() -> TestResult {
    refused("standard", &["create", "-", "out.tif"], "save the input to a file")?;
    refused("standard", &["create", "--overwrite", "in.tif", "-"], "--overwrite")?;
    refused("standard", &["create", "--sync", "in.tif", "-"], "--sync")?;
    refused("standard", &["create", "in.tif"], "<OUTPUT>")?;
    refused("standard", &["mosaic", "in.tif"], "--output")?;
    refused("standard", &["mosaic", "-", "-o", "out.tif"], "save the input to a file")?;
    refused("standard", &["mosaic", "in.tif", "-o", "out.tif", "--overlap", "best"], "last, first, min, max, mean")?;
    refused("standard", &["crate", "in.tif", "out.tif"], "crate")
}

#[test]
fn good_options_are_taken_and_the_input_is_then_the_failure() -> TestResult {
    let cases: [&[&str]; 13] = [
        &[],
        &["--compress", "zstd", "--level", "22"],
        &["--blocksize", "256x512", "--overview-blocksize", "128"],
        &["--overviews", "auto", "--overview-count", "2"],
        &["--overviews", "2,4,8", "--overview-resampling", "cubic,cubicspline,mode"],
        &["--nodata", "-9999"],
        &["--nodata", "-inf"],
        &["--nodata", "none"],
        &["--nodata", "nan"],
        &["--image", "1", "--nbits", "widen", "--threads", "2", "--bigtiff", "yes"],
        &["--quiet", "--json"],
        &["--overwrite", "--sync", "--temp-dir", "."],
        &["--tile-memory", "0", "--row-memory", "64K", "--overview-resampling", "auto"],
    ];
    for options in cases {
        let arguments = [&["create"], options, &["in.tif", "out.tif"]].concat();
        let (output, directory) = run("good", &arguments)?;
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {message}");
        assert!(message.starts_with("error: ") && !message.contains("panicked"), "{options:?}: {message}");
        assert!(output.stdout.is_empty(), "{options:?}");
        assert_eq!(fs::read_dir(directory)?.count(), 1, "{options:?}");
    }
    Ok(())
}

#[test]
fn missing_inputs_and_directories_are_named() -> TestResult {
    for (arguments, expected) in [
        (&["create", "missing.tif", "out.tif"] as &[&str], "missing.tif"),
        (&["create", "in.tif", "out.tif"], "'in.tif': "),
        (&["create", "--temp-dir", "missing", "in.tif", "out.tif"], "'missing' is not a directory"),
    ] {
        let (output, _) = run("missing", arguments)?;
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    Ok(())
}

#[test]
fn help_names_every_option_with_its_default() -> TestResult {
    let (output, _) = run("help", &["create", "--help"])?;
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout)?;
    let options = "compress level predictor blocksize overview-blocksize overviews overview-count overview-resampling \
                   interleave nodata nbits bigtiff image threads tile-memory row-memory \
                   temp-dir sync overwrite quiet json";
    for option in options.split_whitespace() {
        assert!(help.contains(&format!("--{option}")), "{option}");
    }
    for default in ["deflate", "auto", "512", "pixel", "keep", "all"] {
        assert!(help.contains(&format!("[default: {default}]")), "{default}");
    }
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    let (output, _) = run("help", &["--version"])?;
    assert_eq!(String::from_utf8(output.stdout)?.trim(), concat!("cogsmith ", env!("CARGO_PKG_VERSION")));
    Ok(())
}

/// The manual is written by hand, so a test keeps it complete.
#[test]
fn the_page_of_the_command_names_every_option() -> TestResult {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command.md"))?;
    let mut help = String::new();
    for command in ["create", "mosaic", "stack"] {
        let (output, _) = run("page", &[command, "--help"])?;
        help += &String::from_utf8(output.stdout)?;
    }
    let options = help.split_whitespace().filter(|word| {
        word.strip_prefix("--").is_some_and(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
    });
    for option in options {
        assert!(page.contains(&format!("`{option}")), "{option}");
    }
    Ok(())
}

#[test]
fn completions_know_the_options() -> TestResult {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (output, _) = run("completions", &["completions", shell])?;
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8(output.stdout)?.contains("overview-resampling"), "{shell}");
    }
    refused("completions", &["completions", "cmd"], "possible values")
}

/// A full device and a closed reader are errors, not panics.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() -> TestResult {
    let command = || Command::new(env!("CARGO_BIN_EXE_cogsmith"));
    let full = fs::OpenOptions::new().write(true).open("/dev/full")?;
    let (reader, closed) = std::io::pipe()?;
    drop(reader);
    for target in [Stdio::from(full), Stdio::from(closed)] {
        let output = command().args(["completions", "bash"]).stdout(target).stderr(Stdio::piped()).output()?;
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.starts_with("error: cannot write to standard output"), "{message}");
    }
    Ok(())
}
