//! One seeded world that implements every port and serves itself over HTTP.
