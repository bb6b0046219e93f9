//! The second wall: the condition `dynamodb:LeadingKeys` of IAM, and nothing else. The check in the code is taken away, whoever calls
//! says whom he is, and what a customer sees is still his own.

mod deployed;
mod iam;
mod mix;
