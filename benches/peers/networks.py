"""Any network of Cellwright in plain PyTorch, made of what `cellwright show --what network --format json` prints: a module for each
layer that learns, a call for each operation, and a choice point as the sum of its candidates by the softmax of its weights."""

import json
import math
import subprocess

import torch
from torch import nn
from torch.nn import functional as F


def graph(program, *options):
    command = [str(program), "show", *map(str, options), "--what", "network", "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def tables(graph):
    """Rows and columns of each table of architecture weights."""
    sizes = {table["name"]: (table["rows"], len(table["options"])) for table in graph.get("declared", [])}
    for node in graph["nodes"]:
        kind, values = split(node["op"])
        if kind != "Choice":
            continue
        (options,) = values["options"].values()
        rows = sizes.get(values["table"], (0, 0))[0]
        sizes[values["table"]] = (max(rows, values["row"] + 1), len(options))
        for candidate in values["options"].get("Operations", []):
            for name, (rows, columns) in tables(candidate["graph"]).items():
                sizes[name] = (max(rows, sizes.get(name, (0, 0))[0]), columns)
    return sizes


def split(op):
    """An operation's name and what belongs to it."""
    return (op, {}) if isinstance(op, str) else next(iter(op.items()))


def sides(padding):
    """Of a padding: what a layer can take, and what has to be added or cut off before."""
    top, left, bottom, right = (padding[side] for side in ("top", "left", "bottom", "right"))
    return ((top, left), None) if (top, left) == (bottom, right) and min(top, left) >= 0 else ((0, 0), (left, right, top, bottom))


class Padded(nn.Module):
    def __init__(self, around, inner):
        super().__init__()
        self.around, self.inner = around, inner

    def forward(self, x):
        return self.inner(F.pad(x, self.around))


def padded(padding, make):
    inside, around = sides(padding)
    return make(inside) if around is None else Padded(around, make(inside))


def convolution(conv):
    make = lambda padding: nn.Conv2d(conv["inputs"], conv["outputs"], conv["kernel"], conv["stride"], padding,
                                     conv["dilation"], conv["groups"], conv["bias"])
    return padded(conv["padding"], make)


def pool(kind, values):
    window = lambda name: values[name] if isinstance(values[name], list) else [values[name]] * 2
    kernel, stride = window("kernel"), window("stride")
    padding = values["padding"]
    padding = padding if isinstance(padding, dict) else dict.fromkeys(("top", "left", "bottom", "right"), padding)
    if kind == "MaxPool":
        return padded(padding, lambda inside: nn.MaxPool2d(kernel, stride, inside))
    return padded(padding, lambda inside: nn.AvgPool2d(kernel, stride, inside, count_include_pad=values["count_padding"]))


class Choice(nn.Module):
    """Σ softmax(α)ₖ · candidateₖ(x), or a mask over the channels where widths are mixed."""

    def __init__(self, values):
        super().__init__()
        self.table, self.row = values["table"], values["row"]
        self.candidates = nn.ModuleList(Network(c["graph"]) for c in values["options"].get("Operations", []))
        self.widths = values["options"].get("Widths", [])

    def forward(self, weights, *inputs):
        weights = weights[self.table][self.row]
        if not self.widths:
            return sum(w * candidate(*inputs) for w, candidate in zip(weights, self.candidates))
        x = inputs[0]
        mask = torch.stack([F.pad(x.new_ones(width), (0, x.shape[1] - width)) for width in self.widths])
        return x * (weights @ mask)[:, None, None]


class Network(nn.Module):
    def __init__(self, graph):
        super().__init__()
        self.nodes, self.layers = [], nn.ModuleDict()
        for index, node in enumerate(graph["nodes"]):
            kind, values = split(node["op"])
            self.nodes.append((kind, values, node["inputs"]))
            layer = self.layer(kind, values, graph["nodes"][node["inputs"][0]]["shape"] if node["inputs"] else None)
            if layer is not None:
                self.layers[str(index)] = layer
        self.output = graph["outputs"][0]["node"]

    @staticmethod
    def layer(kind, values, shape):
        match kind:
            case "Conv":
                return convolution(values)
            case "BatchNorm":
                return nn.BatchNorm2d(shape["channels"], affine=values["affine"])
            case "Linear":
                return nn.Linear(math.prod(shape.values()), values["outputs"], values["bias"])
            case "MaxPool" | "AvgPool":
                return pool(kind, values)
            case "Choice":
                return Choice(values)

    def forward(self, *inputs, weights=None):
        left, results = list(inputs), []
        for index, (kind, values, read) in enumerate(self.nodes):
            x = [results[node] for node in read]
            if kind == "Input":
                results.append(left.pop(0))
            elif str(index) in self.layers:
                layer = self.layers[str(index)]
                if kind == "Choice":
                    results.append(layer(weights, *x))
                else:
                    results.append(layer(x[0].flatten(1) if kind == "Linear" else x[0]))
            else:
                results.append(self.plain(kind, values, x))
        return results[self.output]

    def plain(self, kind, values, x):
        match kind:
            case "Identity" | "Dropout" | "ScheduledDropout" | "DropPath":
                return x[0]
            case "Zero":
                return x[0][:, :, :: values["stride"], :: values["stride"]] * 0.0
            case "Relu":
                return F.relu(x[0])
            case "TrainingRelu":
                return F.relu(x[0]) if self.training else x[0]
            case "Ramp":
                return clipped(values, x[0])
            case "GlobalAvgPool":
                return x[0].mean(dim=(2, 3), keepdim=True)
            case "Add":
                return sum(x[1:], x[0])
            case "Concat":
                return torch.cat(x, dim=1)
            case "Channels":
                return x[0][:, values["first"] : values["first"] + values["count"]]
            case _:
                raise SystemExit(f"networks.py: {kind} is not known to it")


def clipped(values, x):
    if (values["slope"], values["shift"], values["low"], values["high"]) == (1.0, 0.0, 0.0, 6.0):
        return F.relu6(x)
    x = values["slope"] * x + values["shift"]
    return x.clamp(values["low"], values["high"]) if (values["low"], values["high"]) != (None, None) else x
