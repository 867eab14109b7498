"""A narrower color network that begins where a wide one has arrived.

Of every layer the channels that matter most to the next one are kept, and each
convolution is fitted anew, by least squares, to what the wide network computes
there (channel pruning with reconstruction: He, Zhang and Sun, 2017). What is
left of the difference is trained away far sooner than a network of that width
learns from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.core.colornet import ColorNet, instance_norm
from napari_sdcolor.datasets.entry import Entry
from napari_sdcolor.errors import UnfitWeights
from napari_sdcolor.training.presets import SHIPPED
from napari_sdcolor.training.samples import CropDataset

PLACES = 14_000
"""So many pixels of each layer are looked at; some may come twice."""

RIDGE = 0.01
"""How strongly the kept weights hold on to what they were."""


def sample(
    entries: Sequence[Entry], count: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Crops on which two networks can be compared, as training has them.

    Parameters
    ----------
    entries
        The training photographs.
    count
        Of the crops.
    seed
        Chooses them.

    Returns
    -------
    tuple of Tensor
        Gray values and class ids, see ``narrow``.

    Raises
    ------
    DataError
        If photos cannot be read.
    """
    recipe = replace(SHIPPED['color'], features='', seed=seed)
    crops = CropDataset(list(entries), recipe)
    parts = [crops.crop(number)[:2] for number in range(count)]
    gray, labels = map(torch.stack, zip(*parts, strict=True))
    return gray, labels


