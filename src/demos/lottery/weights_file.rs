//! A finished net as a safetensors file for other programs.

use std::path::Path;

use super::job::plans;
use super::record::RunRecord;
use super::store::borrow;
use crate::error::{Error, Result};
use crate::nn::arrays::{Arrays, to_bytes};

/// The weights and masks of a run's last finished stage, which lies below `root`: `fc1.weight`,
/// `fc1.bias`, and where weights are pruned `fc1.weight_mask`, as `PyTorch`'s pruning names it.
///
/// # Errors
/// When no stage is finished, or its weights are not on this machine.
pub fn last_weights(root: &Path, record: &RunRecord) -> Result<Vec<u8>> {
    let plans = plans(&record.config)?;
    let planned = plans.iter().filter(|plan| plan.kind.is_some());
    let done = record.stages.iter().zip(planned);
    let last = done.filter(|(stage, _)| stage.summary.is_some()).last();
    let (_, plan) = last.ok_or_else(|| Error::Input("no stage is finished yet".into()))?;
    let outcome = borrow(root, &record.config, &plan.key)?.ok_or_else(|| {
        Error::Missing("the weights of this run are not on this machine, run it again".into())
    })?;
    let named = outcome.arrays.into_iter().filter_map(|(full, array)| {
        let (section, name) = full.split_once('/')?;
        match section {
            "weight" => Some((name.to_owned(), array)),
            "mask" => Some((format!("{name}_mask"), array)),
            _ => None,
        }
    });
    let arrays: Arrays = named.collect();
    Ok(to_bytes(&arrays, Some(("stage", plan.key.clone())), false))
}
