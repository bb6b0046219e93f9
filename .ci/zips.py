"""Looks into the zips of a release and prints how large they are, one BENCH line each, as .ci/bench-check.py judges them.

A zip for `provided.al2023` holds one executable by the name of bootstrap, for the processor that template.yaml names.

Where RELEASE_QUICK is 1 they are not as they are shipped, and are looked into only.

usage: zips.py <folder> <function>...
"""

import os
import pathlib
import struct
import sys
import zipfile

# What starts fast: most of a cold start of a binary is reading it.
MEGABYTES_MAX = 5.0
# ELF, 64 bits, little endian; the machine of arm64 (System V ABI, e_machine EM_AARCH64).
MAGIC, MACHINE_AT, AARCH64 = b"\x7fELF\x02\x01", 18, 183


def wrong(path):
    """What is wrong with a zip, if anything."""
    if not path.is_file():
        return "is not there"
    with zipfile.ZipFile(path) as held:
        names = [one.filename for one in held.infolist()]
        if names != ["bootstrap"]:
            return f"holds {names}, and not one bootstrap"
        if not held.infolist()[0].external_attr >> 16 & 0o111:
            return "its bootstrap cannot be executed"
        head = held.open("bootstrap").read(20)
    if not head.startswith(MAGIC) or struct.unpack_from("<H", head, MACHINE_AT)[0] != AARCH64:
        return "its bootstrap is no program for arm64"
    return None


def main():
    folder, functions, broken = pathlib.Path(sys.argv[1]), sys.argv[2:], 0
    if not functions:
        sys.exit(__doc__)
    for name in functions:
        path = folder / f"{name}.zip"
        why = wrong(path)
        if why:
            print(f"{path} {why}", file=sys.stderr)
            broken += 1
        elif os.environ.get("RELEASE_QUICK") == "1":
            print(f"{path}: a bootstrap for arm64; not weighed, for it is not optimised")
        else:
            print(f"BENCH zip_{name} {path.stat().st_size / 1e6:.2f} MB <= {MEGABYTES_MAX}")
    strangers = sorted(path.name for path in folder.glob("*.zip") if path.stem not in functions)
    if strangers:
        print(f"nobody knows {strangers}", file=sys.stderr)
    return 1 if broken or strangers else 0


if __name__ == "__main__":
    sys.exit(main())
