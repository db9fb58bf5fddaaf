//! The file appears whole or not at all, and where and how it should.

use std::error::Error as StdError;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use cogsmith::{Error, ErrorKind, FileOptions, OutputFile};
use tempfile::TempDir;

type TestResult = std::result::Result<(), Box<dyn StdError>>;

const KEEP: FileOptions = FileOptions::new();
const OVERWRITE: FileOptions = FileOptions::new().overwrite(true);

/// The names in a directory, sorted.
fn names(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn write(path: &Path, options: &FileOptions, bytes: &[u8]) -> Result<(), Error> {
    let mut output = OutputFile::create(path, options)?;
    output.write_all(bytes).map_err(|source| Error::from(ErrorKind::Io { action: "write", path: None, source }))?;
    output.commit()
}

fn failure<T>(result: Result<T, Error>) -> Result<Error, Box<dyn StdError>> {
    match result {
        Ok(_) => Err("succeeded".into()),
        Err(error) => Ok(error),
    }
}

#[test]
fn appears_on_commit_and_not_before() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    let mut output = OutputFile::create(&path, &KEEP)?;
    output.write_all(&vec![7; 1 << 20])?;
    assert!(!path.exists());
    assert_eq!(output.directory(), directory.path());
    output.commit()?;
    assert_eq!(fs::read(&path)?, vec![7; 1 << 20]);
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn the_temporary_is_recognisable() -> TestResult {
    let directory = TempDir::new()?;
    let output = OutputFile::create(&directory.path().join("out.tif"), &KEEP)?;
    let names = names(directory.path())?;
    assert_eq!(names.len(), 1);
    let prefix = format!(".out.tif.cogsmith-{}-", std::process::id());
    assert!(names[0].starts_with(&prefix) && names[0].ends_with(".tmp"), "{names:?}");
    drop(output);
    Ok(())
}

#[test]
fn dropping_leaves_nothing_and_the_target_untouched() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    let mut output = OutputFile::create(&path, &KEEP)?;
    output.write_all(b"half")?;
    drop(output);
    assert!(names(directory.path())?.is_empty());

    fs::write(&path, "old")?;
    let mut output = OutputFile::create(&path, &OVERWRITE)?;
    output.write_all(b"half")?;
    drop(output);
    assert_eq!(fs::read(&path)?, b"old");
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn an_existing_target_needs_overwrite() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    fs::write(&path, "old")?;
    let error = failure(write(&path, &KEEP, b"new"))?;
    assert!(matches!(error.kind(), ErrorKind::TargetExists { path: named } if *named == path), "{error}");
    assert_eq!(fs::read(&path)?, b"old");
    write(&path, &OVERWRITE, b"new")?;
    assert_eq!(fs::read(&path)?, b"new");
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn a_target_that_appears_meanwhile_is_not_replaced() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    let mut output = OutputFile::create(&path, &KEEP)?;
    output.write_all(b"mine")?;
    fs::write(&path, "theirs")?;
    let error = failure(output.commit())?;
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    assert_eq!(fs::read(&path)?, b"theirs");
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn overwriting_what_does_not_exist_works() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    write(&path, &OVERWRITE, b"new")?;
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn sync_changes_nothing_else() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    write(&path, &KEEP.sync(true), b"new")?;
    write(&path, &OVERWRITE.sync(true), b"newer")?;
    assert_eq!(fs::read(&path)?, b"newer");
    Ok(())
}

#[test]
fn a_reader_of_the_old_file_keeps_it() -> TestResult {
    use std::io::Read;
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    fs::write(&path, "old")?;
    let mut reader = fs::File::open(&path)?;
    write(&path, &OVERWRITE, b"new")?;
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    assert_eq!(text, "old");
    Ok(())
}

#[test]
fn two_writers_of_one_target_do_not_meet() -> TestResult {
    let directory = TempDir::new()?;
    let path = directory.path().join("out.tif");
    let mut first = OutputFile::create(&path, &KEEP)?;
    let mut second = OutputFile::create(&path, &KEEP)?;
    first.write_all(b"first")?;
    second.write_all(b"second")?;
    first.commit()?;
    let error = failure(second.commit())?;
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    assert_eq!(fs::read(&path)?, b"first");
    assert_eq!(names(directory.path())?, ["out.tif"]);
    Ok(())
}

