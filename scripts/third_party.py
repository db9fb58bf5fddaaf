"""Prints the licenses of all crates that are linked into a package, to go with its binary.

    scripts/third_party.py MANIFEST [TARGET]    such as cli/Cargo.toml x86_64-unknown-linux-musl; default: all targets
"""

import json
import pathlib
import re
import subprocess
import sys

NAMES = re.compile(r"(licen[cs]e|copying|notice|unlicense)", re.I)


def linked(metadata):
    """Crates that are reached through normal dependencies from the package of the manifest."""
    packages = {package["id"]: package for package in metadata["packages"]}
    edges = {node["id"]: [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
             for node in metadata["resolve"]["nodes"]}
    found, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            waiting += edges[package]
    return sorted((packages[package] for package in found if packages[package]["source"]), key=lambda p: (p["name"], p["version"]))


def licenses(package):
    """The texts of the license files in the folder of a package."""
    folder = pathlib.Path(package["manifest_path"]).parent
    paths = sorted(path for path in folder.iterdir() if path.is_file() and NAMES.match(path.name))
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in paths]


def main():
    manifest, *target = sys.argv[1:]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest]
    for name in target:
        command += ["--filter-platform", name]
    packages = linked(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    print("Crates that are compiled into this package, and their licenses:\n")
    users = {}
    for package in packages:
        texts = licenses(package)
        note = "" if texts else ", no license file; authors: " + (", ".join(package["authors"]) or "see the repository")
        print(f"{package['name']} {package['version']}, {package['license']}, {package['repository'] or ''}{note}")
        for text in texts:
            users.setdefault(" ".join(text.split()), (text, []))[1].append(package["name"])
    for text, names in users.values():
        print(f"\n{'=' * 80}\n{', '.join(dict.fromkeys(names))}\n\n{text}")


if __name__ == "__main__":
    main()
