"""Compares the two ways in which a customer lets CloudOptim in: infra/customer/cloudformation.yaml and infra/customer/terraform.

Both must grant the same statements, to the same principals, under the same conditions, and send the same events on. Both are read by
their own parsers and brought into one form; what differs is printed, and fails. The comparison is tried on changed copies first: one that
finds nothing there would find nothing here.

usage: twins.py <cloudformation.yaml> <folder of the Terraform module>
"""

import copy
import json
import pathlib
import re
import sys

import hcl2
from cfnlint.decode import decode_str

# Pseudo parameters and resources of CloudFormation, as the module spells them.
NAMES = {
    "AWS::Partition": "local.partition",
    "AWS::Region": "local.region",
    "AWS::AccountId": "local.account",
    "AWS::URLSuffix": "local.suffix",
    "Queue.Arn": "aws_sqs_queue.queue[0].arn",
}
# Which document of the module stands for which in the template: a path of keys below Resources.
DOCUMENTS = {
    "role_trust": ["Role", "Properties", "AssumeRolePolicyDocument"],
    "look_trust": ["LookRole", "Properties", "AssumeRolePolicyDocument"],
    "queue_trust": ["QueueRole", "Properties", "AssumeRolePolicyDocument"],
    "events_trust": ["EventsRole", "Properties", "AssumeRolePolicyDocument"],
    "read": ["ReadPolicy", "Properties", "PolicyDocument"],
    "act": ["ActPolicy", "Properties", "PolicyDocument"],
    "locate": ["LookRole", "Properties", "Policies", 0, "PolicyDocument"],
    "put": ["EventsRole", "Properties", "Policies", 0, "PolicyDocument"],
    "read_notices": ["QueueRole", "Properties", "Policies", 0, "PolicyDocument"],
    "queue": ["QueuePolicy", "Properties", "PolicyDocument"],
}
RULES = {"notices": "Notices", "endings": "Endings", "groups": "Groups", "maintenance": "Maintenance"}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def named(name):
    if name in NAMES:
        return NAMES[name]
    rule = name.removesuffix(".Arn")
    if name.endswith(".Arn") and rule in RULES.values():
        return f'aws_cloudwatch_event_rule.rule["{rule.lower()}"].arn'
    return "var." + snake(name)


def value(given):
    """A value of the template, as Terraform spells it."""
    if isinstance(given, str):
        return given
    if "Ref" in given:
        return "${" + named(given["Ref"]) + "}"
    if "Fn::GetAtt" in given:
        whole = given["Fn::GetAtt"]
        return "${" + named(whole if isinstance(whole, str) else ".".join(whole)) + "}"
    return re.sub(r"\$\{([^}]+)\}", lambda match: "${" + named(match[1]) + "}", given["Fn::Sub"])


def listed(given):
    return sorted(map(value, given)) if isinstance(given, list) else [value(given)]


def of_template(statement):
    principals = statement.get("Principal", {})
    principals = {"*": "*"} if principals == "*" else principals
    conditions = statement.get("Condition", {})
    return {
        "sid": statement.get("Sid", ""),
        "effect": statement["Effect"],
        "actions": listed(statement["Action"]),
        "resources": listed(statement["Resource"]) if "Resource" in statement else [],
        "principals": sorted((kind, listed(who)) for kind, who in principals.items()),
        "conditions": sorted((test, key, listed(values)) for test, keys in conditions.items() for key, values in keys.items()),
        "more": sorted(set(statement) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}),
    }


def plain(given):
    """What the parser of HCL hands out, without its quotes and marks."""
    if isinstance(given, dict):
        return {plain(key): plain(item) for key, item in given.items() if not plain(key).startswith("__")}
    if isinstance(given, list):
        return [plain(item) for item in given]
    if isinstance(given, str) and len(given) > 1 and given[0] == given[-1] == '"':
        return given[1:-1].replace('\\"', '"')
    return given


def texts(given):
    """One reference to a list is that list; a list of one is one."""
    return sorted(given if isinstance(given, list) else [given])


