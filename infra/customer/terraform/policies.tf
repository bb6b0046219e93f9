# What each role may do and whom it trusts. The same statements as in ../cloudformation.yaml, where their reasons stand; CI compares them.

data "aws_iam_policy_document" "role_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${var.control_plane_account_id}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-interruption",
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-executor",
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-sweeper",
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-optimizer",
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-ghost-scan",
      ]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    sid    = "Look"
    effect = "Allow"
    actions = [
      "ec2:DescribeInstances",
      "ec2:DescribeReservedInstances",
      "ec2:DescribeSpotInstanceRequests",
      "ec2:DescribeSpotPriceHistory",
      "ec2:DescribeVolumes",
      "ec2:DescribeSnapshots",
      "ec2:DescribeAddresses",
      "ec2:DescribeNatGateways",
      "ec2:DescribeRouteTables",
      "autoscaling:DescribeAutoScalingInstances",
      "autoscaling:DescribeAutoScalingGroups",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
}

data "aws_iam_policy_document" "act" {
  statement {
    sid       = "CopyBootstrap"
    effect    = "Allow"
    actions   = ["ec2:DescribeInstanceAttribute"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]
    condition {
      test     = "StringEquals"
      variable = "ec2:Attribute"
      values   = ["userData", "disableApiTermination"]
    }
  }

  statement {
    sid     = "LaunchFrom"
    effect  = "Allow"
    actions = ["ec2:RunInstances"]
    resources = [
      "arn:${local.partition}:ec2:${local.region}::image/*",
      "arn:${local.partition}:ec2:${local.region}::snapshot/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:snapshot/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:capacity-reservation/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:key-pair/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:launch-template/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:network-interface/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:security-group/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:spot-instances-request/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:subnet/*",
    ]
  }

  statement {
    sid     = "LaunchTagged"
    effect  = "Allow"
    actions = ["ec2:RunInstances"]
    resources = [
      "arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:volume/*",
    ]
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/cloudoptim.io/cluster"
      values   = ["?*"]
    }
  }

  statement {
    sid     = "TagWhileLaunching"
    effect  = "Allow"
    actions = ["ec2:CreateTags"]
    resources = [
      "arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:volume/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:network-interface/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:spot-instances-request/*",
    ]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["RunInstances"]
    }
  }

  statement {
    sid       = "EndOurs"
    effect    = "Allow"
    actions   = ["ec2:TerminateInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/cloudoptim.io/cluster"
      values   = ["?*"]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/cloudoptim.io/do-not-terminate"
      values   = ["true"]
    }
  }

  statement {
    sid       = "EndGhosts"
    effect    = "Allow"
    actions   = ["ec2:TerminateInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/aws:eks:cluster-name"
      values   = var.ghost_cluster_names
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/cloudoptim.io/do-not-terminate"
      values   = ["true"]
    }
  }

  statement {
    sid       = "EndGhostsOfGroups"
    effect    = "Allow"
    actions   = ["autoscaling:TerminateInstanceInAutoScalingGroup"]
    resources = ["arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/eks:cluster-name"
      values   = var.ghost_cluster_names
    }
  }

  statement {
    sid       = "SnapshotVolumes"
    effect    = "Allow"
    actions   = ["ec2:CreateSnapshot"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:volume/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/ebs.csi.aws.com/cluster"
      values   = ["true"]
    }
  }

  statement {
    sid       = "SnapshotTagged"
    effect    = "Allow"
    actions   = ["ec2:CreateSnapshot"]
    resources = ["arn:${local.partition}:ec2:${local.region}::snapshot/*"]
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/cloudoptim.io/deleted-from"
      values   = ["vol-*"]
    }
  }

  statement {
    sid       = "TagSnapshots"
    effect    = "Allow"
    actions   = ["ec2:CreateTags"]
    resources = ["arn:${local.partition}:ec2:${local.region}::snapshot/*"]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["CreateSnapshot"]
    }
  }

  statement {
    sid       = "DeleteVolumes"
    effect    = "Allow"
    actions   = ["ec2:DeleteVolume"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:volume/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/ebs.csi.aws.com/cluster"
      values   = ["true"]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/cloudoptim.io/do-not-terminate"
      values   = ["true"]
    }
  }

  statement {
    sid       = "LetGroupsGoOn"
    effect    = "Allow"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*"]
  }

  statement {
    sid       = "GiveNodesTheirRole"
    effect    = "Allow"
    actions   = ["iam:PassRole"]
    resources = var.node_role_arns
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.${local.suffix}"]
    }
  }
}

data "aws_iam_policy_document" "look_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${var.control_plane_account_id}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-api",
        "arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-office-hours",
      ]
    }
  }
}

data "aws_iam_policy_document" "locate" {
  statement {
    sid       = "Locate"
    effect    = "Allow"
    actions   = ["eks:DescribeCluster"]
    resources = ["arn:${local.partition}:eks:${local.region}:${local.account}:cluster/*"]
  }
}

data "aws_iam_policy_document" "events_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "put" {
  statement {
    effect    = "Allow"
    actions   = ["events:PutEvents"]
    resources = [var.central_bus_arn]
  }
}

data "aws_iam_policy_document" "queue" {
  count = local.in_queue ? 1 : 0
  statement {
    sid       = "OurRules"
    effect    = "Allow"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.queue[0].arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values = [
        aws_cloudwatch_event_rule.rule["notices"].arn,
        aws_cloudwatch_event_rule.rule["endings"].arn,
        aws_cloudwatch_event_rule.rule["groups"].arn,
        aws_cloudwatch_event_rule.rule["maintenance"].arn,
      ]
    }
  }

  statement {
    sid       = "OnlyTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.queue[0].arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

data "aws_iam_policy_document" "queue_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${var.control_plane_account_id}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = ["arn:${local.partition}:iam::${var.control_plane_account_id}:role/${var.control_plane_stack_name}-*-poller"]
    }
  }
}

data "aws_iam_policy_document" "read_notices" {
  count = local.in_queue ? 1 : 0
  statement {
    effect    = "Allow"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    resources = [aws_sqs_queue.queue[0].arn]
  }
}
