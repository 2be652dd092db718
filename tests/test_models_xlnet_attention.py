import pytest
import torch
import transformers

import tiny_checkpoints
from plm_geometry.models import xlnet_attention
from plm_geometry.models.xlnet_attention import xlnet_hidden_states

LENGTHS = [37, 5, 64, 1]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    directory = tiny_checkpoints.write_xlnet(tmp_path_factory.mktemp("xlnet"))
    return transformers.XLNetModel.from_pretrained(directory, dtype=torch.float32).eval()


def left_padded_batch(vocabulary_size):
    generator = torch.Generator().manual_seed(0)
    n = max(LENGTHS)
    token_ids = torch.randint(9, vocabulary_size, (len(LENGTHS), n), generator=generator)
    is_token = torch.arange(n) >= n - torch.tensor(LENGTHS)[:, None]
    return torch.where(is_token, token_ids, 5), is_token


@pytest.mark.parametrize("scores_per_chunk", [1, 4 * 4 * 64 * 10, 2**24])
def test_chunked_attention_equals_the_librarys(model, monkeypatch, scores_per_chunk):
    monkeypatch.setitem(xlnet_attention.SCORES_PER_CHUNK, "cpu", scores_per_chunk)
    token_ids, is_token = left_padded_batch(model.config.vocab_size)
    with torch.inference_mode():
        states = list(xlnet_hidden_states(model, token_ids, is_token))
        expected = model(
            token_ids, attention_mask=is_token.float(), use_mems=False, output_hidden_states=True
        )
    assert len(states) == model.config.n_layer + 1
    for found, right in zip(states, expected.hidden_states, strict=True):
        difference = (found[is_token] - right[is_token]).norm(dim=-1)
        assert (difference / right[is_token].norm(dim=-1)).max() <= 1e-5
    torch.testing.assert_close(states[-1][is_token], expected.last_hidden_state[is_token])


def test_without_padding_the_same(model):
    token_ids, _ = left_padded_batch(model.config.vocab_size)
    with torch.inference_mode():
        *_, found = xlnet_hidden_states(model, token_ids)
        expected = model(token_ids, use_mems=False).last_hidden_state
    assert ((found - expected).norm(dim=-1) / expected.norm(dim=-1)).max() <= 1e-5