def of_module(statement):
    return {
        "sid": statement.get("sid", ""),
        "effect": statement["effect"],
        "actions": texts(statement["actions"]),
        "resources": texts(statement.get("resources", [])),
        "principals": sorted((one["type"], texts(one["identifiers"])) for one in statement.get("principals", [])),
        "conditions": sorted((one["test"], one["variable"], texts(one["values"])) for one in statement.get("condition", [])),
        "more": sorted(set(statement) - {"sid", "effect", "actions", "resources", "principals", "condition"}),
    }


def blocks(module, kind, name):
    for block in module.get(kind, []):
        if name in block:
            yield from block[name].items()


def grants(template, module):
    """Documents of both, by name, in one form."""
    ours, theirs = {}, {}
    for name, path in DOCUMENTS.items():
        place = template["Resources"]
        for key in path:
            place = place[key]
        ours[name] = [of_template(statement) for statement in place["Statement"]]
    for name, document in blocks(module, "data", "aws_iam_policy_document"):
        theirs[name] = [of_module(statement) for statement in document["statement"]]
    rules = next(block["rules"] for block in module["locals"] if "rules" in block)
    for name, logical in RULES.items():
        properties = template["Resources"][logical]["Properties"]
        retry = properties["Targets"][0]["RetryPolicy"]
        ours["rule " + name] = [properties["EventPattern"], int(retry["MaximumEventAgeInSeconds"]), int(retry["MaximumRetryAttempts"])]
    for name, rule in rules.items():
        theirs["rule " + name] = [rule["pattern"], int(rule["age"]), int(rule["attempts"])]
    ours["parameters"] = sorted(map(snake, template["Parameters"]))
    theirs["parameters"] = sorted(name for block in module["variable"] for name in block)
    roles = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    ours["names"] = sorted(value(one["RoleName"]) for one in roles if "RoleName" in one)
    theirs["names"] = sorted(one["name"] for _, one in blocks(module, "resource", "aws_iam_role") if "name" in one)
    return ours, theirs


def differences(template, module):
    ours, theirs = grants(template, module)
    for name in sorted(set(ours) | set(theirs)):
        left, right = (json.dumps(side.get(name), sort_keys=True) for side in (ours, theirs))
        if left != right:
            yield f"{name}:\n  cloudformation {left}\n  terraform      {right}"


def unused(module):
    """Documents that nobody attaches grant nothing: each must be named by a role, a role's policy or the queue's."""
    text = json.dumps(module)
    return [name for name in DOCUMENTS if f"aws_iam_policy_document.{name}." not in text and f"aws_iam_policy_document.{name}[0]." not in text]


def changed(template):
    """Copies of the template that grant something else, each with what was done to it."""
    resources = copy.deepcopy(template)
    resources["Resources"]["ReadPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Action"].append("ec2:DescribeImages")
    yield "one more action", resources
    condition = copy.deepcopy(template)
    statements = condition["Resources"]["ActPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    next(one for one in statements if one["Sid"] == "EndOurs").pop("Condition")
    yield "no condition", condition
    trust = copy.deepcopy(template)
    trust["Resources"]["LookRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"].pop()
    yield "trusts fewer", trust
    rule = copy.deepcopy(template)
    rule["Resources"]["Notices"]["Properties"]["EventPattern"]["detail-type"].pop()
    yield "one event less", rule


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    template, problems = decode_str(text)
    if problems:
        print(problems, file=sys.stderr)
        return 1
    module = {}
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.tf")):
        for kind, found in plain(hcl2.loads(path.read_text(encoding="utf-8"))).items():
            module.setdefault(kind, []).extend(found if isinstance(found, list) else [found])
    for what, copied in changed(template):
        if not list(differences(copied, module)):
            print(f"the comparison does not see this: {what}", file=sys.stderr)
            return 1
    found = list(differences(template, module)) + [f"{name} is attached to nothing" for name in unused(module)]
    print("\n".join(found) if found else f"{len(DOCUMENTS)} documents, {len(RULES)} rules: CloudFormation and Terraform grant the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
