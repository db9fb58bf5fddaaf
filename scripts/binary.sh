#!/usr/bin/env bash
# Builds the command for a release: tries it, and packs it with completions, licenses and README.
#
#   scripts/binary.sh TARGET FOLDER     such as x86_64-unknown-linux-musl dist
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

cargo build --release --locked -p cogsmith-cli --target "$target"
command=${CARGO_TARGET_DIR:-target}/$target/release/cogsmith
[ -e "$command" ] || command=$command.exe

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$command" create --quiet fixtures/sentinel2_like.tif "$work/out.tif"
"$command" validate "$work/out.tif"

version=$("$command" --version | cut -d' ' -f2 | tr -d '\r')
name=cogsmith-$version-$target
mkdir -p "$work/$name/completions"
cp "$command" LICENSE-APACHE LICENSE-MIT NOTICE README.md CHANGELOG.md "$work/$name/"
python3 scripts/third_party.py cli/Cargo.toml "$target" >"$work/$name/NOTICE-THIRD-PARTY"
for shell in bash elvish fish powershell zsh; do
    "$command" completions "$shell" >"$work/$name/completions/cogsmith.$shell"
done
case "$target" in
    *windows*) (cd "$work" && 7z a -bso0 "$folder/$name.zip" "$name") ;;
    *) tar -czf "$folder/$name.tar.gz" -C "$work" "$name" ;;
esac
ls -l "$folder"
