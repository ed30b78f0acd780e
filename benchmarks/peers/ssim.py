"""The similarity of two pictures."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WINDOW = 8
# Of the structural similarity (Wang et al. 2004), for values up to 255.
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def similarity(first: bytes, second: bytes) -> float:
    """The mean structural similarity of two picture files of one size, in grey, in windows of 8x8 pixels."""
    a, b = _grey(first), _grey(second)
    if a.shape != b.shape:
        raise RuntimeError(f"pictures of {a.shape} and {b.shape} cannot be compared")
    mean_a, mean_b = _mean(a), _mean(b)
    variance_a, variance_b = _mean(a * a) - mean_a**2, _mean(b * b) - mean_b**2
    covariance = _mean(a * b) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return float((alike / ((mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2))).mean())


def _grey(picture: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(BytesIO(picture)).convert("L"), dtype=np.float64)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each window."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    n = _WINDOW
    means: NDArray[np.float64] = (sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]) / n**2
    return means
