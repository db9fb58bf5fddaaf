#!/usr/bin/env bash
# Builds the npm package in wasm/pkg: two modules, each with bindings and compiled TypeScript. The one in wasm/pkg/full has
# every codec. Prints the sizes of the modules.
#
#   wasm/scripts/build.sh         the package
#   wasm/scripts/build.sh page    the page too, in wasm/dist
#
# Needs Node with npm, and a compiler for wasm32-unknown-unknown: see wasm/scripts/compile.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

ROOT=$(cd .. && pwd)
TARGET=$(realpath -m "${CARGO_TARGET_DIR:-$ROOT/target}")
WASM_TARGET=$TARGET/wasm
TRIPLE=wasm32-unknown-unknown
# Maximum size in bytes of each compressed module, as a page loads it: the one with the codecs that all files need, and the
# one with every codec.
declare -A MAX_BYTES=([pkg]=$((820 * 1000)) [pkg/full]=$((1000 * 1000)))

# Installs the tools of package-lock.json, once for each version of it.
install_tools() {
    [ -e node_modules/.package-lock.json ] && [ node_modules/.package-lock.json -nt package-lock.json ] && return
    npm ci --no-audit --no-fund --ignore-scripts
}

# Optimizes a module for its compressed size. Enables only the features that compilers use by default for this target;
# browsers since 2022 support them. A second pass takes half as long as the first and saves another 2 KB. Data starts at
# 1 MiB, above the stack, so no object is in the low memory. gzip only finds repetitions within 32 KB: large functions with a
# single caller stay apart, and functions are sorted by name, which brings the instances of generic ones together.
optimize() {
    node_modules/.bin/wasm-opt --low-memory-unused -Os -Os --one-caller-inline-max-function-size 100 \
        --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int --enable-sign-ext \
        --enable-mutable-globals --enable-multivalue --enable-reference-types --enable-extended-const \
        --reorder-functions-by-name --strip-debug --strip-producers -o "$1.optimized" "$1"
    mv "$1.optimized" "$1"
}

# check_size FOLDER: prints the size of a module, and fails if it exceeds its limit
check_size() {
    local module=$1/cogsmith_bg.wasm bytes
    bytes=$(gzip -9 -c "$module" | wc -c)
    echo "module: $1 $(wc -c <"$module") bytes, $bytes gzipped, at most ${MAX_BYTES[$1]}"
    # Only the precompiled standard library of an installed target may exceed the limit: it is larger.
    [ "$bytes" -le "${MAX_BYTES[$1]}" ] || scripts/compile.sh --has-target
}

# module FOLDER CARGO_ARGUMENTS...: compiles a module and its bindings
module() {
    local folder=$1
    shift
    scripts/compile.sh -p cogsmith-wasm "$@"
    mkdir -p "$folder"
    "$TARGET/wasm-bindgen/debug/cogsmith-bindgen" "$WASM_TARGET/$TRIPLE/release/cogsmith_wasm.wasm" "$folder" cogsmith
}

(cd bindgen && cargo build -q --locked --target-dir "$TARGET/wasm-bindgen") &
BINDGEN=$!
install_tools
wait $BINDGEN

rm -rf pkg
# One after the other: in one run, cargo would build the library with the features of both.
module pkg
module pkg/full --features full &
FULL=$!
optimize pkg/cogsmith_bg.wasm
wait $FULL
scripts/compile.sh -p wasm-embed &
EMBED=$!
optimize pkg/full/cogsmith_bg.wasm
wait $EMBED
node_modules/.bin/tsc -p ts
find pkg -maxdepth 1 -type f \( -name '*.js' -o -name '*.d.ts' \) ! -name 'cogsmith*' -exec cp -t pkg/full {} +
cp README.md ../LICENSE-APACHE ../LICENSE-MIT ../NOTICE pkg/
version=$(sed -n 's/^version = "\(.*\)"/\1/p' ../Cargo.toml | head -n 1)
sed "s/\"version\": \"[^\"]*\"/\"version\": \"$version\"/" package.template.json >pkg/package.json

if [ "${1:-}" = page ]; then
    node_modules/.bin/tsc -p www
    node_modules/.bin/vite build --logLevel warn www
fi

check_size pkg
check_size pkg/full
