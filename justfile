# Short names for the scripts that CI runs.

# Everything: format, lints, documentation, build, tests.
test:
    scripts/test

fmt:
    cargo fmt --all

lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --locked

# Takes what the command line prints now for right.
snapshots:
    scripts/snapshots

# The daemon with two harmless jobs.
run-example:
    cargo run --release -- run --example

# A virtual machine whose clock is set and whose power is cut; `just machine forward` plays one scenario.
machine *scenarios:
    scripts/machine {{scenarios}}

# sched beside other schedulers, with tables; `just bench --quick` takes two minutes. Needs a quiet machine.
bench *options:
    scripts/bench {{options}}

# The core alone: schedules, passes over many jobs, the journal.
bench-micro *options:
    cargo bench -p sched-benches --locked {{options}}
