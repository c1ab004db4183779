//! Tests that need root and tools of the system: where these are not to be had, each says so and passes, unless
//! `SELECTORD_TEST_ROOT` is set.

/// Says that they have to be there.
const MUST: &str = "SELECTORD_TEST_ROOT";

/// Says loudly that a test is skipped, or fails where none may be.
pub fn skip(test: &str, why: &str) {
    assert!(
        std::env::var_os(MUST).is_none(),
        "{MUST} is set, and {test} cannot run: {why}"
    );
    eprintln!("SKIPPED {test}: {why}");
}
