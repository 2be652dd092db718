"""Small random checkpoints of every supported architecture, as Hugging Face directories."""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

PROT_BERT_VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"LAGVESIKRDTPNQFYMHCWXUBZO",
]
ESM_VOCABULARY = [
    *("<cls>", "<pad>", "<eos>", "<unk>"),
    *"LAGVSERTIDPKQNFYMHWCXBUZO.-",
    *("<null_1>", "<mask>"),
]
XLNET_SPECIALS = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"]
T5_SPECIALS = ["<pad>", "</s>", "<unk>"]
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def write_bert(directory: Path, *, vocabulary=PROT_BERT_VOCABULARY, lower=False, **sizes) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    tokenizer_config = {"do_lower_case": lower, "tokenizer_class": "BertTokenizer"}
    (directory / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    defaults = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 130,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    config = transformers.BertConfig(vocab_size=len(vocabulary), **(defaults | sizes))
    return _save(transformers.BertModel, config, directory, add_pooling_layer=False)


def write_xlnet(directory: Path, **sizes) -> Path:
    pieces = [(piece, 0.0) for piece in XLNET_SPECIALS]
    pieces += [(f"▁{letter}", -3.0) for letter in RESIDUES] + [("▁", -9.0)]
    transformers.XLNetTokenizer(vocab=pieces, unk_id=0).save_pretrained(directory)
    sizes = {"d_model": 32, "n_head": 4, "n_layer": 2, "d_inner": 48, "dropout": 0.0} | sizes
    config = transformers.XLNetConfig(vocab_size=len(pieces), mem_len=512, **sizes)
    return _save(transformers.XLNetModel, config, directory)


def write_esm(
    directory: Path,
    *,
    vocabulary=ESM_VOCABULARY,
    position_embedding_type="rotary",
    **sizes,
) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.txt").write_text("\n".join(vocabulary))
    (directory / "tokenizer_config.json").write_text('{"tokenizer_class": "EsmTokenizer"}')
    defaults = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 130,
    }
    config = transformers.EsmConfig(
        vocab_size=len(vocabulary),
        pad_token_id=1,
        mask_token_id=32,
        position_embedding_type=position_embedding_type,
        token_dropout=True,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **(defaults | sizes),
    )
    return _save(transformers.EsmModel, config, directory, add_pooling_layer=False)


def write_t5(directory: Path) -> Path:
    pieces = [(piece, 0.0) for piece in T5_SPECIALS]
    pieces += [(f"▁{letter}", -3.0) for letter in RESIDUES + "X"] + [("▁", -9.0)]
    transformers.T5Tokenizer(vocab=pieces, extra_ids=0).save_pretrained(directory)
    config = transformers.T5Config(
        vocab_size=len(pieces) + 4, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4
    )
    return _save(transformers.T5EncoderModel, config, directory)


WRITERS = {"bert": write_bert, "xlnet": write_xlnet, "esm": write_esm, "t5": write_t5}


def _save(model_class, config, directory: Path, **options) -> Path:
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = model_class(config, **options)
        # The library's initial weights are so small that attention is all but uniform.
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, mean=0.02, std=0.2)
    model.save_pretrained(directory)
    return directory


def as_pytorch_bin(directory: Path) -> Path:
    """Replace a checkpoint's safetensors by the older format, as on the ProtTrans pages."""
    weights = directory / "model.safetensors"
    torch.save(load_file(weights), directory / "pytorch_model.bin")
    weights.unlink()
    return directory
