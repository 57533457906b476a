"""Fronts, crowding distances and hypervolumes of pymoo."""
import json
import numpy as np
import pymoo
from pymoo.indicators.hv import HV
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

u = lambda k: (k * k + 7 * k + 3) * 0.6180339887498949 % 1.0
points = np.round(np.array([[u(3 * i + m) for m in range(3)] for i in range(12)]), 3)
fronts = [sorted(map(int, f)) for f in NonDominatedSorting().do(points)]
# pymoo divides by the number of objectives; NSGA-II does not.
room = calc_crowding_distance(points[fronts[0]]) * 3
volumes = [[d, float(HV(ref_point=np.full(d, 0.95))(np.array([[u(i * d + m) for m in range(d)] for i in range(20)])))]
           for d in (2, 3, 4, 5)]
print(json.dumps({"versions": {"pymoo": pymoo.__version__, "numpy": np.__version__}, "points": points.tolist(),
                  "fronts": fronts, "room": [str(float(r)) for r in room], "volumes": volumes}, indent=1))
