#!/usr/bin/env bash
# What must work without Qt, with the `python` and `sdcolor` on the PATH.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset DISPLAY WAYLAND_DISPLAY

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export NAPARI_CONFIG="$scratch/napari.yaml"

python - <<'CHECK'
from importlib.util import find_spec

found = [
    name for name in ('PyQt5', 'PyQt6', 'PySide2', 'PySide6')
    if find_spec(name)
]
if found:
    raise SystemExit(f'This environment has a Qt binding: {found}.')
CHECK

# All but what is about napari's window, and what takes minutes and would find
# nothing here that the full run does not: processes that are attacked, killed
# or put together to a cluster load the same modules as the tests of batches,
# of the command line and of training that stay, and a browser knows no Qt.
python -m pytest --no-xvfb -n logical --maxprocesses 8 --dist loadfile \
    --ignore=tests/plugin --ignore=tests/faults \
    --ignore=tests/batch/test_cluster.py \
    --ignore=tests/evaluation/test_study_browser.py \
    --ignore=tests/training/test_training_run.py \
    -m 'not viewer' "$@"

sdcolor doctor --json >"$scratch/doctor.json"
python -m json.tool "$scratch/doctor.json" >/dev/null

python - "$scratch/camera.png" <<'PHOTO'
import sys

from PIL import Image
from skimage import data

Image.fromarray(data.camera()).save(sys.argv[1])
PHOTO
sdcolor colorize "$scratch/camera.png" -o "$scratch/out"
for name in camera.color.tif camera.labels.png camera.sdcolor.json; do
    [ -s "$scratch/out/$name" ] || {
        printf '%s\n' "sdcolor colorize wrote no $name" >&2
        exit 1
    }
done
printf '%s\n' 'headless checks: all passed'
