#!/usr/bin/env python3
"""Packs the public data of day zero into the tables beside this file: pack.py FOLDER

FOLDER holds five JSON files; README.md says what each is and where it comes from:
  instance_types.json              {type: {arch, vcpu, memory_mib, max_pods, ...}}
  prices_on_demand.json            {"_meta": {"snapshot": {region: date}}, region: {type: USD per hour}}
  prices_reserved_no_upfront.json  {"_meta": {"snapshot": date}, region: {"1y": {type: USD per hour}}}
  spot_advisor.json                {"spot_advisor": {region: {"Linux": {type: {"s": percent, "r": band}}}}}
  instance_benchmarks.json         {type: {"coremark_its": iterations per second}}
The date of the Spot Advisor file is not in it: ADVISOR_AS_OF below.
"""
import json
import pathlib
import sys

ADVISOR_AS_OF = "2025-06-28"
HERE = pathlib.Path(__file__).parent


def number(value):
    """The shortest decimal, without an exponent: 0.0255, 12."""
    text = f"{value:.6f}"
    return text.rstrip("0").rstrip(".")


def write(name, lines):
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="ascii")


def matrix(name, dates, cells):
    """One row a type, one column a Region; the second line has the date of each column."""
    regions = sorted(cells)
    types = sorted({kind for row in cells.values() for kind in row})
    lines = [",".join(["type", *regions]), ",".join(["as_of", *(dates[r][:10] for r in regions)])]
    for kind in types:
        lines.append(",".join([kind, *(cells[r].get(kind, "") for r in regions)]).rstrip(","))
    write(name, lines)


def hypervisor(row):
    return row["hypervisor"] or "metal"


def main(folder):
    load = lambda name: json.loads((pathlib.Path(folder) / name).read_text(encoding="utf-8"))
    speed = load("instance_benchmarks.json")
    columns = "type,arch,vcpu,memory_mib,allocatable_cpu_millis,allocatable_memory_mib,pods_max,category,generation"
    rows = [columns + ",previous,gpus,accelerators,nvme_gib,flex,hypervisor,coremark"]
    for kind, t in sorted(load("instance_types.json").items()):
        accelerators = (t.get("accelerator") or {}).get("count", 0)
        some = lambda value: str(value) if value else ""
        rows.append(",".join([
            kind, t["arch"], str(t["vcpu"]), str(t["memory_mib"]), str(t["alloc_cpu_m"]), str(int(t["alloc_mem_mib"])),
            str(t["max_pods"]), t["category"], str(t["generation"]), "" if t["current_generation"] else "1",
            some(t["gpu_count"]), some(accelerators), some(t.get("local_nvme_gib")), "1" if t["flex"] else "",
            hypervisor(t), some(speed.get(kind, {}).get("coremark_its")),
        ]).rstrip(","))
    write("instance_types.csv", rows)

    prices = load("prices_on_demand.json")
    dates = prices.pop("_meta")["snapshot"]
    matrix("on_demand.csv", dates, {r: {k: number(v) for k, v in row.items()} for r, row in prices.items()})

    reserved = load("prices_reserved_no_upfront.json")
    date = reserved.pop("_meta")["snapshot"]
    matrix("reserved.csv", dict.fromkeys(reserved, date),
           {r: {k: number(v) for k, v in row["1y"].items()} for r, row in reserved.items()})

    advisor = load("spot_advisor.json")["spot_advisor"]
    matrix("spot_advisor.csv", dict.fromkeys(advisor, ADVISOR_AS_OF),
           {r: {k: f'{v["s"]}/{v["r"]}' for k, v in row["Linux"].items()} for r, row in advisor.items()})


if __name__ == "__main__":
    main(sys.argv[1])
