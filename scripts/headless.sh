#!/usr/bin/env bash
# The core and the command line in an environment of their own without any Qt
# binding. Does all its own set-up. Arguments go to pytest.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

environment="$root/.venv-headless"

if ! is_stamped "$environment/stamp" scripts/headless.sh; then
    make_environment "$environment"
    install_torch "$environment"
    install_project "$environment" --group test
    fingerprint scripts/headless.sh >"$environment/stamp"
fi

PATH="$environment/bin:$PATH" bash scripts/headless_checks.sh "$@"
