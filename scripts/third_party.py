"""Prints the licenses of all crates that are linked into a package, to go with its binary.

    scripts/third_party.py MANIFEST TARGET      such as cli/Cargo.toml x86_64-unknown-linux-musl
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


def main():
    manifest, target = sys.argv[1:]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest, "--filter-platform", target]
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    print("This program contains the following crates.")
    for package in linked(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)):
        print(f"\n{'=' * 80}\n{package['name']} {package['version']} ({package['license']})\n{package['repository'] or ''}")
        folder = pathlib.Path(package["manifest_path"]).parent
        texts = sorted(path for path in folder.iterdir() if path.is_file() and NAMES.match(path.name))
        for path in texts:
            print(f"\n--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace').strip()}")
        if not texts:
            print(f"\nThe package has no license file. Authors: {', '.join(package['authors']) or 'see the repository'}")


if __name__ == "__main__":
    main()
