"""Downloads of checkpoints from a real server on this machine that answers as the hub does."""

import hashlib
import shutil

import huggingface_hub.constants
import pytest

import loopback_hub
import tiny_checkpoints
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.models import describe_model, hub, load


@pytest.fixture
def server(tmp_path, monkeypatch):
    with loopback_hub.serving(tmp_path / "hub") as server:
        tiny_checkpoints.write_bert(tmp_path / "hub" / "lab" / "tiny")
        settings = {
            "HF_HUB_OFFLINE": False,
            "ENDPOINT": server.address,
            "HUGGINGFACE_CO_URL_TEMPLATE": server.address
            + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "cache"),
        }
        hub.fetch_snapshot.cache_clear()
        for name, value in settings.items():
            monkeypatch.setattr(huggingface_hub.constants, name, value)
        yield server


@pytest.fixture
def repository(server):
    return server.directory / "lab" / "tiny"


def fetched(server):
    return {path.rsplit("/", 1)[1] for path in server.requested if "/resolve/" in path}


def start_again(server):
    """Forget what this process and the server know of what was asked before."""
    hub.fetch_snapshot.cache_clear()
    server.requested.clear()


def go_offline(server, monkeypatch):
    start_again(server)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def test_a_hub_id_is_fetched_once_and_then_needs_no_network(server, monkeypatch):
    model = load("lab/tiny")
    assert (model.name, model.title) == ("lab/tiny", "lab/tiny")
    assert model.identity["revision"] == loopback_hub.COMMIT
    assert "model.safetensors" in fetched(server)
    go_offline(server, monkeypatch)
    assert load("lab/tiny").identity == model.identity
    assert server.requested == []


def test_a_checkpoint_in_the_older_format_alone_is_fetched(server, repository):
    tiny_checkpoints.as_pytorch_bin(repository)
    assert load("lab/tiny").width == 32
    assert "pytorch_model.bin" in fetched(server)


def test_of_two_formats_and_unneeded_files_only_one_is_fetched(server, repository, monkeypatch):
    # As the pages of the real models have them; the cache knows of them, and does not miss them.
    for name in ("pytorch_model.bin", "tf_model.h5", "modeling_own.py", "README.md"):
        (repository / name).write_bytes(b"never asked for")
    before = load("lab/tiny").identity
    assert fetched(server) == {
        "config.json",
        "vocab.txt",
        "tokenizer_config.json",
        "model.safetensors",
    }
    go_offline(server, monkeypatch)
    assert load("lab/tiny").identity == before


def test_an_untrained_copy_fetches_no_weights(server):
    assert load("untrained:lab/tiny").identity["weights"] == "random, seed 0"
    assert fetched(server) == {"config.json", "vocab.txt", "tokenizer_config.json"}


def test_a_description_fetches_no_weights(server):
    card = describe_model("lab/tiny")
    assert fetched(server) == {"config.json", "vocab.txt", "tokenizer_config.json"}
    model = load("lab/tiny")
    assert (card.title, card.width, card.max_residues) == (
        model.title,
        model.width,
        model.max_residues,
    )


def test_a_download_that_is_cut_is_taken_up(server):
    server.cuts = 1
    assert load("lab/tiny").width == 32
    assert sum("safetensors" in path for path in server.requested) > 1


def test_weights_that_never_came_are_refused_in_a_sentence(server, monkeypatch):
    describe_model("lab/tiny")
    go_offline(server, monkeypatch)
    assert describe_model("lab/tiny").width == 32
    with pytest.raises(InputError, match=r"cannot be fetched \(.*offline"):
        load("lab/tiny")


def test_a_cache_that_holds_a_configuration_alone_is_no_checkpoint(
    server, tmp_path, monkeypatch, repository
):
    cached = tmp_path / "cache" / "models--lab--tiny"
    snapshot = cached / "snapshots" / loopback_hub.COMMIT
    shutil.copytree(repository, snapshot, ignore=shutil.ignore_patterns("*.safetensors"))
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(loopback_hub.COMMIT)
    go_offline(server, monkeypatch)
    assert describe_model("lab/tiny").width == 32
    with pytest.raises(InputError, match="is not on this machine and cannot be fetched"):
        load("lab/tiny")


def test_a_cache_that_cannot_be_written_to_is_named_and_where_to_put_another(server, monkeypatch):
    # Where not even root may make a directory.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", "/sys/nowhere")
    with pytest.raises(InputError, match=r"cannot be kept .*/sys/nowhere.*; set HF_HOME to"):
        load("lab/tiny")


def test_a_repository_that_is_not_there_is_refused(server, repository):
    with pytest.raises(InputError, match="has no public model lab/other at revision main"):
        load("lab/other")


def test_without_network_what_was_fetched_still_loads(server, monkeypatch):
    before = load("lab/tiny").identity
    start_again(server)
    # Nothing listens on the discard port.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert load("lab/tiny").identity == before


def test_the_hub_is_asked_once_a_process(server):
    load("lab/tiny")
    asked = list(server.requested)
    load("lab/tiny")
    assert asked
    assert server.requested == asked


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ((403, "GatedRepo"), "it is gated: accept its terms .*`hf auth login`"),
        ((403, ""), "HTTP status 403"),
        ((503, ""), "HTTP status 503"),
    ],
)
def test_a_hub_that_refuses_is_a_sentence_unless_all_is_here(server, refusal, reason):
    server.refusals["lab/tiny"] = refusal
    with pytest.raises(
        InputError, match=rf"lab/tiny is not on this .* fetched \({reason}\): connect"
    ):
        load("lab/tiny")
    server.refusals.clear()
    before = load("lab/tiny").identity
    start_again(server)
    server.refusals["lab/tiny"] = refusal
    assert load("lab/tiny").identity == before
    assert server.requested


def test_without_network_anything_else_is_refused_in_a_sentence(server, monkeypatch):
    go_offline(server, monkeypatch)
    with pytest.raises(InputError, match="lab/tiny is not on this machine and cannot be fetched"):
        load("lab/tiny")
    assert server.requested == []


def test_the_official_dump_is_fetched_once_and_verified(server, tmp_path, monkeypatch, repository):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    content = (repository / "config.json").read_bytes()
    url = f"{server.address}/lab/tiny/resolve/{loopback_hub.COMMIT}/config.json?download=1"
    with pytest.raises(InputError, match="0000"):
        hub.fetch_dump(url, "0" * 64)
    path = hub.fetch_dump(url, hashlib.sha256(content).hexdigest())
    assert (path.name, path.read_bytes()) == ("config.json", content)
