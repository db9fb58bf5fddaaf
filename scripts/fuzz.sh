#!/usr/bin/env bash
# Runs the fuzz targets, JOBS at once (default: one per core).
#
#   scripts/fuzz.sh SECONDS [TARGET…]     run each target for SECONDS (default: all targets)
#   scripts/fuzz.sh keep [TARGET…]        minimize the findings into fuzz/corpus, which is committed
#
# Installs cargo-fuzz if it is missing. Working corpora stay in target/fuzz-corpus; an input that breaks a target is put into
# fuzz/crashes/TARGET and fails the run. SEEDS is a folder of further TIFF files for the reader. FUZZ_FLAGS is passed to
# libFuzzer unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
# libFuzzer's instrumentation is an unstable option of the stable compiler.
export RUSTC_BOOTSTRAP=1 CARGO_TERM_COLOR=never PATH="$PATH:$PWD/target/tools/bin"
WORK=${CARGO_TARGET_DIR:-target}/fuzz-corpus
# Maximum bytes of a committed corpus, and of one file in it.
KEPT_TOTAL=48000 KEPT_FILE=4000

[ $# -ge 1 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
ACTION=$1
shift
TARGETS=("$@")
if [ ${#TARGETS[@]} = 0 ]; then
    for program in fuzz/fuzz_targets/*.rs; do TARGETS+=("$(basename "$program" .rs)"); done
fi
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --root target/tools --version 0.13.2 cargo-fuzz

build() { cargo fuzz build --target-dir target/fuzz "$@"; }

fuzz() {
    local target=$1 seconds=$2 log more=()
    log=$WORK/$target.log
    mkdir -p "$WORK/$target" "fuzz/crashes/$target"
    if [ "$target" = reader ]; then
        more=(-dict=fuzz/tiff.dict)
        if [ -n "${SEEDS:-}" ]; then find "$SEEDS" -type f -size -60k -exec cp -n {} "$WORK/$target/" \;; fi
    fi
    # No tile of more than 4 MiB is decoded: an allocation of much more means that a header was trusted.
    if [ "$target" = validate ]; then more=(-dict=fuzz/tiff.dict -malloc_limit_mb=64); fi
    # Limits: a run of a minute (wall time, because the machine may be busy) or of 2 GB is a fault.
    if cargo fuzz run --target-dir target/fuzz "$target" "$WORK/$target" "fuzz/corpus/$target" -- -max_total_time="$seconds" \
        -timeout=60 -rss_limit_mb=2048 -max_len=60000 -len_control=20 -print_final_stats=1 \
        -artifact_prefix="fuzz/crashes/$target/" "${more[@]}" ${FUZZ_FLAGS:-} >"$log" 2>&1; then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s, $(ls "$WORK/$target" | wc -l) files"
    else
        echo "$target: FAILED, see $log"
        grep -E 'panicked at|ERROR|SUMMARY|Test unit written' -A1 "$log" | head -n 12
        return 1
    fi
}

keep() {
    local target=$1 merged file total
    merged=$(mktemp -d)
    cargo fuzz run --target-dir target/fuzz "$target" "$merged" "fuzz/corpus/$target" "$WORK/$target" -- -merge=1 -timeout=60 \
        -max_len=$KEPT_FILE >"$WORK/$target.merge.log" 2>&1
    # The smallest first, until the limit is reached.
    total=$(find "fuzz/corpus/$target" -name 'seed-*' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
    find "fuzz/corpus/$target" -type f ! -name 'seed-*' -delete
    while read -r size file; do
        total=$((total + size))
        [ $total -gt $KEPT_TOTAL ] && break
        cmp -s "$merged/$file" /dev/null || cp "$merged/$file" "fuzz/corpus/$target/"
    done < <(find "$merged" -type f -printf '%s %f\n' | sort -n)
    rm -rf "$merged"
    echo "$target: $(ls "fuzz/corpus/$target" | wc -l) files kept"
}

case "$ACTION" in
    keep)
        for target in "${TARGETS[@]}"; do keep "$target"; done
        ;;
    *[!0-9]* | '') echo "'$ACTION' is not a number of seconds"; exit 2 ;;
    *)
        if [ ${#TARGETS[@]} = 1 ]; then build "${TARGETS[0]}"; else build; fi
        STATUS=0
        PIDS=()
        for target in "${TARGETS[@]}"; do
            while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-$(nproc)}" ]; do sleep 1; done
            fuzz "$target" "$ACTION" &
            PIDS+=($!)
        done
        for pid in "${PIDS[@]}"; do wait "$pid" || STATUS=1; done
        find fuzz/crashes -type d -empty -delete 2>/dev/null || true
        exit $STATUS
        ;;
esac
