"""A book from real names: checkpoints of a hub, proteins of UniProt, both on this machine."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

import loopback_hub
import tiny_checkpoints
from plm_geometry.base import paths
from small_chapter import HEAD
from small_proteins import random_proteins

CHAPTER = """# Small

```{code-cell} ipython3
:tags: [parameters]

profile: str = "laptop"  # where these values come from
proteins: str = "swissprot"  # of UniProt
models: list[str] = ["esm2_8m", "prot_bert"]  # of the hub
```

```{code-cell} ipython3
import subprocess, warnings
from tqdm.auto import tqdm
from plm_geometry.book.report import Report
from plm_geometry.study import Study

warnings.warn("a warning of a library")
_ = list(tqdm(range(3), desc="a bar of a library")), print("a word of a library")
_ = subprocess.run("echo a line of C code; echo a complaint of C code >&2", shell=True)
study = Study(profile=profile, proteins=proteins, models=models)
report = Report("01_small", study)
report.opening()
report.table(study.isotropy.table(), "isotropy", "What was measured.")
report.close()
```
"""
REPOSITORIES = {
    "facebook/esm2_t6_8M_UR50D": tiny_checkpoints.write_esm,
    "Rostlab/prot_bert": tiny_checkpoints.write_bert,
}


def write_root(root):
    """Write a repository of one chapter, to be built as strictly as the real one."""
    (root / "notebooks" / "profiles").mkdir(parents=True)
    (root / "notebooks" / "profiles" / "laptop.yaml").write_text("profile: laptop\n")
    (root / "notebooks" / "01_small.md").write_text(HEAD + CHAPTER)
    shutil.copytree(paths.PUBLISHED, root / "data" / "published")
    (root / "book").mkdir()
    (root / "book" / "index.md").write_text("# A book\n")
    contents = "format: jb-book\nroot: index\nchapters:\n  - file: chapters/01_small\n"
    (root / "_toc.yml").write_text(contents)
    strictness = yaml.safe_load((paths.ROOT / "_config.yml").read_text())["execute"]
    (root / "_config.yml").write_text(yaml.safe_dump({"execute": strictness}))


def write_hub(directory):
    """Write two small checkpoints under real names, and a Swiss-Prot of twelve proteins."""
    for name, write in REPOSITORIES.items():
        write(directory / name)
        for other in ("README.md", ".gitattributes", "tf_model.h5"):
            (directory / name / other).write_text("not asked for")
    proteins = random_proteins(12, longest=60)
    fasta = "".join(
        f">{a}\n{s}\n" for a, s in zip(proteins.accessions, proteins.sequences, strict=True)
    )
    (directory / paths.SWISSPROT.name).write_bytes(gzip.compress(fasta.encode()))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The book, built from scratch while the hub answers, and again from the cache without it."""
    place = tmp_path_factory.mktemp("hub")
    root = place / "root"
    write_root(root)
    write_hub(place / "served")

    def call(*arguments):
        start = "from plm_geometry.cli import main; main()"
        # In a test, as this says, ipykernel would leave alone what C code prints.
        environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"} | {
            "PLM_GEOMETRY_ROOT": str(root),
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(place / "home"),
            "HF_HUB_OFFLINE": "0",
        }
        done = subprocess.run([sys.executable, "-c", start, *arguments], cwd=root, check=False,
                              env=environment, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    def results():
        summary = json.loads(
            (root / "results" / "laptop" / "01_small" / "summary.json").read_text()
        )
        return SimpleNamespace(
            page=(root / "_build" / "html" / "chapters" / "01_small.html").read_text(),
            log=(root / "results" / "laptop" / "01_small.run.log").read_text(),
            models=summary["models"],
            n_proteins=summary["numbers"]["n_proteins"],
        )

    with loopback_hub.serving(place / "served") as server:
        call("fetch", f"{server.address}/{paths.SWISSPROT.name}")
        call("book", "--profile", "laptop")
    with_network = results()
    for made in ("results", "_build", "data/cache/embeddings"):
        shutil.rmtree(root / made)
    call("book", "--profile", "laptop")
    return SimpleNamespace(online=with_network, offline=results(), requested=server.requested)


def test_the_hub_is_asked_for_each_checkpoint_once_and_by_no_chapter(built):
    asked = [path.split("?")[0] for path in built.requested if "/revision/" in path]
    assert sorted(path.split("/")[4] for path in asked) == ["esm2_t6_8M_UR50D", "prot_bert"]


def test_the_chapter_is_about_the_real_names(built):
    assert built.online.n_proteins == 12
    assert [model["title"] for model in built.online.models] == ["ESM-2 8M", "ProtBERT"]
    assert all(len(model["weights"]) == 64 for model in built.online.models)


def test_without_a_network_the_same_book_is_built(built):
    assert built.offline.models == built.online.models
    assert built.offline.page == built.online.page


@pytest.mark.parametrize("said", ["a warning", "a bar", "a word", "a line", "a complaint"])
def test_what_libraries_say_is_in_the_log_and_on_no_page(built, said):
    assert f"{said} of " in built.online.log
    # The page shows the code that says it, once or in parts.
    assert f"{said} of a library\n" not in built.online.page
    assert "output stream" not in built.online.page
    assert "output stderr" not in built.online.page
