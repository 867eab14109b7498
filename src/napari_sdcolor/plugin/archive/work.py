"""What the dock does off the GUI thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_sdcolor.batch.journal import read_last_run
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.batch.status import has_begun, read_statuses
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.progress import told_to

if TYPE_CHECKING:
    from napari_sdcolor.batch.plan import Plan
    from napari_sdcolor.batch.progress import Observer
    from napari_sdcolor.batch.run import Summary
    from napari_sdcolor.plugin.archive.choices import Choices
    from napari_sdcolor.plugin.engine import Engine
    from napari_sdcolor.plugin.jobs import Report


@dataclass(frozen=True)
class Looked:
    """What lies in the chosen folders.

    Parameters
    ----------
    photos
        How many photographs there are.
    left_out
        How many files are none that can be colored, by the reason.
    plan
        What is to be done; None if there is no folder for the results yet.
    statuses
        How far it is.
    made_with
        What an earlier batch in the output folder was asked to do.
    begun
        Whether there was one.
    """

    photos: int
    left_out: Counter[str]
    plan: Plan | None = None
    statuses: list[Outcome] = field(default_factory=list)
    made_with: dict[str, Any] | None = None
    begun: bool = False


def look(choices: Choices, report: Report) -> Looked:
    """Find the photos and what is known about them; nothing is written.

    Raises
    ------
    PlanError
        If they cannot be colored this way.
    """
    if not choices.output:
        from napari_sdcolor.batch.find import find

        found, _ = find(choices.inputs, recursive=choices.recursive)
        reasons = Counter(item.reason for item in found)
        photos = reasons.pop('', 0)
        return Looked(photos, reasons)
    plan = _plan(choices, report)
    report('Reading what is done already…')
    return Looked(
        len(plan.tasks),
        Counter(item.reason for item in plan.refused),
        plan,
        read_statuses(plan),
        read_last_run(plan.output),
        has_begun(plan.output),
    )


def run(
    choices: Choices,
    engine: Engine,
    token: CancelToken,
    observer: Observer,
    keys: Callable[[], Collection[str]] | None,
    report: Report,
) -> Summary:
    """Color what is not colored, as ``sdcolor batch`` does.

    Parameters
    ----------
    choices
        What and how.
    engine
        Lends the networks.
    token
        Stops it.
    observer
        Called after each photo, in this thread.
    keys
        Asked for the photos to work on when it begins; None takes all.
    report
        Takes progress words.

    Raises
    ------
    PlanError, SdcolorError, OSError
        See ``run_batch``.
    """
    from napari_sdcolor.archive.one_file import JobSpec
    from napari_sdcolor.batch.made_with import identity_of
    from napari_sdcolor.batch.pipeline import Pipeline
    from napari_sdcolor.batch.run import run_batch
    from napari_sdcolor.batch.worker import Worker

    plan = _plan(choices, report)
    report('Loading the networks…')
    colorizer = engine.get(choices.settings)
    spec = JobSpec(choices.settings, plan.format)
    report('Starting…')
    # The words of single photos would hide how far the whole is.
    with told_to(_ignore):
        return run_batch(
            plan,
            spec,
            Pipeline(Worker(spec, colorizer), token),
            identity_of(colorizer.parts),
            only=None if keys is None else keys(),
            confidence=choices.confidence,
            observers=[observer],
            token=token,
        )


def _ignore(words: str) -> None:
    """Nobody is told."""


def _plan(choices: Choices, report: Report) -> Plan:
    from napari_sdcolor.batch.plan import make_plan

    report('Looking for photos…')
    return make_plan(
        choices.inputs,
        choices.output,
        recursive=choices.recursive,
        format=choices.format,
    )
