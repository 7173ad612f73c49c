//! How far ahead the revocation may be that a sign-in comes after.

use super::*;
use crate::session::revocable::LATEST_AFTER;

/// The sign-out of a forged one would end every session that the person begins until then,
/// whatever becomes of the key.
#[test]
fn a_sign_in_that_comes_after_what_is_far_ahead_is_refused() {
    let key = hs256();
    let tokens = tokens(key.clone());
    let latest = NOW + LATEST_AFTER;
    for (after, want) in [
        (NOW, true),
        (latest, true),
        (latest + Duration::from_secs(1), false),
        (Timestamp::from_secs(4_102_444_800), false),
    ] {
        let token = tokens.mint(&session().with_after(after)).unwrap();
        assert_eq!(is_taken(&tokens, &token), want, "{after:?}");
        // Read by the tolerant reader, too.
        let mut claims = good_claims();
        claims.push(("after", after.as_secs().to_string()));
        let token = forge(&key, &header_of(&key), object(&claims));
        assert_eq!(is_taken(&tokens, &token), want, "{after:?}");
    }
}