#[test]
fn directories_are_refused_by_name() -> TestResult {
    let directory = TempDir::new()?;
    let slash = directory.path().join("missing").join("");
    for path in [directory.path(), &slash, Path::new("..")] {
        let error = failure(OutputFile::create(path, &OVERWRITE))?.to_string();
        assert!(error.contains("it is a directory") && error.contains(&path.display().to_string()), "{error}");
    }
    assert!(names(directory.path())?.is_empty());
    Ok(())
}

#[test]
fn a_missing_directory_is_named() -> TestResult {
    let directory = TempDir::new()?;
    let missing = directory.path().join("missing");
    let error = failure(OutputFile::create(&missing.join("out.tif"), &KEEP))?.to_string();
    assert!(error.contains("no such directory") && error.contains(&format!("'{}'", missing.display())), "{error}");
    assert!(!missing.exists());
    failure(OutputFile::create(Path::new(""), &KEEP))?;
    Ok(())
}

#[test]
fn the_longest_names_work() -> TestResult {
    let directory = TempDir::new()?;
    let name = format!("{}.tif", "n".repeat(251));
    write(&directory.path().join(&name), &KEEP, b"new")?;
    assert_eq!(names(directory.path())?, [name]);
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> std::io::Result<u32> {
        Ok(fs::metadata(path)?.permissions().mode() & 0o777)
    }

    fn temporary(directory: &Path) -> Result<PathBuf, Box<dyn StdError>> {
        let name = names(directory)?.into_iter().find(|name| name.ends_with(".tmp")).ok_or("no temporary")?;
        Ok(directory.join(name))
    }

    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() -> TestResult {
        let directory = TempDir::new()?;
        let (plain, path) = (directory.path().join("plain"), directory.path().join("out.tif"));
        fs::write(&plain, "")?;
        write(&path, &KEEP, b"new")?;
        assert_eq!(mode(&path)?, mode(&plain)?);
        Ok(())
    }

    #[test]
    fn a_replaced_file_hands_on_its_permissions_from_the_start() -> TestResult {
        let directory = TempDir::new()?;
        let path = directory.path().join("out.tif");
        for bits in [0o600, 0o664, 0o444, 0o777] {
            fs::write(&path, "old")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(bits))?;
            let mut output = OutputFile::create(&path, &OVERWRITE)?;
            assert_eq!(mode(&temporary(directory.path())?)?, bits);
            output.write_all(b"new")?;
            output.commit()?;
            assert_eq!(mode(&path)?, bits);
            assert_eq!(fs::read(&path)?, b"new");
            fs::remove_file(&path)?;
        }
        Ok(())
    }

    #[test]
    fn the_target_of_a_link_is_replaced_and_the_link_stays() -> TestResult {
        let directory = TempDir::new()?;
        let elsewhere = directory.path().join("elsewhere");
        fs::create_dir(&elsewhere)?;
        fs::write(elsewhere.join("real.tif"), "old")?;
        let (link, second) = (directory.path().join("link.tif"), directory.path().join("second.tif"));
        symlink("elsewhere/real.tif", &link)?;
        symlink(&link, &second)?;

        let error = failure(write(&second, &KEEP, b"new"))?;
        assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");

        let mut output = OutputFile::create(&second, &OVERWRITE)?;
        assert_eq!(output.directory().canonicalize()?, elsewhere.canonicalize()?);
        assert_eq!(names(&elsewhere)?.len(), 2, "the temporary file is next to the real one");
        output.write_all(b"new")?;
        output.commit()?;
        assert_eq!(fs::read(elsewhere.join("real.tif"))?, b"new");
        assert_eq!(fs::read_link(&link)?, Path::new("elsewhere/real.tif"));
        assert_eq!(fs::read_link(&second)?, link);
        assert_eq!(names(&elsewhere)?, ["real.tif"]);
        Ok(())
    }

    #[test]
    fn a_dangling_link_gets_the_file_it_points_at() -> TestResult {
        let directory = TempDir::new()?;
        let link = directory.path().join("link.tif");
        symlink("real.tif", &link)?;
        write(&link, &KEEP, b"new")?;
        assert_eq!(fs::read(directory.path().join("real.tif"))?, b"new");
        assert!(fs::symlink_metadata(&link)?.is_symlink());
        assert_eq!(names(directory.path())?, ["link.tif", "real.tif"]);
        Ok(())
    }

    #[test]
    fn links_in_a_circle_are_an_error() -> TestResult {
        let directory = TempDir::new()?;
        let link = directory.path().join("link.tif");
        symlink("link.tif", &link)?;
        failure(OutputFile::create(&link, &OVERWRITE))?;
        assert_eq!(names(directory.path())?, ["link.tif"]);
        Ok(())
    }

    #[test]
    fn a_device_is_written_directly() -> TestResult {
        let before = names(Path::new("/dev"))?;
        for options in [KEEP, FileOptions::new().overwrite(true).sync(true)] {
            let output = OutputFile::create(Path::new("/dev/null"), &options)?;
            assert_ne!(output.directory(), Path::new("/dev"), "spool files don't belong there");
            drop(output);
            write(Path::new("/dev/null"), &options, b"new")?;
        }
        assert!(fs::metadata("/dev/null")?.file_type().is_char_device());
        assert!(!names(Path::new("/dev"))?.iter().any(|name| name.contains("cogsmith") && !before.contains(name)));
        Ok(())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_at_the_latest_on_commit() -> TestResult {
        let error = failure(write(Path::new("/dev/full"), &KEEP, b"new"))?;
        let full = matches!(error.kind(), ErrorKind::Io { source, .. } if source.raw_os_error() == Some(28));
        assert!(full, "{error}");
        Ok(())
    }

    #[test]
    fn a_fifo_is_written_directly() -> TestResult {
        let directory = TempDir::new()?;
        let path = directory.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status()?.success());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read(path)
        });
        write(&path, &KEEP, b"new")?;
        assert_eq!(reader.join().map_err(|_| "the reader panicked")??, b"new");
        assert!(fs::metadata(&path)?.file_type().is_fifo());
        assert_eq!(names(directory.path())?, ["fifo"]);
        Ok(())
    }

    #[test]
    fn a_reader_that_leaves_is_an_error() -> TestResult {
        let directory = TempDir::new()?;
        let path = directory.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status()?.success());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::File::open(path).map(drop)
        });
        let mut output = OutputFile::create(&path, &KEEP)?;
        reader.join().map_err(|_| "the reader panicked")??;
        output.write_all(b"new")?;
        let error = failure(output.commit())?;
        let broken =
            matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe);
        assert!(broken, "{error}");
        Ok(())
    }

    #[test]
    fn a_target_that_becomes_something_else_is_not_replaced() -> TestResult {
        let directory = TempDir::new()?;
        let path = directory.path().join("out.tif");
        let mut output = OutputFile::create(&path, &OVERWRITE)?;
        output.write_all(b"new")?;
        assert!(Command::new("mkfifo").arg(&path).status()?.success());
        failure(output.commit())?;
        assert!(fs::metadata(&path)?.file_type().is_fifo());
        assert_eq!(names(directory.path())?, ["out.tif"]);
        Ok(())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_text_work() -> TestResult {
        let directory = TempDir::new()?;
        for name in [b"\xff\xfe.tif".to_vec(), [b"\xff".repeat(251), b".tif".to_vec()].concat()] {
            let path = directory.path().join(OsStr::from_bytes(&name));
            write(&path, &KEEP, b"new")?;
            assert_eq!(fs::read(&path)?, b"new");
            fs::remove_file(&path)?;
            assert!(names(directory.path())?.is_empty());
        }
        Ok(())
    }

    #[test]
    fn a_file_as_directory_is_named() -> TestResult {
        let directory = TempDir::new()?;
        let file = directory.path().join("file");
        fs::write(&file, "")?;
        let error = failure(OutputFile::create(&file.join("out.tif"), &KEEP))?.to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
        Ok(())
    }
}
