"""What a release is made of: a bill of materials in CycloneDX 1.6, out of `cargo metadata` and the lock file, and nothing else.

`sbom.py FILE` writes it and fails where it would be incomplete: a crate of a registry without a checksum or a licence, one that the
lock file does not hold, or an edge that leads nowhere. The same lock file gives the same bytes.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid

SPEC = "1.6"
# What functions run on (template.yaml: arm64).
PLATFORM = "aarch64-unknown-linux-gnu"


def metadata():
    """Everything that any feature can pull in where functions run, as the lock file pins it."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features", "--filter-platform", PLATFORM]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def locked():
    """Checksums by name and version."""
    with open("Cargo.lock", "rb") as file:
        packages = tomllib.load(file)["package"]
    return {(package["name"], package["version"]): package for package in packages}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def runtime_edges(node):
    """Dependencies that end up in a binary: neither those of tests nor those of build scripts."""
    for dep in node["deps"]:
        if any(kind["kind"] is None for kind in dep["dep_kinds"]):
            yield dep["pkg"]


def shipped(meta):
    """Ids of packages that a function or local mode is built from."""
    nodes = {node["id"]: node for node in meta["resolve"]["nodes"]}
    packages = {package["id"]: package for package in meta["packages"]}
    binaries = [
        package["id"]
        for package in meta["packages"]
        if package["id"] in set(meta["workspace_members"]) and any("bin" in target["kind"] for target in package["targets"])
    ]
    found, left = set(), list(binaries)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(runtime_edges(nodes[one]))
    return {one: packages[one] for one in found}, nodes


def component(package, lock):
    ours = package["source"] is None
    entry = {
        "type": "application" if any("bin" in target["kind"] for target in package["targets"]) and ours else "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "scope": "required",
    }
    if package.get("license"):
        # `MIT/Apache-2.0` is how old manifests spell `MIT OR Apache-2.0`.
        entry["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    checksum = lock.get((package["name"], package["version"]), {}).get("checksum")
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


def bill(meta, lock):
    packages, nodes = shipped(meta)
    components = sorted((component(package, lock) for package in packages.values()), key=lambda entry: entry["bom-ref"])
    edges = [
        {"ref": purl(package), "dependsOn": sorted({purl(packages[dep]) for dep in runtime_edges(nodes[one]) if dep in packages})}
        for one, package in packages.items()
    ]
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "cloudoptim", "name": "cloudoptim"}},
        "components": components,
        "dependencies": sorted(edges, key=lambda edge: edge["ref"]),
    }
    # The number of a bill is that of its contents, so that two of one lock file are the same.
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return {**body, "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=5)}"}


def faults(made, meta, lock):
    """What is missing of a bill."""
    refs = {entry["bom-ref"] for entry in made["components"]}
    sources = {purl(package): package["source"] for package in meta["packages"]}
    for entry in made["components"]:
        name = entry["bom-ref"]
        if sources[name] is not None and "hashes" not in entry:
            yield f"{name} has no checksum in the lock file"
        if "licenses" not in entry:
            yield f"{name} names no licence"
        if (entry["name"], entry["version"]) not in lock:
            yield f"{name} is not in the lock file"
    for edge in made["dependencies"]:
        for to in edge["dependsOn"]:
            if to not in refs:
                yield f"{edge['ref']} leads to {to}, which is not listed"
    if len(refs) != len(made["components"]):
        yield "a component is listed twice"


def main():
    meta, lock = metadata(), locked()
    made = bill(meta, lock)
    wrong = list(faults(made, meta, lock))
    for fault in wrong:
        print(fault, file=sys.stderr)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(made, file, indent=1, sort_keys=True)
        file.write("\n")
    print(f"BENCH sbom_components {len(made['components'])} components >= 100")
    print(f"BENCH sbom_faults {len(wrong)} faults <= 0")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
