//! Adapters to EC2 and Auto Scaling.
