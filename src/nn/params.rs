//! The named weights of a model.
//!
//! A model is built against a [`Scope`], which names what it adds as `PyTorch` would:
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use vitrine::nn::{Init, Params, Scope};
//! use vitrine::rng::Rng;
//!
//! struct Linear { weight: Tensor, bias: Tensor }
//!
//! impl Linear {
//!     fn new(scope: &mut Scope, inputs: usize, outputs: usize) -> vitrine::Result<Self> {
//!         Ok(Self {
//!             weight: scope.param("weight", &[outputs, inputs], Init::KAIMING_NORMAL)?,
//!             bias: scope.param("bias", &[outputs], Init::ZEROS)?,
//!         })
//!     }
//! }
//!
//! let mut params = Params::new(&Device::Cpu, &Rng::new(7));
//! let mut root = params.root();
//! let first = Linear::new(&mut root.scope("encoder").scope(0), 784, 300)?;
//! assert_eq!(params.names().next(), Some("encoder.0.bias"));
//! # Ok::<(), vitrine::Error>(())
//! ```
//!
//! The model keeps plain tensors. They share their numbers with [`Params`]: what an optimiser, a
//! loaded file or [`Params::restore`] writes there, the model sees. Everything goes through the
//! weights in the order of their names, so that sums over them do not depend on chance.
//!
//! A weight may carry a mask of zeros and ones. Where it is zero the weight is zero and stays so,
//! through training, loading and restoring; which weights those are is never guessed from values.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::rng::Rng;

use super::init::Init;

/// The numbers of all weights, by name.
pub type Snapshot = BTreeMap<String, Vec<f32>>;

/// What a named array is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changed by the optimiser.
    Trained,
    /// Saved with the model but not trained: running statistics, fixed random weights.
    Buffer,
}

/// One named array of `f32` numbers.
#[derive(Debug)]
pub struct Param {
    var: Var,
    kind: Kind,
    mask: Option<Tensor>,
}

impl Param {
    /// The variable.
    #[must_use]
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Zeros where the weight is held at zero, ones elsewhere: `u8`, in the weight's shape.
    #[must_use]
    pub fn mask(&self) -> Option<&Tensor> {
        self.mask.as_ref()
    }

    /// The sizes of its dimensions.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.var.dims()
    }

    /// A copy of its numbers, row by row.
    ///
    /// # Errors
    /// When the device fails.
    pub fn values(&self) -> Result<Vec<f32>> {
        Ok(self.var.flatten_all()?.to_vec1()?)
    }

    /// Replaces its numbers; masked ones become zero.
    ///
    /// # Errors
    /// When there are more or fewer numbers than it has.
    pub fn set(&self, values: &[f32]) -> Result<()> {
        if values.len() != self.var.elem_count() {
            return Err(Error::Input(format!(
                "{} numbers for a weight of shape {:?}",
                values.len(),
                self.shape()
            )));
        }
        let new = Tensor::from_slice(values, self.shape(), self.var.device())?;
        let new = match &self.mask {
            Some(mask) => mask.where_cond(&new, &new.zeros_like()?)?,
            None => new,
        };
        Ok(self.var.set(&new)?)
    }
}

/// The named weights and buffers of a model, in the order of their names.
#[derive(Debug)]
pub struct Params {
    device: Device,
    rng: Rng,
    entries: BTreeMap<String, Param>,
}

impl Params {
    /// No weights yet. Initial values are drawn from streams split off `rng` by name.
    #[must_use]
    pub fn new(device: &Device, rng: &Rng) -> Self {
        Self {
            device: device.clone(),
            rng: rng.clone(),
            entries: BTreeMap::new(),
        }
    }

