"""Everything that an evaluation leaves in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_sdcolor.evaluation.report import plots
from napari_sdcolor.evaluation.report.sheet import contact_sheet
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import Evaluation
from napari_sdcolor.evaluation.study.page import make_study
from napari_sdcolor.files import publish, refuse_existing

FIGURES, PAGE = 'evaluation.json', 'evaluation.md'
SHEET = 'contact-sheet.png'
STUDY, KEY = 'user-study.html', 'user-study-key.json'


def refuse_used(folder: Path) -> None:
    """Refuse a folder that holds an evaluation, before any work is done.

    Raises
    ------
    SaveError
        If it does.
    """
    names = (FIGURES, PAGE, SHEET, STUDY, KEY)
    refuse_existing([folder / name for name in names])


def write_report(
    folder: Path, evaluation: Evaluation, result: dict[str, Any], study: int
) -> list[Path]:
    """Figures, tables, plots, contact sheet and user study of a result.

    Parameters
    ----------
    folder
        Exists.
    evaluation
        That gave the result.
    study
        Photos in the user study; 0 for none, as without a color network.

    Returns
    -------
    list of Path
        What was written: all of it, or nothing.

    Raises
    ------
    SaveError
        If something exists already or cannot be written.
    """
    pictures = plots.draw_all(result)
    if result['scopes'] is not None:
        pictures[SHEET] = contact_sheet(evaluation, result)
    shown = '\n'.join(f'![{name}]({name})\n' for name in pictures)
    page = f'# Evaluation\n\n{as_markdown(result)}\n## Pictures\n\n{shown}'
    words = page.encode(errors='backslashreplace')
    files = {FIGURES: as_json(result), PAGE: words, **pictures}
    # What was measured without a color network has nothing to be shown.
    shows = study and evaluation.colorizer.color_net is not None
    pages = make_study(evaluation, study) if shows else None
    if pages is not None:
        files[STUDY], files[KEY] = pages
    paths = [(folder / name, content) for name, content in files.items()]
    publish(paths)
    return [path for path, _ in paths]


def as_json(result: dict[str, Any]) -> bytes:
    """Equal results give equal bytes."""
    text = json.dumps(result, indent=1, allow_nan=False, ensure_ascii=False)
    # What is no text in a name: these escapes are those of JSON, too.
    return f'{text}\n'.encode(errors='backslashreplace')
