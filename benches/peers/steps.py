"""What is timed in PyTorch: each workload is made once and then called, one turn a call."""

import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from networks import Choice, Network, split, tables


def wants(tensors, value):
    for tensor in tensors:
        tensor.requires_grad_(value)


def batches(count, batch, layout):
    x = [torch.randn(batch, 3, 32, 32).contiguous(memory_format=layout) for _ in range(count)]
    return [(x, torch.randint(10, (batch,))) for x in x]


class Search:
    """A search step: the architecture weights' (first or second order), then the weights'."""

    def __init__(self, graph, order, batch, layout):
        self.order, self.model = order, Network(graph).to(memory_format=layout)
        self.tables = {name: (1e-3 * torch.randn(size)).requires_grad_() for name, size in tables(graph).items()}
        self.alphas, self.parameters = list(self.tables.values()), list(self.model.parameters())
        self.train, self.valid = batches(2, batch, layout)
        self.weights = torch.optim.SGD(self.parameters, 0.025, momentum=0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(self.alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def loss(self, batch):
        weights = {name: F.softmax(alpha, dim=-1) for name, alpha in self.tables.items()}
        return F.cross_entropy(self.model(batch[0], weights=weights), batch[1])

    def alpha_gradients(self, batch):
        """Like Cellwright, a pass asks for no gradient that nobody reads."""
        wants(self.parameters, False)
        gradients = torch.autograd.grad(self.loss(batch), self.alphas)
        wants(self.parameters, True)
        return gradients

    @torch.no_grad()
    def move(self, directions, factor):
        for parameter, direction in zip(self.parameters, directions):
            parameter.add_(direction, alpha=factor)

    def second_order(self):
        wants(self.alphas, False)
        gradients = torch.autograd.grad(self.loss(self.train), self.parameters)
        wants(self.alphas, True)
        state = self.weights.state
        momentum = [state[p].get("momentum_buffer") for p in self.parameters]
        moved = [g + 3e-4 * p.detach() + (0.9 * m if m is not None else 0.0)
                 for g, p, m in zip(gradients, self.parameters, momentum)]
        before = [p.detach().clone() for p in self.parameters]
        self.move(moved, -0.025)
        both = torch.autograd.grad(self.loss(self.valid), self.alphas + self.parameters)
        alphas, direction = both[: len(self.alphas)], both[len(self.alphas) :]
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
        for alpha, gradient in zip(self.alphas, gradients):
            alpha.grad = gradient
        self.adam.step()
        wants(self.alphas, False)
        self.weights.zero_grad()
        loss = self.loss(self.train)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 5)
        self.weights.step()
        wants(self.alphas, True)
        return loss.item()


class Train:
    """A training step of a network."""

    def __init__(self, graph, batch, layout):
        self.model = Network(graph).to(memory_format=layout)
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
    """The first mixed edge of a supernet, forward, and backward to its input, weights and architecture weights."""

    def __init__(self, graph, batch, layout):
        node = next(node for node in graph["nodes"] if split(node["op"])[0] == "Choice")
        self.edge = Choice(split(node["op"])[1]).to(memory_format=layout)
        shape = [batch, *(node["shape"][side] for side in ("channels", "height", "width"))]
        self.alpha = (1e-3 * torch.randn(len(self.edge.candidates))).requires_grad_()
        self.x = torch.randn(shape).contiguous(memory_format=layout).requires_grad_()
        self.dy = torch.randn(shape).contiguous(memory_format=layout)

    def __call__(self):
        for tensor in [self.alpha, self.x, *self.edge.parameters()]:
            tensor.grad = None
        weights = {self.edge.table: {self.edge.row: F.softmax(self.alpha, dim=-1)}}
        self.edge(weights, self.x).backward(self.dy)


def milliseconds(turn):
    start = time.perf_counter()
    turn()
    return (time.perf_counter() - start) * 1e3


def median(turn, repeat):
    return statistics.median(milliseconds(turn) for _ in range(repeat))
