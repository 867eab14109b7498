"""Names of the files that a batch keeps in its output folder."""

from __future__ import annotations

JOURNAL = 'sdcolor-journal.jsonl'
LOCK = '.sdcolor-lock'
THUMBNAILS = '.sdcolor-thumbnails'
REPORTS = {kind: f'sdcolor-report.{kind}' for kind in ('json', 'csv', 'html')}

EDITED_MAPS = 'sdcolor-edited-maps'
"""Folder of the maps that a person edited, at the places of the results."""

OWN_SETTINGS = '.sdcolor-settings.json'
"""After NAME, beside its map: the settings that only this photo has."""

SUPERSEDED = 'sdcolor-superseded'
"""Folder of results that were replaced because their map was edited."""
