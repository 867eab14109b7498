"""Reading, networks and saving side by side, and what stops them."""

from __future__ import annotations

import gc
import json
import multiprocessing.util
import os
import pickle
import shutil
import signal
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.batch import alone
from napari_sdcolor.batch.outcome import DONE, FAILED
from napari_sdcolor.batch.pipeline import (
    AHEAD,
    BEHIND,
    Channel,
    Pipeline,
)
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import Cancelled, NetworkError, SaveError


@pytest.fixture
def tasks(scans, out):
    return make_plan([scans], out).tasks


@pytest.mark.skipif(sys.platform != 'linux', reason='kills a process')
def test_a_helper_that_dies_while_it_starts(tasks, worker, monkeypatch):
    """What it is given is more than a pipe holds."""
    given = alone._of(worker)
    monkeypatch.setattr(alone, '_of', lambda _: given | {'more': bytes(2**24)})
    start = multiprocessing.util.spawnv_passfds

    def kill(*words):
        number = start(*words)
        if 'spawn_main' in str(words):
            os.kill(number, signal.SIGKILL)
        return number

    with monkeypatch.context() as patch:
        patch.setattr(multiprocessing.util, 'spawnv_passfds', kill)
        with alone.Alone(worker) as helper:
            outcome = helper(tasks[0], CancelToken())
            assert outcome.status == FAILED
            assert 'SIGKILL' in outcome.reason
            patch.undo()
            # The next photo has the next helper.
            assert helper(tasks[1], CancelToken()).status == DONE


def test_the_outcomes_come_in_order(tasks, worker):
    outcomes = list(Pipeline(worker)(iter(tasks)))
    assert [one.key for one in outcomes] == [task.key for task in tasks]
    assert {one.status for one in outcomes} == {DONE}
    assert all(one.thumbnail[8:12] == b'WEBP' for one in outcomes)
    assert all(
        set(one.seconds) == {'read', 'color', 'save'} for one in outcomes
    )


def test_the_pipeline_and_the_plain_function_agree(
    scans, out, worker, contents
):
    list(Pipeline(worker)(make_plan([scans], out).tasks))
    other = out.parent / 'other'
    for task in make_plan([scans], other).tasks:
        assert worker(task).status == DONE
    assert contents(out) == contents(other)


def test_a_leftover_of_another_run_comes_in_between(
    scans, out, worker, contents
):
    # As a process does that outlives the scheduler of its cluster, on a
    # machine to which the weights were added in a file of its own.
    parts = {
        kind: replace(part, name='elsewhere', file_sha256=64 * 'e')
        for kind, part in worker.colorizer.parts.items()
    }
    other = Colorizer(parts, worker.colorizer.device, size=64)
    (task, *_) = make_plan([scans], out).tasks
    assert worker(task).status == DONE
    results = contents(out)
    shutil.rmtree(out)
    job = worker.open(task)
    assert Worker(worker.spec, other)(task).status == DONE
    outcome = worker.save(job, [worker.color(job, worker.read(job, 0))])
    assert outcome.status == DONE, outcome.reason
    assert contents(out) == results


def test_a_file_of_somebody_else_comes_in_between(scans, out, worker):
    (task, *_) = make_plan([scans], out).tasks
    job = worker.open(task)
    out.mkdir()
    theirs = out / f'{task.name}.color.tif'
    theirs.write_bytes(b'mine')
    outcome = worker.save(job, [worker.color(job, worker.read(job, 0))])
    assert outcome.status == FAILED
    assert 'never overwritten' in outcome.reason
    assert [path.read_bytes() for path in out.iterdir()] == [b'mine']


def test_tasks_and_outcomes_travel(tasks, worker):
    outcome = worker(pickle.loads(pickle.dumps(tasks[0])))
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert pickle.loads(pickle.dumps(worker.spec)) == worker.spec


