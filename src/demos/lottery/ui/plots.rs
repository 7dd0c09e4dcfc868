//! Plots that are worked out again only when what they show has changed.

use crate::gui::figure::{Figure, Plotted};

/// Plots with what they were made from.
pub struct Plots<K> {
    made: Option<(K, Vec<Plotted>)>,
}

impl<K> Default for Plots<K> {
    fn default() -> Self {
        Self { made: None }
    }
}

impl<K: PartialEq> Plots<K> {
    /// The plots for `key`; `build` is called when it is another one than the last time.
    pub fn get(&mut self, key: K, build: impl FnOnce() -> Vec<Figure>) -> &[Plotted] {
        if self.made.as_ref().is_none_or(|(old, _)| *old != key) {
            let plots = build().into_iter().map(Plotted::new).collect();
            self.made = Some((key, plots));
        }
        self.made.as_ref().map_or(&[], |(_, plots)| plots)
    }
}
