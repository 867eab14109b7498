"""There is one door for reading files and one for writing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_sdcolor

ROOT = Path(napari_sdcolor.__file__).parent

DOORS = {'files.py', 'opening.py', 'own_files.py'}

WRITERS = {
    'copy',
    'copy2',
    'copyfile',
    'copytree',
    'ftruncate',
    'link',
    'link_to',
    'mkfifo',
    'mknod',
    'move',
    'open_memmap',
    'hardlink_to',
    'rename',
    'renames',
    'savez',
    'savez_compressed',
    'symlink',
    'symlink_to',
    'to_csv',
    'tofile',
    'touch',
    'truncate',
    'write_bytes',
    'write_text',
}
"""Functions and methods that write under a name that they are given."""

READERS = {'read_bytes', 'read_text', 'imread', 'fromfile', 'memmap'}

STREAMS = {'stream', 'buffer', 'data'}
"""What ``save`` and ``savefig`` of pictures may write to."""

ALLOWED = {
    # The lock and the journal are opened by ``own_files.open_own`` and may cut
    # off what is their own then.
    ('batch/lock.py', 'ftruncate'),
    ('batch/journal.py', 'ftruncate'),
    # A whole folder of copies gets its name.
    ('batch/corrections.py', 'rename'),
    # The descriptor that ``own_files.open_own`` gave.
    ('batch/journal.py', 'open(os.dup)'),
    # Files of the package itself.
    ('archive/sidecar_check.py', 'read_text'),
    ('batch/report.py', 'read_text'),
    ('evaluation/study/page.py', 'read_text'),
    # Nothing: the places of standard streams that are closed.
    ('cli/streams.py', 'os.open'),
    # What a shell names when a list comes from another command.
    ('batch/find.py', 'open(path)'),
    # What the system tells.
    ('memory.py', 'read_text'),
    ('bench/worker.py', 'read_text'),
    # Measure saving into folders of their own.
    ('bench/photos.py', 'save'),
    ('bench/saving.py', 'truncate'),
}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file, by the last part of what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, node


def word(node: ast.expr) -> str:
    """A short name for an argument."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func)
    return ast.unparse(node)


def is_owner(node: ast.Call, *names: str) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in names
    )


def offences(path: Path) -> Iterator[tuple[str, int]]:
    """What opens a file by itself, and the line."""
    for name, node in calls(path):
        first = word(node.args[0]) if node.args else ''
        if name in WRITERS | READERS:
            if is_owner(node, 'publication', 'shutil') and name == 'move':
                continue
            if name == 'copy' and not is_owner(node, 'shutil'):
                continue
            if name == 'read_text' and isinstance(node.func, ast.Name):
                continue  # that of ``opening``
            if name == 'imread' and first in STREAMS:
                continue
            yield name, node.lineno
        elif name == 'open' and isinstance(node.func, ast.Name):
            yield f'open({first})', node.lineno
        elif name == 'open' and is_owner(node, 'os', 'io'):
            yield 'os.open', node.lineno
        elif name == 'open' and any(
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and set(each.value) <= set('rwaxbt+')
            for each in (*node.args, *(k.value for k in node.keywords))
        ):
            yield f'.open({first})', node.lineno
        elif name in ('save', 'savefig') and node.args:
            if is_owner(node, 'torch', 'np', 'numpy'):
                first = word(node.args[-1])
            if is_picture(node) and first not in STREAMS:
                yield name, node.lineno


def is_picture(node: ast.Call) -> bool:
    """Whether ``save`` is that of Pillow, matplotlib, torch or NumPy."""
    assert isinstance(node.func, ast.Attribute | ast.Name)
    if isinstance(node.func, ast.Name):
        return False
    owner = ast.unparse(node.func.value)
    return owner in ('torch', 'np', 'image', 'canvas', 'strip', 'figure') or (
        owner.startswith('Image.')
    )


@pytest.mark.parametrize(
    'path', sorted(ROOT.rglob('*.py')), ids=lambda path: path.name
)
def test_nothing_opens_files_by_itself(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if place in DOORS:
        return
    found = [
        f'{place}:{line} calls {name}'
        for name, line in offences(path)
        if (place, name) not in ALLOWED
    ]
    assert not found, (
        f'{found}: read through napari_sdcolor.opening and write through '
        'napari_sdcolor.files.'
    )


@pytest.mark.parametrize(
    'line',
    [
        "open('a', 'w')",
        'open(path)',
        "path.open('ab')",
        "path.open(mode='w')",
        "path.write_text('a')",
        'os.open(path, 2)',
        'shutil.copy(one, other)',
        'figure.savefig(path)',
        "Image.fromarray(plane).save('a.png')",
        'np.save(path, array)',
        'torch.save(state, path)',
        'path.read_bytes()',
        'array.tofile(path)',
        'path.touch()',
    ],
)
def test_the_search_finds_what_it_looks_for(line: str, tmp_path: Path) -> None:
    path = tmp_path / 'module.py'
    path.write_text(line)
    assert list(offences(path))


def test_every_exception_is_still_one() -> None:
    """Or it would hide the next one."""
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.rglob('*.py')
        for name, _ in offences(path)
    }
    assert found >= ALLOWED
