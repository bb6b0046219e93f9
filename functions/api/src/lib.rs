//! The api function: the REST API.
