"""Suffixes and formats tell of each other."""

from __future__ import annotations

from napari_sdcolor.archive.formats import FORMATS, SUFFIXES, TITLES
from napari_sdcolor.cli.options import Format


def test_every_format_has_a_suffix_that_means_it() -> None:
    assert {form: FORMATS[suffix] for form, suffix in SUFFIXES.items()} == {
        form: form for form in TITLES
    }
    assert set(FORMATS.values()) == set(SUFFIXES)
    assert [form.value for form in Format] == list(SUFFIXES)
