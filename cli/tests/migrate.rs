//! docs/migrate.md: made from what the command does with the options of other tools, and compared with it.
//! `UPDATE_MIGRATE=1` writes the page again.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cogsmith::CreationOption;

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const HEAD: &str = "\
# From GDAL and rio-cogeo

`cogsmith create` takes the creation options of GDAL's COG driver and the options of `gdal_translate` and `rio cogeo create`
that it has an equivalent for, and says on standard error how they are written here; `--quiet` leaves that out. Others are an
error that names the option and the reason. This page is made by a test that runs every line.

Inputs `/vsicurl/URL`, `/vsis3/BUCKET/KEY`, `/vsigs/BUCKET/KEY`, and `/vsiaz/CONTAINER/KEY` are read as GDAL does, and the last three are
outputs as well (with the feature `store`, see [stores.md](stores.md)); other `/vsi…` names are errors.

";

/// Options of other tools, with the fixture that they are tried on.
const WORDS: &[(&str, &str)] = &[
    ("-of COG", "sentinel2_like"),
    ("-a_srs EPSG:32633", "sentinel2_like"),
    ("-a_nodata 0", "sentinel2_like"),
    ("-a_ullr 500000 5000000 513000 4989000", "sentinel2_like"),
    ("-a_gt 500000 10 0 5000000 0 -10", "sentinel2_like"),
    ("-gcp 0 0 500000 5000000 -gcp 9 0 500090 5000000 -gcp 0 9 500000 4999910", "sentinel2_like"),
    ("-a_scale 0.0001", "sentinel2_like"),
    ("-a_offset -0.1", "sentinel2_like"),
    ("-mo AREA=north", "sentinel2_like"),
    ("-nomd", "sentinel2_like"),
    ("-stats", "sentinel2_like"),
    ("-colorinterp red,nir", "sentinel2_like"),
    ("-b 2 -b 1", "sentinel2_like"),
    ("--bidx 2,1", "sentinel2_like"),
    ("-ot Float32", "sentinel2_like"),
    ("-srcwin 10 20 300 200", "sentinel2_like"),
    ("-scale 0 3000 1 255 -ot Byte", "sentinel2_like"),
    ("-expand rgb", "landcover_palette"),
    ("-outsize 325 275 -r average", "sentinel2_like"),
    ("-r average", "sentinel2_like"),
    ("--profile zstd", "sentinel2_like"),
    ("-p raw", "sentinel2_like"),
];

/// Returns the options that a creation option needs, and the fixture that it is tried on.
fn context(name: &str) -> (&'static str, &'static str) {
    match name {
        "QUALITY" => ("--compress jpeg", "rgb_jpeg_mask"),
        "OVERVIEW_COMPRESS" => ("", "rgb_jpeg_mask"),
        "OVERVIEW_QUALITY" => ("--compress jpeg --blocksize 64", "rgb_jpeg_mask"),
        "MAX_Z_ERROR" => ("--compress lerc", "dem_f32"),
        "MAX_Z_ERROR_OVERVIEW" => ("--compress lerc --max-z-error 0.01 --blocksize 64", "dem_f32"),
        "ZOOM_LEVEL" | "ZOOM_LEVEL_STRATEGY" | "ALIGNED_LEVELS" | "WARP_RESAMPLING" => {
            ("--tiling-scheme GoogleMapsCompatible", "sentinel2_like")
        }
        "RES" | "EXTENT" => ("--dst-crs EPSG:32633", "sentinel2_like"),
        _ => ("", "sentinel2_like"),
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name).with_extension("tif")
}

/// Runs `create` and returns its success, its messages, and the file.
fn create(options: &str, input: &str) -> TestResult<(bool, String, Vec<u8>)> {
    let output = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("migrate.tif");
    let run = Command::new(env!("CARGO_BIN_EXE_cogsmith"))
        .args(["create", "--overwrite"])
        .args(options.split_whitespace())
        .args([fixture(input), output.clone()])
        .output()?;
    let file = if run.status.success() { fs::read(&output)? } else { Vec::new() };
    Ok((run.status.success(), String::from_utf8(run.stderr)?, file))
}

/// Runs the words of another tool, and the command's own instead: the files are equal. Returns the command's own.
fn translated(words: &str, besides: &str, input: &str) -> TestResult<Result<String, String>> {
    let (succeeded, messages, file) = create(&format!("{besides} {words}"), input)?;
    if !succeeded {
        let error = messages.lines().find_map(|line| line.strip_prefix("error: "));
        return Ok(Err(error.ok_or("no error")?.to_owned()));
    }
    let notes = messages.lines().filter_map(|line| line.strip_prefix("note: '"));
    let own = notes.filter_map(|note| note.split_once("' is '")?.1.strip_suffix("' here"));
    let own = own.map(|option| option.replacen(' ', "=", 1)).collect::<Vec<_>>().join(" ");
    let (succeeded, messages, same) = create(&format!("{besides} {own}"), input)?;
    assert!(succeeded, "{own}: {messages}");
    assert!(file == same, "{words} and {own} differ");
    Ok(Ok(own))
}

#[test]
fn the_page_is_what_the_command_does() -> TestResult {
    let mut page = HEAD.to_owned();
    page.push_str("## Creation options (`-co NAME=VALUE`)\n\n| GDAL | here |\n|---|---|\n");
    for option in CreationOption::ALL {
        let (besides, input) = context(option.name);
        let words = format!("-co {}={}", option.name, option.example);
        let here = match translated(&words, besides, input)? {
            Ok(own) => format!("`{own}`"),
            Err(error) => error.split_once(": ").map_or(error.clone(), |(_, reason)| reason.to_owned()),
        };
        writeln!(page, "| `{words}` | {here} |")?;
    }
    page.push_str("\n## Options of `gdal_translate` and `rio cogeo create`\n\n| there | here |\n|---|---|\n");
    for (words, input) in WORDS {
        let own = translated(words, "", input)?.map_err(|error| format!("{words}: {error}"))?;
        let own = if own.is_empty() { "what happens anyway".to_owned() } else { format!("`{own}`") };
        writeln!(page, "| `{words}` | {own} |")?;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migrate.md");
    if std::env::var_os("UPDATE_MIGRATE").is_some() {
        fs::write(&path, &page)?;
    }
    assert!(fs::read_to_string(path)? == page, "docs/migrate.md is old; UPDATE_MIGRATE=1 writes it again");
    Ok(())
}
