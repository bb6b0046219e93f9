"""Prints the link that opens CloudFormation in a customer's account with everything filled in.

The template must lie where CloudFormation can read it (an S3 bucket of yours): `aws s3 cp infra/customer/cloudformation.yaml s3://BUCKET/`.

usage: quick-create.py <region> <template url> Parameter=value...
"""

import pathlib
import re
import sys
from urllib.parse import parse_qs, urlencode

TEMPLATE = pathlib.Path(__file__).with_name("cloudformation.yaml")
# Without them the stack cannot be made; the rest have defaults.
NEEDED = {"ExternalId", "ControlPlaneAccountId", "CentralBusArn"}


def parameters():
    """Names of the template's parameters."""
    section = TEMPLATE.read_text(encoding="utf-8").split("\nParameters:\n")[1].split("\nRules:\n")[0]
    return set(re.findall(r"^  (\w+):$", section, re.MULTILINE))


def link(region, url, given):
    """The link, or the reason why there is none."""
    if not re.fullmatch(r"https://[^?#\s]+", url):
        raise ValueError(f"CloudFormation reads templates from S3 over https: {url}")
    if unknown := set(given) - parameters():
        raise ValueError(f"the template has no {', '.join(sorted(unknown))}")
    if missing := NEEDED - set(given):
        raise ValueError(f"the stack needs {', '.join(sorted(missing))}")
    query = urlencode({"templateURL": url, "stackName": "cloudoptim", **{f"param_{name}": value for name, value in given.items()}})
    return f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/quickcreate?{query}"


def check():
    """What must hold of the link; run by CI."""
    given = {"ExternalId": "a+b=c/d:e@f,g-0123456", "ControlPlaneAccountId": "111122223333", "CentralBusArn": "arn:aws:events:eu-west-1:1:event-bus/b"}
    made = link("eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com/cloudformation.yaml", given)
    read = {name: values[0] for name, values in parse_qs(made.split("quickcreate?")[1]).items()}
    assert {name: read[f"param_{name}"] for name in given} == given, read
    for wrong in ({**given, "Extrnal": "1"}, {"ExternalId": "1"}):
        try:
            link("eu-west-1", "https://bucket/t.yaml", wrong)
        except ValueError:
            continue
        raise AssertionError(f"made a link of {wrong}")
    assert NEEDED < parameters()


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        check()
        print("quick-create: the link carries every parameter")
    else:
        try:
            print(link(sys.argv[1], sys.argv[2], dict(argument.split("=", 1) for argument in sys.argv[3:])))
        except (IndexError, ValueError) as error:
            sys.exit(f"{error}\n{__doc__}")
