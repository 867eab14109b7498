"""The machine around the program: Qt, display, OpenGL.

What may crash is tried in a child process, so that finding out never takes
the caller down.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

QT_BINDINGS = ('PyQt6', 'PySide6', 'PyQt5', 'PySide2')
"""In the order in which they are looked for."""

PATIENCE = 180
"""Seconds after which a child process counts as hanging."""

QT_FAILED, TORCH_FAILED, NO_OPENGL = 3, 4, 5

_START = """
import sys

def fail(error, code):
    sys.stderr.write(str(error))
    sys.exit(code)

try:
    import {binding}.QtWidgets
except (ImportError, OSError) as error:
    fail(error, {qt_failed})
"""

_TORCH = """
try:
    import torch
except (ImportError, OSError) as error:
    fail(error, {torch_failed})
"""

_OPENGL = """
from vispy import app
from vispy.gloo import gl

app.use_app({backend!r})
canvas = app.Canvas(show=False)
canvas.set_current()
version = gl.glGetParameter(gl.GL_VERSION)
if not version:
    fail('no OpenGL context could be made', {no_opengl})
print(version, gl.glGetParameter(gl.GL_RENDERER), sep=', ')
"""


def _script(body: str, binding: str) -> str:
    return (_START + body).format(
        binding=binding,
        backend=binding.lower(),
        qt_failed=QT_FAILED,
        torch_failed=TORCH_FAILED,
        no_opengl=NO_OPENGL,
    )


@dataclass(frozen=True)
class Attempt:
    """How a child process ended.

    Parameters
    ----------
    code
        Exit code; negative if a signal ended it, None if it hung.
    said
        Its last line on standard output, or on standard error if it failed.
    """

    code: int | None
    said: str


def qt_binding() -> str | None:
    """The Qt binding that would be used, without importing it."""
    wanted = os.environ.get('QT_API', '').lower()
    found = [name for name in QT_BINDINGS if find_spec(name)]
    return next(
        (name for name in found if name.lower() == wanted),
        found[0] if found else None,
    )


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a window could be seen by somebody."""
    platform = environment.get('QT_QPA_PLATFORM', '').partition(':')[0]
    if platform in ('offscreen', 'minimal'):
        return False
    if sys.platform in ('win32', 'darwin'):
        return True
    return bool(
        environment.get('DISPLAY') or environment.get('WAYLAND_DISPLAY')
    )


def run_child(code: str) -> Attempt:
    """Run Python code in a process of its own.

    Parameters
    ----------
    code
        Python source. The current folder is not on its module path.
    """
    try:
        child = subprocess.run(
            [sys.executable, '-P', '-c', code],
            capture_output=True,
            text=True,
            errors='replace',
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Attempt(None, f'no answer within {PATIENCE} seconds')
    except OSError as error:
        return Attempt(None, str(error))
    said = child.stderr if child.returncode else child.stdout
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return Attempt(child.returncode, lines[-1] if lines else '')


def try_torch_after_qt(binding: str) -> Attempt:
    """Import Qt, then torch, as napari does it.

    Returns
    -------
    Attempt
        Code 0, ``QT_FAILED`` or ``TORCH_FAILED``, or that of a crash.
    """
    return run_child(_script(_TORCH, binding))


def try_opengl(binding: str) -> Attempt:
    """Make an OpenGL context with the library that napari draws with.

    Returns
    -------
    Attempt
        Code 0 and version and renderer in words; or ``QT_FAILED``,
        ``NO_OPENGL`` or the code of a crash.
    """
    return run_child(_script(_OPENGL, binding))
