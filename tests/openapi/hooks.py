"""What is asked differently from what would be generated. See README.md."""

import schemathesis
from schemathesis.generation.meta import TestPhase


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Where calls follow from each other they are meant: what a dry run names has never been made, and what it would delete stays.

    Whether a dry run answers as the contract says is asked in the other phases.
    """
    if case.meta.phase.name == TestPhase.STATEFUL and case.query.get("dryRun") in (True, "true"):
        del case.query["dryRun"]
