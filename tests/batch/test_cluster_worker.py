"""What a process of a cluster looks at before it takes part."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from napari_sdcolor.archive.sidecar import software_versions
from napari_sdcolor.batch.cluster_worker import (
    Hand,
    Order,
    Station,
    UnfitWorker,
    station,
)
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.worker import Recipe
from napari_sdcolor.core import models
from napari_sdcolor.errors import ClusterError
from napari_sdcolor.settings import Settings


@pytest.fixture
def order(tiny_model, scans, out):
    out.mkdir()
    (out / 'proof').write_bytes(b'here')
    parts = models.load(tiny_model)
    photo = scans / 'a.png'
    return Order(
        recipe=Recipe(Settings(size=64, weights=tiny_model)),
        weights=tiny_model,
        digests=tuple((kind, parts[kind].digest) for kind in sorted(parts)),
        software=tuple(software_versions().items()),
        output=str(out),
        proof=('proof', b'here'),
        samples=((str(photo), photo.stat().st_size), (str(scans), -1)),
    )


def test_networks_are_loaded_once(order, scans, out, monkeypatch, contents):
    found = station(order)
    monkeypatch.setattr(models, 'load', None)
    assert station(pickle.loads(pickle.dumps(order))) is found
    # The next batch with the same weights has the same networks.
    (out / 'other').write_bytes(b'x')
    later = station(replace(order, proof=('other', b'x')))
    assert later is not found
    assert later.colorizer is found.colorizer
    outcome = found(make_plan([scans], out).tasks[0])
    assert outcome.status == 'done'
    assert 'a.color.tif' in contents(out)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'software': (('torch', '0.1'),)}, r'torch is .* there and 0\.1'),
        ({'samples': (('/nowhere/x.tif', 1),)}, 'does not see /nowhere'),
        ({'proof': ('proof', b'there')}, 'not the output folder'),
        ({'proof': ('missing', b'here')}, 'not the output folder'),
        ({'output': '/nowhere'}, 'not the output folder'),
        ({'digests': (('color', 'f' * 64),)}, 'color weights .* are others'),
        ({'weights': 'unknown'}, 'no weights named'),
        (
            {'recipe': Recipe(Settings(size=64, device='mps'))},
            'no mps device',
        ),
    ],
)
def test_what_does_not_fit(order, change, said):
    with pytest.raises(ClusterError, match=said):
        station(replace(order, **change))


def test_another_file_of_the_same_name(order, scans):
    with (scans / 'a.png').open('ab') as stream:
        stream.write(b'!')
    with pytest.raises(ClusterError, match='another file at'):
        station(order)


def test_looking_leaves_nothing_behind(order, out, untouched):
    before = [path.name for path in out.iterdir()]
    station(order)
    assert [path.name for path in out.iterdir()] == before


def test_a_gpu_takes_one_photo_at_a_time(tiny_colorizer, recipe):
    class Card:
        kind = 'cuda'

    tiny_colorizer.device = Card()
    work = Station(recipe, tiny_colorizer)
    with work._networks:
        assert not work._networks.acquire(blocking=False)
    assert work.side_by_side(2) == 1


def test_a_gpu_takes_several_photos_in_one_pass(tiny_colorizer, recipe):
    class Card:
        kind = 'cuda'

    tiny_colorizer.device = Card()
    work = Station(recipe, tiny_colorizer, batch_size=8)
    assert work.side_by_side(2) == work.batch_size == 8


def test_half_precision_is_not_for_the_cpu(order):
    recipe = replace(order.recipe, dtype='bfloat16')
    with pytest.raises(ClusterError, match='leave out --dtype'):
        station(replace(order, recipe=recipe))


def test_the_size_of_passes_travels(order):
    assert station(replace(order, batch_size=3)).batch_size == 3


def test_what_travels():
    error = pickle.loads(pickle.dumps(UnfitWorker('Too old.', 'tcp://a:1')))
    assert (str(error), error.address) == ('Too old.', 'tcp://a:1')
    hand = Hand('node1', 'cuda', 'GPU: one', 'uuid')
    assert pickle.loads(pickle.dumps(hand)) == hand
