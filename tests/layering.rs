//! Who may import whom: the table of docs/architecture.md, checked against the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules of this crate that it may import.
const LAYERS: &[(&str, &[&str])] = &[
    // Layer 0
    ("recognize", &[]),
    ("redact", &[]),
    ("error", &["recognize", "redact"]),
    ("buffer", &["error"]),
    ("message", &["error"]),
    ("sample", &["error"]),
    ("executor", &["error"]),
    ("read", &["error", "recognize"]),
    ("checksum", &[]),
    ("processor", &[]),
    ("xml", &[]),
    ("names", &["error"]),
    ("creation", &["error", "names"]),
    // Layer 1
    ("grid", &["error", "names"]),
    ("spec", &["error", "sample"]),
    ("validity", &["sample", "spec"]),
    ("view", &["error", "executor", "sample", "spec", "validity"]),
    ("tiff", &["error", "read"]),
    // Layer 2
    ("geo", &["error", "sample", "spec", "tiff"]),
    ("codec", &["buffer", "checksum", "error", "grid", "names", "processor", "sample", "spec", "tiff"]),
    ("options", &["codec", "error", "grid", "names"]),
    ("statistics", &["error", "geo", "message", "sample", "spec", "validity"]),
    // Layer 3
    ("plan", &["codec", "error", "geo", "grid", "message", "options", "sample", "spec", "statistics", "tiff", "view"]),
    (
        "pyramid",
        &["buffer", "error", "executor", "grid", "options", "plan", "processor", "sample", "spec", "validity", "view"],
    ),
    ("array", &["error", "executor", "sample", "spec", "view"]),
    (
        "source",
        &[
            "array",
            "buffer",
            "codec",
            "error",
            "executor",
            "geo",
            "grid",
            "names",
            "options",
            "read",
            "recognize",
            "sample",
            "spec",
            "tiff",
            "validity",
            "view",
            "xml",
        ],
    ),
    // Shares nothing with what writes: neither `tiff` nor `plan` nor `source`.
    ("check", &["checksum", "codec", "error", "executor", "read", "sample", "xml"]),
    // Layer 4
    (
        "encode",
        &[
            "buffer",
            "codec",
            "error",
            "executor",
            "grid",
            "message",
            "options",
            "plan",
            "pyramid",
            "sample",
            "spec",
            "statistics",
            "tiff",
            "view",
        ],
    ),
    // Layer 5
    (
        "sink",
        &[
            "check",
            "encode",
            "error",
            "executor",
            "grid",
            "options",
            "plan",
            "read",
            "recognize",
            "sample",
            "spec",
            "statistics",
            "tiff",
            "view",
        ],
    ),
    // Layer 6
    (
        "pixels",
        &[
            "buffer", "error", "executor", "geo", "grid", "names", "options", "plan", "pyramid", "sample", "source",
            "spec", "view",
        ],
    ),
    ("warp", &["buffer", "error", "executor", "geo", "options", "sample", "source", "spec", "validity", "view"]),
    (
        "vrt",
        &[
            "buffer", "error", "executor", "geo", "grid", "pixels", "read", "sample", "source", "spec", "validity",
            "view", "xml",
        ],
    ),
    (
        "front",
        &[
            "array", "encode", "error", "executor", "geo", "options", "pixels", "plan", "redact", "sample", "sink",
            "source", "spec", "view", "vrt",
        ],
    ),
    (
        "edit",
        &[
            "encode",
            "error",
            "executor",
            "geo",
            "grid",
            "names",
            "options",
            "plan",
            "pyramid",
            "read",
            "redact",
            "sample",
            "sink",
            "source",
            "spec",
            "statistics",
            "tiff",
            "view",
            "vrt",
        ],
    ),
    (
        "explain",
        &[
            "check", "codec", "error", "executor", "front", "grid", "options", "pixels", "read", "sample", "sink",
            "source", "spec", "view",
        ],
    ),
    (
        "preview",
        &[
            "error", "executor", "geo", "options", "pixels", "sample", "sink", "source", "spec", "validity", "view",
            "vrt",
        ],
    ),
    ("json", &["check", "codec", "encode", "explain", "statistics"]),
    ("distributed", &["encode", "plan", "sink"]),
    (
        "conformance",
        &["codec", "encode", "error", "executor", "geo", "options", "plan", "sample", "sink", "spec", "view"],
    ),
];

/// Files that may name the file system.
const FILE_SYSTEM: &[&str] = &[
    "read.rs",
    "sink/appended.rs",
    "sink/file.rs",
    "sink/fragments.rs",
    "sink/spool.rs",
    "sink/target.rs",
    "sink/update.rs",
    "source/file.rs",
    "source/geotiff/sidecar.rs",
    "source/paths.rs",
];

/// The longest a source file may be, in lines.
const LONGEST: usize = 560;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 30);
    found
}

fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")
}

/// The part of a source file that is not its tests.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Modules of the crate that a source names as `crate::module`.
fn imports(text: &str) -> Vec<String> {
    let code = product(text).lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| {
        line.match_indices("crate::").map(|(at, found)| {
            line[at + found.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        })
    })
    .collect()
}

#[test]
fn imports_point_downwards() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for (path, text) in sources() {
        let relative = relative(&path);
        if relative == "lib.rs" {
            continue;
        }
        let module = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let allowed = layers.get(module.as_str()).unwrap_or_else(|| panic!("module {module} has no layer"));
        for import in imports(&text) {
            assert!(
                import == module || allowed.contains(&import.as_str()),
                "{relative} imports crate::{import}: the layers don't allow it"
            );
        }
    }
}

#[test]
fn no_two_layers_import_each_other() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let mut done: Vec<&str> = Vec::new();
    for (module, imports) in LAYERS {
        for import in *imports {
            assert!(layers.contains_key(import), "{import} has no layer");
            assert!(done.contains(import), "{module} imports {import}, which is above it");
        }
        done.push(module);
    }
}

#[test]
fn the_file_system_and_threads_are_named_in_few_places() {
    for (path, text) in sources() {
        let relative = relative(&path);
        let code = product(&text);
        let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let names = |word: &str| code.iter().any(|line| line.contains(word));
        assert!(!names("std::fs") || FILE_SYSTEM.contains(&relative.as_str()), "{relative} names std::fs");
        assert!(!names("rayon::") || relative.starts_with("executor"), "{relative} names rayon");
    }
}

#[test]
fn files_stay_short() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", relative(&path));
    }
}

#[test]
fn the_architecture_page_names_every_module() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    for (module, _) in LAYERS {
        assert!(page.contains(&format!("`{module}`")), "docs/architecture.md does not name `{module}`");
    }
}
