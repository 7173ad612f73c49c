//! What the scripts need of Redis.

use super::*;
use crate::store::redis::called_in;

#[test]
fn the_self_test_asks_for_every_command_that_a_script_calls() {
    let scripts = [
        include_str!("charge.lua"),
        include_str!("give.lua"),
        include_str!("refund.lua"),
        include_str!("take.lua"),
    ];
    let mut called: Vec<_> = scripts.into_iter().flat_map(called_in).collect();
    called.sort_unstable();
    called.dedup();
    assert_eq!(called, NEEDS);
}
