//! What the machine has: memory and processor.

use sysinfo::System;

/// Main memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What can be had without swapping.
    pub free: u64,
    /// What this program holds.
    pub own: u64,
}

impl Memory {
    /// Asks the operating system; `None` where it does not say.
    #[must_use]
    pub fn read() -> Option<Self> {
        let mut system = System::new().ok()?;
        system.refresh_memory();
        let own = sysinfo::get_current_pid().ok().and_then(|pid| {
            system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
            Some(system.process(pid)?.memory())
        });
        let (total, free) = (system.total_memory(), system.available_memory());
        (total > 0 && free > 0).then_some(Self {
            total,
            free,
            own: own.unwrap_or(0),
        })
    }
}

/// The most memory that this program has held at once, in bytes, where the system tells (Linux).
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// The processor's own name, where it has one.
#[must_use]
pub fn processor_name() -> Option<String> {
    let mut system = System::new().ok()?;
    system.refresh_cpu_all();
    let name = system.cpus().first()?.brand().trim().to_owned();
    (!name.is_empty()).then_some(name)
}
