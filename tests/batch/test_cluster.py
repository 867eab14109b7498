"""A real cluster of two processes: the same bytes, and what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import distributed
import pytest

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch import cluster as cluster_module
from napari_sdcolor.batch import machines
from napari_sdcolor.batch.cluster import Cluster
from napari_sdcolor.batch.journal import read_records
from napari_sdcolor.batch.outcome import FAILED
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.run import run_batch
from napari_sdcolor.core import models
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.errors import ClusterError
from napari_sdcolor.settings import Settings

TINY = Settings(size=64, weights='tiny')


@contextmanager
def two_processes(folder: Path) -> Iterator[str]:
    """A local cluster whose processes have the models of a folder."""
    env = {'SDCOLOR_MODELS': str(folder)}
    with machines.local_cluster(2, gpus=False, env=env) as cluster:
        yield cluster.scheduler_address


@contextmanager
def connected(address: str) -> Iterator[distributed.Client]:
    """A client of two processes that are there."""
    with machines.connected(address) as client:
        client.wait_for_workers(2, timeout=180)
        yield client


@pytest.fixture(scope='module')
def two(tiny_added: Path) -> Iterator[str]:
    """The address of two processes."""
    with two_processes(tiny_added) as address:
        yield address


@pytest.fixture
def doomed(tiny_added: Path, tiny_model: str) -> Iterator[distributed.Client]:
    """Two processes that no other test relies on."""
    with two_processes(tiny_added) as address, connected(address) as client:
        yield client


@pytest.fixture
def tiny_model(tiny_added: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name that the processes know as well."""
    monkeypatch.setenv('SDCOLOR_MODELS', str(tiny_added))
    return 'tiny'


@pytest.fixture
def client(two: str, tiny_model: str) -> Iterator[distributed.Client]:
    with connected(two) as client:
        yield client


@pytest.fixture
def digests(tiny_model: str) -> dict[str, str]:
    parts = models.load(tiny_model)
    return {kind: part.digest for kind, part in parts.items()}


@pytest.fixture
def single(sdcolor, contents, tmp_path):
    """What one machine makes of a folder."""

    def run(scans: Path) -> dict[str, str]:
        out = tmp_path / 'single'
        assert sdcolor('batch', scans, '-o', out).exit_code in (0, 1)
        return contents(out)

    return run


def run(client, scans, out, digests, observers=(), token=None):
    said: list[str] = []
    plan = make_plan([scans], out)
    spec = JobSpec(TINY)
    cluster = Cluster(client, plan, spec, digests, token, said.append)
    cluster.check_workers()
    summary = run_batch(
        plan, spec, cluster, digests, observers=observers, token=token
    )
    return summary, said


def test_the_same_bytes_journal_and_report(
    two, client, scans, out, sdcolor, single, contents, untouched
):
    (scans / 'broken.tif').write_bytes(b'II*\0')
    before = untouched(scans)
    words = ['batch', scans, '-o', out, '--scheduler', two, '--json']
    result = sdcolor(*words)
    assert result.exit_code == 1, result.output
    answer = json.loads(result.stdout)
    assert answer['colored'] == 4
    assert len(answer['workers']) == 2
    assert [Path(one['photo']).name for one in answer['failed']] == [
        'broken.tif'
    ]
    assert 'At work: 2 processes on 1 machine: CPU (1 thread)' in result.stderr
    assert untouched(scans) == before
    assert contents(out) == single(scans)
    assert not (out / '.sdcolor-lock').exists()

    def told(folder: Path) -> list[object]:
        report = json.loads((folder / 'sdcolor-report.json').read_text())
        for photo in report['photos']:
            photo.pop('seconds')
            # The machine's sidecar tells the time of its run.
            photo['outputs'] = sorted(photo['outputs'])
        return [report['summary'], report['made_with'], report['photos']]

    assert told(out) == told(out.parent / 'single')
    # Each machine goes on where the other one was.
    assert json.loads(sdcolor(*words).stdout)['known'] == 4
    alone = sdcolor('batch', scans, '-o', out, '--json')
    assert json.loads(alone.stdout)['known'] == 4


