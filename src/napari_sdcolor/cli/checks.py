"""What ``sdcolor doctor`` looks at: one function per concern."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from napari_sdcolor._version import __version__, installed
from napari_sdcolor.cli import probes
from napari_sdcolor.errors import DeviceError, WeightsError
from napari_sdcolor.words import short_hash

OK, WARNING, PROBLEM = 'ok', 'warning', 'problem'
"""States: fine; works, but not all of it; coloring is prevented."""

NEEDED = (
    'numpy',
    'torch',
    'safetensors',
    'pillow',
    'scikit-image',
    'tifffile',
    'imagecodecs',
    'jsonschema',
    'psutil',
)
"""Without these nothing is colored."""

SHOWN = ('napari', 'npe2', *NEEDED, 'imageio', 'qtpy', 'vispy')

QT_REMEDY = (
    'Install one with: pip install "napari[all]". The command line works '
    'without it.'
)
GL_REMEDY = (
    'Install or update the graphics driver; on Linux also: sudo apt-get '
    'install libegl1 libgl1 libgl1-mesa-dri libxcb-cursor0. The command '
    'line works without it.'
)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    name
        What was looked at.
    state
        ``OK``, ``WARNING`` or ``PROBLEM``.
    found
        In words.
    remedy
        What to do; empty if nothing is to be done.
    details
        JSON-serializable facts for a script.
    """

    name: str
    state: str
    found: str
    remedy: str = ''
    details: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        return {
            'name': self.name,
            'state': self.state,
            'found': self.found,
            'remedy': self.remedy,
            **self.details,
        }


@dataclass(frozen=True)
class Check:
    """A concern and the function that looks into it."""

    name: str
    run: Callable[[], Iterator[Finding]]


def all_checks() -> list[Check]:
    """The checks in the order in which they are made."""
    return [
        Check('packages', check_packages),
        Check('device', check_device),
        Check('weights', check_weights),
        Check('Qt', check_qt),
        Check('torch after Qt', check_torch_after_qt),
        Check('OpenGL', check_opengl),
    ]


def versions() -> dict[str, str | None]:
    """Versions by package; None where it is not installed."""
    found: dict[str, str | None] = {
        'napari-sdcolor': __version__,
        'system': platform.platform(),
        'python': platform.python_version(),
    }
    found |= {package: installed(package) for package in SHOWN}
    return found | {
        binding: installed(binding)
        for binding in probes.QT_BINDINGS
        if installed(binding)
    }


def check_packages() -> Iterator[Finding]:
    """Whether everything is installed that coloring needs."""
    missing = [package for package in NEEDED if installed(package) is None]
    if missing:
        yield Finding(
            'packages',
            PROBLEM,
            f'not installed: {", ".join(missing)}',
            f'Install them with: pip install {" ".join(missing)}',
        )
    elif installed('napari') is None:
        yield Finding(
            'packages',
            WARNING,
            'napari is not installed',
            'Install it with: pip install "napari[all]". The command line '
            'works without it.',
        )
    else:
        yield Finding('packages', OK, 'all are installed')


def check_device() -> Iterator[Finding]:
    """What the networks would run on."""
    from napari_sdcolor.core.device import choose

    try:
        device = choose('auto')
    except DeviceError as error:
        yield Finding('device', PROBLEM, 'torch cannot be loaded', str(error))
        return
    yield Finding(
        'device',
        WARNING if device.notes else OK,
        device.words,
        ' '.join(device.notes),
        {'kind': device.kind},
    )


def check_weights() -> Iterator[Finding]:
    """Whether the weights are there and unchanged."""
    from napari_sdcolor.core.device import import_torch

    try:
        import_torch()
        from napari_sdcolor.core import model_files, models
    except (DeviceError, ImportError) as error:
        yield Finding('weights', PROBLEM, f'cannot be looked at: {error}')
        return
    entries = models.list_models()
    for folder in (model_files.bundled_folder(), model_files.user_folder()):
        try:
            model_files.recorded_hashes(folder)
        except WeightsError as error:
            yield Finding('weights', PROBLEM, str(error))
    there = {entry.kind for entry in entries if entry.model == 'default'}
    for kind in model_files.NETWORKS:
        if kind not in there:
            yield Finding(
                f'weights default, {kind}',
                PROBLEM,
                'missing',
                'Install napari-sdcolor again, or name other weights with '
                '--weights (sdcolor models list).',
            )
    for entry in entries:
        yield _weights_finding(entry)


def _weights_finding(entry: Any) -> Finding:
    from napari_sdcolor.core import model_files, models

    verified = models.verify(entry)
    details = models.facts_of(entry)
    name = f'weights {entry.model}, {entry.kind}'
    if verified == 'ok':
        found = f'SHA-256 {short_hash(details["file_sha256"])} as recorded'
        return Finding(name, OK, found, details=details)
    if entry.recorded is None:
        return Finding(name, WARNING, verified, details=details)
    bundled = entry.path.parent == model_files.bundled_folder()
    return Finding(
        name,
        PROBLEM if bundled else WARNING,
        verified,
        'Install napari-sdcolor again.'
        if bundled
        else f'Get the file again; "sdcolor models remove {entry.model}" '
        'removes this one.',
        details,
    )


def check_qt() -> Iterator[Finding]:
    """Whether napari has something to draw its window with."""
    binding = probes.qt_binding()
    if binding is None:
        yield Finding('Qt', WARNING, 'no Qt binding is installed', QT_REMEDY)
    elif find_spec('qtpy') is None:
        yield Finding('Qt', WARNING, 'qtpy is not installed', QT_REMEDY)
    else:
        yield Finding(
            'Qt', OK, f'{binding} {installed(binding) or ""}'.strip()
        )


def check_torch_after_qt() -> Iterator[Finding]:
    """The trap on Windows: torch does not load once Qt is there."""
    from napari_sdcolor.core.device import REMEDY

    name = 'torch after Qt'
    binding = probes.qt_binding()
    if binding is None or find_spec('torch') is None:
        yield Finding(name, OK, 'nothing to try without both')
        return
    attempt = probes.try_torch_after_qt(binding)
    if attempt.code == 0:
        yield Finding(name, OK, 'torch loads after Qt')
    elif attempt.code == probes.QT_FAILED:
        yield Finding(
            name,
            WARNING,
            f'{binding} itself cannot be loaded: {attempt.said}',
            GL_REMEDY,
        )
    else:
        yield Finding(
            name,
            PROBLEM,
            f'torch cannot be loaded after Qt: {attempt.said}',
            REMEDY['windows'],
        )


def check_opengl() -> Iterator[Finding]:
    """Whether napari's pictures can be drawn."""
    binding = probes.qt_binding()
    if binding is None:
        yield Finding('OpenGL', OK, 'nothing to try without Qt')
    elif not probes.has_display():
        yield Finding(
            'OpenGL',
            WARNING,
            'there is no display, so napari opens no window here',
            'The command line works without it.',
        )
    else:
        attempt = probes.try_opengl(binding)
        if attempt.code == 0:
            yield Finding('OpenGL', OK, attempt.said)
        else:
            yield Finding(
                'OpenGL',
                WARNING,
                f'no picture can be drawn: {attempt.said}',
                GL_REMEDY,
            )
