"""Writers of vectors in every format that can be read, for 100 proteins."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import zarr
from safetensors.numpy import save_file

NAMES = [f"P{i:05}" for i in range(100)]


def write_npy(path, vectors):
    with path.open("wb") as handle:  # given a path, NumPy would append .npy to it
        np.save(handle, vectors)


def write_npy_fortran(path, vectors):
    write_npy(path, np.asfortranarray(vectors))


def write_h5_uniprot(path, vectors):
    with h5py.File(path, "w") as file:
        for name, vector in zip(NAMES, vectors, strict=True):
            file[name] = vector


def write_h5_rows(path, vectors):
    write_h5_uniprot(path, vectors[:, None, :])


def write_h5_grouped(path, vectors):
    with h5py.File(path, "w") as file:
        for i, (name, vector) in enumerate(zip(NAMES, vectors, strict=True)):
            file[f"part{i % 3}/{name}"] = vector


def write_h5_bio_embeddings(path, vectors):
    with h5py.File(path, "w") as file:
        for i, (name, vector) in enumerate(zip(NAMES, vectors, strict=True)):
            file[f"{i:03}"] = vector
            file[f"{i:03}"].attrs["original_id"] = f"sp|{name}|X_HUMAN Some protein"


def write_h5_bytes(path, vectors):
    write_h5_bio_embeddings(path, vectors)
    with h5py.File(path, "r+") as file:
        for dataset in file.values():
            dataset.attrs["original_id"] = np.bytes_(dataset.attrs["original_id"])


def write_h5_matrix(path, vectors):
    with h5py.File(path, "w") as file:
        file.create_dataset("embeddings", data=vectors, chunks=(7, 5))


def write_parquet_lists(path, vectors):
    pq.write_table(pa.table({"accession": NAMES, "embedding": vectors.tolist()}), path)


def write_parquet_fixed_lists(path, vectors):
    column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
    pq.write_table(pa.table({"accession": NAMES, "embedding": column}), path, row_group_size=30)


def write_parquet_columns(path, vectors):
    columns = {f"x{i}": column for i, column in enumerate(vectors.T)}
    pq.write_table(pa.table({"accession": NAMES, "length": range(100), **columns}), path)


def write_store(path, vectors, left_out=(), n_done=100, layers=(-1,)):
    """Write a store whose layers differ in sign and scale; the first is `vectors` itself."""
    array = zarr.create_array(
        store=path / "vectors.zarr",
        shape=(len(layers), *vectors.shape),
        chunks=(1, 30, vectors.shape[1]),
        dtype="float32",
        fill_value=np.nan,
    )
    for number in range(len(layers)):
        array[number] = vectors * (-2) ** number
    (path / "description.json").write_text(json.dumps({"layers": layers}))
    left_out = json.dumps(dict.fromkeys(left_out, "too long"))
    np.savez(path / "progress.npz", n_done=n_done, left_out=left_out)


def write_npz(path, vectors):
    with path.open("wb") as handle:
        np.savez(handle, **dict(zip(NAMES, vectors, strict=True)))


def write_npz_matrix(path, vectors):
    with path.open("wb") as handle:
        np.savez(handle, embeddings=vectors, ids=np.array(NAMES))


def write_h5_matrix_with_ids(path, vectors):
    with h5py.File(path, "w") as file:
        file["embeddings"], file["ids"] = vectors, NAMES


def write_pt(path, vectors):
    tensors = map(torch.from_numpy, vectors)
    torch.save(dict(zip(NAMES, tensors, strict=True)), path)


def write_pt_matrix(path, vectors):
    torch.save({"embeddings": torch.from_numpy(vectors), "ids": NAMES}, path)


def write_pt_of_old(path, vectors):
    tensors = map(torch.from_numpy, vectors)
    found = dict(zip(NAMES, tensors, strict=True))
    torch.save(found, path, _use_new_zipfile_serialization=False)


def write_safetensors(path, vectors):
    save_file(dict(zip(NAMES, vectors.copy(), strict=True)), path)


NAMED = [
    write_npz,
    write_npz_matrix,
    write_h5_matrix_with_ids,
    write_pt,
    write_pt_matrix,
    write_pt_of_old,
    write_safetensors,
    write_h5_uniprot,
    write_h5_rows,
    write_h5_bio_embeddings,
    write_h5_bytes,
    write_parquet_lists,
    write_parquet_fixed_lists,
    write_parquet_columns,
]
MATRICES = [write_npy, write_npy_fortran, write_h5_matrix]
