# CloudOptim in a customer's account and Region: the twin of ../cloudformation.yaml, statement for statement (CI compares them). Use one of the
# two. The Region is that of the provider; for another Region use the module again with another provider.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  suffix    = data.aws_partition.current.dns_suffix
  region    = data.aws_region.current.name
  in_queue  = var.event_delivery == "queue"
  has_eks   = var.eks_cluster_name != ""
  boundary  = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
}

# ---- The role that looks and acts ----------------------------------------------------------------------------------------

resource "aws_iam_role" "role" {
  # CloudOptim's functions may assume roles of this name only.
  name                 = "CloudOptim-${local.region}"
  description          = "Assumed by CloudOptim; see its policies for what it may do"
  max_session_duration = 3600
  permissions_boundary = local.boundary
  assume_role_policy   = data.aws_iam_policy_document.role_trust.json

  lifecycle {
    precondition {
      condition     = !var.enable_actions || !contains(var.node_role_arns, "arn:aws:iam::000000000000:role/none")
      error_message = "enable_actions needs node_role_arns, for else no replacement could join a cluster."
    }
  }
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.role.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy" "act" {
  count  = var.enable_actions ? 1 : 0
  name   = "act"
  role   = aws_iam_role.role.id
  policy = data.aws_iam_policy_document.act.json
}

# ---- The role that looks into clusters, and may ask AWS where they are --------------------------------------------------------

resource "aws_iam_role" "look" {
  # The name of the role above with `-look` behind: CloudOptim derives it.
  name                 = "CloudOptim-${local.region}-look"
  description          = "Assumed by CloudOptim to read clusters that take AWS roles"
  max_session_duration = 3600
  permissions_boundary = local.boundary
  assume_role_policy   = data.aws_iam_policy_document.look_trust.json
}

resource "aws_iam_role_policy" "locate" {
  name   = "locate"
  role   = aws_iam_role.look.id
  policy = data.aws_iam_policy_document.locate.json
}

# The groups are those of rbac.yaml: what each may do in the cluster is said there.
resource "aws_eks_access_entry" "act" {
  count             = local.has_eks ? 1 : 0
  cluster_name      = var.eks_cluster_name
  principal_arn     = aws_iam_role.role.arn
  type              = "STANDARD"
  kubernetes_groups = var.enable_actions ? ["cloudoptim:read", "cloudoptim:act"] : ["cloudoptim:read"]
}

resource "aws_eks_access_entry" "look" {
  count             = local.has_eks ? 1 : 0
  cluster_name      = var.eks_cluster_name
  principal_arn     = aws_iam_role.look.arn
  type              = "STANDARD"
  kubernetes_groups = ["cloudoptim:read"]
}

# ---- Notices -----------------------------------------------------------------------------------------------------------------

locals {
  # EC2's events carry no tags, so a rule sees every instance of the account and Region; CloudOptim drops what it does not know.
  rules = {
    notices = {
      description = "Instances that AWS takes back, or may"
      age         = 120
      attempts    = 10
      pattern = {
        source = ["aws.ec2"]
        detail-type = [
          "EC2 Spot Instance Interruption Warning",
          "EC2 Instance Rebalance Recommendation",
          "EC2 Capacity Reservation Instance Interruption Warning",
        ]
      }
    }
    endings = {
      description = "Instances that end, announced or not"
      age         = 120
      attempts    = 10
      pattern = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Instance State-change Notification"]
        detail      = { state = ["stopping", "stopped", "shutting-down", "terminated"] }
      }
    }
    groups = {
      description = "Auto Scaling groups that wait before they end an instance"
      age         = 120
      attempts    = 10
      pattern = {
        source      = ["aws.autoscaling"]
        detail-type = ["EC2 Instance-terminate Lifecycle Action"]
      }
    }
    maintenance = {
      description = "Maintenance and retirement of instances that AWS has scheduled"
      age         = 3600
      attempts    = 50
      pattern = {
        source      = ["aws.health"]
        detail-type = ["AWS Health Event"]
        detail      = { service = ["EC2"], eventTypeCategory = ["scheduledChange"] }
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "rule" {
  for_each      = local.rules
  name          = "cloudoptim-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "target" {
  for_each  = local.rules
  rule      = aws_cloudwatch_event_rule.rule[each.key].name
  target_id = "cloudoptim"
  arn       = local.in_queue ? aws_sqs_queue.queue[0].arn : var.central_bus_arn
  role_arn  = local.in_queue ? null : aws_iam_role.events.arn

  retry_policy {
    maximum_event_age_in_seconds = each.value.age
    maximum_retry_attempts       = each.value.attempts
  }
}

resource "aws_iam_role" "events" {
  name_prefix          = "CloudOptim-events-"
  description          = "Lets EventBridge put notices on CloudOptim's bus"
  permissions_boundary = local.boundary
  assume_role_policy   = data.aws_iam_policy_document.events_trust.json
}

resource "aws_iam_role_policy" "put" {
  name   = "put"
  role   = aws_iam_role.events.id
  policy = data.aws_iam_policy_document.put.json
}

# ---- The queue, where notices stay in this account -----------------------------------------------------------------------------

# A notice is worth nothing once its instance is gone: what nobody has read in an hour goes.
resource "aws_sqs_queue" "queue" {
  count                      = local.in_queue ? 1 : 0
  name_prefix                = "cloudoptim-notices-"
  message_retention_seconds  = 3600
  visibility_timeout_seconds = 30
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "queue" {
  count     = local.in_queue ? 1 : 0
  queue_url = aws_sqs_queue.queue[0].id
  policy    = data.aws_iam_policy_document.queue[0].json
}

resource "aws_iam_role" "queue" {
  count = local.in_queue ? 1 : 0
  # The name of the first role with `-queue` behind: CloudOptim derives it.
  name                 = "CloudOptim-${local.region}-queue"
  description          = "Assumed by CloudOptim to read the queue of notices"
  max_session_duration = 3600
  permissions_boundary = local.boundary
  assume_role_policy   = data.aws_iam_policy_document.queue_trust.json
}

resource "aws_iam_role_policy" "read_notices" {
  count  = local.in_queue ? 1 : 0
  name   = "read-notices"
  role   = aws_iam_role.queue[0].id
  policy = data.aws_iam_policy_document.read_notices[0].json
}