@pytest.mark.parametrize('stage', ['open', 'read', 'color', 'save'])
@pytest.mark.parametrize(
    'error',
    [
        NetworkError('No numbers.'),
        OSError(5, 'Input/output error'),
        MemoryError(),
        RuntimeError('torch'),
        ValueError('odd'),
        KeyError('odd'),
    ],
)
def test_one_photo_that_fails_does_not_stop_the_others(
    tasks, worker, monkeypatch, stage, error, out
):
    """Each error in the place where it happens, one photo in four."""
    inner = {
        'open': 'napari_sdcolor.batch.worker.open_photos',
        'read': 'napari_sdcolor.archive.reading.PhotoFile.read',
        'color': 'napari_sdcolor.core.engine.Colorizer.colorize',
        'save': 'napari_sdcolor.archive.one_file.save_result',
    }[stage]
    calls = []
    real = _resolve(inner)

    def failing(*args, **more):
        calls.append(args)
        if len(calls) == 2:
            raise error
        return real(*args, **more)

    monkeypatch.setattr(inner, failing)
    outcomes = list(Pipeline(worker)(tasks))
    assert [one.status for one in outcomes] == [DONE, FAILED, DONE, DONE]
    assert outcomes[1].reason.endswith('.')
    assert not list(out.rglob('b.*'))
    assert not list(out.rglob('.*.part'))


def _resolve(path):
    import importlib

    module, _, name = path.rpartition('.')
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError:
        return getattr(_resolve(module), name)


class Stubborn(Worker):
    """Cancels the token in the middle of the networks of one photo."""

    def color(self, job, page):
        if job.task.key == 'box 1/a':
            self.token.cancel()
            from napari_sdcolor.core import cancel

            cancel.check()
        return super().color(job, page)


def test_stopping_drops_the_photo_in_the_networks(tasks, worker, out):
    worker = Stubborn(worker.spec, worker.colorizer)
    worker.token = CancelToken()
    pipeline = Pipeline(worker, worker.token)
    before = threading.active_count()
    outcomes = list(pipeline(tasks))
    assert [one.key for one in outcomes] == ['a', 'b']
    assert not list(out.rglob('box 1/*'))
    assert threading.active_count() <= before


def test_leaving_the_outcomes_early_ends_the_threads(tasks, worker, out):
    before = threading.active_count()
    outcomes = Pipeline(worker)(tasks)
    next(outcomes)
    outcomes.close()
    assert threading.active_count() <= before
    assert not list(out.rglob('.*.part'))


def test_no_more_than_a_few_photos_are_read_ahead(make_scans, out, worker):
    scans = make_scans([f'{number}.png' for number in range(12)])
    handed, seen = [], []

    def tasks():
        for task in make_plan([scans], out).tasks:
            handed.append(task.key)
            yield task

    for _ in Pipeline(worker)(tasks()):
        seen.append(len(handed))
    assert max(ahead - done for done, ahead in enumerate(seen)) <= 5
    assert seen[-1] == 12


def test_a_channel_hands_over_in_order():
    channel = Channel(2)
    got = []
    thread = threading.Thread(target=lambda: got.extend(channel))
    thread.start()
    assert all(channel.put(number) for number in range(50))
    channel.end()
    thread.join()
    assert got == list(range(50))
    assert not channel.put(51)


def test_an_error_comes_through_a_channel():
    channel = Channel()
    channel.put(1)
    channel.end(Cancelled('Stopped.'))
    with pytest.raises(Cancelled):
        list(channel)


def test_nobody_waits_for_a_reader_that_gave_up():
    channel = Channel()

    def reader():
        for _ in channel:
            raise SaveError('The disk is full.')

    errors = []

    def guarded():
        try:
            reader()
        except SaveError as error:
            errors.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    taken = [channel.put(number) for number in range(5)]
    thread.join()
    assert errors
    assert not taken[-1]


def living() -> int:
    """Number of photos and results in memory."""
    return sum(
        isinstance(thing, Photo | Colorized) for thing in gc.get_objects()
    )


