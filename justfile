# Short names for what CONTRIBUTING.md describes. `just` alone lists them.

[private]
default:
	@just --list

# A verdict in under three minutes; it says what it leaves out.
fast:
	./tests/run --fast

# Every check.
all:
	./tests/run

# What a release needs beside every check.
release:
	./tests/release

# One example: `just example quickstart`.
example name:
	cargo run --example {{name}}

# The documentation, as docs.rs builds it.
docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --all-features --no-deps

# The public API: what has changed since tests/api.txt. `just api --write` writes it.
api how="--check":
	python3 tests/api.py {{how}}

# What the layer costs a request.
bench:
	cargo bench --bench hot_path
