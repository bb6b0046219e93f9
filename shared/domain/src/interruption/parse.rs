//! Reading event bodies.
