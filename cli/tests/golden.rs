//! Golden files of the command: the fields of `--json` with their types, and exit codes, compared with
//! cli/tests/golden. `UPDATE_GOLDEN=1 cargo test --test golden` updates them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

type TestResult = Result<(), Box<dyn Error>>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// A directory of this test with the inputs of the commands below.
fn directory(test: &str) -> Result<PathBuf, Box<dyn Error>> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{test}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    for entry in fs::read_dir(fixture(""))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tif") {
            fs::copy(&path, directory.join(path.file_name().unwrap_or_default()))?;
        }
    }
    fs::write(directory.join("text.tif"), "this is not a TIFF file")?;
    let whole = fs::read(fixture("sentinel2_like.tif"))?;
    fs::write(directory.join("cut.tif"), &whole[..whole.len() / 2])?;
    Ok(directory)
}

fn run(directory: &Path, arguments: &str) -> Result<Output, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cogsmith"));
    command.args(arguments.split(' ')).current_dir(directory).stdin(Stdio::null());
    Ok(command.output()?)
}

/// Types by field path, such as `levels[].width`.
type Fields = BTreeMap<String, BTreeSet<&'static str>>;

fn collect(path: &str, value: &Value, fields: &mut Fields) {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            items.iter().for_each(|item| collect(&format!("{path}[]"), item, fields));
            "array"
        }
        Value::Object(members) => {
            for (name, member) in members {
                collect(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, member, fields);
            }
            "object"
        }
    };
    fields.entry(path.to_owned()).or_default().insert(name);
}

/// Compares a text with a committed file; with `UPDATE_GOLDEN=1` in the environment, writes the file instead.
fn compare(name: &str, text: &str) -> TestResult {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, text)?;
        return Ok(());
    }
    let golden = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    for (number, (before, now)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(before, now, "{}, line {}: before, and now", path.display(), number + 1);
    }
    assert_eq!(golden.lines().count(), text.lines().count(), "lines of {}: before, and now", path.display());
    Ok(())
}

#[test]
fn fields_of_json_are_those_of_before() -> TestResult {
    let directory = directory("fields")?;
    let commands: [(&str, &[&str]); 3] = [
        (
            "create --json",
            &[
                "create --json sentinel2_like.tif sentinel2.tif --blocksize 256 --stats",
                "create --json rgb_jpeg_mask.tif rgb.tif --verify",
                "create --json dem_f32.tif dem.tif --compress zstd --nodata none",
                "create --json landcover_palette.tif palette.tif --overviews none",
            ],
        ),
        (
            "info --json",
            &[
                "info --json sentinel2.tif",
                "info --json rgb.tif",
                "info --json dem.tif",
                "info --json palette.tif",
                "info --json rgb_jpeg_mask.tif",
            ],
        ),
        ("validate --json", &["validate --json --strict sentinel2.tif rgb.tif dem.tif cut.tif text.tif no_such.tif"]),
    ];
    let mut text = String::new();
    for (name, commands) in commands {
        let mut fields = Fields::new();
        for command in commands {
            let output = run(&directory, command)?;
            let lines = String::from_utf8(output.stdout)?;
            assert!(!lines.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
            for value in serde_json::Deserializer::from_str(&lines).into_iter::<Value>() {
                collect("", &value?, &mut fields);
            }
        }
        writeln!(text, "# {name}")?;
        for (path, types) in fields.iter().filter(|(path, _)| !path.is_empty()) {
            writeln!(text, "{path}: {}", types.iter().copied().collect::<Vec<_>>().join(" or "))?;
        }
        writeln!(text)?;
    }
    compare("fields.txt", &text)
}

/// The keys of an object, in the order of its text.
fn keys(json: &str) -> Vec<&str> {
    let (mut found, mut depth, mut string) = (Vec::new(), 0, None);
    let mut characters = json.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, string) {
            ('\\', Some(_)) => drop(characters.next()),
            ('"', Some(start)) => {
                string = None;
                if depth == 1 && json[at + 1..].starts_with(':') {
                    found.push(&json[start..at]);
                }
            }
            ('"', None) => string = Some(at + 1),
            ('{' | '[', None) => depth += 1,
            ('}' | ']', None) => depth -= 1,
            _ => {}
        }
    }
    found
}

#[test]
fn keys_of_json_come_in_the_order_of_before() -> TestResult {
    let directory = directory("order")?;
    for (command, expected) in [
        (
            "create --json sentinel2_like.tif cog.tif --stats",
            "output width height bands data_type tile_width tile_height levels compression predictor interleave resampling \
             big_tiff spooled_bytes bytes uncompressed_bytes ratio seconds statistics warnings",
        ),
        (
            "info --json cog.tif",
            "file bytes big_tiff byte_order gdal_layout width height bands data_type bits color alpha_band interleave \
             nodata mask levels other_images crs crs_name crs_kind vertical_crs transform pixel_is_point control_points \
             bounds metadata open whole_view detail_view",
        ),
        (
            "validate --json cog.tif",
            "file verdict strict quick errors warnings notes directories tiles tiles_decoded cells_compared classes \
             counts findings error",
        ),
    ] {
        let text = String::from_utf8(run(&directory, command)?.stdout)?;
        assert_eq!(keys(&text), expected.split(' ').collect::<Vec<_>>(), "{command}");
    }
    // No class holds for a file that could not be checked.
    let text = String::from_utf8(run(&directory, "validate --json text.tif")?.stdout)?;
    let unjudged: Value = serde_json::from_str(&text)?;
    assert_eq!(
        (&unjudged["verdict"], unjudged["classes"].as_object().map(|classes| classes.len())),
        (&"unjudged".into(), Some(0))
    );
    Ok(())
}

#[test]
fn exit_codes_are_those_of_before() -> TestResult {
    let directory = directory("codes")?;
    let mut text = String::new();
    for command in [
        "--version",
        "--help",
        "no-such-command",
        "create sentinel2_like.tif out.tif --quiet",
        "create sentinel2_like.tif out.tif --quiet",
        "create sentinel2_like.tif out.tif --quiet --overwrite",
        "create no_such.tif new.tif",
        "create text.tif new.tif",
        "create cut.tif new.tif --quiet",
        "create sentinel2_like.tif no_such_folder/new.tif --quiet",
        "create sentinel2_like.tif new.tif --no-such-option",
        "create sentinel2_like.tif new.tif --level 99",
        "create sentinel2_like.tif new.tif --compress lzw --level 5",
        "create sentinel2_like.tif new.tif --nodata 70000",
        "create sentinel2_like.tif",
        "info out.tif",
        "info text.tif",
        "info no_such.tif",
        "validate out.tif --quiet",
        "validate out.tif --quiet --strict",
        "validate out.tif --quick --quiet",
        "validate sentinel2_like.tif --quiet --strict",
        "validate cut.tif --quiet",
        "validate text.tif --quiet",
        "validate no_such.tif --quiet",
        "validate out.tif cut.tif no_such.tif --quiet",
        "validate --rules",
        "validate",
    ] {
        let output = run(&directory, command)?;
        let code = output.status.code().map_or("by a signal".to_owned(), |code| code.to_string());
        writeln!(text, "{code} {command}")?;
    }
    compare("exit_codes.txt", &text)
}
