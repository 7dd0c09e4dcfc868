//! How the tab looks.

use serde::{Deserialize, Serialize};

/// What the strip below the notebook shows of each token.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StripView {
    /// The likeliest tokens in its place.
    Alternatives,
    /// How unexpected it was.
    Surprise,
}

/// How the tab looks, beyond what a run needs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Colours behind the tokens.
    pub colours: bool,
    /// Colours also while somebody types.
    pub score_typing: bool,
    /// The strip, if there is one.
    pub strip: Option<StripView>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            colours: true,
            score_typing: true,
            strip: Some(StripView::Alternatives),
        }
    }
}
