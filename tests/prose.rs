//! Plain English in documentation, help, and messages: the habits that made older texts hard to read stay out.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files whose text has not been revised yet. Remove an entry once its text follows the rules.
const PENDING: [&str; 9] = ["benches", "cli", "docs", "fixtures", "fuzz", "python", "src", "tests", "wasm"];

/// Files below [`PENDING`] that have been revised.
const REVISED: [&str; 8] = [
    "docs/decisions/0003-fork-join.md",
    "docs/decisions/0009-alpha.md",
    "docs/decisions/0013-minimum-rust-version.md",
    "docs/decisions/0014-deflate-encoder.md",
    "tests/README.md",
    "tests/prose.rs",
    "wasm/scripts/compile.sh",
    "cli/README.md",
];

/// Generated or foreign text, and folders without prose.
const SKIPPED: [&str; 5] = ["target", "node_modules", "LICENSE-APACHE", "Cargo.lock", "LICENSE-MIT"];

/// A habit, what to write instead, and phrases that are fine although they contain it.
const HABITS: [(&str, &str, &[&str]); 6] = [
    (" is no ", "is not a", &["there is no ", "is no longer ", "is no older "]),
    (" but for ", "except", &[]),
    (" stands ", "is, contains, lists", &[]),
    (" beside ", "next to, compared with", &[]),
    (" heeds ", "honors", &[]),
    (" anew ", "again", &[]),
];

/// Words that no summary of an item or a module opens with.
const OPENINGS: [&str; 3] = ["What ", "Whether ", "Which "];

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "md" | "rs" | "py" | "pyi" | "sh" | "toml" | "yml" | "ts" | "mjs")
        || path.file_name().is_some_and(|name| name == "NOTICE" || name == "justfile")
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// All revised texts of the repository.
fn texts(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let last = path.file_name().and_then(|last| last.to_str()).unwrap_or_default();
        let hidden = last.starts_with('.') && !matches!(last, ".github" | ".ci");
        if hidden || SKIPPED.contains(&last) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            texts(&path, root, found);
        } else if is_text(&path) && (!PENDING.iter().any(|folder| is_below(&name, folder)) || REVISED.contains(&&*name))
        {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The sentences of a line that break a rule, with what to write instead.
fn faults(line: &str, before: &str) -> Vec<String> {
    let spaced = format!(" {} ", line.trim().to_lowercase().replace([',', ';', '.', ':', '`'], " "));
    let mut found = Vec::new();
    for (habit, instead, fine) in HABITS {
        let allowed: usize = fine.iter().map(|phrase| spaced.matches(phrase).count()).sum();
        if spaced.matches(habit).count() > allowed {
            found.push(format!("{:?}: write {instead}", habit.trim()));
        }
    }
    for marker in ["//! ", "/// "] {
        if let Some(summary) = line.trim_start().strip_prefix(marker) {
            let opens = !before.trim_start().starts_with(marker.trim_end());
            if opens && OPENINGS.iter().any(|word| summary.starts_with(word)) {
                found.push("a summary is a noun phrase or a third-person verb".to_owned());
            }
        }
    }
    found
}

#[test]
fn revised_texts_keep_to_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    texts(root, root, &mut found);
    assert!(found.len() > 20, "only {} texts", found.len());
    let mut problems = Vec::new();
    for (name, text) in found.iter().filter(|(name, _)| name != "tests/prose.rs") {
        let mut before = "";
        for (number, line) in (1..).zip(text.lines()) {
            problems.extend(faults(line, before).into_iter().map(|fault| format!("{name}:{number}: {fault}: {line}")));
            before = line;
        }
    }
    assert!(problems.is_empty(), "{} lines:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn each_habit_is_found() {
    for line in [
        "This is no TIFF.",
        "all, but for masks",
        "It stands in a tag",
        "a file beside it",
        "It heeds nodata",
        "begun anew.",
    ] {
        assert_eq!(faults(line, "").len(), 1, "{line}");
    }
    for line in ["There is no CRS.", "It is no longer read.", "besides", "a heading: What it writes"] {
        assert_eq!(faults(line, "").len(), 0, "{line}");
    }
    assert_eq!(faults("/// Whether a pixel is an area", "").len(), 1);
    assert_eq!(faults("/// Whether a pixel is an area", "/// A setting:").len(), 0);
}

#[test]
fn lists_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in PENDING.iter().chain(&REVISED) {
        assert!(root.join(path).exists(), "{path} does not exist");
    }
    for path in REVISED {
        assert!(PENDING.iter().any(|folder| is_below(path, folder)), "{path} is revised by default");
    }
}
