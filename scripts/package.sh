#!/usr/bin/env bash
# Packs all crates as for crates.io, and tests the library from its own package: a user's build must not need a file that
# is only in the repository.
#
#   scripts/package.sh            packs all, and runs the tests of the unpacked library
#   scripts/package.sh check      only compiles them
#   scripts/package.sh publish    runs them, and rehearses the release, which builds all packages from scratch
set -euo pipefail
cd "$(dirname "$0")/.."

TARGET=$(realpath -m "${CARGO_TARGET_DIR:-target}")
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Bytes of the library's compressed package.
MAX_BYTES=$((700 * 1000))

python3 scripts/repository.py --check

# NOTICE names the sources of all embedded data, and the version of the EPSG dataset.
for file in $(git ls-files src | grep -v '\.rs$') "$(head -c 8 src/geo/crs/epsg.bin | tail -c 7)"; do
    grep -qF "$file" NOTICE || { echo "NOTICE does not mention $file"; exit 1; }
done
for manifest in python/Cargo.toml wasm/Cargo.toml; do
    grep -qx "version = \"$VERSION\"" "$manifest" || { echo "the version in $manifest is not $VERSION"; exit 1; }
done

cargo package --workspace --no-verify --allow-dirty --locked

crate=$TARGET/package/cogsmith-$VERSION.crate
bytes=$(wc -c <"$crate")
echo "package: $bytes bytes, at most $MAX_BYTES"
[ "$bytes" -le "$MAX_BYTES" ]

# Outside the repository, whose workspace would otherwise include it.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar xzf "$crate" -C "$folder"
# Of the same version, so crates.io does not have it yet.
mkdir "$folder/.cargo"
for name in cogsmith-lerc cogsmith-warp; do
    tar xzf "$TARGET/package/$name-$VERSION.crate" -C "$folder"
    echo "patch.crates-io.$name.path = '$folder/$name-$VERSION'" >>"$folder/.cargo/config.toml"
    sed -i '/^name = "'$name'"$/,/^$/{/^source = /d;/^checksum = /d}' "$folder/cogsmith-$VERSION/Cargo.lock"
done
cd "$folder/cogsmith-$VERSION"
export CARGO_TARGET_DIR=$TARGET
if [ "${1:-}" = check ]; then
    cargo check --all-targets --locked
    exit
fi
cargo test --locked

if [ "${1:-}" = publish ]; then
    cd - >/dev/null
    cargo publish --workspace --dry-run --allow-dirty --locked
fi