def test_relative_names(
    client, scans, out, digests, monkeypatch, contents, single
):
    whole = single(scans)
    monkeypatch.chdir(scans.parent)
    summary, _ = run(client, 'scans', 'out', digests)
    assert not summary.failed
    assert contents(out) == whole
    records = read_records(out).values()
    assert all(record['source'].startswith('scans/') for record in records)


def test_a_process_that_is_killed_in_the_middle(
    client, make_scans, out, digests, single, contents
):
    scans = make_scans([f'{number}.png' for number in range(12)])
    pids = list(client.run(os.getpid).values())
    killed = []

    def kill(outcome, progress):
        if not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    summary, _ = run(client, scans, out, digests, [kill])
    assert not summary.failed
    assert summary.progress.colored == 12
    assert contents(out) == single(scans)
    assert not list(out.rglob('.*.part'))


def test_a_photo_that_kills_every_process(
    doomed, client, make_scans, out, digests, contents, single
):
    names = [f'{number}.png' for number in range(4)]
    scans = make_scans([*names, 'poison.png'])

    class Poison(distributed.WorkerPlugin):
        def setup(self, worker):
            import os

            from napari_sdcolor.batch.cluster_worker import ClusterWorker

            healthy = ClusterWorker.open

            def open_or_die(station, task):
                if task.key == 'poison':
                    os._exit(9)
                return healthy(station, task)

            ClusterWorker.open, self.healthy = open_or_die, healthy

        def teardown(self, worker):
            from napari_sdcolor.batch.cluster_worker import ClusterWorker

            ClusterWorker.open = self.healthy

    doomed.register_plugin(Poison(), name='poison')
    try:
        summary, said = run(doomed, scans, out, digests)
    finally:
        doomed.unregister_worker_plugin('poison')
    ((path, reason),) = summary.failed
    assert path.endswith('poison.png')
    assert 'processes ended' in reason
    assert any('lost' in words or 'No process' in words for words in said)
    assert summary.progress.colored == 4
    assert not list(out.rglob('poison*'))
    lines = (out / 'sdcolor-journal.jsonl').read_text().splitlines()
    last = [json.loads(line) for line in lines if '"poison"' in line][-1]
    assert last['status'] == FAILED
    # Once the cause is gone, the next run makes up for it: on processes that
    # were not killed, which dask does not always start again.
    assert not run(client, scans, out, digests)[0].failed
    assert contents(out) == single(scans)


def test_only_a_few_photos_are_on_their_way(client, make_scans, out, digests):
    scans = make_scans([f'{number}.png' for number in range(15)])
    handed, ahead = [], []
    plan = make_plan([scans], out)
    cluster = Cluster(client, plan, JobSpec(TINY), digests)

    def work(tasks):
        def counted():
            for task in tasks:
                handed.append(task.key)
                yield task

        for done, outcome in enumerate(cluster(counted())):
            ahead.append(len(handed) - done)
            yield outcome

    run_batch(plan, JobSpec(TINY), work, digests)
    threads = sum(client.nthreads().values())
    assert len(handed) == 15
    assert max(ahead) <= threads + 2


def test_stopping_and_going_on(
    client, make_scans, out, digests, single, contents
):
    scans = make_scans([f'{number}.png' for number in range(15)])
    token = CancelToken()

    def stop(outcome, progress):
        token.cancel()

    summary, _ = run(client, scans, out, digests, [stop], token)
    assert summary.stopped
    assert 0 < summary.progress.colored < 15
    assert not list(out.rglob('.*.part'))
    again, _ = run(client, scans, out, digests)
    assert again.progress.known == summary.progress.colored
    assert contents(out) == single(scans)


