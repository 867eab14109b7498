"""``sdcolor replay``: identical, or exactly what differs."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

from napari_sdcolor import Colorizer, read_photo
from napari_sdcolor.archive import writing
from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.archive.replay import Recording
from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.cli import app
from napari_sdcolor.core import compose, lab, paint
from napari_sdcolor.core.colornet import ColorNet
from napari_sdcolor.core.device import Device


def test_identical(colored, replay, tmp_path):
    before = {path: path.read_bytes() for path in colored.parent.iterdir()}
    answer, result = replay(colored)
    assert result.exit_code == 0, result.stderr
    assert answer['identical']
    assert answer['differences'] == answer['circumstances'] == []
    assert answer['largest_delta_e'] is None
    assert before == {p: p.read_bytes() for p in colored.parent.iterdir()}


def as_stored_before(sidecar, change=0):
    """The map as gray PNG, as earlier versions stored it."""
    path = sidecar.with_name('castle.labels.png')
    ids = read_ids(path).astype(np.uint8)
    ids[0, 0] ^= change
    path.write_bytes(imagecodecs.png_encode(ids, level=6))
    told = json.loads(sidecar.read_text('utf-8'))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    told['pages'][0]['labels']['sha256'] = digest
    sidecar.write_text(json.dumps(told), 'utf-8')


def test_a_gray_map_of_an_earlier_version_is_identical(colored, replay):
    as_stored_before(colored)
    answer, result = replay(colored)
    assert result.exit_code == 0, result.stderr
    assert answer['identical']
    assert answer['differences'] == []
    (note,) = answer['notes']
    assert 'holds the same classes' in note
    assert note in ' '.join(result.stderr.split())
    assert 'the same bytes again' not in result.stderr


def test_a_gray_map_of_other_classes_is_not(colored, replay):
    as_stored_before(colored, change=1)
    answer, result = replay(colored)
    assert result.exit_code == 1
    assert answer['notes'] == []
    assert answer['differences'] == ['The map comes out with other classes.']


class ByArithmetic:
    """Code values as earlier versions computed them, without tables."""

    def __init__(self, bits, dtype, rounding):
        self.top = dtype(2**bits - 1)
        self.rounding = {'nearest': np.rint, 'down': np.floor}[rounding]
        # The least light above each code value, by the book.
        first = 0.5 if rounding == 'nearest' else 1
        codes = (np.arange(2**bits - 1) + first) / (2**bits - 1)
        borders = ((np.maximum(codes, 0.04045) + 0.055) / 1.055) ** 2.4
        borders = np.where(codes <= 0.04045, codes / 12.92, borders)
        self.borders = np.append(borders, np.inf).astype(dtype)

    def __call__(self, linear):
        encoded = lab.linear_to_srgb(linear) * self.top
        return self.rounding(encoded).astype(np.intp)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_what_one_thread_made_by_arithmetic_is_identical(
    colorize, make_photo, replay, gray_ramp, tmp_path, monkeypatch, dtype
):
    array = gray_ramp.astype(dtype) * (257 if dtype == np.uint16 else 1)
    photo = make_photo(array=array)
    with monkeypatch.context() as before:
        before.setattr(compose, 'staircase', ByArithmetic)
        before.setattr(paint, 'PAINTERS', 1)
        before.setattr(writing, 'PACKERS', 1)
        assert colorize(photo).exit_code == 0
    answer, result = replay(tmp_path / 'out' / 'castle.sdcolor.json')
    assert result.exit_code == 0, result.stderr
    assert answer['identical']


@pytest.mark.parametrize('form', ['tiff', 'png', 'jpeg'])
def test_the_same_bytes_in_a_folder(
    colorize, make_photo, replay, tmp_path, form
):
    photo = make_photo()
    colorize(photo, '--format', form, '--saturation', 1.5)
    folder = tmp_path / 'again'
    sidecar = tmp_path / 'out' / 'castle.sdcolor.json'
    answer, result = replay(sidecar, '-o', folder)
    assert result.exit_code == 0, result.stderr
    assert len(answer['outputs']) == 3
    for path in folder.iterdir():
        if path.suffix != '.json':
            assert (
                path.read_bytes()
                == (tmp_path / 'out' / path.name).read_bytes()
            )
    one, two = (
        json.loads(path.read_text())
        for path in (sidecar, folder / sidecar.name)
    )
    del one['run'], two['run']
    assert one == two
    # Nothing is overwritten here either.
    _, result = replay(sidecar, '-o', folder)
    assert result.exit_code == 1


def test_a_map_by_a_person(colorize, make_photo, replay, tmp_path):
    photo = make_photo()
    labels = np.full((64, 107), 3, np.uint8)
    labels[:, 50:] = 36
    Image.fromarray(labels).save(tmp_path / 'map.png')
    colorize(photo, '--labels', tmp_path / 'map.png')
    (tmp_path / 'map.png').unlink()  # the copy beside the result counts
    sidecar = tmp_path / 'out' / 'castle.sdcolor.json'
    assert replay(sidecar)[1].exit_code == 0
    beside = tmp_path / 'out' / 'castle.labels.png'
    labels[:10] = 5
    Image.fromarray(labels).save(beside)
    answer, result = replay(sidecar)
    assert result.exit_code == 1
    assert any('labels.png was changed' in d for d in answer['differences'])
    assert answer['largest_delta_e'] > 0
    assert 0 < answer['differing_pixels'] <= 1
    beside.unlink()
    answer, result = replay(sidecar)
    assert result.exit_code == 1
    assert 'labels.png' in answer['error']


def test_another_photo(colored, replay, gray_ramp, make_photo):
    other = make_photo(array=255 - gray_ramp)
    answer, result = replay(colored)
    assert result.exit_code == 1
    assert 'castle.png is not the photo that was colored' in answer['error']
    assert '--source' in answer['error']
    answer, result = replay(colored, '--source', other)
    assert result.exit_code == 1
    assert not answer['identical']
    names = [change['name'] for change in answer['circumstances']]
    assert 'source.sha256' in names
    assert answer['largest_delta_e'] > 10
    assert 'source.sha256' in result.stderr


def test_a_photo_of_another_size(colored, replay, gray_ramp, make_photo):
    other = make_photo(array=gray_ramp[:, :40])
    answer, result = replay(colored, '--source', other)
    assert result.exit_code == 1
    assert answer['largest_delta_e'] is None
    assert any('another size' in words for words in answer['differences'])


def test_a_photo_that_is_elsewhere(colored, replay, tmp_path):
    moved = tmp_path / 'moved.png'
    os.rename(tmp_path / 'photos' / 'castle.png', moved)
    answer, result = replay(colored)
    assert result.exit_code == 1
    assert '--source' in answer['error']
    answer, result = replay(colored, '--source', moved)
    assert result.exit_code == 0
    assert [c['name'] for c in answer['circumstances']] == ['source.file']


def test_a_photo_that_moved_with_its_result(
    colored, replay, tmp_path, make_photo, gray_ramp
):
    moved = tmp_path / 'moved'
    os.rename(colored.parent, moved)
    os.rename(tmp_path / 'photos' / 'castle.png', moved / 'castle.png')
    # Another photo at the place where it was.
    make_photo(array=255 - gray_ramp)
    answer, result = replay(moved / colored.name)
    assert result.exit_code == 0, result.stderr
    assert answer['source'] == str(moved / 'castle.png')
    # And the other way round: the one beside the sidecar is another photo.
    os.rename(tmp_path / 'photos' / 'castle.png', tmp_path / 'other.png')
    os.rename(moved / 'castle.png', tmp_path / 'photos' / 'castle.png')
    os.rename(tmp_path / 'other.png', moved / 'castle.png')
    answer, result = replay(moved / colored.name)
    assert result.exit_code == 0, result.stderr
    assert answer['source'] == str(tmp_path / 'photos' / 'castle.png')


@pytest.mark.parametrize('given', ['file', 'folder', 'elsewhere'])
def test_notes_on_the_map_are_kept(
    colorize, make_photo, replay, tmp_path, given
):
    maps = tmp_path / 'maps'
    maps.mkdir()
    name = 'other.png' if given == 'elsewhere' else 'castle.png'
    labels = np.full((128, 214), 3, np.uint8)
    labels[0, :7] = 255
    Image.fromarray(labels).save(maps / name)
    place = maps / name if given == 'file' else maps
    colorize(make_photo(), '--labels', place)
    sidecar = tmp_path / 'out' / 'castle.sdcolor.json'
    told = json.loads(sidecar.read_text('utf-8'))
    words = ' '.join(told['pages'][0]['notes'])
    if given == 'elsewhere':
        assert 'holds none for castle' in words
    else:
        assert '7 pixels of the value 255' in words
        assert 'resized from' in words
    answer, result = replay(sidecar, '-o', tmp_path / 'again')
    assert result.exit_code == 0, result.stderr
    assert answer['circumstances'] == []
    again = json.loads((tmp_path / 'again' / sidecar.name).read_text('utf-8'))
    assert again['pages'] == told['pages']


def test_other_weights(colored, replay, tiny_parts, models_folder, tmp_path):
    from napari_sdcolor.core import models
    from napari_sdcolor.core.weights import load_part, random_part, save_part

    config = load_part(tiny_parts['color']).network.config
    other = random_part('color', config, seed=9)
    path = tmp_path / 'other.safetensors'
    save_part(path, other.network, other.training)
    models.add([path, tiny_parts['segmentation']], 'other')
    answer, result = replay(colored, '--weights', 'other')
    assert result.exit_code == 1
    changed = {change['name'] for change in answer['circumstances']}
    assert 'model.color.tensors_sha256' in changed
    assert 'model.segmentation.tensors_sha256' not in changed
    assert answer['largest_delta_e'] > 0
    models.remove('tiny')
    answer, result = replay(colored)
    assert result.exit_code == 2
    assert 'tiny' in answer['error']


def test_other_versions_are_told(colored, replay):
    """They do not matter as long as the bytes are the same."""
    content = json.loads(colored.read_text())
    content['software']['torch'] = '1.0'
    colored.write_text(json.dumps(content))
    answer, result = replay(colored)
    assert result.exit_code == 0
    (change,) = answer['circumstances']
    assert change['name'] == 'software.torch'
    assert change['then'] == '1.0'


def test_a_retouched_file(colored, replay):
    path = colored.with_name('castle.color.tif')
    rgb = tifffile.imread(path)
    rgb[3, 4] = 255 - rgb[3, 4]
    tifffile.imwrite(path, rgb, photometric='rgb')
    answer, result = replay(colored)
    assert result.exit_code == 1
    assert 'was changed' in answer['differences'][0]
    assert answer['differing_pixels'] == pytest.approx(1 / rgb[..., 0].size)
    assert answer['largest_delta_e'] > 1
    path.unlink()
    answer, result = replay(colored)
    assert 'not there any more' in answer['differences'][0]


def test_pages(colorize, gray_ramp, replay, tmp_path):
    pages = np.stack([gray_ramp, gray_ramp[::-1], gray_ramp[:, ::-1]])
    album = tmp_path / 'album.tif'
    tifffile.imwrite(album, pages, photometric='minisblack')
    assert colorize(album).exit_code == 0
    assert replay(tmp_path / 'out' / 'album.sdcolor.json')[1].exit_code == 0
    assert colorize(album, '--page', 1, '-o', tmp_path / 'one').exit_code == 0
    assert replay(tmp_path / 'one' / 'album.sdcolor.json')[1].exit_code == 0
    tifffile.imwrite(album, pages[:2], photometric='minisblack')
    answer, result = replay(
        tmp_path / 'out' / 'album.sdcolor.json', '--source', album
    )
    assert result.exit_code == 1
    assert 'another file' in answer['error']


@pytest.mark.parametrize('content', ['', '{}', 'hello', '{"format": 99}'])
def test_no_sidecar(tmp_path, replay, content):
    path = tmp_path / 'x.sdcolor.json'
    path.write_text(content)
    answer, result = replay(path)
    assert result.exit_code == 1
    assert 'x.sdcolor.json' in answer['error']


def test_wrong_usage(tmp_path, replay):
    assert replay(tmp_path / 'missing.json')[1].exit_code == 2


def told_otherwise(sidecar, **model):
    """The same sidecar with other facts on what computed the color."""
    content = json.loads(sidecar.read_text())
    content['model'] |= model
    sidecar.write_text(json.dumps(content))


def test_the_data_type_is_that_of_then(
    colored, replay, make_photo, tiny_parts, tmp_path
):
    """Half precision on the CPU, which only Python can ask for."""
    colorizer = Colorizer.load('tiny', device='cpu', dtype='bfloat16', size=64)
    result = colorizer.colorize(read_photo(make_photo()))
    result = replace(result, settings=replace(result.settings, weights='tiny'))
    folder = tmp_path / 'half'
    folder.mkdir()
    save_result(result, folder, 'castle')
    again = folder / 'castle.sdcolor.json'
    answer, _ = replay(again, '-o', tmp_path / 'again')
    assert answer['identical']
    told = json.loads((tmp_path / 'again' / again.name).read_text())
    assert told['model']['dtype'] == 'bfloat16'
    one, other = (
        (place / 'castle.color.tif').read_bytes()
        for place in (folder, colored.parent)
    )
    assert one != other


def test_a_data_type_that_cannot_be_had_here(colored, replay):
    told_otherwise(colored, dtype='float16', device='cuda')
    answer, result = replay(colored, '--device', 'cpu')
    assert 'dtype' in result.stderr
    assert {
        'name': 'model.dtype',
        'then': 'float16',
        'now': 'float32',
    } in answer['circumstances']


@pytest.mark.parametrize(
    ('then', 'told', 'here', 'found'),
    [
        ('cpu', 'float64', 'cuda', 'float32'),
        ('cuda', 'bfloat16', 'cuda', 'bfloat16'),
        ('cuda', 'bfloat16', 'cpu', 'float32'),
        ('cuda', 'bfloat16', 'mps', 'float32'),
        ('cpu', 'float16', 'cpu', 'float16'),
        ('cpu', 'float16', 'cuda', 'float16'),
        ('cuda', 'float64', 'mps', 'float32'),
        ('cuda', 'float64', 'cpu', 'float64'),
    ],
)
def test_which_data_type_can_be_had(colored, then, told, here, found):
    told_otherwise(colored, dtype=told, device=then)
    assert Recording(colored).dtype(Device(here, here)) == found


def test_passes_of_as_many_photos_as_then(
    make_photo, replay, tiny_model, tmp_path, monkeypatch
):
    make_photo()
    words = [tmp_path / 'photos', '-o', tmp_path / 'out', '--batch-size', 3]
    line = ['batch', *words, '--weights', tiny_model, '--size', 64]
    assert CliRunner().invoke(app, list(map(str, line))).exit_code == 0
    sizes = []
    real = ColorNet.forward

    def counting(self, gray, labels):
        sizes.append(len(gray))
        return real(self, gray, labels)

    monkeypatch.setattr(ColorNet, 'forward', counting)
    answer, _ = replay(tmp_path / 'out' / 'castle.sdcolor.json')
    assert answer['identical']
    assert sizes == [3]
