"""The published networks that weights are exchanged with, in plain PyTorch.

Written from the descriptions of the architectures (arXiv:1806.09055, arXiv:2001.00326). What matters is that modules have
the names they have in the authors' code, since those are the names of the arrays in a `state_dict`.
"""

import re

import torch
from torch import nn


def conv(inputs, outputs, kernel, stride=1, padding=0, **options):
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False, **options)


class Named(nn.Module):
    """A sequence that its owner calls `op`."""

    def __init__(self, *members):
        super().__init__()
        self.op = nn.Sequential(*members)

    def forward(self, x):
        return self.op(x)


class Zero(nn.Module):
    """No connection."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def relu_conv_norm(inputs, outputs, kernel=1, stride=1, padding=0):
    return Named(nn.ReLU(), conv(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs))


# --- DARTS ---------------------------------------------------------------------------------------------------------------


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_1 = conv(inputs, outputs // 2, 1, 2)
        self.conv_2 = conv(inputs, outputs // 2, 1, 2)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = self.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


def depthwise(channels, kernel, stride, dilation):
    padding = dilation * (kernel - 1) // 2
    spatial = conv(channels, channels, kernel, stride, padding, dilation=dilation, groups=channels)
    return [nn.ReLU(), spatial, conv(channels, channels, 1), nn.BatchNorm2d(channels)]


def primitive(name, channels, stride):
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    if name == "conv_7x1_1x7":
        row = conv(channels, channels, (1, 7), (1, stride), (0, 3))
        column = conv(channels, channels, (7, 1), (stride, 1), (3, 0))
        return nn.Sequential(nn.ReLU(), row, column, nn.BatchNorm2d(channels))
    kernel = int(name[-1])
    if name.startswith("sep_conv"):
        return Named(*depthwise(channels, kernel, stride, 1), *depthwise(channels, kernel, 1, 1))
    if name.startswith("dil_conv"):
        return Named(*depthwise(channels, kernel, stride, 2))
    raise ValueError(f"unknown primitive {name}")


class DartsCell(nn.Module):
    def __init__(self, genes, concat, before, last, channels, reduction, last_reduced):
        super().__init__()
        reduced = FactorizedReduce if last_reduced else relu_conv_norm
        self.preprocess0 = reduced(before, channels)
        self.preprocess1 = relu_conv_norm(last, channels)
        stride = lambda state: 2 if reduction and state < 2 else 1
        self._ops = nn.ModuleList(primitive(name, channels, stride(state)) for name, state in genes)
        self.states, self.concat = [state for _, state in genes], concat

    def forward(self, before, last):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for k in range(0, len(self._ops), 2):
            states.append(sum(self._ops[j](states[self.states[j]]) for j in (k, k + 1)))
        return torch.cat([states[k] for k in self.concat], dim=1)


class AuxiliaryHead(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(), nn.AvgPool2d(5, 3, 0, count_include_pad=False),
            conv(inputs, 128, 1), nn.BatchNorm2d(128), nn.ReLU(),
            conv(128, 768, 2), nn.BatchNorm2d(768), nn.ReLU())
        self.classifier = nn.Linear(768, classes)


class Darts(nn.Module):
    """`NetworkCIFAR`, or with `imagenet` `NetworkImageNet`. The auxiliary head holds weights, and answers nothing here."""

    def __init__(self, genotype, channels, layers, classes, imagenet=False, auxiliary=False):
        super().__init__()
        if imagenet:
            self.stem0 = nn.Sequential(
                conv(3, channels // 2, 3, 2, 1), nn.BatchNorm2d(channels // 2), nn.ReLU(),
                conv(channels // 2, channels, 3, 2, 1), nn.BatchNorm2d(channels))
            self.stem1 = nn.Sequential(nn.ReLU(), conv(channels, channels, 3, 2, 1), nn.BatchNorm2d(channels))
            before = last = channels
        else:
            before = last = 3 * channels
            self.stem = nn.Sequential(conv(3, last, 3, 1, 1), nn.BatchNorm2d(last))
        self.imagenet, last_reduced = imagenet, imagenet
        self.cells = nn.ModuleList()
        for layer in range(layers):
            reduction = layer in (layers // 3, 2 * layers // 3)
            channels *= 2 if reduction else 1
            genes, concat = genotype["reduce" if reduction else "normal"]
            self.cells.append(DartsCell(genes, concat, before, last, channels, reduction, last_reduced))
            before, last, last_reduced = last, len(concat) * channels, reduction
            if auxiliary and layer == 2 * layers // 3:
                self.auxiliary_head = AuxiliaryHead(last, classes)
        self.classifier = nn.Linear(last, classes)

    def forward(self, x):
        if self.imagenet:
            before = self.stem0(x)
            last = self.stem1(before)
        else:
            before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.classifier(last.mean(dim=(2, 3)))


# --- NAS-Bench-201 -------------------------------------------------------------------------------------------------------


class Pooling(nn.Module):
    def __init__(self):
        super().__init__()
        self.op = nn.AvgPool2d(3, 1, 1, count_include_pad=False)

    def forward(self, x):
        return self.op(x)


def bench_operation(name, channels):
    made = {
        "none": lambda: Zero(1),
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: relu_conv_norm(channels, channels),
        "nor_conv_3x3": lambda: relu_conv_norm(channels, channels, 3, 1, 1),
        "avg_pool_3x3": Pooling,
    }
    return made[name]()


class BenchCell(nn.Module):
    """`InferCell`: the edges in the order in which the text of a cell names them."""

    def __init__(self, text, channels):
        super().__init__()
        nodes = [re.findall(r"([a-z_0-9]+)~(\d)", node) for node in text.split("+")]
        self.nodes = [[int(source) for _, source in node] for node in nodes]
        self.layers = nn.ModuleList(bench_operation(name, channels) for node in nodes for name, _ in node)

    def forward(self, x):
        states, layer = [x], iter(self.layers)
        for sources in self.nodes:
            states.append(sum(next(layer)(states[source]) for source in sources))
        return states[-1]


class BasicBlock(nn.Module):
    """`ResNetBasicblock` of stride 2."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv_a = relu_conv_norm(inputs, outputs, 3, 2, 1)
        self.conv_b = relu_conv_norm(outputs, outputs, 3, 1, 1)
        self.downsample = nn.Sequential(nn.AvgPool2d(2, 2), conv(inputs, outputs, 1))

    def forward(self, x):
        return self.downsample(x) + self.conv_b(self.conv_a(x))


class Bench(nn.Module):
    """`TinyNetwork` of as many cells in each of its three stages."""

    def __init__(self, text, channels, cells, classes):
        super().__init__()
        self.stem = nn.Sequential(conv(3, channels, 3, 1, 1), nn.BatchNorm2d(channels))
        self.cells = nn.ModuleList()
        for stage in range(3):
            if stage:
                self.cells.append(BasicBlock(channels, 2 * channels))
                channels *= 2
            self.cells.extend(BenchCell(text, channels) for _ in range(cells))
        self.lastact = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x)
        return self.classifier(self.lastact(x).mean(dim=(2, 3)))
