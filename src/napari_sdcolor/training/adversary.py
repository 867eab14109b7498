"""A second network that learns to tell colorings from photographs.

The adversarial term of Isola et al. (2017): where several colors are equally
likely, a loss on pixels asks for their mean, which is brown; their mean can
be told from a photograph, each of them cannot.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (64, 128, 256, 512)
"""Channels of the convolutions; the judgment of a patch comes after them."""

SMALLEST = 32
"""Side in pixels of the smallest crop that has a patch to judge."""

RATE = 4e-4
"""Learning rate of the adversary."""

BETAS = (0.0, 0.9)
"""Of its optimizer: nearly no momentum, since what it judges moves."""

LARGEST = 1e4
"""Limit of the factor that makes both pulls equal."""


class PatchNet(nn.Module):
    """Convolutions that judge each patch of 70x70 pixels by itself.

    With spectral instead of batch normalization (Miyato et al., 2018): what
    is said about one photo does not depend on the others.
    """

    def __init__(self) -> None:
        super().__init__()
        strides = (2, 2, 2, 1)
        cins = (3, *WIDTHS[:-1])
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(cin, cout, 4, stride, 1))
            for cin, cout, stride in zip(cins, WIDTHS, strides, strict=True)
        )
        self.last = spectral_norm(nn.Conv2d(WIDTHS[-1], 1, 4, 1, 1))

    def forward(self, gray: Tensor, chroma: Tensor) -> Tensor:
        """Judgments of patches, the higher the more like a photograph.

        Parameters
        ----------
        gray
            (n, 1, h, w) in [-1, 1].
        chroma
            (n, 2, h, w), ab divided by 128.
        """
        x = torch.cat((gray, 2 * chroma), 1)
        for conv in self.convs:
            x = functional.leaky_relu(conv(x), 0.2)
        return self.last(x)


class Adversary:
    """What a color network is trained against.

    Parameters
    ----------
    device
        Where to compute.
    """

    def __init__(self, device: torch.device) -> None:
        # The color network's random numbers stay what they are without.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.network = PatchNet().to(device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=RATE, betas=BETAS
        )

    def pull(
        self, gray: Tensor, found: Tensor, loss: Tensor, last: Tensor
    ) -> Tensor:
        """A loss that is small where colorings pass for photographs.

        Parameters
        ----------
        gray, found
            As ``PatchNet`` takes them.
        loss
            The color network's own.
        last
            Its last weights. There the gradients of both losses are made
            equally long: how far the judgments are apart has no meaning.
        """
        fooled = -self.network(gray, found).mean()
        (own,) = torch.autograd.grad(loss, last, retain_graph=True)
        (theirs,) = torch.autograd.grad(fooled, last, retain_graph=True)
        factor = own.norm() / theirs.norm().clamp(min=1e-12)
        return fooled * factor.clamp(max=LARGEST)

    def learn(self, gray: Tensor, found: Tensor, chroma: Tensor) -> None:
        """One step: photographs above 1, colorings below -1 (hinge loss)."""
        # What the color network's step left there goes first.
        self.optimizer.zero_grad(set_to_none=True)
        true = functional.relu(1 - self.network(gray, chroma)).mean()
        false = functional.relu(1 + self.network(gray, found)).mean()
        (true + false).backward()
        self.optimizer.step()

    def state(self) -> dict[str, Any]:
        """All that a checkpoint must hold."""
        return {
            'network': self.network.state_dict(),
            'optimizer': self.optimizer.state_dict(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.network.load_state_dict(state['network'])
        self.optimizer.load_state_dict(state['optimizer'])
