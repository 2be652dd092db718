"""Constructed clouds whose shape is known: what each yardstick of isotropy sees, and what not."""

import numpy as np

# Far enough from the origin that all vectors of a ball of radius 1 point nearly one way.
_SHIFT = 3.0
# Radius of the cone at distance 1 from its tip. In three dimensions a cone of this slope varies
# equally in all directions (3/80 of its squared height): its IsoScore is that of a ball.
_CONE_SLOPE = 0.5


def constructed(n: int, *, seed: int, d: int = 3) -> dict[str, np.ndarray]:
    """Draw five clouds of known shape.

    Parameters
    ----------
    n : int
        Vectors in each cloud.
    seed : int
        The same seed draws the same clouds.
    d : int
        Dimension of the space, at least 2: 3 for a picture, more for a table.

    Returns
    -------
    dict of str to ndarray, shape (n, d)
        ``line``: uniform on a segment through the origin; one dimension is used.
        ``disc``: uniform in a disc around the origin; two dimensions are used.
        ``ball``: uniform in the ball around the origin; all dimensions are used.
        ``shifted ball``: the same ball far from the origin, so that all vectors are similar.
        ``cone``: uniform in a cone whose tip is the origin.
    """
    rng = np.random.default_rng(seed)
    ball = _ball(rng, n, d)
    axis = np.eye(d)[0]
    return {
        "line": np.outer(rng.uniform(-1, 1, n), axis),
        "disc": np.pad(_ball(rng, n, 2), ((0, 0), (0, d - 2))),
        "ball": ball,
        "shifted ball": ball + _SHIFT * axis,
        "cone": _cone(rng, n, d),
    }


def _ball(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Draw uniformly from the unit ball: its volume grows with the d-th power of the radius."""
    directions = rng.standard_normal((n, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * rng.random((n, 1)) ** (1 / d)


def _cone(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Draw uniformly from a cone of height 1: a section's volume grows as that of a ball."""
    height = rng.random((n, 1)) ** (1 / d)
    return np.hstack([height, _CONE_SLOPE * height * _ball(rng, n, d - 1)])
