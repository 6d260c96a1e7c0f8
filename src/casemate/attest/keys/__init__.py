"""Custody of the enclosure's keys: one interface, four backends (decision 17).

- `process.ProcessHolder`: a small process with locked pages; keys of one start.
- `tpm.TpmHolder`: the same, its seeds in a TPM under the measured software; quotes.
- `pkcs11.Pkcs11Holder`: the classical key in an HSM, the ML-DSA seed wrapped by it.
- `unsafe.UnsafeHolder`: for tests, with fault points.
"""
