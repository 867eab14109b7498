"""The mark of every file, read back by a program that is not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.archive.saving import (
    save_as,
    save_pages,
    save_result,
)
from napari_sdcolor.settings import (
    DEFAULT_SOURCE_TYPE,
    SOURCE_TYPES,
    Settings,
)

pytestmark = pytest.mark.skipif(
    shutil.which('exiftool') is None, reason='exiftool is not installed'
)


def exiftool(path: Path, *options: str) -> dict[str, Any]:
    told = subprocess.run(
        ['exiftool', '-json', '-n', *options, str(path)],
        capture_output=True,
        check=True,
    )
    return json.loads(told.stdout)[0]


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', SUFFIXES)
def test_the_mark_in_every_format(tmp_path, make_result, form, bits):
    texts = (('Artist', 'José'), ('Copyright', '© the archive'))
    result = make_result(
        bits, orientation=6, resolution=(300.0, 300.0, 2), texts=texts
    )
    path = save_result(result, tmp_path, 'boat', form).color
    tags = exiftool(path)
    assert 'Error' not in tags
    assert tags['DigitalSourceType'] == DEFAULT_SOURCE_TYPE
    sha256 = result.photo.origin.sha256
    assert tags['DerivedFromDocumentID'] == f'sha256:{sha256}'
    assert tags['CreatorTool'] == tags['Software']
    assert tags['Software'].startswith('napari-sdcolor ')
    assert 'added by a machine' in tags['Description']
    assert tags['Orientation'] == 6
    assert tags.get('Artist', tags.get('Author')) == 'José'
    assert tags['Copyright'] == '© the archive'
    assert tags['ProfileDescription'].startswith('sRGB')


@pytest.mark.parametrize('form', ['.tif', '.png', '.jpg'])
def test_the_mark_of_a_file_saved_alone(tmp_path, make_result, form):
    path, *_ = save_as(make_result(), tmp_path / f'boat{form}')
    assert exiftool(path)['DigitalSourceType'] == DEFAULT_SOURCE_TYPE


def test_the_mark_of_every_page(tmp_path, make_result):
    results = [make_result(16), make_result(16), make_result(16)]
    path = save_pages(iter(results), tmp_path, 'album', 3)[0]
    tags = exiftool(path, '-G1', '-a')
    for page in range(3):
        assert 'machine' in tags[f'IFD{page}:ImageDescription']
        assert tags[f'IFD{page}:Software'].startswith('napari-sdcolor ')


@pytest.mark.parametrize('source_type', SOURCE_TYPES)
def test_another_term_of_iptc(tmp_path, make_result, source_type):
    term = source_type.rpartition('/')[2]
    settings = Settings(source_type=term)
    assert settings.source_type == source_type
    result = replace(make_result(), settings=settings)
    path = save_result(result, tmp_path, 'boat', 'png').color
    assert exiftool(path)['DigitalSourceType'] == source_type
