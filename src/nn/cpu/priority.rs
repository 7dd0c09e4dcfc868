//! Who goes first.

/// Lowers the calling thread's priority, so that a window beside it is drawn in time although
/// every processor computes. Without a window nothing becomes slower. Does nothing on systems
/// other than Linux.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    // SAFETY: the call takes and stores numbers only; 0 is the calling thread.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}