@torch.no_grad()
def narrow(
    network: ColorNet,
    widths: Sequence[int],
    gray: Tensor,
    labels: Tensor,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> ColorNet:
    """A network with fewer channels that does nearly the same.

    Parameters
    ----------
    network
        Stays as it is.
    widths
        Of the new network: as many levels, none wider than it was.
    gray, labels
        (n, 1, h, w) in [-1, 1] and (n, h, w) class ids: crops on which the
        two are to agree, 64 of 160 pixels or more.
    seed
        Of the pixels that are looked at.
    report
        Called with a sentence for each layer: which share of the variance
        of its channels is not explained, before and after the fit.

    Raises
    ------
    UnfitWeights
        If the widths do not fit, or the network reads photo features.
    """
    config = network.config
    widths = tuple(widths)
    if config.features:
        raise UnfitWeights(
            'Only a color network without photo features can be narrowed. '
            'Features can be added to what comes out, see --set features= of '
            'train color.'
        )
    if len(widths) != len(config.widths) or any(
        new > old for new, old in zip(widths, config.widths, strict=True)
    ):
        has = ', '.join(map(str, config.widths))
        raise UnfitWeights(
            f'The network has {has} channels: name as many widths, none of '
            'them larger.'
        )
    found = ColorNet(replace(config, widths=widths)).to(gray.device).eval()
    fit = _Fit(torch.Generator().manual_seed(seed), report)
    streams = _encoders(network, found, gray, labels, fit)
    wide, thin, last = _decoders(network, found, *streams, fit)
    if config.preset == 'paper':
        ends = network.last_conv(wide)
        slope = config.slope
        wide = functional.leaky_relu(ends, slope)
        chosen = _best(2 * widths[0], _rated(network.final_conv, 1, wide))
        fit(
            'last',
            found.last_conv,
            network.last_conv.weight[chosen][:, last],
            [(thin, ends[:, chosen])],
        )
        thin = functional.leaky_relu(found.last_conv(thin), slope)
        last = chosen
    fit(
        'final',
        found.final_conv,
        network.final_conv.weight[:, last],
        [(thin, network.final_conv(wide))],
    )
    return found


def _encoders(
    network: ColorNet,
    found: ColorNet,
    gray: Tensor,
    labels: Tensor,
    fit: _Fit,
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Both streams of both networks.

    Returns
    -------
    wide, thin
        What the decoders get, finest first.
    kept
        The channels of the first that are in the second.
    """
    config = network.config
    if config.label_channels:
        found.embedding.load_state_dict(network.embedding.state_dict())
    wide = [gray, network.embed_labels(labels)]
    thin = list(wide)
    before = torch.arange(1)
    joined: tuple[list[Tensor], list[Tensor]] = ([], [])
    kept = []
    for number, (level, new) in enumerate(
        zip(network.encoder, found.encoder, strict=True)
    ):
        # Both streams share their weights, but for the first convolution
        # where classes are embedded.
        firsts = [level.conv1] * 2
        new_firsts = [new.conv1] * 2
        if number == 0 and config.label_channels:
            firsts[1], new_firsts[1] = network.label_conv, found.label_conv
        ends = [conv(x) for conv, x in zip(firsts, wide, strict=True)]
        middle = [functional.leaky_relu(x, level.slope) for x in ends]
        width = found.config.widths[number]
        inner = _best(width, *(_rated(level.conv2, 1, x) for x in middle))
        if number == 0:
            # Nothing before it is missing.
            for conv, old in zip(new_firsts, firsts, strict=True):
                conv.weight.copy_(old.weight[inner])
        else:
            fit(
                f'level {number}, first',
                new.conv1,
                level.conv1.weight[inner][:, before],
                [(x, y[:, inner]) for x, y in zip(thin, ends, strict=True)],
            )
        thin = [
            functional.leaky_relu(conv(x), level.slope)
            for conv, x in zip(new_firsts, thin, strict=True)
        ]
        ends = [level.conv2(x) for x in middle]
        wide = [functional.leaky_relu(x, level.slope) for x in ends]
        outer = _best(width, *_wanted(network, number, wide))
        fit(
            f'level {number}, second',
            new.conv2,
            level.conv2.weight[outer][:, inner],
            [(x, y[:, outer]) for x, y in zip(thin, ends, strict=True)],
        )
        thin = [functional.leaky_relu(new.conv2(x), new.slope) for x in thin]
        before = outer
        for streams, into in zip((wide, thin), joined, strict=True):
            normal = streams[0]
            if config.instance_norm:
                normal = instance_norm(normal)
            into.append(torch.cat([normal, streams[1]], 1))
        kept.append(torch.cat([outer, outer + config.widths[number]]))
    return *joined, kept


def _wanted(
    network: ColorNet, number: int, streams: list[Tensor]
) -> list[Tensor]:
    """How much the channels of a level matter to each of their readers."""
    width = network.config.widths[number]
    steps = len(network.decoder)
    gray, labels = streams
    if network.config.instance_norm:
        gray = instance_norm(gray)
    if number == steps:
        reader, axis = network.decoder[0].conv1, 0
    else:
        reader, axis = network.decoder[steps - 1 - number].conv2, 1
    both = _rated(reader, axis, torch.cat([gray, labels], 1))
    found = [both[:width], both[width:]]
    if number < steps:
        after = network.encoder[number + 1].conv1
        found += [_rated(after, 1, x) for x in streams]
    return found


def _decoders(
    network: ColorNet,
    found: ColorNet,
    wide: list[Tensor],
    thin: list[Tensor],
    kept: list[Tensor],
    fit: _Fit,
) -> tuple[Tensor, Tensor, Tensor]:
    """What both decoders give; the channels of the first in the second."""
    old, new = wide.pop(), thin.pop()
    before = kept.pop()
    slope = network.config.slope
    convs = [level.conv1 for level in network.decoder[1:]]
    if network.config.preset == 'paper':
        convs.append(network.last_conv)
    else:
        convs.append(network.final_conv)
    for number, (level, into, after) in enumerate(
        zip(network.decoder, found.decoder, convs, strict=True)
    ):
        outer = kept.pop()
        ends = level.conv1(old)
        # A transposed convolution is one of the map with zeros in between,
        # its kernel turned around.
        spread = new.new_zeros(*new.shape[:2], *ends.shape[-2:])
        spread[..., ::2, ::2] = new
        weight = level.conv1.weight[before][:, outer]
        fit(
            f'decoder {number}, first',
            into.conv1,
            weight.transpose(0, 1).flip(2, 3),
            [(spread, ends[:, outer])],
        )
        old = functional.leaky_relu(ends, slope) + wide.pop()
        new = functional.leaky_relu(into.conv1(new), slope) + thin.pop()
        ends = level.conv2(old)
        old = functional.leaky_relu(ends, slope)
        axis = 0 if isinstance(after, nn.ConvTranspose2d) else 1
        width = into.conv2.out_channels
        before = _best(width, _rated(after, axis, old))
        fit(
            f'decoder {number}, second',
            into.conv2,
            level.conv2.weight[before][:, outer],
            [(new, ends[:, before])],
        )
        new = functional.leaky_relu(into.conv2(new), slope)
    return old, new, before


def _rated(conv: nn.Module, axis: int, x: Tensor) -> Tensor:
    """How much each channel of (n, c, h, w) moves what a layer gives.

    ``axis`` of the layer's weights is that of its input.
    """
    strength = conv.weight.movedim(axis, 0).flatten(1).norm(dim=1)
    return strength * x.std((0, 2, 3))


def _best(count: int, *rated: Tensor) -> Tensor:
    """Numbers of the channels that matter most, in their order."""
    total = torch.stack(rated).sum(0)
    return total.topk(count).indices.sort().values


class _Fit:
    """Least squares for one 3x3 convolution after the other.

    Parameters
    ----------
    generator
        Chooses pixels.
    report
        See ``narrow``.
    """

    def __init__(
        self, generator: torch.Generator, report: Callable[[str], None]
    ) -> None:
        self.generator = generator
        self.report = report

    def __call__(
        self,
        name: str,
        conv: nn.Conv2d | nn.ConvTranspose2d,
        start: Tensor,
        pairs: Sequence[tuple[Tensor, Tensor]],
    ) -> None:
        """Give a convolution its weights.

        Parameters
        ----------
        name
            For the report.
        conv
            Is changed.
        start
            (out, in, 3, 3) weights as they were; those of a transposed
            convolution as those of the plain one that does the same.
        pairs
            What goes in, and what should come out.
        """
        rows = [self._neighbors(*pair) for pair in pairs]
        seen = torch.cat([x for x, _ in rows])
        wanted = torch.cat([y for _, y in rows])
        flat = start.flatten(1).double()
        square = seen.T @ seen
        # Nothing to fit is nothing to change: the ridge must not vanish.
        ridge = RIDGE * square.diagonal().mean() + 1e-12
        square.diagonal().add_(ridge)
        left = wanted - seen @ flat.T
        change = torch.linalg.solve(square, seen.T @ left).T
        variance = wanted.var(0).sum()
        shares = [
            float(error.square().mean(0).sum() / variance)
            for error in (left, left - seen @ change.T)
        ]
        self.report('{}: {:.3f}, then {:.3f}'.format(name, *shares))
        weight = (flat + change).view_as(start).to(conv.weight)
        if isinstance(conv, nn.ConvTranspose2d):
            weight = weight.transpose(0, 1).flip(2, 3)
        conv.weight.copy_(weight)

    def _neighbors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(places, in * 9) of x around, and (places, out) of y at, pixels."""
        size = (PLACES,)
        n, row, column = (
            torch.randint(side, size, generator=self.generator).to(x.device)
            for side in (len(y), *y.shape[-2:])
        )
        step = x.shape[-1] // y.shape[-1]
        padded = functional.pad(x, (1, 1, 1, 1))
        around = [
            padded[n, :, step * row + i, step * column + j]
            for i in range(3)
            for j in range(3)
        ]
        seen = torch.stack(around, -1).flatten(1).double()
        return seen, y[n, :, row, column].double()
