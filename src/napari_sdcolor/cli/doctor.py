"""``sdcolor doctor``: what is installed, what works, and what to do."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from napari_sdcolor.cli import checks
from napari_sdcolor.cli.console import DONE, FAILED, Talk
from napari_sdcolor.cli.options import Json
from napari_sdcolor.words import shown

_STYLES = {
    checks.OK: 'green',
    checks.WARNING: 'yellow',
    checks.PROBLEM: 'red',
}


def doctor(as_json: Json = False) -> None:
    """Say what is installed, try the known traps, name the remedies.

    Exit code 1 if something was found that prevents coloring.
    """
    talk = Talk('doctor', as_json)
    with talk.refusing():
        versions = checks.versions()
        table = Table(box=None, show_header=False)
        for name, version in versions.items():
            table.add_row(name, version or 'not installed')
        talk.answer(table)
        found = []
        for check in checks.all_checks():
            talk.say(f'Checking: {check.name}')
            for finding in check.run():
                found.append(finding)
                line = Text(f'{finding.state}: ', _STYLES[finding.state])
                found_words = shown(f'{finding.name}: {finding.found}')
                line.append(found_words, 'default')
                talk.answer(line)
                if finding.remedy:
                    talk.answer(f'  {finding.remedy}')
        bad = any(finding.state == checks.PROBLEM for finding in found)
        talk.answer(
            'Something prevents coloring; see above.'
            if bad
            else 'Photos can be colored here.'
        )
        talk.finish(
            {
                'ok': not bad,
                'versions': versions,
                'checks': [finding.facts() for finding in found],
            },
            FAILED if bad else DONE,
        )
