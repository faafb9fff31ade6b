#!/usr/bin/env bash
# Installs what is missing on Debian and Ubuntu, and says so.
#
#   install.sh build   what the daemon is built with
#   install.sh test    what the tests need on top: a browser, Node.js, Python, coturn, the wasm target
#   install.sh bench   what the comparisons are made with, where it can be had
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(build-essential cmake pkg-config libvpx-dev libyuv-dev)
# A TURN server, to have media relayed by.
test_packages=(coturn)
bench_packages=(ffmpeg)

say() { printf 'mosaicd: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "not root and no sudo, please run: $*"
        return 1
    fi
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

install_packages() {
    local missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; please install what ${missing[*]} are called on this system"
        return 1
    fi
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}" >/dev/null
}

install_browser() {
    if [ -n "${CHROMIUM:-}" ]; then
        command -v "$CHROMIUM" >/dev/null || { say "CHROMIUM=$CHROMIUM is not there"; exit 1; }
    elif ! command -v chromium >/dev/null; then
        install_packages chromium || true
    fi
    if ! "${CHROMIUM:-chromium}" --version >/dev/null 2>&1; then
        say "no Chromium that runs; install one and name it: make test CHROMIUM=/path/to/it"
        exit 1
    fi
}

install_node() {
    command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm
    local major
    major=$(node -p 'process.versions.node.split(".")[0]')
    if [ "$major" -lt 18 ]; then
        say "Node.js is version $major here, the tests need 18 or newer"
        exit 1
    fi
    if [ tests/browser/package-lock.json -nt tests/browser/node_modules/.package-lock.json ]; then
        say "installing the browser driver (npm)"
        (cd tests/browser && npm ci --no-audit --no-fund --loglevel=error)
    fi
}

install_python() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "$(python3 --version) is here, the tests need Python 3.11 or newer"
        exit 1
    fi
    local venv=tests/whip/venv wanted=tests/whip/requirements.txt
    if ! cmp --silent "$wanted" "$venv/installed.txt"; then
        say "installing aiortc (pip)"
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
            --requirement "$wanted"
        cp "$wanted" "$venv/installed.txt"
    fi
}

install_rust_parts() {
    local have
    have=$(rustup component list --installed)
    for component in rustfmt clippy; do
        grep -q "^$component" <<<"$have" || rustup component add "$component"
    done
    if ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
        say "adding the Rust target wasm32-unknown-unknown"
        rustup target add wasm32-unknown-unknown
    fi
}

case "${1:-}" in
    build) install_packages "${build_packages[@]}" ;;
    test)
        install_packages "${test_packages[@]}"
        install_browser
        install_node
        install_python
        install_rust_parts
        ;;
    bench) install_packages "${bench_packages[@]}" || say "no ffmpeg, its column stays empty" ;;
    *)
        say "usage: install.sh build|test|bench"
        exit 2
        ;;
esac
