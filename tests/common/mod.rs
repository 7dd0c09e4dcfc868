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
    use egui_wgpu::wgpu;
    use std::sync::OnceLock;

    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let adapters = wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::all());
        block_on(adapters).is_some_and(|adapters| !adapters.is_empty())
    });
    if !found {
        let required = std::env::var("VITRINE_REQUIRE_GPU").is_ok_and(|value| value == "1");
        assert!(!required, "VITRINE_REQUIRE_GPU=1, but no graphics adapter");
        println!("skipped: no graphics adapter");
    }
    found
}

/// The value of a future that does not wait for anything but itself.
#[cfg(feature = "gui")]
fn block_on<T>(future: impl Future<Output = T>) -> Option<T> {
    use std::task::{Context, Poll, Waker};

    let mut future = std::pin::pin!(future);
    for _ in 0..1000 {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => return Some(value),
            Poll::Pending => std::thread::yield_now(),
        }
    }
    None
}
