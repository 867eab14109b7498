"""A photo that another process finishes while this one writes it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from napari_sdcolor.batch.run import Summary
from napari_sdcolor.files import Publication

RunPlan = Callable[..., Summary]
FILES = ('a.color.tif', 'a.labels.png', 'a.sdcolor.json')


@pytest.fixture
def meet(
    monkeypatch: pytest.MonkeyPatch,
    make_scans: Callable[..., Path],
    out: Path,
    run_plan: RunPlan,
) -> Callable[[Callable[[Path], None]], Summary]:
    """A run in which something happens before the first result has its names.

    What happens is told where the finished result of another process lies.
    """

    def run(happen: Callable[[Path], None]) -> Summary:
        scans = make_scans(['a.png'])
        other = out.with_name('other')
        run_plan(scans, other)
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
