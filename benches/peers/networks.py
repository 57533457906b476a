"""The networks that are compared, in plain PyTorch: mixed edge, supernet, evaluation network of DARTS."""

import torch
from torch import nn
from torch.nn import functional as F

DARTS_V2 = {
    "normal": [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
               ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)],
    "reduce": [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
               ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)],
}
PRIMITIVES = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect",
              "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]


def conv(inputs, outputs, kernel=1, **options):
    return nn.Conv2d(inputs, outputs, kernel, bias=False, **options)


def depthwise(channels, kernel, stride, dilation, affine):
    padding = dilation * (kernel - 1) // 2
    spatial = conv(channels, channels, kernel, stride=stride, padding=padding, dilation=dilation, groups=channels)
    return [nn.ReLU(), spatial, conv(channels, channels), nn.BatchNorm2d(channels, affine=affine)]


def relu_conv_norm(inputs, outputs, affine):
    return nn.Sequential(nn.ReLU(), conv(inputs, outputs), nn.BatchNorm2d(outputs, affine=affine))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.halves = nn.ModuleList(conv(inputs, outputs // 2, stride=2) for _ in range(2))
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x):
        x = F.relu(x)
        return self.norm(torch.cat([self.halves[0](x), self.halves[1](x[:, :, 1:, 1:])], dim=1))


def primitive(name, channels, stride, affine):
    """A primitive; without affine batch norms, as in a search, pools are followed by one."""
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)
    if name.endswith("pool_3x3"):
        pool = nn.MaxPool2d(3, stride, 1) if name[0] == "m" else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return pool if affine else nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
    kernel = int(name[-1])
    if name.startswith("sep"):
        first, second = depthwise(channels, kernel, stride, 1, affine), depthwise(channels, kernel, 1, 1, affine)
        return nn.Sequential(*first, *second)
    return nn.Sequential(*depthwise(channels, kernel, stride, 2, affine))


class MixedEdge(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        self.ops = nn.ModuleList(primitive(name, channels, stride, False) for name in PRIMITIVES)

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self.ops))


class Cell(nn.Module):
    """Preprocessing of two inputs, which all cells share; `edges` says what is between the states."""

    def __init__(self, before, last, channels, last_reduced, affine):
        super().__init__()
        reduce = FactorizedReduce if last_reduced else relu_conv_norm
        self.first = reduce(before, channels, affine)
        self.second = relu_conv_norm(last, channels, affine)


class SearchCell(Cell):
    def __init__(self, before, last, channels, reduction, last_reduced):
        super().__init__(before, last, channels, last_reduced, False)
        strides = [2 if reduction and state < 2 else 1 for node in range(4) for state in range(node + 2)]
        self.edges = nn.ModuleList(MixedEdge(channels, stride) for stride in strides)

    def forward(self, before, last, weights):
        states, edge = [self.first(before), self.second(last)], 0
        for _ in range(4):
            count = len(states)
            states.append(sum(self.edges[edge + k](state, weights[edge + k]) for k, state in enumerate(states)))
            edge += count
        return torch.cat(states[-4:], dim=1)


class DerivedCell(Cell):
    def __init__(self, before, last, channels, reduction, last_reduced):
        super().__init__(before, last, channels, last_reduced, True)
        self.genes = DARTS_V2["reduce" if reduction else "normal"]
        stride = lambda state: 2 if reduction and state < 2 else 1
        self.ops = nn.ModuleList(primitive(name, channels, stride(state), True) for name, state in self.genes)

    def forward(self, before, last, _):
        states = [self.first(before), self.second(last)]
        for node in range(4):
            pair = range(2 * node, 2 * node + 2)
            states.append(sum(self.ops[k](states[self.genes[k][1]]) for k in pair))
        return torch.cat(states[-4:], dim=1)


class Network(nn.Module):
    """Stem, stack of cells, classifier: a supernet or, with `derived`, the network of DARTS_V2."""

    def __init__(self, channels, layers, derived=False, classes=10):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 3 * channels, 3, padding=1), nn.BatchNorm2d(3 * channels))
        before, last, current, reduced = 3 * channels, 3 * channels, channels, False
        self.cells, self.kinds = nn.ModuleList(), []
        for layer in range(layers):
            reduction = layer in (layers // 3, 2 * layers // 3)
            current *= 2 if reduction else 1
            cell = DerivedCell if derived else SearchCell
            self.cells.append(cell(before, last, current, reduction, reduced))
            self.kinds.append(int(reduction))
            before, last, reduced = last, 4 * current, reduction
        self.classifier = nn.Linear(last, classes)
        self.alphas = [] if derived else [(1e-3 * torch.randn(14, 8)).requires_grad_() for _ in range(2)]

    def forward(self, x):
        weights = [F.softmax(alpha, dim=-1) for alpha in self.alphas] or [None, None]
        before = last = self.stem(x)
        for cell, kind in zip(self.cells, self.kinds):
            before, last = last, cell(before, last, weights[kind])
        return self.classifier(last.mean(dim=(2, 3)))
