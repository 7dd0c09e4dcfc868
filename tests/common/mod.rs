//! What several test files share.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

/// Whether there is something to draw with, be it software.
///
/// Without it a test prints that it was skipped and passes, unless `VITRINE_REQUIRE_GPU=1` says
/// that this machine must have one.
#[cfg(feature = "gui")]
pub fn adapter_or_skip() -> bool {
    use std::sync::OnceLock;

    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| !vitrine::view::adapter_names().is_empty());
    if !found {
        let required = std::env::var("VITRINE_REQUIRE_GPU").is_ok_and(|value| value == "1");
        assert!(!required, "VITRINE_REQUIRE_GPU=1, but no graphics adapter");
        println!("skipped: no graphics adapter");
    }
    found
}
