"""How the cost of a search step grows with batch, channels and layers; prints a table in Markdown.

    cargo build --release
    python3 benches/growth.py [--device cpu] [--repeat 3]
"""

import argparse
import json
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "target" / "release" / "cellwright"
BASE = {"batch": 16, "channels": 16, "layers": 8}
VARIED = {"batch": [8, 16, 32, 64, 128], "channels": [8, 16, 32, 64], "layers": [4, 8, 12, 16, 20]}


def step(sizes, arguments):
    options = [str(part) for name, value in sizes.items() for part in (f"--{name}", value)]
    command = [PROGRAM, "bench", "step", "--device", arguments.device, "--repeat", str(arguments.repeat), "--json"]
    return json.loads(subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print("| varied | value | ms a step | against the first | peak MiB | against the first | dispatches | GFLOP |")
    print("|---|---|---|---|---|---|---|---|")
    for name, values in VARIED.items():
        first = None
        for value in values:
            measured = step({**BASE, name: value}, arguments)
            time, peak = measured["median_ms"], measured["peak_bytes"] / 2**20
            first = first or (time, peak)
            cells = [name, value, f"{time:.0f}", f"{time / first[0]:.2f}", f"{peak:.0f}", f"{peak / first[1]:.2f}",
                     measured["dispatches"], f"{measured['flops'] / 1e9:.1f}"]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
