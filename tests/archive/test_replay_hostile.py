"""Replaying what was changed asks neither for memory nor for time."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.core.colornet import ColorNet
from napari_sdcolor.errors import PhotoError


@pytest.mark.parametrize(('free', 'together'), [(0, 1), (2**40, 3)])
def test_passes_of_no_more_photos_than_the_memory_holds(
    colored, replay, monkeypatch, free, together
):
    content = json.loads(colored.read_text())
    content['run']['batch_size'] = 3
    colored.write_text(json.dumps(content))
    sizes = []
    real = ColorNet.forward

    def counting(self, gray, labels):
        sizes.append(len(gray))
        return real(self, gray, labels)

    monkeypatch.setattr(ColorNet, 'forward', counting)
    monkeypatch.setattr(
        'napari_sdcolor.archive.replay.free_memory', lambda: free
    )
    replay(colored)
    assert sizes == [together]


@pytest.mark.parametrize('form', ['tiff', 'png', 'jpeg'])
def test_an_earlier_result_is_judged_before_it_is_decoded(
    colorize, make_photo, replay, tmp_path, form
):
    """Another size is found in the header."""
    colorize(make_photo(), '--format', form)
    (color,) = (tmp_path / 'out').glob('castle.color.*')
    wide = np.zeros((48, 300, 3), np.uint8)
    if form == 'tiff':
        tifffile.imwrite(color, wide, photometric='rgb')
    else:
        Image.fromarray(wide).save(color)
    answer, result = replay(tmp_path / 'out' / 'castle.sdcolor.json')
    assert result.exit_code == 1
    assert answer['largest_delta_e'] is None
    assert 'another size, 300 × 48 pixels' in answer['differences'][-1]


@pytest.mark.parametrize('form', ['tiff', 'png', 'jpeg'])
def test_an_earlier_result_that_does_not_fit_into_memory(
    colorize, make_photo, replay, tmp_path, monkeypatch, form
):
    colorize(make_photo(), '--format', form)
    (color,) = (tmp_path / 'out').glob('castle.color.*')
    with color.open('ab') as stream:
        stream.write(b'more')
    monkeypatch.setattr(
        'napari_sdcolor.archive.colored_files.refuse_beyond_memory', _refuse
    )
    monkeypatch.setattr(
        'napari_sdcolor.archive.tiff_checks.refuse_beyond_memory', _refuse
    )
    answer, result = replay(tmp_path / 'out' / 'castle.sdcolor.json')
    assert result.exit_code == 1
    assert 'cannot be compared: too much' in answer['differences'][-1]


def _refuse(nbytes):
    if nbytes > 48 * 80 * 3:
        raise PhotoError('too much')


def test_more_pages_than_the_photo_has(colorize, gray_ramp, replay, tmp_path):
    """Found before anything is decoded."""
    pages = np.stack([gray_ramp, gray_ramp[::-1]])
    album = tmp_path / 'album.tif'
    tifffile.imwrite(album, pages, photometric='minisblack')
    assert colorize(album).exit_code == 0
    sidecar = tmp_path / 'out' / 'album.sdcolor.json'
    content = json.loads(sidecar.read_text())
    content['pages'][1] = content['pages'][0]
    sidecar.write_text(json.dumps(content))
    answer, result = replay(sidecar)
    assert result.exit_code == 1
    assert 'twice' in answer['error']
