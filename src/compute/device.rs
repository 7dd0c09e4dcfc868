//! Which processor computes, and why.
//!
//! A device counts as present only after a small matrix product ran on it: a binary built for
//! CUDA starts on machines without one, where candle's own check would fail.

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

/// The device that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The fastest one that works.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU, in builds with the `cuda` feature.
    Cuda,
    /// An Apple GPU, in builds with the `metal` feature.
    Metal,
}

/// The device in use.
#[derive(Clone, Debug)]
pub struct DeviceInfo {
    /// What tensors are made on.
    pub device: Device,
    /// Its name for people, such as `CPU, 2 threads`.
    pub name: String,
    /// Why it is not the one that was asked for.
    pub note: Option<String>,
}

impl DeviceInfo {
    /// Opens the device, or the CPU with a note that says why.
    #[must_use]
    pub fn open(choice: DeviceChoice, threads: usize) -> Self {
        let cpu = |note| Self {
            device: Device::Cpu,
            name: format!(
                "CPU, {threads} thread{}",
                if threads == 1 { "" } else { "s" }
            ),
            note,
        };
        let gpu = match choice {
            DeviceChoice::Cpu => return cpu(None),
            DeviceChoice::Cuda => open_cuda(),
            DeviceChoice::Metal => open_metal(),
            DeviceChoice::Auto => open_cuda().or_else(|_| open_metal()),
        };
        match gpu {
            Ok((device, name)) => Self {
                device,
                name,
                note: None,
            },
            // Nobody asked for a GPU, so its absence is not news.
            Err(_) if choice == DeviceChoice::Auto => cpu(None),
            Err(why) => cpu(Some(why)),
        }
    }
}

fn open_cuda() -> Result<(Device, String), String> {
    if !cfg!(feature = "cuda") {
        return Err("this program was built without CUDA, computing on the CPU".into());
    }
    let device =
        Device::new_cuda(0).map_err(|e| format!("no CUDA device ({e}), computing on the CPU"))?;
    probe(&device)
        .map_err(|e| format!("the CUDA device failed its test ({e}), computing on the CPU"))?;
    Ok((device, "CUDA device 0".into()))
}

fn open_metal() -> Result<(Device, String), String> {
    if !cfg!(feature = "metal") {
        return Err("this program was built without Metal, computing on the CPU".into());
    }
    let device =
        Device::new_metal(0).map_err(|e| format!("no Metal device ({e}), computing on the CPU"))?;
    probe(&device)
        .map_err(|e| format!("the Metal device failed its test ({e}), computing on the CPU"))?;
    Ok((device, "Metal device 0".into()))
}

/// A product whose result is known, read back to the host.
fn probe(device: &Device) -> candle_core::Result<()> {
    let ones = Tensor::ones((8, 8), DType::F32, device)?;
    let sum = ones.matmul(&ones)?.sum_all()?.to_scalar::<f32>()?;
    if (sum - 512.0).abs() > 1e-3 {
        candle_core::bail!("a product of ones gave {sum}, not 512");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DeviceChoice, DeviceInfo};

    #[test]
    fn the_cpu_always_opens() {
        let info = DeviceInfo::open(DeviceChoice::Cpu, 2);
        assert!(info.device.is_cpu());
        assert_eq!(info.name, "CPU, 2 threads");
        assert_eq!(info.note, None);
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_device_falls_back_and_says_why() {
        let info = DeviceInfo::open(DeviceChoice::Cuda, 1);
        assert!(info.device.is_cpu());
        assert!(info.note.is_some_and(|n| n.contains("without CUDA")));
        assert_eq!(DeviceInfo::open(DeviceChoice::Auto, 1).note, None);
    }
}
