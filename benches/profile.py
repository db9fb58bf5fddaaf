"""Table of encoding time by stage, from samples of the whole process.

    benches/profile.py [--perf perf] INPUT.tif… [-- OPTIONS OF create]

Needs Linux's perf (Debian: linux-perf). Runs one thread, so that shares add up to the CPU time, and uses average overviews
unless other options are given. Function names decide the stage, in this order, so the command is built with symbol names
that show the type parameters of generic functions.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

STAGES = [
    ("system: file and memory", r"\[k\]"),
    ("match search", r"deflate::(fast|chains|short|pairs)|Parsed>::run|lzw"),
    ("histograms, codes, costs", r"deflate::(symbols|huffman|costs|header|split)|drop_dear"),
    ("match finder selection", r"deflate::(select|parse)"),
    ("bit writing", r"deflate::(block|bits)|structured_zstd|ZSTD|HUF|FSE"),
    ("stream checksum", r"adler"),
    ("gathering, predictor", r"predictor|codec::(pack|compress)|TileEncoder"),
    ("overviews", r"pyramid"),
    ("source decoding", r"decode|inflate|geotiff|weezl"),
    ("copies and zeros in memory", r"memmove|memset|memcpy"),
]


def shares(perf, command):
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        subprocess.run([perf, "record", "-q", "-F", "999", "-o", data, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        report = subprocess.run([perf, "report", "-i", data, "--stdio", "--no-children", "-F", "overhead,dso,sym"],
                                check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found = dict.fromkeys([name for name, _ in STAGES] + ["other"], 0.0)
    for line in report.splitlines():
        if share := re.match(r"\s+([0-9.]+)%\s+(.*)", line):
            stage = next((name for name, pattern in STAGES if re.search(pattern, share[2])), "other")
            found[stage] += float(share[1])
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--perf", default="perf")
    p.add_argument("inputs", nargs="+")
    arguments = sys.argv[1:]
    options = ["--overview-resampling=average"]
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1:]
    a = p.parse_args(arguments)
    build = ["cargo", "build", "--release", "--quiet", "--locked", "-p", "cogsmith-cli", "--target-dir", "target/profile"]
    subprocess.run(build, check=True, env={**os.environ, "RUSTFLAGS": "-C symbol-mangling-version=v0"})
    command = [os.path.join("target", "profile", "release", "cogsmith"), "create", "--quiet", "--overwrite", "--threads=1"]
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for path in a.inputs:
            target = os.path.join(folder, "out.tif")
            columns.append(shares(a.perf, [*command, *options, path, target]))
    names = [os.path.splitext(os.path.basename(path))[0] for path in a.inputs]
    print("| stage | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for stage in columns[0]:
        print(f"| {stage} | " + " | ".join(f"{column[stage]:.0f} %" for column in columns) + " |")


if __name__ == "__main__":
    main()
