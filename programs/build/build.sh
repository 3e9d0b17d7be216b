#!/usr/bin/env bash
# Builds the settlement program for one version of the virtual machine, checks it and prints its SHA-256.
#   build.sh v3 OUT   what clusters with every feature on accept
#   build.sh v0 OUT   for clusters that do not take v3 yet
# The tools are those of install-tools.sh; with Solana's own: cargo build-sbf
set -euo pipefail
cd "$(dirname "$0")/.."
sbpf=${1:?v3 or v0}
out=${2:?where the .so goes}
SBF_TOOLS=${SBF_TOOLS:-$HOME/.cache/sbf-tools}
export PATH=$SBF_TOOLS/bin:$PATH RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=${SBF_TARGET:-$PWD/target/$sbpf}
/usr/bin/cargo fetch --quiet --locked --target bpfel-unknown-none
case $sbpf in
  v3) arch=(-Ctarget-cpu=v3 -Ctarget-feature=+allows-misaligned-mem-access) ;;
  v0) arch=(-Ctarget-cpu=v2 -Ctarget-feature=+allows-misaligned-mem-access) ;;
  *) echo "the version is v0 or v3, not $sbpf" >&2; exit 2 ;;
esac
# The same bytes wherever the crates and the project lie.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
registries=("$cargo_home"/registry/src/*)
flags=(
  "${arch[@]}" -Crelocation-model=static
  "-Clink-arg=--arch=$sbpf"
  -Clink-arg=--llvm-args=--bpf-stack-size=4096
  -Clink-arg=--llvm-args=--disable-movsx -Clink-arg=--llvm-args=--disable-ldsx
  "-Clink-arg=$PWD/settlement/builtins.ll"
  "--remap-path-prefix=${registries[0]}=crates"
  "--remap-path-prefix=$PWD=."
)
IFS=$'\x1f'; export CARGO_ENCODED_RUSTFLAGS="${flags[*]}"; unset IFS
/usr/bin/cargo build --quiet --release --locked --target bpfel-unknown-none -p settlement \
  --config 'target.bpfel-unknown-none.linker="sbpf-linker"'
find "$CARGO_TARGET_DIR/bpfel-unknown-none/release" -maxdepth 1 -name '*.so' -exec cp {} "$out" \;
node build/check-so.mjs "$out"
