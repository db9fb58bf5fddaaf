//! Plain English in documentation, help, and messages: the habits that made older texts hard to read stay out.

use std::fs;
use std::path::{Path, PathBuf};

/// Generated or foreign text, and folders without prose.
const SKIPPED: [&str; 7] = ["target", "node_modules", "dist", "pkg", "LICENSE-APACHE", "Cargo.lock", "LICENSE-MIT"];

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
const OPENINGS: [&str; 5] = ["What ", "Whether ", "Which ", "How ", "Where "];

/// Files and texts in their lines that are not prose: identifiers that look like a habit.
const ALLOWED: [(&str, &str); 1] = [("benches/pyramid.rs", "let beside = ")];

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "md" | "rs" | "py" | "pyi" | "sh" | "toml" | "yml" | "ts" | "mjs")
        || path.file_name().is_some_and(|name| name == "NOTICE" || name == "justfile")
}

/// All texts of the repository.
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
        } else if is_text(&path) {
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

/// Returns whether a line of a file is allowed although it looks like a habit.
fn is_allowed(name: &str, line: &str) -> bool {
    ALLOWED.iter().any(|(file, text)| *file == name && line.contains(text))
}

#[test]
fn texts_keep_to_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    texts(root, root, &mut found);
    assert!(found.len() > 400, "only {} texts", found.len());
    let mut problems = Vec::new();
    for (name, text) in found.iter().filter(|(name, _)| name != "tests/prose.rs") {
        let mut before = "";
        for (number, line) in (1..).zip(text.lines()) {
            if !is_allowed(name, line) {
                let found = faults(line, before).into_iter();
                problems.extend(found.map(|fault| format!("{name}:{number}: {fault}: {line}")));
            }
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
fn allowed_places_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, text) in ALLOWED {
        let content = fs::read_to_string(root.join(file)).unwrap();
        let is_needed = content.lines().any(|line| line.contains(text) && !faults(line, "").is_empty());
        assert!(is_needed, "{file} no longer needs {text:?}");
    }
}
