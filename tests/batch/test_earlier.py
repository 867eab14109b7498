"""A photo that another process finishes while this one writes it."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from napari_sdcolor.batch.outcome import DONE
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.run import Summary
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.files import Publication
from napari_sdcolor.leftovers import temporary_name

RunPlan = Callable[..., Summary]
FILES = ('a.color.tif', 'a.labels.png', 'a.sdcolor.json')


@pytest.fixture
def scans(make_scans: Callable[..., Path]) -> Path:
    """A folder of one photo."""
    return make_scans(['a.png'])


@pytest.fixture
def other(scans: Path, out: Path, run_plan: RunPlan) -> Path:
    """The finished result of another process."""
    folder = out.with_name('other')
    run_plan(scans, folder)
    return folder


@pytest.fixture
def meet(
    monkeypatch: pytest.MonkeyPatch,
    scans: Path,
    other: Path,
    out: Path,
    run_plan: RunPlan,
) -> Callable[[Callable[[Path], None]], Summary]:
    """A run in which something happens before the first result has its names.

    What happens is told where the finished result of another process lies.
    """

    def run(happen: Callable[[Path], None]) -> Summary:
        publish, come = Publication.publish, [happen]

        def meeting(publication: Publication) -> None:
            while come:
                come.pop()(other)
            publish(publication)

        monkeypatch.setattr(Publication, 'publish', meeting)
        return run_plan(scans, out)

    return run


def test_the_same_result_is_met(
    meet: Callable[..., Summary],
    out: Path,
    contents: Callable[[Path], Mapping[str, bytes]],
) -> None:
    def happen(other: Path) -> None:
        for name in FILES:
            shutil.copy(other / name, out)

    summary = meet(happen)
    assert summary.failed == ()
    assert contents(out) == contents(out.with_name('other'))


def test_it_is_met_before_anything_is_written(
    scans: Path,
    other: Path,
    out: Path,
    run_plan: RunPlan,
    monkeypatch: pytest.MonkeyPatch,
    contents: Callable[[Path], Mapping[str, bytes]],
) -> None:
    color, come = Worker.color, list(FILES)

    def meeting(*job: Any) -> Any:
        while come:
            shutil.copy(other / come.pop(0), out)
        return color(*job)

    monkeypatch.setattr(Worker, 'color', meeting)
    summary = run_plan(scans, out)
    assert not come
    assert summary.failed == ()
    assert contents(out) == contents(other)


def test_a_process_that_was_killed_while_it_named_them(
    scans: Path,
    other: Path,
    out: Path,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another one of the same batch gets its photo."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    out.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, 'getpid', lambda: child)
        for number, name in enumerate(FILES):
            part = out / temporary_name('0' * 16, number)
            shutil.copy(other / name, part)
            if number < 2:
                os.link(part, out / name)
    outcome = worker(make_plan([scans], out).tasks[0])
    assert outcome.status == DONE
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert outcome.outputs.keys() == set(FILES)


@pytest.mark.parametrize(
    ('changes', 'same'),
    [
        ({'name': 'elsewhere', 'file_sha256': '0' * 64}, True),
        ({'training': {'statement': 'in other words'}}, True),
        ({'tensors_sha256': '0' * 64}, False),
        ({'encoding': 'opencv'}, False),
    ],
    ids=['another file', 'another statement', 'others', 'another meaning'],
)
def test_the_weights_of_the_other_process(
    meet: Callable[..., Summary],
    out: Path,
    changes: dict[str, object],
    same: bool,
) -> None:
    def happen(other: Path) -> None:
        *first, last = FILES
        for name in first:
            shutil.copy(other / name, out)
        told = json.loads((other / last).read_text())
        told['model']['color'] |= changes
        (out / last).write_text(json.dumps(told))

    summary = meet(happen)
    told = json.loads((out / FILES[-1]).read_text())
    assert (summary.failed == ()) is same
    # What made room is gone; what could not stays.
    assert (told['model']['color'] | changes == told['model']['color']) != same


def test_its_names_are_waited_for(
    meet: Callable[..., Summary],
    out: Path,
    contents: Callable[[Path], Mapping[str, bytes]],
) -> None:
    later: list[threading.Timer] = []

    def happen(other: Path) -> None:
        *first, last = FILES
        for name in first:
            shutil.copy(other / name, out)
        later.append(threading.Timer(0.05, shutil.copy, [other / last, out]))
        later[0].start()

    summary = meet(happen)
    later[0].join()
    assert summary.failed == ()
    assert contents(out) == contents(out.with_name('other'))


@pytest.mark.parametrize('name', FILES)
def test_a_file_of_somebody_else_stays(
    meet: Callable[..., Summary], out: Path, name: str
) -> None:
    summary = meet(lambda _: (out / name).write_text('mine'))
    ((_, reason),) = summary.failed
    assert 'exists and is never overwritten' in reason
    assert [path.name for path in out.glob('a.*')] == [name]
    assert (out / name).read_text() == 'mine'
