"""statsmodels' product kernel density, with its reference bandwidths."""
import json
import numpy as np
import statsmodels
from statsmodels.nonparametric.kernel_density import KDEMultivariate

u = lambda k: (k * k + 7 * k + 3) * 0.6180339887498949 % 1.0
# Rows: two continuous variables in [0, 1], then 3 and 2 levels, all of them seen.
data = np.array([[u(k), u(k + 50), k * k % 7 % 3, k // 3 % 2] for k in range(12)], dtype=float)
assert set(data[:, 2]) == {0, 1, 2} and set(data[:, 3]) == {0, 1}
points = np.array([[0.5, 0.5, 0, 0], [0.1, 0.9, 1, 1], data[4].tolist(), [1.0, 0.0, 2, 1]])
kde = KDEMultivariate(data, "ccuu", bw="normal_reference")
fixed = KDEMultivariate(data, "ccuu", bw=[0.1, 0.3, 0.25, 0.4])
# Of levels no bandwidth is above (K-1)/K, where the code under test would cut it.
assert (kde.bw[2:] <= [2 / 3, 1 / 2]).all()
print(json.dumps({"versions": {"statsmodels": statsmodels.__version__, "numpy": np.__version__},
                  "rule": kde.bw.tolist(), "rule_densities": kde.pdf(points).tolist(),
                  "fixed_densities": fixed.pdf(points).tolist()}, indent=1))
