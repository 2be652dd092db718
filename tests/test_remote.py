"""A cluster's workers load the model themselves; what comes back is as if computed here."""

import signal

import numpy as np
import pytest

from plm_geometry.base import compute
from plm_geometry.base.errors import InputError
from plm_geometry.embedding import remote
from plm_geometry.embedding.plan import make_plan
from small_proteins import embedded, random_proteins, relative


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr(remote, "_RESIDUES_PER_DIMENSION", 5)


@pytest.fixture
def kill_one(scheduler, monkeypatch):
    """Kill one of the two workers when the first task has come back."""

    def killing(*arguments, **options):
        for number, found in enumerate(run_blocks(*arguments, **options)):
            if number == 0:
                scheduler[1][0].send_signal(signal.SIGKILL)
            yield found

    run_blocks = compute.run_blocks
    monkeypatch.setattr("plm_geometry.embedding.engine.run_blocks", killing)


@pytest.mark.usefixtures("small_tasks", "kill_one")
def test_a_cluster_with_a_killed_worker_gives_the_same_vectors_and_moments(
    model, scheduler, tmp_path
):
    proteins = random_proteins(120)
    here = embedded(proteins, model, tmp_path / "here", residues_per_batch=200)
    there = embedded(
        proteins, model, tmp_path / "there", residues_per_batch=200, cluster=scheduler[0]
    )
    assert relative(there.vectors, here.vectors).max() <= 1e-5
    assert relative(there.residue_sample, here.residue_sample).max() <= 1e-5
    for letter, moments in here.residue_moments.items():
        assert there.residue_moments[letter].count == moments.count
        np.testing.assert_allclose(
            there.residue_moments[letter].scatter, moments.scatter, rtol=1e-4, atol=1e-4
        )


@pytest.mark.usefixtures("small_tasks")
def test_a_worker_with_another_checkpoint_is_refused(model, tmp_path, monkeypatch):
    proteins = random_proteins(20)
    monkeypatch.setitem(model.identity, "weights", "of another file")
    with pytest.raises(InputError, match=r"loads another .* give all machines the same"):
        embedded(proteins, model, tmp_path, cluster="local")


def test_tasks_hold_every_block_once_and_never_two_waves(model):
    proteins = random_proteins(200)
    groups = np.arange(200) % 3
    plan = make_plan(proteins.lengths, 100, groups)
    work = type("Work", (), {"proteins": proteins, "models": (model,)})
    found = remote.tasks(plan, work, 2)
    assert [number for task in found for number in task] == list(range(2, len(plan.blocks())))
    for task in found:
        rows = [plan.order[plan.blocks()[number]] for number in task]
        assert len(set(groups[np.concatenate(rows)])) == 1
