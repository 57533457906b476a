"""One DARTS search step (first order, then the weight step) in eager PyTorch and in Cellwright, by turns.

    pip install torch numpy
    cargo build --release
    python benches/peers/search_step.py [--channels 16] [--layers 8] [--batch 16] [--rounds 5]

Both run the same supernet on random data with all cores of this machine; medians are printed.
"""

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

PROGRAM = Path(__file__).parents[2] / "target" / "release" / "cellwright"


def norm(channels, affine=False):
    return nn.BatchNorm2d(channels, affine=affine)


def conv(inputs, outputs, kernel=1, **options):
    return nn.Conv2d(inputs, outputs, kernel, bias=False, **options)


def depthwise(channels, kernel, stride, dilation):
    padding = dilation * (kernel - 1) // 2
    spatial = conv(channels, channels, kernel, stride=stride, padding=padding, dilation=dilation, groups=channels)
    return [nn.ReLU(), spatial, conv(channels, channels), norm(channels)]


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.halves = nn.ModuleList(conv(inputs, outputs // 2, stride=2) for _ in range(2))
        self.norm = norm(outputs)

    def forward(self, x):
        x = F.relu(x)
        return self.norm(torch.cat([self.halves[0](x), self.halves[1](x[:, :, 1:, 1:])], dim=1))


def primitives(channels, stride):
    pools = [nn.MaxPool2d(3, stride, 1), nn.AvgPool2d(3, stride, 1, count_include_pad=False)]
    separable = [
        nn.Sequential(*depthwise(channels, k, stride, 1), *depthwise(channels, k, 1, 1)) for k in (3, 5)
    ]
    dilated = [nn.Sequential(*depthwise(channels, k, stride, 2)) for k in (3, 5)]
    skip = nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)
    return nn.ModuleList(
        [Zero(stride), *(nn.Sequential(p, norm(channels)) for p in pools), skip, *separable, *dilated]
    )


class Cell(nn.Module):
    def __init__(self, before, last, channels, reduction, last_reduced):
        super().__init__()
        self.reduction = reduction
        plain = lambda inputs: nn.Sequential(nn.ReLU(), conv(inputs, channels), norm(channels))
        self.first = FactorizedReduce(before, channels) if last_reduced else plain(before)
        self.second = plain(last)
        strides = [2 if reduction and state < 2 else 1 for node in range(4) for state in range(node + 2)]
        self.edges = nn.ModuleList(primitives(channels, stride) for stride in strides)

    def forward(self, before, last, weights):
        states, edge = [self.first(before), self.second(last)], 0
        for _ in range(4):
            total = 0
            for state in states:
                total = total + sum(w * op(state) for w, op in zip(weights[edge], self.edges[edge]))
                edge += 1
            states.append(total)
        return torch.cat(states[-4:], dim=1)


class Supernet(nn.Module):
    def __init__(self, channels, layers, classes=10):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 3 * channels, 3, padding=1), norm(3 * channels, affine=True))
        before, last, current, reduced = 3 * channels, 3 * channels, channels, False
        self.cells = nn.ModuleList()
        for layer in range(layers):
            reduction = layer in (layers // 3, 2 * layers // 3)
            current *= 2 if reduction else 1
            self.cells.append(Cell(before, last, current, reduction, reduced))
            before, last, reduced = last, 4 * current, reduction
        self.classifier = nn.Linear(last, classes)
        self.alphas = [(1e-3 * torch.randn(14, 8)).requires_grad_() for _ in range(2)]

    def forward(self, x):
        weights = [F.softmax(alpha, dim=-1) for alpha in self.alphas]
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last, weights[cell.reduction])
        return self.classifier(last.mean(dim=(2, 3)))


def step(model, weights, alphas, batches):
    (train_x, train_y), (valid_x, valid_y) = batches
    parameters = list(model.parameters())
    # Like Cellwright's, the α step asks for no gradient of the weights and the other way round.
    [p.requires_grad_(False) for p in parameters]
    alphas.zero_grad()
    F.cross_entropy(model(valid_x), valid_y).backward()
    alphas.step()
    [p.requires_grad_(True) for p in parameters]
    [a.requires_grad_(False) for a in model.alphas]
    weights.zero_grad()
    loss = F.cross_entropy(model(train_x), train_y)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 5)
    weights.step()
    [a.requires_grad_(True) for a in model.alphas]
    return loss.item()


def cellwright(arguments):
    command = [PROGRAM, "bench", "step", "--space", "darts", "--image", "3x32x32", "--order", "1", "--device", "cpu"]
    sizes = ["--channels", arguments.channels, "--layers", arguments.layers, "--batch", arguments.batch]
    command += [str(size) for size in sizes] + ["--repeat", "1", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["median_ms"] / 1000


def main():
    parser = argparse.ArgumentParser()
    for name, default in [("channels", 16), ("layers", 8), ("batch", 16), ("rounds", 5)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    model = Supernet(arguments.channels, arguments.layers)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, "
          f"{sum(p.numel() for p in model.parameters())} parameters")
    weights = torch.optim.SGD(model.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
    alphas = torch.optim.Adam(model.alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    batches = [(torch.randn(arguments.batch, 3, 32, 32), torch.randint(10, (arguments.batch,))) for _ in range(2)]
    step(model, weights, alphas, batches)
    times = {"PyTorch": [], "Cellwright": []}
    for _ in range(arguments.rounds):
        start = time.perf_counter()
        step(model, weights, alphas, batches)
        times["PyTorch"].append(time.perf_counter() - start)
        times["Cellwright"].append(cellwright(arguments))
    for name, seconds in times.items():
        print(f"{name:12} median {statistics.median(seconds):6.2f} s, from {min(seconds):.2f} to {max(seconds):.2f}")
    ratios = [a / b for a, b in zip(times["PyTorch"], times["Cellwright"])]
    print(f"PyTorch / Cellwright: median of {len(ratios)} rounds {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
