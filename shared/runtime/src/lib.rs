//! Configuration, telemetry, batches and deadlines of the functions.
