"""How far a training run has come: a bar on a terminal, else lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from napari_sdcolor.cli.console import Talk
from napari_sdcolor.training.progress import Lines, Progress


@contextmanager
def showing(talk: Talk, task: str) -> Iterator[Callable[[Progress], None]]:
    """Something to call after every map and every step.

    Parameters
    ----------
    talk
        Shows it on its side channel.
    task
        Names the run.
    """
    if not talk.console.is_terminal:
        yield Lines(talk.say)
        return
    columns = (
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn('{task.fields[words]}', markup=False),
    )
    titles = {'map': 'Maps', 'step': f'Training ({task})'}
    shown: dict[str, TaskID] = {}
    with Bars(*columns, console=talk.console) as bars:

        def show(progress: Progress) -> None:
            if progress.unit not in shown:
                shown[progress.unit] = bars.add_task(
                    titles[progress.unit], words=''
                )
            bars.update(
                shown[progress.unit],
                completed=progress.step,
                total=progress.steps,
                words=progress.words,
            )

        yield show
