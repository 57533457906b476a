"""Holds Cellwright against PyTorch, ONNX Runtime and burn on this machine, by turns; writes a table.

Run by benches/peers/run, which makes what this needs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from networks import Network, graph, split
from steps import Edge, Search, Train, median, milliseconds

HERE = Path(__file__).parent
PROGRAM = HERE.parents[1] / "target" / "release" / "cellwright"
LAYOUTS = {"channels_last": torch.channels_last, "default": torch.contiguous_format}
MIB = 1 << 20
DARTS = ("--space", "darts", "--channels", 16, "--layers", 8)
DARTS_V2 = ("--architecture", "DARTS_V2", "--channels", 36, "--layers", 20)
VGG = ("--space", "chain-vgg16", "--image", "3x32x32")
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|"


def cellwright(*arguments):
    command = [str(PROGRAM), "bench", *map(str, arguments), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bench(kind, device, *more, repeat=3):
    return cellwright(kind, "--device", device, "--repeat", repeat, *more)


def by_turns(rounds, *contestants):
    """Milliseconds of each contestant in each round."""
    times = [[] for _ in contestants]
    for _ in range(rounds):
        for own, contestant in zip(times, contestants):
            own.append(contestant())
    return times


def peak_memory(command):
    """Largest resident set of a process, in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return usage.ru_maxrss * 1024


