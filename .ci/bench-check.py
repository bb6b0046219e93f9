"""Reads the output of the benchmarks, prints one table, and fails when a figure that does not depend on the machine misses its target.

A line reads `BENCH <name> <value> <unit> <= <target>` (or `>=`). Times are shown and not judged: a shared machine has moods.
"""

import operator
import re
import sys

LINE = re.compile(r"\bBENCH\s+(\S+)\s+(\S+)\s+(\S+)\s+(<=|>=)\s+(\S+)\s*$")
ANY = re.compile(r"\bBENCH\s")
TIMES = {"s", "ms", "us", "µs", "ns", "min"}
HOLDS = {"<=": operator.le, ">=": operator.ge}


def rows(text):
    """Figures in order; a line that begins as one and cannot be read is an error, never skipped."""
    for number, line in enumerate(text.splitlines(), 1):
        if not ANY.search(line):
            continue
        match = LINE.search(line)
        if match is None:
            raise ValueError(f"line {number} cannot be read: {line.strip()}")
        name, value, unit, sign, target = match.groups()
        # Units such as `writes/plan` are counts, `ms/call` is a time; `calls/s` is a rate, and so of the machine too.
        judged = not any(part in TIMES for part in unit.split("/"))
        yield name, float(value.replace(",", "")), unit, sign, float(target.replace(",", "")), judged


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(rows(file.read()))
    if not found:
        print("no BENCH line was printed: nothing was measured", file=sys.stderr)
        return 1
    width = max(len(row[0]) for row in found)
    missed = 0
    for name, value, unit, sign, target, judged in found:
        holds = HOLDS[sign](value, target)
        verdict = ("ok" if holds else "MISSED") if judged else ("shown" if holds else "shown (misses its target here)")
        missed += judged and not holds
        print(f"{name:<{width}}  {value:>14,.3f} {unit:<14} {sign} {target:>12,.3f}  {verdict}")
    print(f"{len(found)} figures, {sum(row[5] for row in found)} judged, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
