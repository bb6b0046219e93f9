//! Carries plans out over the ports, step by step.
