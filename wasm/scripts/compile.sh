#!/usr/bin/env bash
# Compiles crates of wasm/Cargo.toml's workspace for wasm32-unknown-unknown; the modules appear in target/wasm.
#
#   wasm/scripts/compile.sh --workspace      all of them
#   wasm/scripts/compile.sh -p wasm-embed    one, by the options of cargo build
#   wasm/scripts/compile.sh --has-target     succeeds if the compiler in use comes with the target
#
# Uses rustup's target where it is installed, else Debian's rustc-web, cargo-web and rust-web-src with lld-22, which build
# the standard library from its source.
set -euo pipefail
cd "$(dirname "$0")/.."

TARGET=$(realpath -m "${CARGO_TARGET_DIR:-../target}")
TRIPLE=wasm32-unknown-unknown

has_target() {
    local sysroot
    sysroot=$(rustc --print sysroot 2>/dev/null) && [ -d "$sysroot/lib/rustlib/$TRIPLE/lib" ]
}

if [ "${1:-}" = --has-target ]; then
    has_target
    exit
fi

build=(build --release --locked --target "$TRIPLE" --target-dir "$TARGET/wasm" "$@")
if has_target; then
    cargo "${build[@]}"
elif [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ] && command -v wasm-ld-22 >/dev/null; then
    # The standard library is built for size, and a panic is a trap without a message.
    RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-22 \
        RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none" \
        /usr/bin/cargo "${build[@]}" -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
else
    echo "no compiler for $TRIPLE: run 'rustup target add $TRIPLE', or on Debian"
    echo "apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld-22"
    exit 1
fi
