"""How a cloud of vectors uses its space: moments, IsoScore, spectrum, yardsticks, the jackknife."""
