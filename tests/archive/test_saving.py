"""Saving whole results, and what becomes of the master meanwhile."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import weakref
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive import writing
from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.archive.labels import read_labels
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.saving import (
    output_paths,
    photo_name,
    save_as,
    save_pages,
    save_result,
)
from napari_sdcolor.archive.sidecar import run_facts
from napari_sdcolor.core import lab
from napari_sdcolor.errors import LabelsError, PhotoError, SaveError


def sha(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('a/boat.tif', 'boat'),
        ('boat.color.tif', 'boat.color'),
        ('box 3/№ 7.v2.jpeg', '№ 7.v2'),
        ('boat', 'boat'),
    ],
)
def test_photo_name(path, name):
    assert photo_name(path) == name


def test_output_names(tmp_path):
    names = output_paths(tmp_path, 'boat.v2', 'jpeg')
    assert [path.name for path in names] == [
        'boat.v2.color.jpg',
        'boat.v2.labels.png',
        'boat.v2.sdcolor.json',
    ]
    for wrong in ('', '../boat', 'a/b'):
        with pytest.raises(SaveError, match='no file name'):
            output_paths(tmp_path, wrong)
    with pytest.raises(SaveError, match='no format'):
        output_paths(tmp_path, 'boat', 'gif')


@pytest.mark.parametrize('alpha', [False, True])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', SUFFIXES)
def test_a_result_is_three_files_that_agree(
    tmp_path, make_result, form, bits, alpha
):
    result = make_result(
        bits, alpha, orientation=6, resolution=(300.0, 300.0, 2)
    )
    names = save_result(result, tmp_path, 'boat', form)
    assert sorted(tmp_path.iterdir()) == sorted(names)
    found = read_photo(names.color)
    assert found.shape == result.photo.shape
    assert found.origin.orientation == 6
    assert found.origin.resolution[:2] == pytest.approx((300, 300), abs=0.01)
    assert found.origin.icc == srgb_profile()
    if form != 'jpeg':
        assert found.bits == bits
        top = 2**bits - 1
        wanted = lab.rgb_to_lightness(result.rgb / top)
        np.testing.assert_allclose(found.lightness, wanted, atol=1e-4)
        assert (found.alpha is not None) == alpha
        if alpha:
            assert (found.alpha == result.photo.alpha).all()
    labels, notes = read_labels(names.labels, result.photo, 64)
    assert (labels == result.labels).all()
    assert notes == ()
    content = json.loads(names.sidecar.read_text(encoding='utf-8'))
    assert content['result']['sha256'] == sha(names.color)
    assert content['pages'][0]['labels']['sha256'] == sha(names.labels)
    assert content['result']['bits'] == (8 if form == 'jpeg' else bits)
    said = any('access copy' in note for note in content['notes'])
    assert said == (form == 'jpeg')


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', ['tiff', 'png'])
def test_without_chroma_the_codes_are_the_photos(
    tmp_path, make_result, form, bits
):
    result = make_result(bits)
    gray = lab.lightness_to_gray(result.photo.lightness.astype(np.float64))
    codes = np.rint(gray * (2**bits - 1)).astype(result.rgb.dtype)
    result = replace(result, rgb=np.stack([codes] * 3, axis=-1))
    names = save_result(result, tmp_path, 'boat', form)
    found = read_photo(names.color)
    assert (found.lightness == result.photo.lightness).all()


@pytest.mark.parametrize('form', SUFFIXES)
def test_equal_results_give_equal_bytes(tmp_path, make_result, form):
    result = make_result(16, alpha=True)
    files = []
    for folder in (tmp_path / 'a', tmp_path / 'b'):
        folder.mkdir()
        files.append(save_result(result, folder, 'boat', form))
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_the_clock_stays_in_run(tmp_path, make_result):
    moment = datetime(2031, 5, 1, tzinfo=UTC)
    names = save_result(
        make_result(), tmp_path, 'boat', run=run_facts(moment, moment)
    )
    content = json.loads(names.sidecar.read_bytes())
    assert content.pop('run')['started'].startswith('2031-05-01')
    assert '2031' not in json.dumps(content)
    assert b'2031-' not in names.color.read_bytes()


@pytest.mark.parametrize('taken', [0, 1, 2])
def test_outputs_are_never_overwritten(tmp_path, make_result, taken):
    precious = output_paths(tmp_path, 'boat')[taken]
    precious.write_bytes(b'precious')
    with pytest.raises(SaveError, match=precious.name):
        save_result(make_result(), tmp_path, 'boat')
    assert list(tmp_path.iterdir()) == [precious]
    assert precious.read_bytes() == b'precious'


@pytest.mark.parametrize('count', [1, 2, 3])
def test_a_full_disk_leaves_nothing(tmp_path, make_result, monkeypatch, count):
    original, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) >= count:
            raise OSError(errno.ENOSPC, 'No space left on device')
        original(descriptor)

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(SaveError, match='disk is full'):
        save_result(make_result(), tmp_path, 'boat')
    assert list(tmp_path.iterdir()) == []


def test_a_result_without_a_mark_is_not_saved(
    tmp_path, make_result, monkeypatch
):
    monkeypatch.setattr(writing, '_itxt', lambda keyword, text: b'')
    with pytest.raises(SaveError, match='mark'):
        save_result(make_result(), tmp_path, 'boat', 'png')
    assert list(tmp_path.iterdir()) == []


def test_results_that_do_not_fit_their_photo(tmp_path, make_result):
    result = make_result(16)
    for wrong in (
        replace(result, rgb=result.rgb[1:]),
        replace(result, rgb=(result.rgb >> 8).astype(np.uint8)),
    ):
        with pytest.raises(SaveError, match='Color the photo again'):
            save_result(wrong, tmp_path, 'boat')
    with pytest.raises(LabelsError):
        wrong = replace(result, labels=np.full_like(result.labels, 99))
        save_result(wrong, tmp_path, 'boat')
    with pytest.raises(SaveError, match='Create the folder'):
        save_result(result, tmp_path / 'missing', 'boat')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('suffix', ['.tif', '.png', '.jpg'])
def test_the_master_is_only_read(tmp_path, rng, make_result, suffix):
    master = tmp_path / f'boat{suffix}'
    Image.fromarray(rng.integers(0, 256, (45, 61), dtype=np.uint8)).save(
        master
    )
    master.chmod(0o444)
    before = (sha(master), master.stat().st_mtime_ns, master.stat().st_mode)
    photo = read_photo(master)
    result = replace(make_result(), photo=photo)
    names = save_result(result, tmp_path, photo_name(master))
    after = (sha(master), master.stat().st_mtime_ns, master.stat().st_mode)
    assert after == before
    assert len(list(tmp_path.iterdir())) == 4
    content = json.loads(names.sidecar.read_bytes())
    assert content['source']['sha256'] == before[0]
    assert before[0].encode() in names.color.read_bytes()


def test_what_the_master_brought_survives(tmp_path, rng, make_result):
    icc = bytes(rng.integers(0, 256, 500, dtype=np.uint8))
    master = tmp_path / 'boat.tif'
    tifffile.imwrite(
        master,
        rng.integers(0, 65536, (45, 61, 2), dtype=np.uint16),
        photometric='minisblack',
        planarconfig='contig',
        extrasamples=['unassalpha'],
        resolution=(118.5, 118.5),
        resolutionunit='centimeter',
        iccprofile=icc,
        extratags=[
            (274, 'H', 1, 5, True),
            (33432, 's', 0, '© Archive'.encode(), True),
        ],
    )
    photo = read_photo(master)
    result = replace(make_result(16), photo=photo)
    names = save_result(result, tmp_path, 'boat')
    with tifffile.TiffFile(names.color) as tif:
        page = tif.pages[0]
        assert (page.asarray()[..., 3] == photo.alpha).all()
        assert page.tags['Orientation'].value == 5
        assert page.tags['XResolution'].value == (237, 2)
        assert page.tags['ResolutionUnit'].value == 3
        assert page.tags['Copyright'].value == '© Archive'
        assert page.tags['InterColorProfile'].value == srgb_profile()
    content = json.loads(names.sidecar.read_bytes())
    assert content['profiles'] == {
        hashlib.sha256(icc).hexdigest(): base64.b64encode(icc).decode()
    }


@pytest.mark.parametrize(
    ('name', 'form'),
    [
        ('boat.tif', 'tiff'),
        ('boat.TIFF', 'tiff'),
        ('boat.png', 'png'),
        ('boat.jpg', 'jpeg'),
        ('boat.jpeg', 'jpeg'),
    ],
)
def test_a_name_of_ones_own_with_map_and_sidecar(
    tmp_path, make_result, name, form
):
    result = make_result()
    color, labels, beside = save_as(result, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == sorted((color, labels, beside))
    assert labels.name == 'boat.labels.png'
    assert beside.name == 'boat.sdcolor.json'
    content = json.loads(beside.read_bytes())
    assert content['result']['file'] == name
    assert content['result']['format'] == form
    assert content['result']['sha256'] == sha(color)
    assert content['pages'][0]['labels']['file'] == 'boat.labels.png'
    twin = tmp_path / 'twin'
    twin.mkdir()
    assert sha(save_result(result, twin, 'boat', form).color) == sha(color)


def test_one_colored_file_is_refused_like_three(tmp_path, make_result):
    with pytest.raises(SaveError, match=r'\.png'):
        save_as(make_result(), tmp_path / 'boat.gif')
    taken = tmp_path / 'boat.sdcolor.json'
    taken.write_bytes(b'precious')
    with pytest.raises(SaveError, match='never overwritten'):
        save_as(make_result(), tmp_path / 'boat.tif')
    assert list(tmp_path.iterdir()) == [taken]


def test_pages_of_one_file(tmp_path, make_result):
    results = [make_result(16), make_result(16)]
    written = save_pages(iter(results), tmp_path, 'album', 2)
    assert [path.name for path in written] == [
        'album.color.tif',
        'album.p0000.labels.png',
        'album.p0001.labels.png',
        'album.sdcolor.json',
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    content = json.loads(written[-1].read_bytes())
    for number, result in enumerate(results):
        page = read_photo(written[0], page=number)
        wanted = lab.rgb_to_lightness(result.rgb / 65535)
        np.testing.assert_allclose(page.lightness, wanted, atol=1e-4)
        labels, _ = read_labels(written[1 + number], result.photo, 64)
        assert (labels == result.labels).all()
        facts = content['pages'][number]['labels']
        assert facts['sha256'] == sha(written[1 + number])
    with pytest.raises(SaveError, match='never overwritten'):
        save_pages(results, tmp_path, 'album', 2)


@pytest.mark.parametrize('count', [0, 1, 3, 5])
def test_pages_that_are_missing_or_too_many(tmp_path, make_result, count):
    results = [make_result(16), make_result(16)]
    if count == 0:
        results = []
    with pytest.raises(SaveError, match='page'):
        save_pages(results, tmp_path, 'album', count)
    assert list(tmp_path.iterdir()) == []


def test_pages_are_asked_for_one_after_the_other(tmp_path, make_result):
    """The page before is in the file, and no result is kept."""
    alive = weakref.WeakSet()

    def results():
        for number in range(4):
            assert len(alive) <= 1
            result = make_result(16)
            alive.add(result)
            if number:
                (part,) = (
                    path
                    for path in tmp_path.iterdir()
                    if path.read_bytes()[:2] == b'II'
                )
                assert part.stat().st_size > number * 40 * 60 * 6
            yield result
            del result

    save_pages(results(), tmp_path, 'album', 4)


def test_an_error_between_pages_leaves_nothing(tmp_path, make_result):
    def results():
        yield make_result()
        raise PhotoError('page 1 is damaged.')

    with pytest.raises(PhotoError, match='page 1'):
        save_pages(results(), tmp_path, 'album', 2)
    assert list(tmp_path.iterdir()) == []
