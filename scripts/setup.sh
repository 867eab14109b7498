#!/usr/bin/env bash
# Sets up the plugin: system libraries (only missing ones), the environment
# .venv and the packages in it.
#
#   bash scripts/setup.sh demo    what running the plugin needs
#   bash scripts/setup.sh         also what its tests and documentation need
#
# The second adds to what the first made. Run again, both do nothing until
# pyproject.toml, the constraints or these scripts change.
#
#   PYTHON=/path/to/python bash scripts/setup.sh    with a Python of your choice
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

environment="$root/.venv"
parts="${1:-all}"

has() { is_stamped "$environment/stamp-$1" scripts/setup.sh; }

case "$parts" in
demo) groups=(--group demo) ;;
all) groups=(--group dev --group docs) ;;
*) fail "there are two ways to set up, demo and all, but not: $parts." ;;
esac

install_system_packages "$parts"
if has all || has "$parts"; then
    exit 0
fi
if ! has demo; then
    make_environment "$environment"
    install_torch "$environment"
fi
install_project "$environment" "${groups[@]}"
fingerprint scripts/setup.sh >"$environment/stamp-$parts"
say "done: ${environment#"$root"/}/bin/sdcolor and" \
    "${environment#"$root"/}/bin/napari are ready"
