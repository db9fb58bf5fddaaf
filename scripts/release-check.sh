#!/usr/bin/env bash
# What takes too long for every change: run before a release, on an otherwise idle machine. Installs its own tools.
# Ends with docs/release-check.md, the dated result, which is committed.
#
#   scripts/release-check.sh [MINUTES] [SECONDS]     how long the full grid may take (default 60), and each fuzz target (default 600)
set -uo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never GDAL_PAM_ENABLED=NO
MINUTES=${1:-60}
FUZZ_SECONDS=${2:-600}
RESULT=docs/release-check.md
LOGS=target/release-check
mkdir -p "$LOGS"
FAILED=0

{
    echo "# Release check"
    echo
    echo "Written by \`scripts/release-check.sh\` on $(date -u +%F), commit $(git rev-parse --short HEAD), $(rustc --version), $(nproc) cores."
    echo
    echo "| check | result |"
    echo "|---|---|"
} >"$RESULT"

# check NAME PATTERN COMMAND…: runs it; the last line of its output that matches PATTERN goes into the table
check() {
    local name=$1 pattern=$2 log outcome
    shift 2
    log=$LOGS/$name.log
    echo "== $name"
    if "$@" >"$log" 2>&1; then outcome=ok; else outcome=FAILED FAILED=1; fi
    echo "| $name | $outcome: $(grep -E "$pattern" "$log" | tail -n 1 | tr '|' '/' | cut -c1-200) |" >>"$RESULT"
    tail -n 3 "$log"
}

licences() {
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny || return 1
    cargo deny check licenses bans sources
}

# Known weaknesses of dependencies; their list comes from GitHub.
advisories() {
    cargo deny check advisories && return
    grep -q 'failed to fetch advisory database' "$LOGS/advisories.log" && echo "not to be had here: no way to GitHub"
}

# The listing is committed: what changes in it is a change of the API.
public_api() {
    command -v cargo-public-api >/dev/null || cargo install --locked cargo-public-api || return 1
    # The description that it reads is an unstable output of the stable rustdoc.
    RUSTC_BOOTSTRAP=1 cargo rustdoc -q -p cogsmith --all-features --lib -- -Z unstable-options --output-format json --cap-lints allow || return 1
    cargo public-api --rustdoc-json "${CARGO_TARGET_DIR:-target}/doc/cogsmith.json" -s >docs/public-api.txt || return 1
    echo "$(wc -l <docs/public-api.txt) items"
}

# Lines that the Rust tests reach; the judges' runs are not counted.
coverage() {
    command -v cargo-llvm-cov >/dev/null || cargo install --locked cargo-llvm-cov || return 1
    if ! [ -x "${LLVM_COV:-}" ]; then
        LLVM_COV=$(command -v llvm-cov-22 llvm-cov | head -n 1) LLVM_PROFDATA=$(command -v llvm-profdata-22 llvm-profdata | head -n 1)
        export LLVM_COV LLVM_PROFDATA
    fi
    cargo llvm-cov --locked -p cogsmith --summary-only
}

# Every EPSG code by GDAL's own writing and through both GDALs, and all definitions; writes the table of docs/crs.md.
all_crs() {
    scripts/test.sh build judges || return 1
    target/judges-venv/bin/python tests/judges/crs.py --full --table docs/crs.md
}

full_grid() {
    scripts/test.sh build judges || return 1
    timeout "${MINUTES}m" target/judges-venv/bin/python tests/judges/grid.py --full
    local status=$?
    # A grid that was cut short has failed only if a case has.
    [ $status -ne 124 ] && return $status
    echo "cut short after $MINUTES minutes"
    ! grep -q '^FAIL' "$LOGS/full-grid.log"
}

# Real rasters in a folder that RASTERS names, too, where there is one.
validation() {
    target/judges-venv/bin/python tests/judges/validation.py ${RASTERS:+"$RASTERS"}
}

check memory 'peak memory' cargo bench --bench memory
check bench-encode 'Timer' cargo bench --bench encode
check bench-codec 'Timer' cargo bench --bench codec
check bench-pyramid 'one thread' cargo bench --bench pyramid
check licences 'ok' licences
check advisories 'ok|not to be had' advisories
check public-api 'items' public_api
check coverage '^TOTAL' coverage
check fuzz 'runs|FAILED' scripts/fuzz.sh "$FUZZ_SECONDS"
check crs 'passed' all_crs
check full-grid 'passed|cut short' full_grid
check validation 'passed' validation

for bench in encode codec pyramid; do
    printf '\n## %s\n```text\n' "$bench"
    sed -n '/Timer\|one thread/,$p' "$LOGS/bench-$bench.log" | tr -d '\r' | sed 's/ *$//'
    printf '```\n'
done >>"$RESULT"

echo
cat "$RESULT"
exit $FAILED