    /// Where the weights lie.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Where a model adds its weights, without a prefix.
    pub fn root(&mut self) -> Scope<'_> {
        Scope {
            params: self,
            prefix: String::new(),
        }
    }

    /// Where a model adds its weights, below a name.
    pub fn scope(&mut self, name: impl std::fmt::Display) -> Scope<'_> {
        Scope {
            params: self,
            prefix: name.to_string(),
        }
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Weights and buffers, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.entries
            .iter()
            .map(|(name, param)| (name.as_str(), param))
    }

    /// The weights that are trained, sorted by name.
    pub fn trained(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.iter().filter(|(_, param)| param.kind == Kind::Trained)
    }

    /// One weight or buffer.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn get(&self, name: &str) -> Result<&Param> {
        self.entries.get(name).ok_or_else(|| no_weight(name))
    }

    /// How many numbers are trained, masked ones included.
    #[must_use]
    pub fn count_trained(&self) -> usize {
        self.trained()
            .map(|(_, param)| param.var.elem_count())
            .sum()
    }

    /// Holds a weight at zero wherever `mask` is 0; `None` frees it again.
    ///
    /// # Errors
    /// When there is no weight of this name, or the mask is not one 0 or 1 for each number.
    pub fn set_mask(&mut self, name: &str, mask: Option<&[u8]>) -> Result<()> {
        let device = self.device.clone();
        let param = self.entries.get_mut(name).ok_or_else(|| no_weight(name))?;
        let Some(mask) = mask else {
            param.mask = None;
            return Ok(());
        };
        if mask.len() != param.var.elem_count() || mask.iter().any(|&keep| keep > 1) {
            return Err(Error::Input(format!(
                "a mask of {name} is a 0 or 1 for each of its {} numbers",
                param.var.elem_count()
            )));
        }
        param.mask = Some(Tensor::from_slice(mask, param.var.dims(), &device)?);
        let values = param.values()?;
        param.set(&values)
    }

    /// A copy of all numbers, such as those a lottery ticket is wound back to.
    ///
    /// # Errors
    /// When the device fails.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.iter()
            .map(|(name, param)| Ok((name.to_owned(), param.values()?)))
            .collect()
    }

    /// Puts the numbers of a snapshot back; masks stay, and what they cover stays zero.
    ///
    /// # Errors
    /// When the names or sizes are not those of this model. Nothing is changed then.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<()> {
        let fits = |(name, param): (&str, &Param)| {
            snapshot
                .get(name)
                .is_some_and(|values| values.len() == param.var.elem_count())
        };
        if snapshot.len() != self.entries.len() || !self.iter().all(fits) {
            return Err(Error::Input(
                "the snapshot was taken of another model".into(),
            ));
        }
        self.iter()
            .try_for_each(|(name, param)| param.set(&snapshot[name]))
    }

    fn add(&mut self, name: String, shape: &[usize], init: Init, kind: Kind) -> Result<&Param> {
        let is_part = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            !part.is_empty() && part.chars().all(plain)
        };
        if !name.split('.').all(is_part) {
            return Err(Error::Input(format!("not a name for a weight: {name}")));
        }
        let values = init.values(shape, &mut self.rng.split(&name))?;
        let var = Var::from_vec(values, shape, &self.device)?;
        match self.entries.entry(name) {
            std::collections::btree_map::Entry::Occupied(taken) => Err(Error::Input(format!(
                "two weights have the name {}",
                taken.key()
            ))),
            std::collections::btree_map::Entry::Vacant(free) => Ok(free.insert(Param {
                var,
                kind,
                mask: None,
            })),
        }
    }
}

fn no_weight(name: &str) -> Error {
    Error::Input(format!("the model has no weight {name}"))
}

/// A place in the tree of names, where a layer adds its weights.
#[derive(Debug)]
pub struct Scope<'a> {
    params: &'a mut Params,
    prefix: String,
}

