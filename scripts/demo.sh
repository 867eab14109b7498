#!/usr/bin/env bash
# Colors a photograph that comes with the plugin and opens napari on it; where
# there is no display, writes the pictures and says where. Does all its own
# set-up, and no more. Arguments go to `sdcolor demo`.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

bash "$here/setup.sh" demo
exec "$here/../.venv/bin/sdcolor" demo "$@"
