"""Names that become part of a path lead nowhere else."""

from __future__ import annotations

import os

import pytest

from napari_sdcolor.names import safe_name, safe_path

LEADING_OUT = ['', ' ', '.', '..', '/etc', 'a/b', '../a', 'a\0b']
NOT_EVERYWHERE = [
    'a\\b',
    '..\\a',
    'C:',
    'C:a',
    'a\nb',
    'a\x7f',
    'a\u202eb',
    '~',
    '~root',
    'a.',
    'a ',
    'CON',
    'nul.txt',
    'Com1',
    'lpt³.a.b',
    'a' * 201,
    'ü' * 101,
]
GOOD = ['a', 'Ä', '.hidden', '..a', 'a..b', 'a b', 'con1', 'null', 'ü' * 100]


@pytest.mark.parametrize('name', LEADING_OUT + NOT_EVERYWHERE)
def test_names_that_are_not_safe(name: str) -> None:
    with pytest.raises(ValueError, match='^(it|Windows) '):
        safe_name(name)
    if name != 'a/b':
        with pytest.raises(ValueError):
            safe_path(f'good/{name}')


@pytest.mark.parametrize('name', LEADING_OUT)
def test_what_leads_out_is_never_safe(name: str) -> None:
    with pytest.raises(ValueError):
        safe_name(name, here=True)


@pytest.mark.parametrize('name', GOOD)
def test_safe_names_stay_as_they_are(name: str) -> None:
    assert safe_name(name) == safe_name(name, here=True) == name
    assert safe_path(f'{name}/{name}') == f'{name}/{name}'


@pytest.mark.skipif(os.name == 'nt', reason='a colon leads out there')
def test_files_of_this_machine_may_be_called_anything_else() -> None:
    assert safe_name('12: 30.', here=True) == '12: 30.'