impl Scope<'_> {
    /// A place one step deeper: a layer's name, or its number in a list.
    pub fn scope(&mut self, name: impl std::fmt::Display) -> Scope<'_> {
        let prefix = self.full_name(name);
        Scope {
            params: self.params,
            prefix,
        }
    }

    /// Where the weights lie.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.params.device
    }

    /// Adds a weight that is trained. The tensor is the variable itself: gradients are found under
    /// it and updates are seen through it.
    ///
    /// # Errors
    /// When the name is taken or not a name, or the initial value does not fit the shape.
    pub fn param(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        let name = self.full_name(name);
        let param = self.params.add(name, shape, init, Kind::Trained)?;
        Ok(param.var.as_tensor().clone())
    }

    /// Adds numbers that are saved but not trained. No gradient flows into the tensor
    /// `as_detached_tensor` gives; `set` changes the numbers.
    ///
    /// # Errors
    /// As [`Scope::param`].
    pub fn buffer(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var> {
        let name = self.full_name(name);
        let param = self.params.add(name, shape, init, Kind::Buffer)?;
        Ok(param.var.clone())
    }

    fn full_name(&self, name: impl std::fmt::Display) -> String {
        if self.prefix.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::{Init, Kind, Params};
    use crate::rng::Rng;

    fn params() -> Params {
        Params::new(&Device::Cpu, &Rng::new(3))
    }

    #[test]
    fn names_are_dotted_and_sorted() {
        let mut params = params();
        let mut root = params.root();
        for layer in [10, 2] {
            let mut scope = root.scope("layers");
            let mut scope = scope.scope(layer);
            scope
                .param("weight", &[2, 3], Init::KAIMING_NORMAL)
                .expect("a new name");
        }
        root.buffer("mean", &[4], Init::ZEROS).expect("a new name");
        let names: Vec<_> = params.names().collect();
        assert_eq!(names, ["layers.10.weight", "layers.2.weight", "mean"]);
        assert_eq!(params.count_trained(), 12);
        assert_eq!(params.get("mean").expect("there").kind(), Kind::Buffer);
    }

    #[test]
    fn adding_a_layer_shifts_no_other_ones_numbers() {
        let mut alone = params();
        let mut scope = alone.scope("b");
        let first = scope
            .param("weight", &[4, 5], Init::GLOROT_UNIFORM)
            .expect("a new name");
        let mut both = params();
        let other = both
            .scope("a")
            .param("weight", &[4, 5], Init::GLOROT_UNIFORM)
            .expect("a new name");
        let second = both
            .scope("b")
            .param("weight", &[4, 5], Init::GLOROT_UNIFORM)
            .expect("a new name");
        let numbers = |t: &candle_core::Tensor| t.to_vec2::<f32>().expect("a matrix");
        assert_eq!(numbers(&first), numbers(&second));
        assert_ne!(numbers(&other), numbers(&second));
    }

    #[test]
    fn a_name_twice_or_a_bad_one_is_refused() {
        let mut params = params();
        let mut root = params.root();
        root.param("w", &[1], Init::ONES).expect("a new name");
        let mut message = |name: &str| {
            root.param(name, &[1], Init::ONES)
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(message("w"), "two weights have the name w");
        for bad in ["", "a..b", ".a", "a b", "ä"] {
            assert_eq!(message(bad), format!("not a name for a weight: {bad}"));
        }
    }

    #[test]
    fn snapshots_restore_bit_for_bit_and_masks_hold() {
        let mut params = params();
        let weight = params
            .root()
            .param("w", &[2, 2], Init::Normal { std: 1.0 })
            .expect("a new name");
        let before = params.snapshot().expect("a snapshot");
        params
            .get("w")
            .and_then(|w| w.set(&[1.0, 2.0, 3.0, 4.0]))
            .expect("four numbers");
        params.set_mask("w", Some(&[1, 0, 1, 1])).expect("a mask");
        let seen = || weight.flatten_all().and_then(|t| t.to_vec1::<f32>());
        assert_eq!(seen().expect("numbers"), [1.0, 0.0, 3.0, 4.0]);

        params.restore(&before).expect("same model");
        let mut expected = before["w"].clone();
        expected[1] = 0.0;
        assert_eq!(seen().expect("numbers"), expected);
        params.set_mask("w", None).expect("freed");
        params.restore(&before).expect("same model");
        assert_eq!(seen().expect("numbers"), before["w"]);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut params = params();
        params
            .root()
            .param("w", &[2], Init::ONES)
            .expect("a new name");
        for mask in [&[1, 0, 1][..], &[1, 2]] {
            assert!(params.set_mask("w", Some(mask)).is_err(), "{mask:?}");
        }
        assert!(params.set_mask("v", Some(&[1, 1])).is_err());
        let wrong = [("w".to_owned(), vec![0.0; 3])].into();
        assert!(params.restore(&wrong).is_err());
        assert!(params.restore(&super::Snapshot::new()).is_err());
        let kept = params.get("w").and_then(super::Param::values);
        assert_eq!(kept.expect("numbers"), [1.0, 1.0]);
    }
}
