"""Sets the address of the repository in every file that names it.

    scripts/repository.py https://github.com/OWNER/NAME     rewrites Cargo.toml and all other tracked files
    scripts/repository.py --check                           fails where a file names another address

The address is the one in `[workspace.package]` of Cargo.toml.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# An address of this project on any host, also where a longer one begins with it.
ADDRESS = re.compile(r"https://(?!docs\.rs|crates\.io|pypi\.org|static\.)[\w.-]+/[\w.-]+/cogsmith(?![\w-])")


def current(root):
    return re.search(r'^repository = "(.+)"$', (root / "Cargo.toml").read_text(), re.M).group(1)


def texts(root, names):
    for name in names:
        path = root / name
        if path.suffix not in {".tif", ".png", ".bin"}:
            yield path, path.read_bytes().decode("utf-8", "surrogateescape")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z", "--", ":!fuzz/corpus", ":!fuzz/crashes"], cwd=ROOT, check=True, capture_output=True)
    return [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def rewrite(root, names, address):
    """Replaces the current address; returns how many files changed."""
    before, changed = current(root), 0
    for path, text in texts(root, names):
        if before in text:
            path.write_bytes(text.replace(before, address).encode("utf-8", "surrogateescape"))
            changed += 1
    return changed


def strays(root, names):
    """Files that name an address of the project other than the current one."""
    address = current(root)
    return [f"{path.relative_to(root)}: {found}" for path, text in texts(root, names) for found in ADDRESS.findall(text) if found != address]


def check():
    names = tracked()
    found = strays(ROOT, names)
    # A trial in a copy: the script has to reach every place.
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for path, text in texts(ROOT, names):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode("utf-8", "surrogateescape"))
        changed = rewrite(copy, names, "https://example.org/somebody/" + "cogsmith")
        found += strays(copy, names)
    if found or changed < 4:
        sys.exit(f"the repository's address is not the same everywhere ({changed} files):\n" + "\n".join(found))
    print(f"{current(ROOT)} in {changed} files")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] in {"-h", "--help"}:
        sys.exit(__doc__)
    if sys.argv[1] == "--check":
        check()
    elif re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", sys.argv[1]):
        print(f"changed {rewrite(ROOT, tracked(), sys.argv[1])} files")
    else:
        sys.exit(f"not the address of a repository: {sys.argv[1]} (as in https://github.com/OWNER/NAME)")
