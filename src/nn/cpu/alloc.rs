//! The C allocator's thresholds.

/// Tells glibc to keep freed memory instead of returning it to the system at once.
///
/// Tensor operations allocate and free large buffers all the time; with glibc's defaults the page
/// faults cost several times the arithmetic. Call it first thing in `main`. It does nothing on
/// other systems.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only stores three settings of the allocator and is called before any other
    // thread exists.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}
