output "role_arn" {
  description = "The `aws_role_arn` with which clusters are registered"
  value       = aws_iam_role.role.arn
}

output "queue_url" {
  description = "The `sqs_queue_url` with which clusters are registered, where notices stay in a queue"
  value       = local.in_queue ? aws_sqs_queue.queue[0].id : null
}

output "actions_enabled" {
  description = "Whether CloudOptim may act"
  value       = var.enable_actions
}
