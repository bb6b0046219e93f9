//! Adapters to DynamoDB, SQS, STS and KMS.
