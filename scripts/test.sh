#!/usr/bin/env bash
# Runs the tests, with a real napari. Does all its own set-up. Arguments go to
# pytest.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bash scripts/setup.sh

# The person's own napari settings have no part in the tests.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export NAPARI_CONFIG="$scratch/napari.yaml"
export QT_API="${QT_API:-pyqt6}"

runner=()
if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}" ] &&
    [ -z "${WAYLAND_DISPLAY:-}" ] && [ -z "${QT_QPA_PLATFORM:-}" ]; then
    # Xvfb is an X server; Qt must not guess another platform.
    export QT_QPA_PLATFORM=xcb
    runner=(xvfb-run -a -s '-screen 0 1280x1024x24 +extension GLX')
fi
${runner[@]+"${runner[@]}"} .venv/bin/python -m pytest "$@"
