"""What the page on the architecture names is there; one version is told."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import napari_sdcolor

SOURCE = Path(napari_sdcolor.__file__).parent
PAGE = Path(__file__).parents[1] / 'docs' / 'architecture.md'
ROOMS = {path.stem for path in SOURCE.iterdir() if path.stem[0] != '_'}
NAMES = sorted(
    name
    for name in set(
        re.findall(r'`([a-z_]+(?:\.\w+)+)`', PAGE.read_text('utf-8'))
    )
    if name.partition('.')[0] in ROOMS and not name.endswith('.yaml')
)


def test_the_citation_has_the_version() -> None:
    citation = (PAGE.parents[1] / 'CITATION.cff').read_text('utf-8')
    assert f'version: {napari_sdcolor.__version__}\n' in citation


def test_there_are_names() -> None:
    assert len(NAMES) > 20


@pytest.mark.parametrize('name', NAMES)
def test_a_name_of_the_page_is_there(name: str) -> None:
    if name.startswith(('plugin', 'bench.strokes')):
        pytest.importorskip('PyQt6')
    parts = name.split('.')
    for count in range(len(parts), 0, -1):
        module = SOURCE.joinpath(*parts[:count])
        if module.is_dir() or module.with_suffix('.py').is_file():
            break
    found = import_module('.'.join(['napari_sdcolor', *parts[:count]]))
    for part in parts[count:]:
        found = getattr(found, part)
