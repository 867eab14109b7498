#!/usr/bin/env bash
# Sets up everything that running and testing the plugin needs: system
# libraries (only missing ones), the environment .venv and the packages in it.
# Run again, it does nothing until pyproject.toml or the constraints change.
#
#   PYTHON=/path/to/python bash scripts/setup.sh    with a Python of your choice
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

environment="$root/.venv"

install_system_packages
if ! environment_is_current "$environment" scripts/setup.sh; then
    make_environment "$environment"
    install_torch "$environment"
    install_project "$environment" --group dev --group docs
    fingerprint scripts/setup.sh >"$environment/stamp"
    say "done: ${environment#"$root"/}/bin/sdcolor and" \
        "${environment#"$root"/}/bin/napari are ready"
fi
