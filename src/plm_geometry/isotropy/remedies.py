"""Remedies for anisotropy, as scikit-learn's transformers, fitted on other families than judged on.

``fit`` learns from some vectors what ``transform`` then does to any others of that width.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import draw_blocks

# Of many vectors scikit-learn takes the roots of the covariance's eigenvalues, so that rounding
# shows as a standard deviation of up to about this share of the largest.
_ROUNDING = 1e-6


class _Remedy(TransformerMixin, BaseEstimator):
    """What all have in common: checked vectors in, float64 out."""

    def fit(self, x: ArrayLike, y: object = None) -> Self:
        """Learn from vectors, shape (n, d), at least two; `y` is ignored.

        Raises
        ------
        InputError
            If they are no matrix of finite numbers, fewer than two, or too few for what is asked.
        """
        x = _checked(x, least=2)
        self.n_features_in_ = x.shape[1]
        self._fit(x)
        return self

    def transform(self, x: ArrayLike) -> np.ndarray:
        """Return what becomes of vectors, shape (n, d), as float64, shape (n, d_new).

        Raises
        ------
        InputError
            If they are no matrix of finite numbers, or of another width than those fitted on.
        """
        x = _checked(x)
        if x.shape[1] != self.n_features_in_:
            raise InputError(
                f"the remedy was fitted on vectors of {self.n_features_in_:,} dimensions and "
                f"cannot be applied to those of {x.shape[1]:,}; fit it on the same model."
            )
        return self._transform(x.astype(np.float64))


class Centring(_Remedy):
    """Subtract the mean vector."""

    _scales = False

    def _fit(self, x: np.ndarray) -> None:
        self._scaler = StandardScaler(with_std=self._scales).fit(x.astype(np.float64))

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return self._scaler.transform(x)


class Standardising(Centring):
    """Subtract the mean vector, and divide each coordinate by its standard deviation.

    A coordinate that does not vary is only centred.
    """

    _scales = True


class WithoutRogues(_Remedy):
    """Drop the coordinates that hold most of the squared mean vector.

    Parameters
    ----------
    n : int
        How many; fewer than there are.

    Attributes
    ----------
    dropped_ : ndarray of int, shape (n,)
        Which, counted from 0, the one that holds most first.

    References
    ----------
    Timkey and van Schijndel, "All Bark and No Bite: Rogue Dimensions in Transformer Language
    Models Obscure Representational Quality", EMNLP 2021, who name and measure them.
    """

    def __init__(self, n: int = 1):
        self.n = n

    def _fit(self, x: np.ndarray) -> None:
        _at_most("coordinates dropped", self.n, x.shape[1] - 1)
        squared_mean = x.mean(axis=0, dtype=np.float64) ** 2
        self.dropped_ = np.argsort(-squared_mean, kind="stable")[: self.n]

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return np.delete(x, self.dropped_, axis=1)


class _Principal(_Remedy):
    """What follows from the principal components of the vectors fitted on: all, so exact ones."""

    def _fit(self, x: np.ndarray) -> None:
        self.mean_ = x.mean(axis=0, dtype=np.float64)
        if not np.ptp(x, axis=0).any():
            raise InputError("the vectors do not differ, so they have no components; give others.")
        found = PCA().fit(x - self.mean_)
        rank = _rank(found.singular_values_, x)
        asked = self._asked()
        _at_most("components", rank if asked is None else asked, rank)
        self.n_components_ = rank if asked is None else asked
        self.components_ = found.components_[: self.n_components_]
        self.variances_ = found.explained_variance_[: self.n_components_]

    def _asked(self) -> int | None:
        return self.components

    def _scores(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean_) @ self.components_.T


class AllButTheTop(_Principal):
    """Subtract the mean vector and the leading principal components.

    Parameters
    ----------
    components : int
        How many.

    References
    ----------
    Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word
    Representations", ICLR 2018, algorithm 1; they take about d/100.
    """

    def __init__(self, components: int = 3):
        self.components = components

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return x - self.mean_ - self._scores(x) @ self.components_


class Components(_Principal):
    """Keep the leading principal components, each with its own variance.

    Parameters
    ----------
    n : int
        How many.
    """

    def __init__(self, n: int = 50):
        self.n = n

    def _asked(self) -> int:
        return self.n

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return self._scores(x)


class Whitening(_Principal):
    """Keep the leading principal components, each scaled to variance 1.

    Parameters
    ----------
    components : int, optional
        How many; without it all in which the vectors fitted on vary by more than their rounding.
    """

    def __init__(self, components: int | None = None):
        self.components = components

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return self._scores(x) / np.sqrt(self.variances_)


class Residuals(_Remedy):
    """Subtract what a linear regression on covariates (with a constant) predicts.

    Unlike the others it needs covariates, shape (n, n_covariates), at both steps. Either raises
    InputError as the others do.
    """

    def fit(self, x: ArrayLike, covariates: ArrayLike) -> Self:
        """Regress vectors, shape (n, d), on the covariates of the same proteins."""
        x, covariates = _checked(x, least=2), _checked(covariates)
        self.n_features_in_ = x.shape[1]
        self.regression_ = LinearRegression().fit(covariates, x.astype(np.float64))
        return self

    def transform(self, x: ArrayLike, covariates: ArrayLike) -> np.ndarray:
        """Return what the covariates of these proteins leave of their vectors, shape (n, d)."""
        return _checked(x).astype(np.float64) - self.regression_.predict(_checked(covariates))

    def fit_transform(self, x: ArrayLike, covariates: ArrayLike) -> np.ndarray:
        """Return the residuals of the vectors fitted on, shape (n, d)."""
        return self.fit(x, covariates).transform(x, covariates)


# Those that need vectors only, by the name that the command knows them by.
METHODS = {
    "centring": Centring,
    "standardising": Standardising,
    "without-rogues": WithoutRogues,
    "all-but-top": AllButTheTop,
    "whitening": Whitening,
    "components": Components,
}


def named(method: str, number: int | None = None) -> _Remedy:
    """Return the remedy of that name, not fitted.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    number : int, optional
        Of components, or of coordinates that are dropped; by default the method's own.

    Raises
    ------
    InputError
        If there is no such method, or it takes no number.
    """
    if method not in METHODS:
        near = difflib.get_close_matches(method.lower(), METHODS, n=2, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"choose {', '.join(METHODS)}."
        raise InputError(f"there is no method {method!r}; {hint}")
    found = METHODS[method]()
    if number is None:
        return found
    if not (taken := list(found.get_params())):
        raise InputError(f"{method} takes no number of components; leave it out.")
    return found.set_params(**{taken[0]: number})


class Fold(NamedTuple):
    """Vectors that one fitted remedy may be judged on.

    Attributes
    ----------
    judged : ndarray of int, shape (n_judged,)
        Rows that the remedy was not fitted on, none of them a relative of those it was.
    fitted : ndarray of int
        Rows that it was fitted on.
    vectors : ndarray, shape (n_judged, d_new)
        What the remedy makes of the rows `judged`, in that order.
    """

    judged: np.ndarray
    fitted: np.ndarray
    vectors: np.ndarray


def cross_fitted(
    remedy: Any,
    x: np.ndarray,
    families: Sequence[Any] | None,
    covariates: np.ndarray | None = None,
    *,
    n_folds: int = 2,
    seed: int = 0,
) -> Iterator[Fold]:
    """Divide proteins into folds of whole families; transform each by what others were fitted to.

    Compare vectors of one fold only. Those of two folds went through different remedies, and
    those that a remedy was fitted on look unlike those that it was not, relatives or strangers:
    either would be taken for homology, since relatives always share a fold.

    Parameters
    ----------
    remedy : transformer, or None
        Not fitted: a copy of it is, for each fold. None leaves vectors as they are, for a
        comparison over the same folds.
    x : ndarray, shape (n, d)
    families : sequence of n labels, or None
        Where they are not known, each protein is a family.
    covariates : ndarray, shape (n, n_covariates), optional
        For `Residuals`.
    n_folds, seed : int
        Of the division, which depends on nothing else but the families.

    Yields
    ------
    Fold
    """
    x = np.asarray(x)
    fold_of = draw_blocks(len(x), n_blocks=n_folds, seed=seed, families=families)
    for fold in range(n_folds):
        judged, fitted = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        if remedy is None:
            yield Fold(judged, fitted, x[judged])
            continue
        given = [x] if covariates is None else [x, covariates]
        found = clone(remedy).fit(*(part[fitted] for part in given))
        yield Fold(judged, fitted, found.transform(*(part[judged] for part in given)))


def _checked(x: ArrayLike, least: int = 0) -> np.ndarray:
    """Return a matrix of at least so many rows, refusing what is none."""
    x = np.asarray(x)
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number) or not np.isfinite(x).all():
        raise InputError(
            f"vectors must be finite numbers of shape (n, d), and these are of shape {x.shape}; "
            "give one vector a row."
        )
    if len(x) < least:
        raise InputError(f"{len(x)} vectors are too few to fit a remedy; give at least {least}.")
    return x


def _at_most(what: str, asked: int, most: int) -> None:
    if not 1 <= asked <= most:
        raise InputError(
            f"{asked} {what} were asked for, but the vectors fitted on have {most:,} to give; ask "
            "for 1 to that."
        )


def _rank(singular_values: np.ndarray, x: np.ndarray) -> int:
    """Return in how many directions vectors vary by more than the rounding of their own type."""
    kind = x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64
    rounding = max(max(x.shape) * np.finfo(kind).eps, _ROUNDING)
    return int((singular_values > singular_values[0] * rounding).sum())
