"""What is timed in PyTorch: each workload is made once and then called, one turn a call.

    python steps.py WORKLOAD [--batch B] [--channels_last]     runs two turns (for measuring memory)
"""

import argparse

import torch
from torch import nn
from torch.nn import functional as F

from networks import MixedEdge, Network


def wants(tensors, value):
    for tensor in tensors:
        tensor.requires_grad_(value)


def batches(count, batch, layout):
    x = [torch.randn(batch, 3, 32, 32).contiguous(memory_format=layout) for _ in range(count)]
    return [(x, torch.randint(10, (batch,))) for x in x]


class Search:
    """A search step: the architecture weights' (first or second order), then the weights'."""

    def __init__(self, order, batch, layout, channels=16, layers=8):
        self.order, self.model = order, Network(channels, layers).to(memory_format=layout)
        self.parameters = list(self.model.parameters())
        self.train, self.valid = batches(2, batch, layout)
        self.weights = torch.optim.SGD(self.parameters, 0.025, momentum=0.9, weight_decay=3e-4)
        self.alphas = torch.optim.Adam(self.model.alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def loss(self, batch):
        return F.cross_entropy(self.model(batch[0]), batch[1])

    def alpha_gradients(self, batch):
        """Like Cellwright, a pass asks for no gradient that nobody reads."""
        wants(self.parameters, False)
        gradients = torch.autograd.grad(self.loss(batch), self.model.alphas)
        wants(self.parameters, True)
        return gradients

    @torch.no_grad()
    def move(self, directions, factor):
        for parameter, direction in zip(self.parameters, directions):
            parameter.add_(direction, alpha=factor)

    def second_order(self):
        wants(self.model.alphas, False)
        gradients = torch.autograd.grad(self.loss(self.train), self.parameters)
        wants(self.model.alphas, True)
        state = self.weights.state
        momentum = [state[p].get("momentum_buffer") for p in self.parameters]
        moved = [g + 3e-4 * p.detach() + (0.9 * m if m is not None else 0.0)
                 for g, p, m in zip(gradients, self.parameters, momentum)]
        before = [p.detach().clone() for p in self.parameters]
        self.move(moved, -0.025)
        both = torch.autograd.grad(self.loss(self.valid), self.model.alphas + self.parameters)
        alphas, direction = both[:2], both[2:]
        with torch.no_grad():
            [p.copy_(b) for p, b in zip(self.parameters, before)]
        distance = 0.01 / torch.sqrt(sum((d * d).sum() for d in direction)).item()
        self.move(direction, distance)
        plus = self.alpha_gradients(self.train)
        self.move(direction, -2 * distance)
        minus = self.alpha_gradients(self.train)
        self.move(direction, distance)
        return [a - 0.025 * (p - m) / (2 * distance) for a, p, m in zip(alphas, plus, minus)]

    def __call__(self):
        gradients = self.alpha_gradients(self.valid) if self.order == 1 else self.second_order()
        for alpha, gradient in zip(self.model.alphas, gradients):
            alpha.grad = gradient
        self.alphas.step()
        wants(self.model.alphas, False)
        self.weights.zero_grad()
        loss = self.loss(self.train)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 5)
        self.weights.step()
        wants(self.model.alphas, True)
        return loss.item()


class Train:
    """A training step of the network of DARTS_V2."""

    def __init__(self, batch, layout, channels=36, layers=20):
        self.model = Network(channels, layers, derived=True).to(memory_format=layout)
        (self.batch,) = batches(1, batch, layout)
        self.weights = torch.optim.SGD(self.model.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)

    def __call__(self):
        self.weights.zero_grad()
        loss = F.cross_entropy(self.model(self.batch[0]), self.batch[1])
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5)
        self.weights.step()
        return loss.item()


class Edge:
    """A mixed edge, forward, and backward to its input, weights and architecture weights."""

    def __init__(self, batch, layout, channels=16, size=32):
        self.edge = MixedEdge(channels, 1).to(memory_format=layout)
        self.alpha = (1e-3 * torch.randn(8)).requires_grad_()
        self.x = torch.randn(batch, channels, size, size).contiguous(memory_format=layout).requires_grad_()
        self.dy = torch.randn(batch, channels, size, size).contiguous(memory_format=layout)

    def __call__(self):
        for tensor in [self.alpha, self.x, *self.edge.parameters()]:
            tensor.grad = None
        self.edge(self.x, F.softmax(self.alpha, dim=-1)).backward(self.dy)


def make(name, batch, layout):
    return {
        "search1": lambda: Search(1, batch, layout),
        "search2": lambda: Search(2, batch, layout),
        "train": lambda: Train(batch, layout),
        "edge": lambda: Edge(batch, layout),
    }[name]()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--channels_last", action="store_true")
    arguments = parser.parse_args()
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    turn = make(arguments.workload, arguments.batch, layout)
    turn()
    turn()


if __name__ == "__main__":
    main()