def operations(turn):
    """Operations of PyTorch that compute something: no views, no bookkeeping."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            Count.total += not getattr(func, "is_view", False) and "detach" not in func.__name__
            return func(*args, **(kwargs or {}))

    with Count():
        turn()
    return Count.total


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, own, peer, name, ratio, wanted):
        self.rows.append((what, own, f"{name} {peer}", f"{ratio:.2f}", wanted))
        print(f"{what}: {own}, {name} {peer}: {ratio:.2f} ({wanted})", flush=True)

    def times(self, what, own, peer, name, wanted):
        ratio = statistics.median(b / a for a, b in zip(own, peer))
        own, peer = (f"{statistics.median(t):.1f} ms" for t in (own, peer))
        self.add(what, own, peer, name, ratio, wanted)

    def write(self, path, about):
        head = ("what", "Cellwright", "against", "ratio", "target")
        lines = [" | ".join(row) for row in (head, ("---",) * len(head), *self.rows)]
        path.write_text("\n".join([*about, "", *(f"| {line} |" for line in lines), ""]))
        print(f"\nwritten to {path}")


def mobile():
    """The deepest of its networks with every block of windows of 5×5 and expansion 6."""
    space = ("--space", "mobile", "--channels", 16)
    choices = [split(node["op"])[1] for node in graph(PROGRAM, *space)["nodes"] if split(node["op"])[0] == "Choice"]
    decisions = (choice["table"].removeprefix("alphas_") + "=mbconv_5x5_e6" for choice in choices)
    return *space, "--architecture", ", ".join(decisions)


def search(table, rounds, what, options, order=1, batch=16, device="cpu", layout="channels_last", wanted=""):
    turn = Search(graph(PROGRAM, *options), order, batch, LAYOUTS[layout])
    turn()
    own = lambda: bench("step", device, *options, "--batch", batch, "--order", order, repeat=3)["median_ms"]
    own_times, peer = by_turns(rounds, own, lambda: median(turn, 2))
    table.times(f"search step, {what}, order {order}, batch {batch}, `{device}`", own_times, peer, f"PyTorch {layout}", wanted)


def train(table, rounds, what, options, wanted):
    turn = Train(graph(PROGRAM, *options), 16, LAYOUTS["channels_last"])
    turn()
    own = lambda: bench("step", "cpu", *options, "--batch", 16, repeat=3)["median_ms"]
    table.times(f"training step, {what}, batch 16, `cpu`", *by_turns(rounds, own, lambda: median(turn, 3)),
                "PyTorch channels_last", wanted)


def inference(table, rounds, what, options):
    """Scores of images by ONNX Runtime, of the same network as PyTorch writes it."""
    import onnxruntime

    model = Network(graph(PROGRAM, *options)).eval()
    for batch in (1, 64):
        images = torch.randn(batch, 3, 32, 32)
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "network.onnx"
            torch.onnx.export(model, (images,), file, dynamo=False, verbose=False)
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = os.cpu_count()
            session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
        (name,) = (entry.name for entry in session.get_inputs())
        turn = lambda: session.run(None, {name: images.numpy()})
        turn()
        own = lambda: cellwright("inference", *options, "--batch", batch, "--device", "cpu", "--repeat", 9)[0]["median_ms"]
        table.times(f"inference, {what}, batch {batch}, `cpu`", *by_turns(rounds, own, lambda: median(turn, 9)),
                    f"ONNX Runtime {onnxruntime.__version__}", "≥ 1")


def edge(table, rounds):
    turn = Edge(graph(PROGRAM, *DARTS), 16, LAYOUTS["channels_last"])
    for _ in range(3):
        turn()
    own = lambda: bench("edge", "cpu", repeat=9)["median_ms"]
    table.times("mixed edge, `cpu`", *by_turns(rounds, own, lambda: median(turn, 9)), "PyTorch channels_last", "≥ 3, aim 6")


def burn(table, rounds, harness, device):
    # Its first turns tune themselves for minutes; what they found is kept for later runs.
    first = json.loads(subprocess.run([harness], check=True, capture_output=True, text=True).stdout)
    own = lambda: bench("edge", device, repeat=5)
    peer = lambda: json.loads(subprocess.run([harness], check=True, capture_output=True, text=True).stdout)["median_ms"]
    measured = []
    own_times, peer_times = by_turns(rounds, lambda: measured.append(own()) or measured[-1]["median_ms"], peer)
    table.times(f"mixed edge, `{device}`", own_times, peer_times, f"burn {first['version']}", "≥ 15, aim 30")
    ready = statistics.median(m["ready_ms"] for m in measured) / 1e3
    table.add(f"ready for a mixed edge, `{device}`", f"{ready:.1f} s", f"{first['ready_ms'] / 1e3:.1f} s",
              f"burn {first['version']}, kept tuning", first["ready_ms"] / 1e3 / ready, "in under 10 s")
    # Drivers keep compiled shaders; the first run of all has none. The peer's takes long: it runs once.
    os.environ["MESA_SHADER_CACHE_DISABLE"] = "1"
    cold = statistics.median(bench("edge", device, repeat=1)["ready_ms"] for _ in range(rounds)) / 1e3
    other = json.loads(subprocess.run([harness], check=True, capture_output=True, text=True).stdout)["ready_ms"] / 1e3
    del os.environ["MESA_SHADER_CACHE_DISABLE"]
    table.add("the same without the driver's shader cache", f"{cold:.1f} s", f"{other:.1f} s",
              f"burn {first['version']}, kept tuning", other / cold, "in under 10 s")


def memory(table):
    options = [*map(str, DARTS), "--batch", "64", "--repeat", "1"]
    own = peak_memory([str(PROGRAM), "bench", "step", "--device", "cpu", *options])
    peer = peak_memory([sys.executable, __file__, "--two-steps"])
    table.add("peak memory of a search step, batch 64", f"{own / MIB:.0f} MiB", f"{peer / MIB:.0f} MiB",
              "PyTorch channels_last", peer / own, "≥ 2, aim 3")


def two_steps():
    turn = Search(graph(PROGRAM, *DARTS), 1, 64, LAYOUTS["channels_last"])
    turn()
    turn()


def dispatches(table):
    own = bench("step", "cpu", *DARTS, "--batch", 2, repeat=1)["dispatches"]
    peer = operations(Search(graph(PROGRAM, *DARTS), 1, 2, LAYOUTS["default"]))
    table.add("dispatches of a first-order step", str(own), f"{peer} operations", "PyTorch", peer / own, "≥ 10, aim 20")


def kernels(table):
    measured = cellwright("kernels", "--device", "cpu")
    peak = measured["peak_gflops_per_second"]
    # From 64 channels to as many; what has fewer is bound by memory.
    wide = ("×64×8×8 to 64×", "64 to 64 channels")
    for row in measured["kernels"]:
        if row["kernel"].startswith(("conv", "pointwise")) and any(part in row["case"] for part in wide):
            rate = row["gflops_per_second"]
            table.add(f"{row['kernel']}, {row['case']}", f"{rate:.0f} GFLOP/s", f"{peak:.0f} GFLOP/s",
                      "own matrix product", rate / peak, "≥ 0.5, aim 0.8")
    return measured


def darts(table, rounds):
    # First: a process begins with the largest resident set of the one that starts it.
    memory(table)
    edge(table, rounds)
    dispatches(table)
    for order in (1, 2):
        search(table, rounds, "darts, C=16, L=8", DARTS, order, wanted="≥ 5, aim 6.5")
    search(table, max(rounds - 2, 1), "darts, C=16, L=8", DARTS, batch=64, wanted="≥ 3, aim 6")
    train(table, rounds, "DARTS_V2, C=36, L=20", DARTS_V2, "≥ 3, aim 4")


def nas_bench_201(table, rounds):
    space = ("--space", "nas-bench-201", "--channels", 16, "--layers", 15)
    search(table, rounds, "nas-bench-201, C=16, L=15", space, wanted="≥ 2.5, aim 4")
    train(table, rounds, "a cell of nas-bench-201, C=16, L=15", (*space, "--architecture", CELL), "≥ 2, aim 3")


def vgg(table, rounds):
    wanted = "≥ 1.5, aim 2.5"
    search(table, rounds, "chain-vgg16", VGG, wanted=wanted)
    choices = graph(PROGRAM, *VGG)
    largest = {}
    for node in choices["nodes"]:
        kind, values = split(node["op"])
        if kind == "Choice":
            (options,) = values["options"].values()
            last = options[-1]
            largest[values["table"].removeprefix("alphas_")] = last if isinstance(last, int) else options[0]["label"]
    text = ", ".join(f"{decision}={option}" for decision, option in largest.items())
    train(table, rounds, "chain-vgg16, the widest of the first operations", (*VGG, "--architecture", text), wanted)


def enas(table, rounds):
    for space in ("enas-macro", "nasnet"):
        search(table, rounds, space, ("--space", space), wanted="≥ 1.5, aim 2.5")


ROWS = {
    "darts": darts,
    "nas-bench-201": nas_bench_201,
    "mobile": lambda table, rounds: train(table, rounds, "mobile, C=16, 5×5, expansion 6", mobile(), "≥ 2.5, aim 3.5"),
    "vgg": vgg,
    "enas": enas,
    "inference": lambda table, rounds: [inference(table, rounds, *of) for of in (("DARTS_V2", DARTS_V2), ("mobile", mobile()))],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help=f"some of: {', '.join(ROWS)}")
    parser.add_argument("--two-steps", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--software", default="software", help="device of the rows that are not on the CPU")
    parser.add_argument("--burn", help="the burn harness; without it those rows are left out")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    if arguments.two_steps:
        return two_steps()
    table, rounds = Table(), arguments.rounds
    measured = kernels(table)
    about = [f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, PyTorch {torch.__version__}, "
             f"Cellwright's matrix product {measured['peak_gflops_per_second']:.0f} GFLOP/s, "
             f"copying {measured['peak_gbytes_per_second']:.1f} GB/s; medians of {rounds} rounds by turns."]
    names = arguments.only.split(",") if arguments.only else list(ROWS)
    for name in names:
        ROWS[name](table, rounds)
    if "darts" in names:
        search(table, max(rounds // 2, 1), "darts", DARTS, device=arguments.software, layout="default", wanted="≥ 0.5, aim 1")
    if arguments.burn:
        burn(table, rounds, arguments.burn, arguments.software)
    if arguments.out:
        table.write(arguments.out, about)


if __name__ == "__main__":
    main()
