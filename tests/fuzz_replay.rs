//! What fuzzing has found worth keeping, run again: every file of `fuzz/corpus` and `fuzz/crashes`, without libFuzzer.

#![cfg(all(feature = "geotiff", feature = "spool"))]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fuzz::{Choices, TARGETS};

/// Files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn replay(name: &str) {
    let (_, run) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let corpus = files(&root.join("corpus").join(name));
    assert!(corpus.len() >= 10, "fuzz/corpus/{name} has {} files", corpus.len());
    let mut failed = Vec::new();
    for file in corpus.into_iter().chain(files(&root.join("crashes").join(name))) {
        let bytes = fs::read(&file).expect("a readable file");
        if catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err() {
            failed.push(file);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed_and_fuzzed() {
            let names = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), names);
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let programs = files(&root.join("fuzz_targets"));
            let programs: Vec<_> = programs.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
            assert_eq!(programs, names);
        }
    };
}

targets! { deflate lzw plan predictor reader round_trip zstd }

#[test]
fn choices_reach_every_manner_of_bytes() {
    let mut random = 1u32;
    let bytes: Vec<u8> = (0..4000)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_be_bytes()[0]
        })
        .collect();
    let made = Choices::new(&bytes).structured(500_000);
    assert!(made.len() > 100_000, "{}", made.len());
    assert!((0..=255u8).all(|value| made.contains(&value)));
    assert_eq!(Choices::new(&[]).filled(7), [0; 7]);
}
