"""Asks OSV whether anything is known against the crates of the lock file. Says so where OSV cannot be reached: then nothing was checked.

It reads more than the database of cargo-deny does: advisories of GitHub too, which came first more than once.
"""

import json
import sys
import tomllib
import urllib.error
import urllib.request

SERVER = "https://api.osv.dev"
# Queries in one call (OSV documentation, querybatch).
BATCH = 1000
TIMEOUT_S = 20


def crates():
    with open("Cargo.lock", "rb") as file:
        packages = tomllib.load(file)["package"]
    return [(package["name"], package["version"]) for package in packages if "source" in package]


def ask(queries):
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(f"{SERVER}/v1/querybatch", data=body, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)["results"]


def known(crates_found, ask_batch):
    """Advisories by crate: a page of answers has one entry for each question, in its order."""
    found = []
    for begin in range(0, len(crates_found), BATCH):
        some = crates_found[begin : begin + BATCH]
        answers = ask_batch([{"package": {"ecosystem": "crates.io", "name": name}, "version": version} for name, version in some])
        if len(answers) != len(some):
            raise ValueError(f"{len(answers)} answers to {len(some)} questions")
        for (name, version), answer in zip(some, answers):
            found.extend((name, version, vulnerability["id"]) for vulnerability in answer.get("vulns", []))
    return found


def main():
    ours = crates()
    try:
        found = known(ours, ask)
    except (urllib.error.URLError, TimeoutError, OSError, ValueError) as error:
        print(f"NOT CHECKED: OSV. It cannot be asked from here: {error}")
        return 0
    for name, version, advisory in found:
        print(f"{name} {version}: {advisory}, see https://osv.dev/vulnerability/{advisory}", file=sys.stderr)
    print(f"BENCH osv_advisories {len(found)} advisories <= 0")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
