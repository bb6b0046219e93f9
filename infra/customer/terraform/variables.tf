# The same parameters as ../cloudformation.yaml, in the spelling of Terraform.

variable "external_id" {
  type        = string
  description = "Made by CloudOptim for this account. Without it nobody assumes the role."
  validation {
    condition     = can(regex("^[\\w+=,.@:/-]{20,128}$", var.external_id))
    error_message = "20 to 128 of letters, digits and +=,.@:/-_"
  }
}

variable "control_plane_account_id" {
  type        = string
  description = "The account that CloudOptim runs in."
  validation {
    condition     = can(regex("^\\d{12}$", var.control_plane_account_id))
    error_message = "Twelve digits."
  }
}

variable "control_plane_stack_name" {
  type        = string
  default     = "cloudoptim"
  description = "The stack that CloudOptim runs as; its functions' roles are named after it."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]*$", var.control_plane_stack_name))
    error_message = "The name of a CloudFormation stack."
  }
}

variable "central_bus_arn" {
  type        = string
  description = "The bus that spot notices go to."
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:\\d{12}:event-bus/.+$", var.central_bus_arn))
    error_message = "The ARN of an event bus."
  }
}

variable "enable_actions" {
  type        = bool
  default     = false
  description = "Whether CloudOptim may launch and end instances. Without, it looks and says what it would do."
}

variable "node_role_arns" {
  type        = list(string)
  default     = ["arn:aws:iam::000000000000:role/none"]
  description = "Roles of your nodes. A replacement is launched with the role of the node it replaces, and with no other."
}

variable "ghost_cluster_names" {
  type        = list(string)
  default     = ["none"]
  description = "Names of your EKS clusters whose instances may be ended when they run and are no nodes any more."
}

variable "eks_cluster_name" {
  type        = string
  default     = ""
  description = "An EKS cluster of this Region whose authentication mode is API or API_AND_CONFIG_MAP: CloudOptim then needs no token of it."
}

variable "event_delivery" {
  type        = string
  default     = "bus"
  description = "How notices reach CloudOptim: bus - at once, over EventBridge; queue - they stay in a queue of this account, which CloudOptim reads."
  validation {
    condition     = contains(["bus", "queue"], var.event_delivery)
    error_message = "bus or queue."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  default     = ""
  description = "Policy that bounds the roles of this module."
}
