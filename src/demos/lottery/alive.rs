//! Units that pruning has cut off.
//!
//! A unit or channel is alive while it has a live weight to an input that is alive, and one from an
//! output that is alive. One without inputs only says the same whatever the picture; one without
//! outputs says it to nobody. Pixels and classes count as alive, pixels only if something reads
//! them.
//!
//! Cutting one unit off may cut off its neighbours, so both directions are followed to the end:
//! forwards from the pixels, then backwards from the classes. A unit that the second pass takes
//! away had a path from the pixels, and everything that it fed is gone by that same pass, so a third
//! one would find nothing.

use super::net::{LayerKind, NetSpec};

/// Which units of a net still do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alive {
    /// Pixels that a live unit reads.
    pub inputs: Vec<bool>,
    /// The output units or channels of every layer.
    pub units: Vec<Vec<bool>>,
}

impl Alive {
    /// Follows the weights that masks leave; `masks` has a 0 or 1 for each weight, a list a layer.
    ///
    /// # Panics
    /// When the masks are those of another net.
    #[must_use]
    pub fn of(spec: &NetSpec, masks: &[Vec<u8>]) -> Self {
        assert_eq!(masks.len(), spec.layers.len(), "a mask for every layer");
        let links: Vec<Links> = (0..masks.len())
            .map(|layer| Links::of(spec, layer, &masks[layer]))
            .collect();
        let mut inputs = vec![true; links.first().map_or(0, |first| first.inputs)];
        let mut units: Vec<Vec<bool>> = Vec::new();
        for layer in &links {
            let alive = layer.reached(units.last().unwrap_or(&inputs));
            units.push(alive);
        }
        if let Some(classes) = units.last_mut() {
            classes.fill(true);
        }
        for layer in (0..links.len()).rev() {
            let reading = links[layer].feeding(&units[layer]);
            let before = match layer {
                0 => &mut inputs,
                _ => &mut units[layer - 1],
            };
            for (alive, reading) in before.iter_mut().zip(reading) {
                *alive &= reading;
            }
        }
        // Channels of the picture become its pixels.
        let per_channel = spec.input.len() / inputs.len().max(1);
        let inputs = inputs.iter().flat_map(|&alive| vec![alive; per_channel]);
        Self {
            inputs: inputs.collect(),
            units,
        }
    }

    /// How many units or channels of each layer are alive.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        let count = |units: &Vec<bool>| units.iter().filter(|&&alive| alive).count() as u64;
        self.units.iter().map(count).collect()
    }
}

/// Which inputs each output of a layer has a live weight to.
struct Links {
    inputs: usize,
    outputs: usize,
    /// `[outputs, inputs]`
    linked: Vec<bool>,
}

impl Links {
    /// Inputs are the units of the layer before: those of a linear layer behind a convolution are
    /// its channels, each of which has many weights.
    fn of(spec: &NetSpec, index: usize, mask: &[u8]) -> Self {
        let layer = &spec.layers[index];
        assert_eq!(mask.len() as u64, layer.weights(), "a mask of the layer");
        let inputs = match (layer.kind, index.checked_sub(1)) {
            (LayerKind::Linear, Some(before)) => spec.layers[before].outputs,
            _ => layer.inputs,
        };
        let block = layer.fan_in() / inputs;
        let linked = mask.chunks_exact(block).map(|weights| weights.contains(&1));
        Self {
            inputs,
            outputs: layer.outputs,
            linked: linked.collect(),
        }
    }

    /// The outputs that have a link to one of these inputs.
    fn reached(&self, inputs: &[bool]) -> Vec<bool> {
        let rows = self.linked.chunks_exact(self.inputs);
        rows.map(|row| row.iter().zip(inputs).any(|(&link, &alive)| link && alive))
            .collect()
    }

    /// The inputs that one of these outputs has a link to.
    fn feeding(&self, outputs: &[bool]) -> Vec<bool> {
        let mut feeding = vec![false; self.inputs];
        let rows = self.linked.chunks_exact(self.inputs).take(self.outputs);
        for (row, _) in rows.zip(outputs).filter(|(_, alive)| **alive) {
            for (feeding, &link) in feeding.iter_mut().zip(row) {
                *feeding |= link;
            }
        }
        feeding
    }
}

#[cfg(test)]
mod tests {
    use super::Alive;
    use crate::data::Shape;
    use crate::demos::lottery::config::NetKind;
    use crate::demos::lottery::net::NetSpec;

    fn spec(kind: NetKind, side: usize, width: f64) -> NetSpec {
        let input = Shape {
            channels: 1,
            height: side,
            width: side,
        };
        NetSpec::new(kind, width, input, 2).expect("a small net")
    }

    /// A net of 4 pixels, 3 and 1 hidden units and 2 classes.
    #[test]
    fn a_chain_of_dead_units_is_followed_both_ways() {
        let spec = spec(NetKind::Lenet, 2, 0.01);
        let all: Vec<Vec<u8>> = spec
            .all_kept()
            .iter()
            .map(|&n| vec![1; n as usize])
            .collect();
        assert_eq!(Alive::of(&spec, &all).counts(), [3, 1, 2]);

        let mut masks = all.clone();
        masks[0][..4].fill(0); // unit 0 has no pixel
        masks[1][1] = 0; // unit 1 is read by nobody
        masks[0][8] = 0; // unit 2 does not read pixel 0
        let alive = Alive::of(&spec, &masks);
        assert_eq!(alive.units[0], [false, false, true]);
        assert_eq!(alive.inputs, [false, true, true, true]);

        // Without the last hidden unit everything before it is dead, too.
        let mut masks = all.clone();
        masks[2].fill(0);
        let alive = Alive::of(&spec, &masks);
        assert_eq!(alive.counts(), [0, 0, 2]);
        assert!(alive.inputs.iter().all(|alive| !alive));

        // Without inputs everything behind is: only the classes stay.
        let mut masks = all;
        masks[0].fill(0);
        assert_eq!(Alive::of(&spec, &masks).counts(), [0, 0, 2]);
    }

    #[test]
    fn a_channel_lives_by_any_of_its_pixels() {
        let spec = spec(NetKind::Conv2Lite, 4, 0.125);
        let mut masks: Vec<Vec<u8>> = spec
            .all_kept()
            .iter()
            .map(|&n| vec![0; n as usize])
            .collect();
        assert_eq!(spec.layers[2].inputs, 2 * 4, "two channels of 2 × 2");
        masks[0][9 + 4] = 1; // channel 1 of the first layer
        masks[1][9 + 8] = 1; // read by channel 0 of the second
        masks[2][5 * 8 + 3] = 1; // whose last pixel unit 5 reads
        masks[3][8 + 5] = 1; // for class 1
        let alive = Alive::of(&spec, &masks);
        assert_eq!(alive.counts(), [1, 1, 1, 2]);
        assert!(alive.units[0][1] && alive.units[1][0] && alive.units[2][5]);
        assert_eq!(alive.inputs, [true; 16]);
    }
}
