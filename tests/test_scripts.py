"""The set-up scripts: what each installs, and when they do nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    shutil.which('bash') is None or not (ROOT / 'scripts').is_dir(),
    reason='needs bash and the clone',
)

ONLY_FOR_TESTS = {
    'chromium',
    'chromium-driver',
    'libimage-exiftool-perl',
    'openbox',
    'xauth',
    'xdotool',
    'xvfb',
}

PRETENDED = r"""
install_system_packages() { echo "system $1"; }
make_environment() {
    rm -rf "$1"
    mkdir -p "$1/bin"
    ln -s "$(type -P true)" "$1/bin/python"
    echo made
}
install_torch() { echo torch; }
install_project() { shift; echo "project $*"; }
"""
"""Appended to a copy of common.sh: what would take minutes is only said."""


@pytest.fixture
def setup(tmp_path: Path) -> Callable[..., list[str]]:
    """Runs setup.sh in a clone of its own; what it would have done."""
    shutil.copytree(ROOT / 'scripts', tmp_path / 'scripts')
    for name in ('pyproject.toml', 'constraints-dev.txt'):
        shutil.copy(ROOT / name, tmp_path)
    with (tmp_path / 'scripts' / 'common.sh').open('a') as file:
        file.write(PRETENDED)

    def run(*words: str) -> list[str]:
        done = subprocess.run(
            ['bash', str(tmp_path / 'scripts' / 'setup.sh'), *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    return run


FRESH_DEMO = ['system demo', 'made', 'torch', 'project --group demo']
TO_ALL = ['system all', 'project --group dev --group docs']
FRESH_ALL = [TO_ALL[0], *FRESH_DEMO[1:3], TO_ALL[1]]


def test_the_tests_add_to_what_the_demo_made(
    setup: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert setup('demo') == FRESH_DEMO
    assert setup('demo') == ['system demo']
    assert setup() == TO_ALL
    assert setup('all') == ['system all']
    assert setup('demo') == ['system demo']
    with (tmp_path / 'constraints-dev.txt').open('a') as file:
        file.write('# changed\n')
    assert setup('demo') == FRESH_DEMO
    assert setup('all') == TO_ALL


def test_all_at_once_serves_the_demo_too(
    setup: Callable[..., list[str]],
) -> None:
    assert setup() == FRESH_ALL
    assert setup('demo') == ['system demo']
    assert setup() == ['system all']


def test_a_word_that_is_none(setup: Callable[..., list[str]]) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        setup('everything')
    assert 'demo and all, but not: everything' in caught.value.stderr


def missing(parts: str, tmp_path: Path) -> set[str]:
    """Packages on a machine that has none of the programs looked for."""
    tools = tmp_path / 'bin'
    tools.mkdir(exist_ok=True)
    for name in ('dirname', 'find', 'grep', 'cat'):
        if not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name))
    script = f'. {ROOT / "scripts" / "common.sh"}; missing_packages {parts}'
    done = subprocess.run(
        [shutil.which('bash'), '-c', script],
        capture_output=True,
        text=True,
        env={'PATH': str(tools)},
        check=True,
    )
    return set(done.stdout.split())


def test_a_demo_needs_no_browser(tmp_path: Path) -> None:
    assert missing('all', tmp_path) >= ONLY_FOR_TESTS
    assert not missing('demo', tmp_path) & ONLY_FOR_TESTS


def test_the_demo_asks_for_the_demo() -> None:
    demo = (ROOT / 'scripts' / 'demo.sh').read_text()
    assert 'setup.sh" demo' in demo
