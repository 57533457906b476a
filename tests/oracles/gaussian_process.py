"""Linear algebra, normal tails and a Gaussian process by NumPy, SciPy and scikit-learn."""
import json
import numpy as np
import scipy
import scipy.stats as st
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

out = {"versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}}

n = 5
a = np.array([[1 / (i + j + 1) + (0.1 if i == j else 0) for j in range(n)] for i in range(n)])
b = np.array([1.0, -2, 3, -4, 5])
out["cholesky"] = {"solution": np.linalg.solve(a, b).tolist(),
                   "half_way": np.linalg.solve(np.linalg.cholesky(a), b).tolist(),
                   "log_determinant": float(np.linalg.slogdet(a)[1])}

out["normal"] = [[x, float(st.norm.cdf(x)), float(st.norm.pdf(x))] for x in (-8.0, -3.0, -0.5, 0.0, 0.25, 2.0)]
out["upper_tail"] = float(st.norm.sf(6) - st.norm.sf(7))
out["truncated"] = []
for mean, dev, low, high in ((0.5, 0.3, 0, 1), (0.0, 0.1, 0, 1), (1.0, 3.0, 0, 1), (0.2, 0.01, 0, 1), (0.0, 1.0, 9, 10), (-1.0, 0.4, 0, 1)):
    d = st.truncnorm((low - mean) / dev, (high - mean) / dev, loc=mean, scale=dev)
    out["truncated"].append([mean, dev, float(low), float(high), float(d.mean()), float(d.std())])

# Observations on a line: exp(-|x - x'|/l) is the Matern kernel of order 1/2.
x = np.array([0.0, 0.5, 1.3, 2.0, 2.1, 3.7, 4.4, 6.0])
y = np.array([91.2, 91.9, 92.7, 93.1, 93.0, 92.2, 91.0, 89.5])
new = np.array([0.2, 1.7, 2.0, 5.0, 20.0])
lengths, noises = [0.25, 0.5, 1, 2, 4, 8, 16, 32], [1e-4, 1e-3, 1e-2, 1e-1]
z = (y - y.mean()) / y.std()
best = None
for length in lengths:
    for noise in noises:
        gp = GaussianProcessRegressor(Matern(length, nu=0.5), alpha=noise, optimizer=None).fit(x[:, None], z)
        ll = gp.log_marginal_likelihood_value_
        if best is None or ll > best[0]:
            best = (float(ll), length, noise, gp)
ll, length, noise, gp = best
mean, dev = gp.predict(new[:, None], return_std=True)
mean, dev = mean * y.std() + y.mean(), dev * y.std()
top = y.max()
u = (mean - top) / dev
ei = dev * (u * st.norm.cdf(u) + st.norm.pdf(u))
out["gaussian_process"] = {"x": x.tolist(), "y": y.tolist(), "new": new.tolist(), "log_likelihood": ll,
                           "length": length, "noise": noise, "mean": mean.tolist(), "deviation": dev.tolist(),
                           "best": float(top), "expected_improvement": ei.tolist()}
print(json.dumps(out, indent=1))
