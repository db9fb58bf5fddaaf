//! Paths of inputs: files, folders, patterns, and lists of files; and the folders that lists and VRT files are confined to.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::recognize::Address;

use super::file::bounded_text;

/// Extensions of the files of a folder that are inputs.
const EXTENSIONS: [&str; 4] = ["tif", "tiff", "gtiff", "geotiff"];
/// Folders within folders; more are a mistake, such as a loop of mounts.
const MAX_DEPTH: usize = 64;
/// Largest list of files in bytes: about a million paths.
const MAX_LIST: usize = 64 << 20;

/// The files that several paths mean, in order.
///
/// A path is that of a file; of a folder, whose GeoTIFF files and those in its subfolders are meant, sorted by path; a
/// pattern with `*`, `?`, `[…]`, or `**` for any number of folders, whose matches are sorted; or `@` and the name of a text
/// file with one path per line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputFiles {
    paths: Vec<PathBuf>,
}

impl InputFiles {
    /// Finds the files of paths. Addresses are taken as they are. The files of a list must be below its folder, or below
    /// `root` if there is one: a folder, or an address such as `s3://bucket/folder`, below which the addresses in the list
    /// must be.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] for a folder or a list that cannot be read, [`ErrorKind::NoInputs`] for a folder or a pattern
    /// without files, and [`ErrorKind::Confined`] for a file that a list may not name.
    pub fn find<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, root: Option<&Path>) -> Result<Self> {
        let mut found = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let text = path.to_string_lossy();
            match text.strip_prefix('@') {
                Some(list) if !path.exists() => read_list(Path::new(list), root, &mut found)?,
                _ if path.is_dir() => within(path, &mut found)?,
                _ if text.contains(['*', '?', '[']) && !path.exists() && Address::of(path).is_none() => {
                    matching(path, &mut found)?;
                }
                _ => found.push(path.to_owned()),
            }
        }
        if found.is_empty() {
            return Err(ErrorKind::NoInputs { path: PathBuf::new() }.into());
        }
        Ok(Self { paths: found })
    }

    /// Returns the paths of the files.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Checks that a file that is to be written is none of these, under whatever name.
    ///
    /// # Errors
    /// [`ErrorKind::OutputIsInput`].
    pub fn check_output(&self, output: impl AsRef<Path>) -> Result<()> {
        let output = output.as_ref();
        if Address::of(output).is_some() && self.paths.iter().any(|input| input == output) {
            return Err(ErrorKind::OutputIsInput { path: output.to_owned() }.into());
        }
        let Some(own) = identity(output) else { return Ok(()) };
        match self.paths.iter().find(|input| identity(input).as_ref() == Some(&own)) {
            Some(_) => Err(ErrorKind::OutputIsInput { path: output.to_owned() }.into()),
            None => Ok(()),
        }
    }
}

/// Returns what two names of one file have in common; `None` if there is no such file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Returns what two names of one file have in common; `None` if there is no such file.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// Adds the GeoTIFF files in a folder and its subfolders.
fn within(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let before = found.len();
    let is_input = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension))
    };
    walk(folder, 0, &mut |path| {
        if is_input(path) {
            found.push(path.to_owned());
        }
    })?;
    found[before..].sort();
    if found.len() == before {
        return Err(ErrorKind::NoInputs { path: folder.to_owned() }.into());
    }
    Ok(())
}

/// Calls `visit` for every file below a folder. Symbolic links to folders are not followed, since they may form loops;
/// hidden files and folders are left out.
fn walk(folder: &Path, depth: usize, visit: &mut impl FnMut(&Path)) -> Result<()> {
    let failed = |source| Error::io_at("read", folder, source);
    if depth > MAX_DEPTH {
        return Err(failed(io::Error::other(format!("it is {depth} folders deep, more than {MAX_DEPTH}"))));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            walk(&path, depth + 1, visit)?;
        } else if kind.is_file() || path.is_file() {
            visit(&path);
        }
    }
    Ok(())
}

/// Adds the files that match a pattern.
fn matching(pattern: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let parts: Vec<String> = pattern.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let fixed = parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
    let base: PathBuf = pattern.components().take(fixed).map(Component::as_os_str).collect();
    let wanted: Vec<&str> = parts.iter().skip(fixed).map(String::as_str).collect();
    let start = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
    let before = found.len();
    if start.is_dir() {
        walk(start, 0, &mut |path| {
            let below = path.strip_prefix(start).unwrap_or(path);
            let names: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            if matches(&wanted, &names.iter().map(AsRef::as_ref).collect::<Vec<_>>()) {
                found.push(base.join(below));
            }
        })?;
    }
    found[before..].sort();
    if found.len() == before {
        return Err(ErrorKind::NoInputs { path: pattern.to_owned() }.into());
    }
    Ok(())
}

