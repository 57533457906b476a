"""Holds Cellwright against PyTorch and burn on this machine, by turns; writes a table.

Run by benches/peers/run, which makes what this needs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from steps import make

HERE = Path(__file__).parent
PROGRAM = HERE.parents[1] / "target" / "release" / "cellwright"
LAYOUTS = {"channels_last": torch.channels_last, "default": torch.contiguous_format}
MIB = 1 << 20


def cellwright(*arguments):
    command = [str(PROGRAM), "bench", *map(str, arguments), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bench(kind, device, *more, repeat=3):
    return cellwright(kind, "--device", device, "--repeat", repeat, *more)


def timed(turn):
    start = time.perf_counter()
    turn()
    return (time.perf_counter() - start) * 1e3


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


def search(table, rounds, order, batch, device="cpu", layout="channels_last", wanted=""):
    turn = make(f"search{order}", batch, LAYOUTS[layout])
    turn()
    options = ["--channels", 16, "--layers", 8, "--batch", batch, "--order", order]
    own = lambda: bench("step", device, *options, repeat=1)["median_ms"]
    own_times, peer = by_turns(rounds, own, lambda: timed(turn))
    name = f"PyTorch {layout}"
    table.times(f"search step, order {order}, batch {batch}, `{device}`", own_times, peer, name, wanted)


def train(table, rounds):
    turn = make("train", 16, LAYOUTS["channels_last"])
    turn()
    options = ["--architecture", "DARTS_V2", "--channels", 36, "--layers", 20, "--batch", 16]
    own = lambda: bench("step", "cpu", *options, repeat=1)["median_ms"]
    table.times("training step, DARTS_V2, C=36, L=20, batch 16, `cpu`", *by_turns(rounds, own, lambda: timed(turn)),
                "PyTorch channels_last", "≥ 1.5, aim 3")


def edge(table, rounds):
    turn = make("edge", 16, LAYOUTS["channels_last"])
    for _ in range(3):
        turn()
    own = lambda: bench("edge", "cpu", repeat=9)["median_ms"]
    peer = lambda: statistics.median(timed(turn) for _ in range(9))
    table.times("mixed edge, `cpu`", *by_turns(rounds, own, peer), "PyTorch channels_last", "≥ 3, aim 6")


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
    options = ["--channels", "16", "--layers", "8", "--batch", "64", "--repeat", "1"]
    own = peak_memory([str(PROGRAM), "bench", "step", "--device", "cpu", *options])
    script = [sys.executable, str(HERE / "steps.py"), "search1", "--batch", "64", "--channels_last"]
    peer = peak_memory(script)
    table.add("peak memory of a search step, batch 64", f"{own / MIB:.0f} MiB", f"{peer / MIB:.0f} MiB",
              "PyTorch channels_last", peer / own, "≥ 2, aim 3")


def dispatches(table):
    own = bench("step", "cpu", "--channels", 16, "--layers", 8, "--batch", 2, repeat=1)["dispatches"]
    peer = operations(make("search1", 2, LAYOUTS["default"]))
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--software", default="software", help="device of the rows that are not on the CPU")
    parser.add_argument("--burn", help="the burn harness; without it those rows are left out")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    table, rounds = Table(), arguments.rounds
    measured = kernels(table)
    about = [f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, PyTorch {torch.__version__}, "
             f"Cellwright's matrix product {measured['peak_gflops_per_second']:.0f} GFLOP/s, "
             f"copying {measured['peak_gbytes_per_second']:.1f} GB/s; medians of {rounds} rounds by turns."]
    edge(table, rounds)
    dispatches(table)
    memory(table)
    search(table, rounds, 1, 16, wanted="≥ 3, aim 6")
    search(table, rounds, 2, 16, wanted="≥ 3, aim 6")
    train(table, rounds)
    search(table, max(rounds - 2, 1), 1, 64, wanted="≥ 3, aim 6")
    search(table, max(rounds // 2, 1), 1, 16, arguments.software, "default", "≥ 0.5, aim 1")
    if arguments.burn:
        burn(table, rounds, arguments.burn, arguments.software)
    table.write(arguments.out, about)


if __name__ == "__main__":
    main()
