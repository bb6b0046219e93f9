"""Goes through docs/ONBOARDING.md as far as an emulated AWS leads: makes the customer's stack and looks at what is there then.

The emulator does not make what hangs on a role as a resource of its own (AWS::IAM::RolePolicy): what stands in those policies the twins and
the laws of rights compare. The body of the registration the API's own tests take from the page.

usage: onboard.py <endpoint of moto> <cloudformation.yaml> <ONBOARDING.md>
"""

import ast
import json
import pathlib
import re
import sys

import boto3

REGION, CONTROL, ACCOUNT = "us-east-1", "999988887777", "123456789012"
GIVEN = {
    "ExternalId": "0123456789abcdef0123456789abcdef",
    "ControlPlaneAccountId": CONTROL,
    "ControlPlaneStackName": "cloudoptim",
    "CentralBusArn": f"arn:aws:events:{REGION}:{CONTROL}:event-bus/cloudoptim-events",
}


def client(endpoint, service):
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="ci", aws_secret_access_key="ci")


def named_in(page):
    """The parameters that the page's commands give."""
    commands = re.findall(r"--parameter-overrides \\\n((?:\s+\w+=\S+.*\n)+)", page)
    assert commands, "the page deploys no stack"
    return set(re.findall(r"(\w+)=", "".join(commands)))


def stack(endpoint, template, name, **more):
    cloudformation = client(endpoint, "cloudformation")
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in {**GIVEN, **more}.items()]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"])
    made = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert made["StackStatus"] == "CREATE_COMPLETE", made
    return {one["OutputKey"]: one["OutputValue"] for one in made.get("Outputs", [])}, lambda: cloudformation.delete_stack(StackName=name)


def read(document):
    """A policy; the emulator keeps some as Python writes them."""
    return document if isinstance(document, dict) else ast.literal_eval(document)


def allowed(endpoint, role):
    """Actions of a role's inline policies."""
    iam, found = client(endpoint, "iam"), set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in read(document)["Statement"]:
            actions = statement["Action"]
            found |= set(actions if isinstance(actions, list) else [actions])
    return found


def trusts(endpoint, role):
    document = client(endpoint, "iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return read(document)["Statement"][0]


def main():
    endpoint, template, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text("utf-8"), pathlib.Path(sys.argv[3]).read_text("utf-8")
    parameters = set(re.findall(r"^  (\w+):$", template.split("\nParameters:\n")[1].split("\nRules:\n")[0], re.MULTILINE))
    named = named_in(page)
    assert named <= parameters, f"the page gives {named - parameters}, which the template does not take"
    assert set(GIVEN) <= named, f"the page leaves out {set(GIVEN) - named}"

    # Step 2, as it is by default: it reads, and may change nothing.
    outputs, leave = stack(endpoint, template, "reads")
    assert outputs["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/CloudOptim-{REGION}", outputs
    assert outputs["ActionsEnabled"] == "false", outputs
    assert allowed(endpoint, f"CloudOptim-{REGION}-look") == {"eks:DescribeCluster"}
    for role, functions in ((f"CloudOptim-{REGION}", 5), (f"CloudOptim-{REGION}-look", 2)):
        trust = trusts(endpoint, role)
        assert trust["Condition"]["StringEquals"]["sts:ExternalId"] == GIVEN["ExternalId"], trust
        assert len(trust["Condition"]["ArnLike"]["aws:PrincipalArn"]) == functions, trust
    rules = client(endpoint, "events").list_rules()["Rules"]
    assert sum("cloudoptim" in json.dumps(client(endpoint, "events").list_targets_by_rule(Rule=rule["Name"])) for rule in rules) == 4, rules
    leave()

    # Step 6: it acts, with the roles of the nodes and no other.
    outputs, leave = stack(endpoint, template, "acts", EnableActions="true", NodeRoleArns=f"arn:aws:iam::{ACCOUNT}:role/nodes")
    assert outputs["ActionsEnabled"] == "true"
    leave()

    # The variant with a queue in the customer's account.
    outputs, leave = stack(endpoint, template, "queues", EventDelivery="queue")
    assert allowed(endpoint, f"CloudOptim-{REGION}-queue") == {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    client(endpoint, "sqs").get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["All"])
    leave()
    left = [role["RoleName"] for role in client(endpoint, "iam").list_roles()["Roles"] if role["RoleName"].startswith("CloudOptim")]
    assert not left, f"deleting the stack leaves {left}"
    print("onboarding: the stack reads, acts and queues as the page says, and leaves nothing behind")


if __name__ == "__main__":
    main()