def test_machines_that_do_not_fit(two, client, scans, out, sdcolor, digests):
    def refused(*more):
        words = ['batch', scans, '-o', out, '--scheduler', two]
        result = sdcolor(*words, *more)
        assert result.exit_code == 2, result.output
        assert not out.exists()
        return result.stderr

    with pytest.MonkeyPatch.context() as patch:
        versions = cluster_module.software_versions() | {'torch': '1.0'}
        patch.setattr(cluster_module, 'software_versions', lambda: versions)
        said = refused()
    assert '2 processes cannot take part' in said
    assert 'torch is' in said
    assert '1.0 here' in said
    said = refused('--device', 'mps')
    assert 'no mps device' in said
    with pytest.MonkeyPatch.context() as patch:
        other = (('/nowhere/a.tif', 3),)
        patch.setattr(cluster_module, '_samples', lambda tasks: other)
        assert 'does not see /nowhere/a.tif' in refused()


def test_a_scheduler_that_disappears(
    scans, out, digests, contents, sdcolor, single
):
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol='tcp://',
        dashboard_address=None,
    ) as local:
        work = local.workers[0].executors['default']

        def leave(outcome, progress):
            local.close()

        with (
            machines.connected(local.scheduler_address) as client,
            pytest.raises(ClusterError, match='scheduler is gone.*goes on'),
        ):
            run(client, scans, out, digests, [leave])
    report = json.loads((out / 'sdcolor-report.json').read_text())
    assert report['summary']['done'] == 1
    work.shutdown()  # waits for the photo that is still in work
    assert not (out / '.sdcolor-lock').exists()
    again = sdcolor('batch', scans, '-o', out)
    assert again.exit_code == 0, again.output
    assert contents(out) == single(scans)


def test_a_lock_that_is_deleted_ends_the_batch(
    client, make_scans, out, digests, monkeypatch
):
    scans = make_scans([f'{number}.png' for number in range(15)])

    def delete(outcome, progress):
        (out / '.sdcolor-lock').unlink(missing_ok=True)

    with (
        monkeypatch.context() as patch,
        pytest.raises(ClusterError, match='sdcolor-lock was deleted'),
    ):
        patch.setattr(cluster_module, 'EVERY', 0.05)
        run(client, scans, out, digests, [delete])
    assert len(list(out.glob('*.sdcolor.json'))) < 15
    summary, _ = run(client, scans, out, digests)
    assert not summary.failed
    assert len(list(out.glob('*.sdcolor.json'))) == 15


def test_no_scheduler(scans, out, sdcolor, monkeypatch):
    monkeypatch.setattr(machines, 'PATIENCE', 0.5)
    result = sdcolor('batch', scans, '-o', out, '--scheduler', '127.0.0.1:1')
    assert result.exit_code == 1
    assert 'No scheduler answers at 127.0.0.1:1' in result.stderr
    assert not out.exists()


def test_without_dask(scans, out, sdcolor, monkeypatch):
    monkeypatch.setitem(sys.modules, 'distributed', None)
    result = sdcolor('batch', scans, '-o', out, '--workers', 2)
    assert result.exit_code == 1
    assert 'pip install "napari-sdcolor[cluster]"' in result.stderr
    assert not out.exists()


def test_one_cluster_at_a_time(scans, out, sdcolor):
    words = ['--workers', 2, '--scheduler', 'x']
    result = sdcolor('batch', scans, '-o', out, *words)
    assert result.exit_code == 2
    assert 'give one of them' in result.stderr


@pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')
def test_ctrl_c_in_a_terminal(
    make_scans, out, sdcolor, tiny_added, contents, single
):
    """It reaches the processes, too, but they finish what they do."""
    scans = make_scans([f'{number}.png' for number in range(16)])
    process = subprocess.Popen(
        [
            *(sys.executable, '-c'),
            'from napari_sdcolor.cli import main; main()',
            *('batch', str(scans), '-o', str(out), '--workers', '1'),
            *('--weights', 'tiny', '--size', '64', '--json'),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {'SDCOLOR_MODELS': str(tiny_added)},
        start_new_session=True,
    )
    while not list(out.glob('*.color.tif')) and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    answer = json.loads(stdout)
    assert answer['stopped']
    assert not answer['failed']
    assert 0 < answer['colored'] < 16
    assert len(list(out.glob('*.color.tif'))) == answer['colored']
    assert sdcolor('batch', scans, '-o', out).exit_code == 0
    assert contents(out) == single(scans)
