#!/usr/bin/env bash
# Builds the npm package in wasm/pkg: modules, bindings, and compiled TypeScript. Prints the size of the modules.
#
#   wasm/scripts/build.sh         the package
#   wasm/scripts/build.sh page    the page too, in wasm/dist
#
# The ZSTD encoder is a module of its own, which pages load on demand.
#
# Needs Node with npm, and a compiler for wasm32-unknown-unknown: see wasm/scripts/compile.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

ROOT=$(cd .. && pwd)
TARGET=$(realpath -m "${CARGO_TARGET_DIR:-$ROOT/target}")
WASM_TARGET=$TARGET/wasm
TRIPLE=wasm32-unknown-unknown
# Maximum size in bytes of a compressed module, as a page loads it.
MOST_BYTES=$((740 * 1000))

# Installs the tools of package-lock.json, once for each version of it.
install_tools() {
    [ -e node_modules/.package-lock.json ] && [ node_modules/.package-lock.json -nt package-lock.json ] && return
    npm ci --no-audit --no-fund --ignore-scripts
}

# Enables only the features that compilers use by default for this target; browsers since 2022 support them. A second pass
# takes half as long as the first and saves another 2 KB.
optimize() {
    node_modules/.bin/wasm-opt -Os -Os --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int --enable-sign-ext \
        --enable-mutable-globals --enable-multivalue --enable-reference-types --enable-extended-const -o "$1.optimized" "$1"
    mv "$1.optimized" "$1"
}

scripts/compile.sh --workspace &
MODULE=$!
(cd bindgen && cargo build -q --locked --target-dir "$TARGET/wasm-bindgen") &
BINDGEN=$!
install_tools
wait $MODULE
wait $BINDGEN

rm -rf pkg
mkdir -p pkg
for name in cogsmith cogsmith_zstd; do
    module=$WASM_TARGET/$TRIPLE/release/${name/%cogsmith/cogsmith_wasm}.wasm
    "$TARGET/wasm-bindgen/debug/cogsmith-bindgen" "$module" pkg $name
    optimize pkg/${name}_bg.wasm
done
node_modules/.bin/tsc -p ts
cp README.md ../LICENSE-APACHE ../LICENSE-MIT ../NOTICE pkg/
version=$(sed -n 's/^version = "\(.*\)"/\1/p' ../Cargo.toml | head -n 1)
sed "s/\"version\": \"[^\"]*\"/\"version\": \"$version\"/" package.template.json >pkg/package.json

if [ "${1:-}" = page ]; then
    node_modules/.bin/tsc -p www
    node_modules/.bin/vite build --logLevel warn www
fi

for name in cogsmith cogsmith_zstd; do
    module=pkg/${name}_bg.wasm
    bytes=$(gzip -9 -c "$module" | wc -c)
    echo "module: $name $(wc -c <"$module") bytes, $bytes gzipped, at most $MOST_BYTES"
    # Only the precompiled standard library of an installed target may exceed the limit: it is larger.
    [ "$bytes" -le "$MOST_BYTES" ] || scripts/compile.sh --has-target
done
