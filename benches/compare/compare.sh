#!/usr/bin/env bash
# Installs the peers, makes the inputs, runs all writers interleaved, writes docs/benchmarks.md and its plot.
#
#   benches/compare/compare.sh [--scale 1.0] [options of run.py]
#
# Needs a C compiler for the variant with the feature zstd-c, gdal_translate (Debian: gdal-bin) and Python 3.12 or newer.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/python.sh
scale=1.0
if [ "${1:-}" = --scale ]; then scale=$2; shift 2; fi
venv=target/compare-venv
if [ ! -x $venv/bin/python ]; then
    python=$(find_python)
    $python -m venv $venv
    $venv/bin/pip -q install 'rasterio>=1.5' numpy
fi
# datacube has many dependencies of its own: its row is left out, and that is said, where it can't be installed.
datacube=false
if $venv/bin/python -c 'import datacube' 2>/dev/null || $venv/bin/pip -q install datacube xarray odc-geo; then
    $venv/bin/python -c 'from datacube.utils.cog import write_cog' 2>/dev/null && datacube=true || echo 'datacube is left out: it does not import'
fi
cargo build --release --locked --workspace
cargo build --release --locked -p cogsmith-cli --features zstd-c --target-dir target/zstd-c
array=$(cargo bench --locked --bench array --no-run --message-format=json 2>/dev/null |
    python3 -c 'import sys, json; print([m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable") and m["target"]["name"] == "array"][-1])')
directory=target/compare/$scale
$venv/bin/python benches/compare/make_inputs.py "$directory" --scale "$scale"
exec $venv/bin/python benches/compare/run.py --directory "$directory" --binaries \
    "{\"python\": \"$venv/bin/python\", \"cogsmith\": \"target/release/cogsmith\", \"zstd-c\": \"target/zstd-c/release/cogsmith\", \"array\": \"$array\", \"gdal_translate\": \"gdal_translate\", \"datacube\": $datacube}" "$@"
