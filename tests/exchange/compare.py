"""Holds trained networks against PyTorch, both ways, and prints the table of docs/exchange.md. `scripts/exchange` runs it.

Each architecture is trained a little by the program, on pictures made here. PyTorch loads what the run kept, with every name
and shape that it has and no other (`strict=True`), and both answer the same inputs. Then PyTorch's own weights are put
where those of the run were, and both answer again. PyTorch in float64 says how much of a difference is rounding, and whose.
"""

import argparse
import copy
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save_file

import networks

# The largest difference of two logits. Where rounding alone comes to more, no two programs agree so far unless they add in the
# same order: then ours must be as near to float64 as PyTorch's are.
MOST = 1e-4
CLASSES, INPUTS = 10, 32
BENCH = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|none~1|nor_conv_1x1~2|",
]


def random_genotype(seed):
    """Cells of DARTS: each node reads two of the states before it."""
    draw = random.Random(seed)
    primitives = ["max_pool_3x3", "avg_pool_3x3", "skip_connect",
                  "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]
    cell = lambda: [(draw.choice(primitives), state) for node in range(4) for state in draw.sample(range(node + 2), 2)]
    return f"Genotype(normal={cell()}, normal_concat=[2, 3, 4, 5], reduce={cell()}, reduce_concat=[2, 3, 4, 5])"


def cases(only):
    darts = lambda name, text, channels=8, layers=5, **options: (name, "darts", text, channels, layers, options)
    bench = lambda k, channels, cells: (f"NAS-Bench-201 {k}", "nas-bench-201", BENCH[k - 1], channels, 3 * cells, {})
    listed = [
        darts("DARTS_V1", "DARTS_V1"),
        darts("DARTS_V2, published size", "DARTS_V2", 36, 20),
        darts("PC-DARTS, auxiliary head", "PC-DARTS", auxiliary=True),
        darts("P-DARTS, NetworkImageNet", "P-DARTS", imagenet=True),
        darts("SNAS", "SNAS"),
        darts("NASNet-A", "NASNET-A"),
        darts("AmoebaNet-A", "AMOEBANET-A"),
        darts("random cells 1", random_genotype(1)),
        darts("random cells 2", random_genotype(2)),
        bench(1, 16, 5),
        bench(2, 16, 1),
        bench(3, 8, 2),
    ]
    return [case for case in listed if not only or only in case[0]]


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nfailed: {done.stderr}")
    return done.stdout


def pictures(place):
    """Noise of 32x32, each class of another mean: PNM, as any program can write."""
    draw = np.random.default_rng(1)
    for part, each in (("train", 8), ("test", 2)):
        for label in range(CLASSES):
            folder = place / part / f"class{label}"
            folder.mkdir(parents=True, exist_ok=True)
            for k in range(each):
                pixels = draw.integers(0, 256, (32, 32, 3)) // 2 + 12 * label
                (folder / f"{k}.ppm").write_bytes(b"P6 32 32 255\n" + pixels.astype(np.uint8).tobytes())


def train(program, place, space, text, channels, layers, options):
    """A run of this architecture, begun anew."""
    shutil.rmtree(place / "run", ignore_errors=True)
    extra = [flag for flag, wanted in (("--auxiliary", options.get("auxiliary")), ("--stem=imagenet", options.get("imagenet")))
             if wanted]
    call(program, "train", "--device", "cpu", "--space", space, "--architecture", text, "--data", "folder", "--data-dir",
         place.parent / "pictures", "--channels", channels, "--layers", layers, "--epochs", 1, "--set", "train.batch=8",
         "--out", place / "run", *extra)
    return place / "run"


def network(program, space, text, channels, layers, options):
    """The same architecture in PyTorch, with random weights."""
    if space == "nas-bench-201":
        return networks.Bench(text, channels, layers // 3, CLASSES)
    cell = json.loads(call(program, "show", "--space", space, "--architecture", text, "--format", "json"))
    genotype = {kind: (cell[kind], cell[f"{kind}_concat"]) for kind in ("normal", "reduce")}
    return networks.Darts(genotype, channels, layers, CLASSES, **options)


def settle(model):
    """Weights and running statistics that are nobody's defaults, with activations of the size of trained ones."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(norm.bias, std=0.2)
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(16, 3, 32, 32))
    model.eval()


def ours(logits, run, x, place):
    save_file({"x": x}, place / "x.safetensors")
    call(logits, "--device", "cpu", run, place / "x.safetensors", place / "logits.safetensors")
    return load_file(place / "logits.safetensors")["logits"]


def theirs(model, x):
    """What PyTorch answers in float32, in float32 with other kernels of its own (without oneDNN), and in float64."""
    model.eval()
    with torch.no_grad():
        single = model(x)
        torch.backends.mkldnn.enabled = False
        other = model(x)
        torch.backends.mkldnn.enabled = True
        return single, other, copy.deepcopy(model).double()(x.double())


class Distances:
    """The largest difference of any logit: between both, of each from float64, and of PyTorch from itself."""

    def __init__(self, ours, theirs):
        single, other, double = theirs
        between = lambda a, b: (a - b).abs().max().item()
        self.both = between(ours, single)
        self.relative = self.both / double.abs().max().item()
        self.ours, self.theirs, self.itself = between(ours, double), between(single, double), between(single, other)

    def alike(self):
        return self.both <= MOST or self.ours <= self.theirs

    def __str__(self):
        return f"{self.both:.1e} ({self.relative:.1e})"


def compare(program, logits, place, case):
    """The row of an architecture, and whether it is alike both ways."""
    name, space, text, channels, layers, options = case
    place.mkdir(parents=True, exist_ok=True)
    run = train(program, place, space, text, channels, layers, options)
    x = torch.randn(INPUTS, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    exported = place / "weights.safetensors"
    call(program, "export", run, "--format", "safetensors", "--output", exported)

    torch.manual_seed(3)
    model = network(program, space, text, channels, layers, options)
    trained = load_file(exported)
    model.load_state_dict(trained, strict=True)
    forth = Distances(ours(logits, run, x, place), theirs(model, x))

    model = network(program, space, text, channels, layers, options)
    settle(model)
    # A tensor that shares its memory is refused by safetensors.
    save_file({key: value.clone() for key, value in model.state_dict().items()}, run / "weights.safetensors")
    back = Distances(ours(logits, run, x, place), theirs(model, x))
    count = sum(parameter.numel() for parameter in model.parameters())
    farther = lambda of: f"{max(of(forth), of(back)):.1e}"
    row = [name, f"{channels}, {layers}", len(trained), f"{count:,}", forth, back,
           f"{farther(lambda d: d.ours)}, {farther(lambda d: d.theirs)}", farther(lambda d: d.itself)]
    return row, forth.alike() and back.alike()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--logits", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="those architectures whose name holds this")
    arguments = parser.parse_args()
    pictures(arguments.out / "pictures")
    rows, far = [], []
    for case in cases(arguments.only):
        place = arguments.out / re.sub(r"[^a-z0-9]+", "-", case[0].lower())
        row, alike = compare(arguments.program, arguments.logits, place, case)
        rows.append(row)
        far += [] if alike else [case[0]]
        print(*row, sep="  ", file=sys.stderr, flush=True)
    versions = {"Python": sys.version.split()[0], "PyTorch": torch.__version__, "safetensors": safetensors.__version__,
                "NumPy": np.__version__}
    version = call(arguments.program, "-V").strip().replace("cellwright", "Cellwright")
    lines = [", ".join([version, *(f"{name} {value}" for name, value in versions.items())]) + ":", "",
             "| architecture | channels, cells | arrays | parameters | ours in PyTorch | PyTorch's here | from float64: ours, PyTorch's | "
             "PyTorch without oneDNN |",
             "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    text = "\n".join(lines) + "\n"
    (arguments.out / "table.md").write_text(text)
    print(text, end="")
    print(f"{len(rows) - len(far)} passed, {len(far)} failed")
    if far:
        sys.exit(f"logits differ by more than {MOST}, and by more than rounding: {', '.join(far)}")


main()
