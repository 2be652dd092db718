"""Make the demo's data: ``python -m plm_geometry.minis``."""

import argparse
from pathlib import Path

from plm_geometry.minis import MINIS, Corpora, train_mini
from plm_geometry.paths import DEMO
from plm_geometry.simulate import simulate_biosphere, split_biosphere, write_demo


def main() -> None:
    """Write the demo proteome and train the minis on the rest of its biosphere."""
    parser = argparse.ArgumentParser(prog="python -m plm_geometry.minis", description=main.__doc__)
    parser.add_argument("--only", choices=MINIS, help="train this one; write no proteome")
    parser.add_argument("--steps", type=int, help="updates of each, instead of their own numbers")
    parser.add_argument("--out", type=Path, default=DEMO, help="folder (default: data/demo)")
    options = parser.parse_args()
    biosphere = simulate_biosphere()
    if not options.only:
        write_demo(split_biosphere(biosphere).demo, options.out)
    corpora = Corpora.from_biosphere(biosphere)
    for key in [options.only] if options.only else MINIS:
        train_mini(key, corpora, options.out / "checkpoints", steps=options.steps)


if __name__ == "__main__":
    main()
