"""Weights, mixtures and choices of hyperopt's TPE."""
import json
import hyperopt
import numpy as np
from hyperopt import tpe

out = {"versions": {"hyperopt": hyperopt.__version__, "numpy": np.__version__}}
u = lambda k: (k * k + 7 * k + 3) * 0.6180339887498949 % 1.0
out["ramp"] = tpe.linear_forgetting_weights(30, 25)[:5].tolist()
low, high = -2.0, 3.0
points = np.array([-2.0, -0.4, 0.5, 1.3, 3.0])
out["mixtures"] = []
for n in (0, 1, 2, 7, 60, 150):
    obs = np.array([(high - low) * u(k) + low for k in range(n)])
    assert len(set(obs)) == n
    w, m, s = tpe.adaptive_parzen_normal(obs, 1.0, 0.5 * (low + high), high - low)
    out["mixtures"].append([n, [float(w[0]), float(m[0]), float(s[0])], [float(w[-1]), float(m[-1]), float(s[-1])],
                            tpe.GMM1_lpdf(points, w, m, s, low=low, high=high).tolist()])
obs = np.array([int(4 * u(k)) for k in range(40)])
counts = np.bincount(obs, weights=tpe.linear_forgetting_weights(40, 25), minlength=5)
out["choices"] = tpe.tpe_cat_pseudocounts(counts, 1.0, np.full(5, 0.2), (1,)).tolist()
print(json.dumps(out, indent=1))