/// Returns whether the names of a path match the parts of a pattern.
fn matches(parts: &[&str], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", parts)), _) => {
            matches(parts, names)
                || names.split_first().is_some_and(|(_, rest)| matches(&[&["**"], parts].concat(), rest))
        }
        (Some((part, parts)), Some((name, names))) => is_like(part, name) && matches(parts, names),
        _ => false,
    }
}

/// Returns whether a name matches a pattern. Takes time in proportion to the product of their lengths.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut letter) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while letter < name.len() {
        match one_like(&pattern[at..], name[letter]) {
            Some(length) => (at, letter) = (at + length, letter + 1),
            None if pattern.get(at) == Some(&'*') => {
                star = Some((at, letter));
                at += 1;
            }
            None => match &mut star {
                // The last star takes one more letter.
                Some((place, taken)) => {
                    *taken += 1;
                    (at, letter) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Returns the length of the first element of a pattern if it matches a letter; `None` for a star.
fn one_like(pattern: &[char], letter: char) -> Option<usize> {
    match pattern {
        [] | ['*', ..] => None,
        ['?', ..] => Some(1),
        ['[', set @ ..] => match set.iter().skip(1).position(|end| *end == ']') {
            Some(end) => {
                let set = &set[..=end];
                let (negated, set) = match set {
                    ['!' | '^', rest @ ..] => (true, rest),
                    set => (false, set),
                };
                let in_range = set.windows(3).any(|part| part[1] == '-' && (part[0]..=part[2]).contains(&letter));
                ((set.contains(&letter) || in_range) != negated).then_some(end + 3)
            }
            None => (letter == '[').then_some(1),
        },
        [other, ..] => (*other == letter).then_some(1),
    }
}

/// Adds the files of a list.
fn read_list(list: &Path, root: Option<&Path>, found: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |reason: String| Error::io_at("read", list, io::Error::other(reason));
    let text = bounded_text(list, MAX_LIST).map_err(failed)?;
    let text = text.ok_or_else(|| Error::io_at("read", list, io::ErrorKind::NotFound.into()))?;
    let confined = Confined::to(list, root)?;
    let before = found.len();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        found.push(confined.resolve(line, true)?);
    }
    if found.len() == before {
        return Err(ErrorKind::NoInputs { path: list.to_owned() }.into());
    }
    Ok(())
}

/// The folder that the files named in another file must be in, since that file may come from anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Confined {
    /// The file that names others.
    file: PathBuf,
    /// The folder that relative names start from.
    base: PathBuf,
    /// The place that all names must be in.
    root: Root,
    has_root: bool,
}

/// A place that contains files.
#[derive(Debug, Clone)]
enum Root {
    /// A folder, without symbolic links.
    Folder(PathBuf),
    /// The start of addresses, up to a slash.
    Address(String),
}

/// Returns whether an address is below another one, which ends with a slash: it has the same start, and nothing after it
/// leads back. Without knowledge of the store, everything that a server might take as a step back is refused.
fn is_below(address: &str, root: &str) -> bool {
    let Some(rest) = address.strip_prefix(root) else { return false };
    let path = rest.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let is_step = |segment: &str| segment.is_empty() || segment == "." || segment.contains("..");
    let is_hidden = ["\\", "%2e", "%2f", "%5c"].iter().any(|hidden| path.contains(hidden));
    !is_hidden && !path.split('/').any(is_step)
}

impl Confined {
    /// Confines the files that `file` names to its folder, or to `root`.
    pub(crate) fn to(file: &Path, root: Option<&Path>) -> Result<Self> {
        let base = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let address = root.filter(|root| Address::of(root).is_some() && !root.exists()).and_then(Path::to_str);
        let root_place = match address {
            Some(address) => Root::Address(format!("{}/", address.trim_end_matches('/'))),
            None => {
                let folder = root.unwrap_or(base);
                Root::Folder(fs::canonicalize(folder).map_err(|source| Error::io_at("read", folder, source))?)
            }
        };
        Ok(Self { file: file.to_owned(), base: base.to_owned(), root: root_place, has_root: root.is_some() })
    }

    /// Returns the path of the file itself without symbolic links.
    pub(crate) fn real(&self, file: &Path) -> Result<PathBuf> {
        fs::canonicalize(file).map_err(|source| Error::io_at("read", file, source))
    }

    /// Returns the path of a file. `is_relative` is false if a relative name starts from the working directory.
    pub(crate) fn resolve(&self, name: &str, is_relative: bool) -> Result<PathBuf> {
        let refuse = |reason: &str| -> Error {
            let (file, name) = (self.file.clone(), name.to_owned());
            ErrorKind::Confined { file, name, reason: reason.to_owned() }.into()
        };
        if name.is_empty() {
            return Err(refuse("which is empty"));
        }
        let folder = match (&self.root, Address::of(Path::new(name))) {
            (Root::Address(root), Some(_)) if is_below(name, root) => return Ok(PathBuf::from(name)),
            (Root::Address(_), _) => return Err(refuse("which is not below the address that is permitted")),
            (Root::Folder(_), Some(address)) => {
                return Err(refuse(&format!("which is {address}, not the path of a file")));
            }
            (Root::Folder(folder), None) => folder,
        };
        if !self.has_root && (!is_relative || Path::new(name).is_absolute()) {
            return Err(refuse("which is not relative to its folder"));
        }
        let path = if is_relative { self.base.join(name) } else { PathBuf::from(name) };
        // Symbolic links and `..` count by where they lead.
        let real = fs::canonicalize(&path).map_err(|source| Error::io_at("read", &path, source))?;
        if !real.starts_with(folder) {
            let folder = if self.has_root { "the folder that is permitted" } else { "its folder" };
            return Err(refuse(&format!("which is not below {folder}")));
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.tif", "a.tif", true),
            ("*.tif", "a.tiff", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "abab", true),
            ("?[0-9][!x].tif", "a5y.tif", true),
            ("?[0-9][!x].tif", "a5x.tif", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("**", "a", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(is_like(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!is_like(&"*a".repeat(200), &"a".repeat(20_000).replace("aa", "ab")));
        assert!(matches(&["**", "*.tif"], &["a", "b", "c.tif"]) && matches(&["**", "*.tif"], &["c.tif"]));
        assert!(!matches(&["*", "*.tif"], &["a", "b", "c.tif"]));
    }

    #[test]
    fn files_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.tif", "a.TIFF", "c.txt", "sub/a.tif", ".hidden.tif"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let names = |files: &InputFiles| -> Vec<String> {
            let below = files.paths().iter().map(|path| path.strip_prefix(folder.path()).unwrap());
            below.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
        };
        let found = InputFiles::find([folder.path()], None).unwrap();
        assert_eq!(names(&found), ["a.TIFF", "b.tif", "sub/a.tif"]);
        let found = InputFiles::find([folder.path().join("**/a*.tif")], None).unwrap();
        assert_eq!(names(&found), ["sub/a.tif"]);
        let nothing = InputFiles::find([folder.path().join("*.jp2")], None).unwrap_err();
        assert!(matches!(nothing.kind(), ErrorKind::NoInputs { .. }));
        fs::write(folder.path().join("list.txt"), "b.tif\n\n sub/a.tif \r\n").unwrap();
        let list = PathBuf::from(format!("@{}", folder.path().join("list.txt").display()));
        assert_eq!(names(&InputFiles::find([&list], None).unwrap()), ["b.tif", "sub/a.tif"]);
        assert!(found.check_output(folder.path().join("b.tif")).is_ok());
        assert!(found.check_output(folder.path().join("sub/../sub/a.tif")).is_err());
        assert!(found.check_output(folder.path().join("new.tif")).is_ok());
    }

    #[test]
    fn lists_name_addresses_only_below_one_that_is_permitted() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.txt");
        let at = PathBuf::from(format!("@{}", list.display()));
        fs::write(folder.path().join("a.tif"), "x").unwrap();
        let root = "https://host/tiles";
        for (line, is_permitted) in [
            ("https://host/tiles/a.tif", true),
            ("https://host/tiles/b/a.tif?sig=../x", true),
            ("https://host/tiles2/a.tif", false),
            ("https://host/tiles", false),
            ("https://host/tiles/../a.tif", false),
            ("https://host/tiles/%2E%2e/a.tif", false),
            ("https://host/tiles/..%2fa.tif", false),
            ("https://host/tiles/b\\..\\a.tif", false),
            ("https://host/tiles//a.tif", false),
            ("http://host/tiles/a.tif", false),
            ("s3://host/tiles/a.tif", false),
            ("a.tif", false),
        ] {
            fs::write(&list, line).unwrap();
            let found = InputFiles::find([&at], Some(Path::new(root)));
            assert_eq!(found.is_ok(), is_permitted, "{line}");
        }
    }

    #[test]
    fn lists_name_only_files_below_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("secret.tif"));
        fs::create_dir(&inside).unwrap();
        fs::write(&outside, "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, inside.join("link.tif")).unwrap();
        let list = inside.join("list.txt");
        let at = PathBuf::from(format!("@{}", list.display()));
        let mut bad = vec!["../secret.tif".to_owned(), outside.display().to_string(), "/vsicurl/http://x".into()];
        bad.push("https://example.com/x.tif".into());
        if cfg!(unix) {
            bad.push("link.tif".into());
        }
        for line in bad {
            fs::write(&list, &line).unwrap();
            let error = InputFiles::find([&at], None).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Confined { .. }), "{line}: {error}");
            if !line.contains("//") {
                assert!(InputFiles::find([&at], Some(folder.path())).is_ok(), "{line}");
            }
        }
    }
}
