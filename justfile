# What people type. `just` alone lists it.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# Everything that needs no tests to run: format, lints, dependencies, templates.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo deny check bans licenses sources
    cfn-lint template.yaml infra/customer/cloudformation.yaml
    sam validate --lint
    python3 .ci/twins.py infra/customer/cloudformation.yaml infra/customer/terraform
    terraform fmt -check infra/customer/terraform
    checkov --skip-download --quiet --compact -f template.yaml
    checkov --skip-download --quiet --compact -d infra

# All tests.
test:
    cargo test --workspace --locked

# Whole worlds with faults: one seed, or the first 10000.
sim seed="":
    {{ if seed == "" { "SIM_SEEDS=10000" } else { "SIM_SEED=" + seed } }} cargo test --workspace --test simulation -- --nocapture

# Plans of the real planner, carried out in random clusters: one seed, or the first 10000.
plans seed="":
    {{ if seed == "" { "PLAN_SEEDS=10000" } else { "PLAN_SEED=" + seed } }} cargo test --workspace --test plans random -- --nocapture

# Attacks, isolation (a million requests), the wall of IAM, and the decoders: ten seconds each, or as long as you say.
walls seconds="10":
    ISOLATION_REQUESTS=1000000 cargo test --workspace --lib isolation:: -- --nocapture
    cargo test --workspace --lib attacks:: -- --nocapture
    DECODER_SECONDS={{ seconds }} cargo test --workspace --test attacks --test walls --test smoke -- --nocapture

# One decoder under libFuzzer; `cargo install cargo-fuzz` first. Targets stand in fuzz/Cargo.toml.
fuzz target:
    cargo +nightly fuzz run {{ target }}

# What a release is made of, in CycloneDX, and what OSV knows against it.
sbom:
    python3 .ci/sbom.py target/sbom.cdx.json
    python3 .ci/osv.py

# Golden stories; `UPDATE=1 just scenarios` rewrites what is expected.
scenarios:
    cargo test --workspace --test simulation scenarios -- --nocapture

# Everything in one process on embedded parts.
local:
    cargo run

# The whole story, from a notice to the end of its rescue.
demo:
    cargo run -- demo

# One event through one function, with `cargo lambda watch` running: `just invoke interruption spot_interruption_terminate`.
invoke function case:
    cargo lambda invoke {{ function }} --data-file events/{{ function }}/{{ case }}.json

# The functions for Lambda (arm64), for a stage.
build stage="dev":
    sam build --config-env {{ stage }}

# Zips of all functions (arm64) with checksums and a bill of materials, in dist/.
release:
    bash .ci/release
    just sbom

# To AWS: `just deploy dev`, `just deploy prod`. Shows the change set and asks.
deploy stage: (build stage)
    sam deploy --config-env {{ stage }}

# What a month of it costs, from counted calls and processor time: `just cost clusters=1000 nodes=50`. Optimised, as what is paid for is.
cost *of="clusters=1000 nodes=50":
    cargo bench --workspace --bench cost -- {{ of }}

# Every benchmark in one table.
bench:
    cargo bench --workspace | tee target/bench.txt
    python3 .ci/bench-check.py target/bench.txt
