"""What chapters 05 and 06 try on a study's vectors and sequences, one module per topic.

Retrieval, remedies, changed sequences and readouts: each class asks a `Study`, which makes it.
"""
