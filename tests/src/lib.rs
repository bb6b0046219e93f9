//! Scenarios, simulation, contracts and tidy.
