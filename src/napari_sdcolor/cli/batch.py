"""``sdcolor batch``: whole archives, to be stopped and resumed any time."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.cluster import Where, workers
from napari_sdcolor.cli.console import DONE, FAILED, Talk
from napari_sdcolor.cli.values import number
from napari_sdcolor.errors import WrongUsage
from napari_sdcolor.interrupts import stop_signals
from napari_sdcolor.settings import NEEDS_A_PERSON, Settings
from napari_sdcolor.words import counted, short_duration

if TYPE_CHECKING:
    from napari_sdcolor.archive.one_file import JobSpec
    from napari_sdcolor.batch.outcome import Outcome
    from napari_sdcolor.batch.plan import Plan
    from napari_sdcolor.batch.run import Summary
    from napari_sdcolor.batch.task import Task


def batch(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='IN…',
            help='Folders, photos, or patterns in quotes such as '
            "'scans/**/*.tif'. They are only read.",
            show_default=False,
        ),
    ] = None,
    output: options.OutFolder = ...,  # type: ignore[assignment]
    from_file: Annotated[
        list[str] | None,
        typer.Option(
            '--from-file',
            metavar='LIST',
            help='File with the name of one photo per line, or between NUL '
            "bytes; '-' reads the names from standard input. Relative names "
            'keep their folders.',
            show_default=False,
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option(
            '--recursive/--no-recursive',
            '-r',
            help='Whether to look into the folders inside of folders.',
        ),
    ] = True,
    base: Annotated[
        Path | None,
        typer.Option(
            '--base',
            metavar='DIR',
            exists=True,
            file_okay=False,
            help='Keep the place of every photo below this folder instead '
            'of its place below the folder that was named.',
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            '--labels',
            metavar='FILE_OR_DIR',
            exists=True,
            help='Label map to color by, or a folder that holds '
            'NAME.labels.png at the place of each photo. Without it, or '
            'where it holds none, NAME.labels.png beside the photo is used; '
            'maps that are nowhere are predicted.',
            show_default=False,
        ),
    ] = None,
    form: options.Form = options.Format.tiff,
    page: options.Page = None,
    allow_damaged: options.AllowDamaged = False,
    limit: Annotated[
        int | None,
        typer.Option(
            '--limit',
            parser=number(int, 1),
            metavar='N',
            help='Color at most N photos in this run; the next one goes on.',
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(
            '--confidence',
            parser=number(float, 0, 1),
            metavar='X',
            help='Flag photos whose predicted map has a lower mean '
            'confidence: a person should look at the map. From 0, which '
            'flags none, to 1.',
        ),
    ] = NEEDS_A_PERSON,
    workers: Annotated[
        int | None,
        typer.Option(
            '--workers',
            parser=number(int, 1),
            metavar='N',
            help='Work with N processes on this machine (a local dask '
            'cluster), one for each GPU if there are some.',
            show_default=False,
            rich_help_panel='Cluster',
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            '--scheduler',
            metavar='ADDRESS',
            help='Work with the processes of this dask scheduler, such as '
            'tcp://node1:8786; also the file of its --scheduler-file. All '
            'machines must see the photos and DIR at the same place.',
            show_default=False,
            rich_help_panel='Cluster',
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            '--dry-run',
            help='Only say what would be done; nothing is written.',
        ),
    ] = False,
    size: options.Size = options.DEFAULTS.size,
    saturation: options.Saturation = options.DEFAULTS.saturation,
    window: options.Window = options.DEFAULTS.window,
    source_type: options.SourceType = options.DEFAULTS.source_type,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    dtype: options.DtypeOption = options.Dtype.float32,
    batch_size: Annotated[
        int,
        typer.Option(
            '--batch-size',
            parser=number(int, 1),
            metavar='N',
            help='Photos that go through the networks of a GPU together. On '
            'the CPU photos run side by side on a thread each.',
        ),
    ] = 1,
    as_json: options.Json = False,
) -> None:
    """Color whole folders of photos, to be interrupted and resumed any time.

    The results are those of "sdcolor colorize", in a tree of folders like
    that of the photos. A journal in DIR remembers what is done: the same
    command goes on where it was stopped, by Ctrl+C or by a power cut, and
    colors only what is new. DIR/sdcolor-report.html shows all photos, what
    failed, and whose map a person should look at.

    Exit code 0: all colored; 1: something failed, was left out as damaged,
    or the run was stopped; 2: wrong usage, nothing was done; 130: stopped
    before the first photo.
    """
    talk = Talk('batch', as_json)
    with talk.refusing():
        settings = Settings(
            size=size,
            saturation=saturation,
            window=window,
            device=device.value,
            weights=weights,
            source_type=source_type,
        )
        if not inputs and not from_file:
            raise WrongUsage(
                'There is nothing to color: name folders, photos or patterns, '
                'or a list with --from-file.'
            )
        if workers is not None and scheduler is not None:
            raise WrongUsage(
                '--workers starts a cluster and --scheduler uses one: give '
                'one of them.'
            )
        from napari_sdcolor.archive.one_file import JobSpec
        from napari_sdcolor.batch.plan import make_plan

        plan = make_plan(
            inputs or (),
            output,
            lists=from_file or (),
            labels=labels,
            base=base,
            recursive=recursive,
            format=form.value,
        )
        if dry_run:
            _say_plan(talk, plan)
        else:
            where = Where(scheduler, workers, batch_size)
            spec = JobSpec(
                settings, plan.format, page, dtype.value, allow_damaged
            )
            _run(talk, plan, spec, limit, confidence, where)


def _run(
    talk: Talk,
    plan: Plan,
    spec: JobSpec,
    limit: int | None,
    confidence: float,
    where: Where,
) -> None:
    talk.say(_plan_words(plan))
    talk.import_torch()
    from napari_sdcolor.archive.folders import output_folder
    from napari_sdcolor.batch.made_with import mixed_tones
    from napari_sdcolor.batch.run import run_batch
    from napari_sdcolor.cli.batch_progress import shown
    from napari_sdcolor.core.cancel import CancelToken

    mixed = mixed_tones(plan.output, spec.settings)
    if mixed:
        talk.warn(mixed)
    token = CancelToken()
    damaged: list[dict[str, Any]] = []

    def note_damage(outcome: Outcome, progress: object) -> None:
        if outcome.damage:
            damaged.append(
                {'photo': outcome.source, 'damage': list(outcome.damage)}
            )

    at_work = False

    def stop() -> None:
        token.cancel()
        if not at_work:
            # There is nothing that could be finished.
            raise KeyboardInterrupt
        talk.warn('Stopping: the photos that are being saved are finished.')

    with (
        stop_signals(stop, insisting=(signal.SIGINT, signal.SIGTERM)),
        output_folder(plan.output),
        workers(talk, plan, spec, token, where) as working,
        shown(talk) as observer,
    ):
        at_work = True
        summary = run_batch(
            plan,
            spec,
            working.work,
            working.weights,
            limit=limit,
            confidence=confidence,
            observers=[observer, note_damage],
            token=token,
        )
    _say_summary(talk, summary)
    facts = {
        'settings': spec.settings.to_dict(),
        **working.facts,
        **_summary_facts(plan, summary),
        'damaged': damaged,
        'notes': [words for words in (mixed, *summary.notes) if words],
    }
    done = not summary.failed and not summary.stopped
    talk.finish(facts, DONE if done else FAILED)


def _plan_words(plan: Plan) -> str:
    maps = sum(_map_of(task) is not None for task in plan.tasks)
    words = [counted(len(plan.tasks), 'photo') + ' found']
    if maps:
        words.append(f'{maps} with a map of their own')
    if plan.unusable:
        words.append(f'{len(plan.unusable)} that cannot be used')
    if plan.others:
        others = counted(len(plan.others), 'file')
        words.append(f'{others} of other kinds left out')
    return ', '.join(words) + '.'


def _map_of(task: Task) -> str | None:
    """The map of a photo, or of its first page if it turns out to be many."""
    return task.find_map() or task.find_map(0)


def _say_plan(talk: Talk, plan: Plan) -> None:
    from napari_sdcolor.archive.saving import output_paths

    photos = []
    for task in plan.tasks:
        path = output_paths(task.folder, task.name, plan.format).color
        found = _map_of(task)
        by = f' (by the map {found})' if found else ''
        talk.answer(f'{task.source} -> {path}{by}')
        photos.append(
            {'photo': task.source, 'output': str(path), 'labels': found}
        )
    for item in plan.refused:
        talk.warn(f'{item.path}: {item.reason}')
    talk.say(_plan_words(plan) + ' Nothing was written.')
    facts = {
        'photos': photos,
        'failed': [
            {'photo': item.path, 'reason': item.reason}
            for item in plan.unusable
        ],
        'skipped': [
            {'file': item.path, 'reason': item.reason} for item in plan.others
        ],
    }
    talk.finish(facts, FAILED if plan.unusable else DONE)


def _say_summary(talk: Talk, summary: Summary) -> None:
    from napari_sdcolor.batch.progress import rate_words

    counts = summary.progress
    words = f'{counted(counts.colored, "photo")} colored'
    if counts.rate is not None:
        words += (
            f' in {short_duration(counts.seconds)} ({rate_words(counts.rate)})'
        )
    if counts.known:
        words += ', ' + counted(
            counts.known, 'was done before', 'were done before'
        )
    if summary.failed:
        words += f', {len(summary.failed)} failed'
    talk.say(words + '.')
    for note in summary.notes:
        talk.warn(note)
    if summary.flagged:
        talk.warn(
            f'The {"map" if len(summary.flagged) == 1 else "maps"} of '
            f'{counted(len(summary.flagged), "photo")} should be looked at; '
            'see the report.'
        )
    if summary.stopped:
        talk.warn('Stopped. The same command goes on from here.')
    for report in summary.reports:
        talk.answer(str(report))


def _summary_facts(plan: Plan, summary: Summary) -> dict[str, Any]:
    counts = summary.progress
    return {
        'output': str(plan.output),
        'colored': counts.colored,
        'known': counts.known,
        'stopped': summary.stopped,
        'seconds': counts.seconds,
        'failed': [
            {'photo': path, 'reason': reason}
            for path, reason in summary.failed
        ],
        'flagged': list(summary.flagged),
        'skipped': [
            {'file': path, 'reason': reason}
            for path, reason in summary.skipped
        ],
        'reports': [str(path) for path in summary.reports],
    }
