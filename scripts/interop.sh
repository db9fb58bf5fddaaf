#!/usr/bin/env bash
# Converts the fixtures and checks the files with the installed gdalinfo and rio-cogeo, whatever their versions.
# scripts/test.sh compares far more, with pinned versions; this shows that the newest releases still agree.
#
#   scripts/interop.sh            needs gdalinfo and python3 with venv
#   RIO=path COGSMITH=path scripts/interop.sh     with these instead of installing rio-cogeo and building the command
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "${RIO:-}" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install -q --disable-pip-version-check rio-cogeo
    RIO=$folder/venv/bin/rio
fi
command=(cargo run -q --locked --)
[ -z "${COGSMITH:-}" ] || command=("$COGSMITH")
gdalinfo --version
"$RIO" cogeo --version

passed=0 failed=0
for input in fixtures/*.tif; do
    for options in "" "--compress lzw --blocksize 256" "--compress zstd --stats" "--compress none --interleave band"; do
        cog=$folder/out.tif
        # shellcheck disable=SC2086 # several words
        "${command[@]}" create --quiet --overwrite $options "$input" "$cog"
        info=$(gdalinfo -checksum "$cog")
        report=$("$RIO" cogeo validate --strict "$cog" 2>&1) || true
        if grep -q 'LAYOUT=COG' <<<"$info" && grep -q 'is a valid cloud optimized GeoTIFF' <<<"$report"; then
            echo "ok $(basename "$input") $options"
            passed=$((passed + 1))
        else
            printf 'FAIL %s %s\n%s\n%s\n' "$(basename "$input")" "$options" "$info" "$report"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
