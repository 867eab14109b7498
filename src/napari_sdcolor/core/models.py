"""Named models: the bundled one and those that a person added."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.adding import copy_into, read_any, refuse_name
from napari_sdcolor.core.model_files import (
    NETWORKS,
    RECORD,
    Entry,
    list_models,
    names,
    recorded_hashes,
    user_folder,
    weight_files,
)
from napari_sdcolor.core.weights import (
    Part,
    load_part,
    read_about,
)
from napari_sdcolor.errors import UnfitWeights, WeightsError, said
from napari_sdcolor.opening import parse_json
from napari_sdcolor.own_files import replace_file
from napari_sdcolor.words import short_hash

RARE = 30
"""A class is rarely seen if fewer training photographs than this show it."""


def find(model: str, kind: str) -> Path:
    """The file of a model's part; ``default``'s where it has none.

    Raises
    ------
    WeightsError
        If there is no such model.
    """
    entries = list_models()
    known = sorted(names())
    if model not in known:
        raise UnfitWeights(
            f'There are no weights named {model!r}; there are: '
            f'{", ".join(known) or "none"}. "sdcolor models add" adds some.'
        )
    for name in (model, 'default'):
        for entry in entries:
            if (entry.model, entry.kind) == (name, kind):
                return entry.path
    raise WeightsError(f'The {kind} weights of {model!r} are missing.')


def load(
    weights: str,
    files: Mapping[str, Path] | None = None,
    kinds: Sequence[str] = NETWORKS,
) -> dict[str, Part]:
    """The networks of a model, and the photo features that they read.

    Parameters
    ----------
    weights
        Name of a model, or one safetensors file in place of one network of
        ``default``.
    files
        By kind, files that take the place of the model's networks.
    kinds
        The networks that are needed; the others need not fit.

    Returns
    -------
    dict
        'color' and 'segmentation', as far as needed, and 'features' if one
        of these reads some.

    Raises
    ------
    WeightsError
        If something is missing or damaged, or does not belong together.
    """
    paths = dict(files or {})
    if weights.endswith('.safetensors') or os.sep in weights:
        path = Path(weights)
        kind = read_about(path).get('kind', '')
        if kind == 'features':
            raise UnfitWeights(
                f'{path} holds photo features alone. Name the color or the '
                'segmentation weights that read them; they are found beside '
                'these.'
            )
        if kind not in NETWORKS:
            raise WeightsError(
                f'{path} holds {kind!r} weights, which this version does not '
                'know. Install a newer version, or take other weights.'
            )
        paths.setdefault(kind, path)
        weights = 'default'
    for kind in kinds:
        paths.setdefault(kind, find(weights, kind))
    parts = {kind: load_part(paths[kind], kind) for kind in kinds}
    return with_features(parts, paths.values())


def with_features(
    parts: Mapping[str, Part], near: Iterable[Path] = ()
) -> dict[str, Part]:
    """Networks together with the photo features that they were trained with.

    Parameters
    ----------
    parts
        One or both of the networks, and their features if these are known.
    near
        Their files: the features may lie beside one of them; else they are
        among the models.

    Raises
    ------
    UnfitWeights
        If the networks were trained with different features, or theirs are
        not here.
    WeightsError
        If they are damaged.
    """
    networks = {kind: parts[kind] for kind in NETWORKS if kind in parts}
    readers = [part for part in networks.values() if part.features]
    if not readers:
        return networks
    first, last = readers[0], readers[-1]
    if first.features != last.features:
        raise UnfitWeights(
            f'{first.name} and {last.name} do not belong together: they '
            f'were trained with different photo features '
            f'({short_hash(first.features)} and '
            f'{short_hash(last.features)}). Take both networks of one model, '
            'or train the one on the features of the other.'
        )
    found = parts.get('features') or _find_features(first, near)
    if found.digest != first.features:
        raise UnfitWeights(
            f'{found.name} holds other photo features '
            f'({short_hash(found.digest)}) than {first.name} was trained with '
            f'({short_hash(first.features)}). Take the file that came with it.'
        )
    given = found.network.config.widths
    for part in readers:
        if tuple(part.network.config.features) != given:
            raise WeightsError(
                f'{part.name} is damaged: it describes other photo features '
                f'than {found.name} holds. Get the file again.'
            )
    return {**networks, 'features': found}


def _find_features(reader: Part, near: Iterable[Path]) -> Part:
    """The features that a network names, wherever they lie."""
    beside = [
        path
        for folder in dict.fromkeys(path.parent for path in near)
        for path in weight_files(folder, 'features')
    ]
    known = [e.path for e in list_models() if e.kind == 'features']
    others, damaged = [], None
    for path in dict.fromkeys([*beside, *known]):
        try:
            digest = read_about(path).get('sha256', '')
        except WeightsError as error:
            damaged = damaged or error
            continue
        if digest == reader.features:
            return load_part(path, 'features')
        others.append(f'{path.name} holds others, {short_hash(digest)}')
    if damaged is not None:
        raise WeightsError(
            f'{reader.name} was trained with photo features '
            f'({short_hash(reader.features)}) that are not here, unless they '
            f'are in a damaged file: {damaged}'
        )
    raise UnfitWeights(
        f'{reader.name} was trained with photo features '
        f'({short_hash(reader.features)}) that are not here'
        f'{"".join(f"; {other}" for other in others)}. Put the file '
        '*.features.safetensors that came with it into the same folder, or '
        'add both with "sdcolor models add".'
    )


def training_record(weights: str, kind: str) -> dict[str, Any]:
    """What a model's file says about its training, without its tensors.

    Parameters
    ----------
    weights
        As for ``load``.
    kind
        'color' or 'segmentation'.

    Raises
    ------
    WeightsError
        If there is no such file, or it is not one of ours.
    """
    path = Path(weights)
    if path.suffix != '.safetensors':
        path = find(weights, kind)
    try:
        return dict(parse_json(read_about(path).get('training', '{}')))
    except (TypeError, ValueError) as error:
        raise WeightsError(f'{path} is damaged ({said(error)}).') from error


def rarely_seen(training: Mapping[str, Any]) -> dict[int, int]:
    """Classes that the training photographs hardly show.

    Parameters
    ----------
    training
        A training record.

    Returns
    -------
    dict
        Class id to number of photographs, below ``RARE``; empty where the
        record does not count them.
    """
    counted = training.get('class_photos')
    if not isinstance(counted, Mapping):
        return {}
    return {
        entry.id: int(counted[entry.name])
        for entry in CLASSES
        if counted.get(entry.name, RARE) < RARE
    }


def add(paths: list[Path], name: str) -> list[Entry]:
    """Copy weights into the user's folder under a name.

    Parameters
    ----------
    paths
        Our safetensors files or the authors' ``.pth.tar`` checkpoints, at
        most one of each kind. The photo features that a network reads are
        added with it.
    name
        Letters, digits, '-' and '_'.

    Raises
    ------
    WeightsError
        If the name is taken or odd, or a file is not what it should be;
        then nothing was added.
    SaveError
        If the disk does not take them; then nothing was added either.
    """
    refuse_name(name)
    if name in {entry.model for entry in list_models()}:
        raise UnfitWeights(
            f'A model named {name!r} exists already; choose another name or '
            f'remove it with "sdcolor models remove {name}".'
        )
    parts = [read_any(path) for path in paths]
    kinds = [part.kind for part in parts]
    if len(set(kinds)) != len(kinds):
        raise UnfitWeights(f'Two files hold {kinds[0]} weights; give one.')
    named = dict(zip(kinds, parts, strict=True))
    if not named.keys() & set(NETWORKS):
        raise UnfitWeights(
            f'{parts[0].name} holds photo features alone. Name the color or '
            'the segmentation weights that read them as well.'
        )
    # What lies beside the files comes along: the folder stands alone.
    named |= with_features(named, paths)
    folder = user_folder()
    hashes = recorded_hashes(folder)
    with ExitStack() as added:
        for part in named.values():
            path = folder / f'{name}.{part.kind}.safetensors'
            digest = copy_into(path, part)
            added.callback(path.unlink, missing_ok=True)
            hashes[path.name] = digest
        _record(folder, hashes)
        added.pop_all()
    return [entry for entry in list_models() if entry.model == name]


def remove(name: str) -> list[Path]:
    """Delete an added model; the bundled one stays.

    Raises
    ------
    WeightsError
        If there is no such added model.
    """
    folder = user_folder()
    entries = [
        entry
        for entry in list_models()
        if entry.model == name and entry.path.parent == folder
    ]
    if not entries:
        raise UnfitWeights(f'No model named {name!r} was added.')
    hashes = recorded_hashes(folder)
    by_hand = [
        entry.path
        for entry in entries
        if entry.path.name not in hashes
        and entry.path.is_file()
        and not entry.path.is_symlink()
    ]
    if by_hand:
        raise UnfitWeights(
            f'{by_hand[0]} was put there by hand, not by "sdcolor models '
            'add": it is yours to delete or to keep.'
        )
    paths = [entry.path for entry in entries]
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise WeightsError(
                f'{path} was not removed: {said(error)}.'
            ) from error
        hashes.pop(path.name, None)
    _record(folder, hashes)
    return paths


def _record(folder: Path, hashes: Mapping[str, str]) -> None:
    """Write down the hash of every file, atomically."""
    words = json.dumps(dict(hashes), indent=1, sort_keys=True)
    replace_file(folder / RECORD, f'{words}\n'.encode(), _is_record)


def _is_record(head: bytes) -> bool:
    return head.startswith(b'{') and (
        b'.safetensors"' in head or head.strip() == b'{}'
    )


def verify(entry: Entry) -> str:
    """'ok', or a sentence on what is wrong with a model's file."""
    try:
        found = entry.sha256
        if entry.trouble:
            return entry.trouble
        if entry.recorded is None:
            return (
                f'{entry.path.name} was put there by hand: no hash recorded.'
            )
        if found == entry.recorded:
            part = load_part(entry.path, entry.kind)
            found = part.file_sha256
        if found != entry.recorded:
            return f'{entry.path.name} has changed since it was added.'
        with_features({entry.kind: part}, [entry.path])
    except WeightsError as error:
        return str(error)
    return 'ok'


def facts_of(entry: Entry) -> dict[str, Any]:
    """One file of a model, JSON-serializable.

    Its hashes are empty where it cannot be read, and ``trouble`` tells why;
    that is empty where there is none.
    """
    facts = {
        'model': entry.model,
        'kind': entry.kind,
        'path': str(entry.path),
        'file_sha256': '',
        'tensors_sha256': '',
        'trouble': entry.trouble,
    }
    try:
        facts['file_sha256'] = entry.sha256
        facts['tensors_sha256'] = read_about(entry.path).get('sha256', '')
    except WeightsError as error:
        facts['trouble'] = str(error)
    return facts
