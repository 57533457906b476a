"""How the cost of a search step grows with batch, channels and layers; prints a table in Markdown.

    cargo build --release
    python3 benches/growth.py [--device cpu] [--rounds 3]
"""

import argparse
import json
import statistics
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "target" / "release" / "cellwright"
BASE = {"batch": 16, "channels": 16, "layers": 8}
VARIED = {"batch": [8, 16, 32, 64, 128], "channels": [8, 16, 32, 64], "layers": [4, 8, 12, 16, 20]}


def step(sizes, device):
    options = [str(part) for name, value in sizes.items() for part in (f"--{name}", value)]
    command = [PROGRAM, "bench", "step", "--device", device, "--repeat", "1", "--json"]
    return json.loads(subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("| varied | value | ms a step | against the first | peak MiB | against the first | dispatches | GFLOP |")
    print("|---|---|---|---|---|---|---|---|")
    for name, values in VARIED.items():
        first = {**BASE, name: values[0]}
        for value in values:
            # By turns: machines are not always equally fast.
            rounds = [(step(first, arguments.device), step({**BASE, name: value}, arguments.device))
                      for _ in range(arguments.rounds)]
            time = statistics.median(own["median_ms"] for _, own in rounds)
            slower = statistics.median(own["median_ms"] / base["median_ms"] for base, own in rounds)
            base, own = rounds[0]
            cells = [name, value, f"{time:.0f}", f"{slower:.2f}", f"{own['peak_bytes'] / 2**20:.0f}",
                     f"{own['peak_bytes'] / base['peak_bytes']:.2f}", own["dispatches"], f"{own['flops'] / 1e9:.1f}"]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
