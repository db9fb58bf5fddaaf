# Commands for everyday work; `just ci` is what CI runs. https://just.systems

# List the commands.
default:
    @just --list

# Run everything that has to pass before a change lands.
ci:
    scripts/test.sh

# Run single stages of it, such as `just stage build judges grid`.
stage +names:
    scripts/test.sh {{ names }}

# Run the Rust tests; nothing has to be installed.
test *words:
    cargo test --workspace --locked {{ words }}

# Check formatting, lints and documentation.
lint:
    scripts/test.sh fmt clippy doc

# Build and test the Python package.
python:
    scripts/test.sh build judges python

# Build and test the npm package and the page.
wasm:
    scripts/test.sh build judges wasm

# Pack the crates and test the library from its package.
package:
    scripts/package.sh

# Fuzz every target for some seconds, or only those named.
fuzz seconds="60" *targets:
    scripts/fuzz.sh {{ seconds }} {{ targets }}

# Measure encoding, codecs and kernels.
bench:
    cargo bench --bench encode --bench codec --bench pyramid

# Run what takes too long for every change, before a release.
release-check *checks:
    scripts/release-check.sh {{ checks }}