def test_photos_and_results_do_not_pile_up(make_scans, out, worker):
    """Memory is needed for the few photos at work, however many come."""
    scans = make_scans([f'{number}.png' for number in range(60)])
    alive = []
    # Those of other tests are not counted, nor looked through.
    gc.freeze()
    for outcome in Pipeline(worker)(make_plan([scans], out).tasks):
        assert outcome.status == DONE
        alive.append(living())
    assert len(alive) == 60
    assert min(alive) > 0
    assert max(alive) <= 2 * (worker.side_by_side(8) + AHEAD + BEHIND + 1)


def passes_of(worker):
    """Sizes of the passes of the color network, as they come."""
    sizes = []
    worker.colorizer.color_net.register_forward_hook(
        lambda module, inputs, output: sizes.append(len(output))
    )
    return sizes


def test_photos_go_through_the_networks_together(tasks, worker, spec, out):
    sizes = passes_of(worker)
    together = Worker(spec, worker.colorizer, batch_size=4)
    outcomes = list(Pipeline(together)(tasks))
    assert [one.key for one in outcomes] == [task.key for task in tasks]
    assert {one.status for one in outcomes} == {DONE}
    # How many come in time is up to the machine; passes are always full.
    assert set(sizes) == {4}
    assert len(sizes) <= len(tasks)
    told = json.loads((out / 'a.sdcolor.json').read_text())
    assert told['run']['batch_size'] == 4


def test_neighbors_do_not_change_the_bytes_of_a_photo(
    scans, out, worker, spec, contents
):
    together = Worker(spec, worker.colorizer, batch_size=3)
    list(Pipeline(together)(make_plan([scans], out).tasks))
    other = out.parent / 'other'
    for task in make_plan([scans], other).tasks[::-1]:
        list(Pipeline(together)([task]))
    assert contents(out) == contents(other)


def test_photos_of_several_shapes_and_pages(make_scans, out, spec, worker):
    scans = make_scans()
    pages = np.random.default_rng(1).integers(0, 256, (3, 48, 40), np.uint8)
    tifffile.imwrite(scans / 'album.tif', pages, photometric='minisblack')
    together = Worker(spec, worker.colorizer, batch_size=2)
    outcomes = list(Pipeline(together)(make_plan([scans], out).tasks))
    assert {one.status for one in outcomes} == {DONE}
    assert len(outcomes) == 5


def test_a_pass_that_fails_is_told_of_its_photos(
    make_scans, out, spec, worker, monkeypatch
):
    scans = make_scans()
    odd = np.random.default_rng(1).integers(0, 256, (90, 40), np.uint8)
    Image.fromarray(odd).save(scans / 'odd.png')
    real = worker.colorizer.color_net.forward

    def failing(gray, labels):
        if gray.shape[-2] > gray.shape[-1]:
            raise RuntimeError('torch')
        return real(gray, labels)

    monkeypatch.setattr(worker.colorizer.color_net, 'forward', failing)
    together = Worker(spec, worker.colorizer, batch_size=2)
    outcomes = list(Pipeline(together)(make_plan([scans], out).tasks))
    failed = [one.key for one in outcomes if one.status == FAILED]
    assert failed == ['odd']
    assert len(outcomes) == 5


def test_stopping_drops_the_photos_that_wait_for_a_pass(
    make_scans, out, spec, worker
):
    """The token is cancelled in the first pass."""
    scans = make_scans([f'{number}.png' for number in range(8)])
    token = CancelToken()

    def stop(module, inputs):
        token.cancel()

    worker.colorizer.grid_net.register_forward_pre_hook(stop)
    together = Worker(spec, worker.colorizer, batch_size=4)
    before = threading.active_count()
    outcomes = list(Pipeline(together, token)(make_plan([scans], out).tasks))
    assert outcomes == []
    assert threading.active_count() <= before
    assert not list(out.rglob('*.tif'))
