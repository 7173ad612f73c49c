#!/usr/bin/env bash
# The first two blocks of README.md as a reader has them, with WorkOS and with nobody: in a package of its own, built, and
# signed in to. The code that is shown is changed in its port alone, which may be taken; the dependencies say where this
# version of the crate is.
#
# Called by tests/run; takes no arguments. Needs curl and python3. CARGO_TARGET_DIR is honoured.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
folder=$(mktemp -d)
program=
stop() {
    [ -z "$program" ] || { kill "$program" && wait "$program"; } 2>/dev/null || true
    rm -r "$folder"
}
trap stop EXIT
fail() {
    echo "tests/newcomer.sh: $1" >&2
    cat "$folder/out" >&2
    exit 1
}

# block LANGUAGE NUMBER: that block of the language in the README, as it is shown.
block() {
    awk -v fence="^\`\`\`$1" -v number="$2" '
        inside && /^```$/ { inside = 0 }
        inside && count == number { print }
        $0 ~ fence { inside = 1; count++ }
    ' README.md
}

mkdir -p "$folder/src/bin"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
origin=http://127.0.0.1:$port
ways=(workos nobody)
for way in 0 1; do
    block rust $((way + 1)) | sed "s/127\.0\.0\.1:3000/127.0.0.1:$port/" >"$folder/src/bin/${ways[way]}.rs"
done
{
    printf '[package]\nname = "newcomer"\nversion = "0.0.0"\nedition = "2024"\n\n'
    block toml 1
    printf '\n[patch.crates-io]\ntower-magic-link = { path = "%s" }\n\n[workspace]\n' "$PWD"
} >"$folder/Cargo.toml"
# The crate's own lock file, so that the versions are those that were tested.
cp Cargo.lock "$folder/Cargo.lock"
cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$target"

browser() {
    curl --silent --show-error --location --max-time 10 --cookie "$folder/cookies" --cookie-jar "$folder/cookies" \
        --header 'accept: text/html' --header 'sec-fetch-mode: navigate' --header 'sec-fetch-site: same-origin' \
        --header "origin: $origin" "$@"
}

# walk WAY: signs in.
walk() {
    rm -f "$folder/cookies" "$folder/form"
    env -u WORKOS_API_KEY -u WORKOS_CLIENT_ID "$target/debug/$1" >"$folder/out" 2>&1 &
    program=$!
    for _ in $(seq 100); do
        kill -0 "$program" 2>/dev/null || fail "$1: the program has ended"
        ! browser --output "$folder/form" "$origin/" 2>/dev/null || break
        sleep 0.1
    done
    grep -q 'name="email"' "$folder/form" || fail "$1: the first page is no form"
    browser --data 'email=ada%40example.com' --output "$folder/check" "$origin/auth/login"
    local link page
    link=$(sed -n 's/^sign-in link for ada@example.com: //p' "$folder/out")
    [ -n "$link" ] || fail "$1: no link was printed"
    page=$(browser "$link")
    [ "$page" = "hello ada@example.com" ] || fail "$1: the link leads to: $page"
    grep -q "people sign in at $origin/auth/login" "$folder/out" || fail "$1: the layer does not say where people sign in"
    kill "$program"
    wait "$program" || true
    program=
}

for way in "${ways[@]}"; do
    walk "$way"
    echo "signed in by the README's block with $way"
done
