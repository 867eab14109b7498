"""Train the networks that the page on ablations compares, and measure them.

    python docs/make_ablations.py --data photographs --work runs/ablations

Every variant gets the same photographs, the same crops in the same order,
the same number of steps and the same seed; one choice differs.  Finished
variants are kept in the work folder, and an interrupted run goes on.  The
figures and pictures of the page are written anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from scenes import SCENES, Scene

from napari_sdcolor.core import lab, models
from napari_sdcolor.core.device import choose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import Photo, photo_from_array
from napari_sdcolor.core.weights import Part, load_part, save_part
from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.evaluation.run import evaluate
from napari_sdcolor.training.beginning import Beginning
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.network import above_features
from napari_sdcolor.training.presets import SHIPPED
from napari_sdcolor.training.recipe import Recipe

HERE = Path(__file__).parent
SIDE = 200
"""Height in pixels of a picture in a sheet."""

BASE = replace(
    SHIPPED['color'],
    widths=(16, 32, 64, 128, 256),
    features='',
    sure=1.0,
    own_maps=0.0,
    crop=112,
    batch=12,
    rate=1e-3,
    warmup=50,
    cooldown=0.5,
    average=0.99,
    delta=0.02,
    vivid=0.0,
    matching=0.0,
    swap=0.0,
    aging=0.2,
    unlabelled=0.4,
)
VARIANTS = {
    'embedding': ('class embedding, instance norm', {}),
    'no-norm': ('without instance norm', {'instance_norm': False}),
    'features': (
        'with photo features',
        {'features': SHIPPED['color'].features},
    ),
    'scalar': ('label as one number (as in the paper)', {'label_channels': 0}),
    'mapless': ('trained on empty maps only', {'empty_map': 1.0}),
}


def recipe_of(name: str, steps: int) -> Recipe:
    return replace(BASE, steps=steps, **VARIANTS[name][1])


def trained(name: str, args: argparse.Namespace, entries: tuple) -> Part:
    """The color network of a variant; trained unless it is there."""
    target = args.work / f'{name}.color.safetensors'
    if not target.exists():
        trainer = Trainer(
            recipe_of(name, args.steps),
            [entry for entry in entries if entry.split == 'train'],
            args.work / name,
            report=args.report,
        )
        features = ''
        if trainer.recipe.features:
            part = models.load('default')['features']
            features = part.digest
            for network in (trainer.network, trainer.averaged):
                Beginning(features=part.network).give(network)
        if not trainer.run(save_every=120):
            raise SystemExit('Stopped; the same command goes on from here.')
        save_part(
            target,
            above_features(trainer.averaged),
            {'steps': args.steps},
            features=features,
        )
    return load_part(target, 'color')


def colorizer_of(part: Part) -> Colorizer:
    """A color network beside the bundled GridNet and its features."""
    return Colorizer(models.load('default') | {'color': part}, choose('cpu'))


def measured(name: str, args: argparse.Namespace, entries: tuple) -> dict:
    """Figures of a variant on the validation photographs, kept in a file."""
    path = args.work / f'{name}.json'
    if not path.exists():
        mapless = None
        if name == 'embedding':
            mapless = colorizer_of(trained('mapless', args, entries))
        result = evaluate(
            colorizer_of(trained(name, args, entries)),
            [entry for entry in entries if entry.split == 'val'],
            train_entries=[e for e in entries if e.split == 'train'],
            means=args.work / 'class_means.json',
            groups=('fidelity', 'map', 'swaps', 'bleeding'),
            limit=args.limit,
            mapless=mapless,
            report=args.report,
        )
        path.write_text(json.dumps(result))
    return json.loads(path.read_text())


# --- pictures ----------------------------------------------------------------


def gray_photo(scene: Scene) -> Photo:
    """The photograph of a scene with its colors taken away."""
    lightness = lab.rgb_to_lightness(scene.rgb / np.float32(255))
    gray = np.rint(lab.lightness_to_gray(lightness) * 255).astype(np.uint8)
    return photo_from_array(gray, name=scene.name)


def map_picture(labels: np.ndarray) -> np.ndarray:
    from napari_sdcolor.classes import CLASSES

    return np.array([entry.color for entry in CLASSES], np.uint8)[labels]


def sheet(path: Path, rows: list[tuple[str, list[np.ndarray]]]) -> None:
    """Rows of pictures of one height, each with words above it."""
    strips = []
    for words, pictures in rows:
        scaled = [
            Image.fromarray(picture).resize(
                (round(picture.shape[1] * SIDE / picture.shape[0]), SIDE),
                Image.Resampling.LANCZOS,
            )
            for picture in pictures
        ]
        width = sum(each.width + 6 for each in scaled)
        strip = Image.new('RGB', (width, SIDE + 26), 'white')
        ImageDraw.Draw(strip).text((4, 5), words, fill='black', font_size=14)
        left = 0
        for each in scaled:
            strip.paste(each, (left, 24))
            left += each.width + 6
        strips.append(strip)
    whole = Image.new(
        'RGB', (max(each.width for each in strips), len(strips) * (SIDE + 26))
    )
    whole.paste('white', (0, 0, *whole.size))
    for number, strip in enumerate(strips):
        whole.paste(strip, (0, number * (SIDE + 26)))
    whole.save(path, quality=88)


def colored(
    colorizer: Colorizer, labels_of: Callable[[Scene, Photo], np.ndarray]
) -> list[np.ndarray]:
    """All scenes in the colors of a colorizer."""
    pictures = []
    for scene in SCENES:
        photo = gray_photo(scene)
        pictures.append(colorizer.colorize(photo, labels_of(scene, photo)).rgb)
    return pictures


def draw(args: argparse.Namespace, entries: tuple) -> None:
    """All pictures of the page."""
    images = HERE / 'images'
    hand = lambda scene, photo: scene.labels()  # noqa: E731
    truth = ('in their true colors', [scene.rgb for scene in SCENES])
    by_variant = {
        name: (
            words,
            colored(colorizer_of(trained(name, args, entries)), hand),
        )
        for name, (words, _) in VARIANTS.items()
    }
    sheet(
        images / 'ablation_instance_norm.jpg',
        [by_variant['no-norm'], by_variant['embedding'], truth],
    )
    sheet(
        images / 'ablation_features.jpg',
        [by_variant['embedding'], by_variant['features'], truth],
    )
    sheet(
        images / 'ablation_labels.jpg',
        [by_variant['scalar'], by_variant['embedding'], truth],
    )
    bundled = Colorizer.load(device='cpu')
    predict = lambda scene, photo: bundled.segment(photo).labels  # noqa: E731
    empty = lambda scene, photo: 0 * scene.labels()  # noqa: E731
    sheet(
        images / 'ablation_maps.jpg',
        [
            ('colored with the empty map', colored(bundled, empty)),
            ('colored with the predicted map', colored(bundled, predict)),
            ('colored with a map drawn by hand', colored(bundled, hand)),
            truth,
        ],
    )
    faulty = lambda scene, photo: scene.faulty()  # noqa: E731
    sheet(
        images / 'ablation_fault.jpg',
        [
            (
                'maps with a fault',
                [map_picture(scene.faulty()) for scene in SCENES],
            ),
            ('their colors', colored(bundled, faulty)),
            (
                'the fault repaired',
                [map_picture(scene.labels()) for scene in SCENES],
            ),
            ('their colors', colored(bundled, hand)),
        ],
    )


# --- the table ---------------------------------------------------------------


def table(results: dict[str, dict], steps: int) -> str:
    """What the page includes."""
    head = (
        'variant',
        'PSNR_ab, true map',
        'empty map',
        'predicted map',
        'gain G',
        'ΔE2000, true map',
        'ΔCF',
        'CSC',
        'hit rate',
        'σ_bleed',
        'ΔLCL',
    )
    lines = [head, ('---',) * len(head)]
    for name, result in results.items():
        methods = result['scopes']['labeled']['methods']
        true = methods['true']
        lines.append(
            (
                VARIANTS[name][0],
                f'{true["psnr_ab"]:.2f}',
                f'{methods["empty"]["psnr_ab"]:.2f}',
                f'{methods["predicted"]["psnr_ab"]:.2f}',
                f'{result["map"]["labeled"]["gain"]:+.2f}',
                f'{true["delta_e"]:.2f}',
                f'{true["delta_cf"]:.1f}',
                f'{result["swaps"]["csc"]:.2f}',
                f'{result["swaps"]["hit_rate"]:.0%}',
                _number(result['bleeding']['methods']['true'], 'sigma'),
                _number(result['bleeding']['methods']['true'], 'delta_lcl', 2),
            )
        )
    first = next(iter(results.values()))
    methods = first['scopes']['labeled']['methods']
    note = (
        f'{steps} steps of {BASE.batch} crops of {BASE.crop} pixels each, '
        f'widths {", ".join(map(str, BASE.widths))}; '
        f'{first["labeled_photos"]} labeled photographs of the validation '
        f'split, where gray has PSNR_ab {methods["gray"]["psnr_ab"]:.2f} and '
        f'the class mean {methods["class-mean"]["psnr_ab"]:.2f}. The first '
        'network with true maps stands '
        f'{first["map"]["labeled"]["gain_over_mapless"]:+.2f} dB above the '
        'one that was trained on empty maps only.'
    )
    rows = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    return f'{rows}\n\n{note}\n'


def _number(figures: dict, name: str, digits: int = 1) -> str:
    value = figures.get(name)
    return 'too few edges' if value is None else f'{value:.{digits}f}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--work', type=Path, required=True)
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--limit', type=int, default=160)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    args.report = lambda line: print(line, flush=True)
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    entries = tuple(open_data(args.data).entries)
    for name in VARIANTS:
        args.report(f'== {VARIANTS[name][0]}')
        trained(name, args, entries)
    results = {
        name: measured(name, args, entries)
        for name in VARIANTS
        if name != 'mapless'
    }
    (HERE / 'ablations_table.md').write_text(table(results, args.steps))
    draw(args, entries)


if __name__ == '__main__':
    main()
