#!/usr/bin/env bash
# Runs the tests, with a real napari, on all cores. Does all its own set-up.
# Arguments go to pytest: -n 0 runs them one by one in one process.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bash scripts/setup.sh

# The person's own napari settings have no part in the tests.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export NAPARI_CONFIG="$scratch/napari.yaml"
export QT_API="${QT_API:-pyqt6}"

if [ "$(uname -s)" = Linux ]; then
    # Each process of the tests has an X server of its own (pytest-xvfb); Qt
    # must not guess another platform.
    export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-xcb}"
fi
.venv/bin/python -m pytest -n logical --maxprocesses 8 --dist loadfile "$@"
