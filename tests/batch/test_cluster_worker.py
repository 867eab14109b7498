"""What a process of a cluster looks at before it takes part."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace

import pytest

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.archive.sidecar import software_versions
from napari_sdcolor.batch.cluster_worker import (
    ClusterWorker,
    UnfitWorker,
    WorkerInfo,
    WorkerSetup,
    worker_for,
)
from napari_sdcolor.batch.made_with import identity_of
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.core import models
from napari_sdcolor.core.weights import describe_again
from napari_sdcolor.errors import ClusterError
from napari_sdcolor.files import sha256_of
from napari_sdcolor.settings import Settings


@pytest.fixture
def setup(tiny_model, scans, out):
    out.mkdir()
    (out / 'proof').write_bytes(b'here')
    parts = models.load(tiny_model)
    photo = scans / 'a.png'
    return WorkerSetup(
        spec=JobSpec(Settings(size=64, weights=tiny_model)),
        weights=tiny_model,
        identity=tuple(identity_of(parts).items()),
        software=tuple(software_versions().items()),
        output=str(out),
        proof=('proof', b'here'),
        samples=((str(photo), photo.stat().st_size), (str(scans), -1)),
    )


def test_networks_are_loaded_once(setup, scans, out, monkeypatch, contents):
    found = worker_for(setup)
    monkeypatch.setattr(models, 'load', None)
    assert worker_for(pickle.loads(pickle.dumps(setup))) is found
    # The run of the batch has a lock of its own, after that of the check.
    (out / 'other').write_bytes(b'x')
    later = worker_for(replace(setup, proof=('other', b'x')))
    assert later is not found
    assert later.colorizer is found.colorizer
    outcome = found(make_plan([scans], out).tasks[0])
    assert outcome.status == 'done'
    assert 'a.color.tif' in contents(out)


def test_nothing_is_saved_for_a_batch_that_ended(
    setup, scans, out, run_plan, untouched, monkeypatch
):
    """Its scheduler is gone, and the next run has the same photos."""
    late = worker_for(setup)
    color, after = late.color, {}

    def lose_the_scheduler(job, page):
        (out / 'proof').unlink()
        run_plan(scans, out)
        after.update(untouched(out))
        return color(job, page)

    monkeypatch.setattr(late, 'color', lose_the_scheduler)
    outcome = late(make_plan([scans], out).tasks[0])
    assert outcome.status == 'failed'
    assert 'ended before this photo was done' in outcome.reason
    now = untouched(out)
    del now[str(out)], after[str(out)]  # a temporary name came and went
    assert now == after
    assert run_plan(scans, out).progress.known == 4


def test_another_file_of_the_same_tensors_is_read(setup, out):
    """What is recorded is the hash of the file that is there."""
    found = worker_for(setup).colorizer.parts['color']
    other = out / 'other.safetensors'
    describe_again(found.path, other, found.network.config.to_dict(), {})
    os.replace(other, found.path)
    later = worker_for(replace(setup, batch='the next'))
    part = later.colorizer.parts['color']
    assert part.digest == found.digest
    assert part.file_sha256 == sha256_of(found.path) != found.file_sha256


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'software': (('torch', '0.1'),)}, r'torch is .* there and 0\.1'),
        ({'samples': (('/nowhere/x.tif', 1),)}, 'does not see /nowhere'),
        ({'proof': ('proof', b'there')}, 'not the output folder'),
        ({'proof': ('missing', b'here')}, 'not the output folder'),
        ({'output': '/nowhere'}, 'not the output folder'),
        (
            {'identity': (('color', 'f' * 64),)},
            r'color weights .* are others: their SHA-256 is .*, not ffff',
        ),
        (
            {'identity': (('segmentation.temperature', '2.0'),)},
            r'segmentation weights .* their temperature is 1\.0, not 2\.0',
        ),
        ({'identity': (('color.depth', '2'),)}, 'depth is missing, not 2'),
        ({'weights': 'unknown'}, 'no weights named'),
        (
            {'spec': JobSpec(Settings(size=64, device='mps'))},
            'no mps device',
        ),
    ],
)
def test_what_does_not_fit(setup, change, said):
    with pytest.raises(ClusterError, match=said):
        worker_for(replace(setup, **change))


def test_another_file_of_the_same_name(setup, scans):
    with (scans / 'a.png').open('ab') as stream:
        stream.write(b'!')
    with pytest.raises(ClusterError, match='another file at'):
        worker_for(setup)


def test_looking_leaves_nothing_behind(setup, out, untouched):
    before = [path.name for path in out.iterdir()]
    worker_for(setup)
    assert [path.name for path in out.iterdir()] == before


def test_a_gpu_takes_one_photo_at_a_time(tiny_colorizer, spec):
    class Card:
        kind = 'cuda'

    tiny_colorizer.device = Card()
    work = ClusterWorker(spec, tiny_colorizer)
    with work._networks:
        assert not work._networks.acquire(blocking=False)
    assert work.side_by_side(2) == 1


def test_a_gpu_takes_several_photos_in_one_pass(tiny_colorizer, spec):
    class Card:
        kind = 'cuda'

    tiny_colorizer.device = Card()
    work = ClusterWorker(spec, tiny_colorizer, batch_size=8)
    assert work.side_by_side(2) == work.batch_size == 8


def test_half_precision_is_not_for_the_cpu(setup):
    spec = replace(setup.spec, dtype='bfloat16')
    with pytest.raises(ClusterError, match='leave out --dtype'):
        worker_for(replace(setup, spec=spec))


def test_the_size_of_passes_travels(setup):
    assert worker_for(replace(setup, batch_size=3)).batch_size == 3


def test_what_travels():
    error = pickle.loads(pickle.dumps(UnfitWorker('Too old.', 'tcp://a:1')))
    assert (str(error), error.address) == ('Too old.', 'tcp://a:1')
    info = WorkerInfo('node1', 'cuda', 'GPU: one', 'uuid')
    assert pickle.loads(pickle.dumps(info)) == info
