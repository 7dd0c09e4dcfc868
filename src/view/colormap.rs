//! Colour maps that colour-blind readers can tell apart.
//!
//! The twin of `shaders/lib/colormap.wgsl`, for legends and exports: the same 33 colours, joined
//! by straight lines in gamma space.

use serde::{Deserialize, Serialize};

/// A way to show numbers in `[0, 1]` as colours.
///
/// Viridis (Smith and van der Walt 2015) and cividis (Nuñez, Anderton and Renslow 2018) are sampled
/// from matplotlib's tables and run from dark to light. The diverging map was made for this project
/// in `OKLab`: equally light at equal distance from its light middle, and blue against orange, which
/// no common colour blindness confuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColorMap {
    /// Dark violet, green, yellow: for magnitudes.
    #[default]
    Viridis,
    /// Dark blue, grey, yellow: like viridis, and looks alike with and without red-green blindness.
    Cividis,
    /// Blue, near white, orange: for signed values, zero in the middle.
    BlueOrange,
}

impl ColorMap {
    /// All maps, in the order of a menu.
    pub const ALL: [Self; 3] = [Self::Viridis, Self::Cividis, Self::BlueOrange];

    /// The map's name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Cividis => "cividis",
            Self::BlueOrange => "blue-orange",
        }
    }

    /// Whether its middle stands for zero.
    #[must_use]
    pub fn is_diverging(self) -> bool {
        self == Self::BlueOrange
    }

    /// The number that stands for the map in shaders, `COLORMAP_…` there.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Viridis => 0,
            Self::Cividis => 1,
            Self::BlueOrange => 2,
        }
    }

    fn table(self) -> &'static [u32; 33] {
        match self {
            Self::Viridis => &VIRIDIS,
            Self::Cividis => &CIVIDIS,
            Self::BlueOrange => &BLUE_ORANGE,
        }
    }

    /// The colour at `t`, gamma-encoded sRGB; beyond `[0, 1]` it stays at the end.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small numbers: an index below 33, and bytes"
    )]
    pub fn rgb8(self, t: f32) -> [u8; 3] {
        let table = self.table();
        let last = table.len() - 1;
        let x = t.clamp(0.0, 1.0) * last as f32;
        let i = (x as usize).min(last - 1);
        let [_, r0, g0, b0] = table[i].to_be_bytes();
        let [_, r1, g1, b1] = table[i + 1].to_be_bytes();
        let mix = |low: u8, high: u8| {
            let (low, high) = (f32::from(low), f32::from(high));
            (low + (high - low) * (x - i as f32)).round() as u8
        };
        [mix(r0, r1), mix(g0, g1), mix(b0, b1)]
    }

    /// The colour at `t` for egui's painter.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the colour is data, the same in every theme"
    )]
    pub fn color(self, t: f32) -> egui::Color32 {
        let [r, g, b] = self.rgb8(t);
        egui::Color32::from_rgb(r, g, b)
    }

    /// Draws a horizontal colour scale with the values at its ends, as wide as there is room.
    pub fn legend_ui(self, ui: &mut egui::Ui, [low, high]: [f32; 2]) -> egui::Response {
        ui.horizontal(|ui| {
            let low = ui.label(format!("{low:.4}"));
            // Both ends are about as wide; the bar takes the rest.
            let width = (ui.available_width() - low.rect.width() - 24.0).clamp(32.0, 256.0);
            let (rect, bar) = ui.allocate_exact_size(egui::vec2(width, 12.0), egui::Sense::hover());
            ui.painter().add(self.bar(rect));
            let high = ui.label(format!("{high:.4}"));
            low.union(bar).union(high)
        })
        .inner
    }

    #[expect(clippy::cast_precision_loss, reason = "an index below 33")]
    fn bar(self, rect: egui::Rect) -> egui::Mesh {
        let last = self.table().len() - 1;
        let mut mesh = egui::Mesh::default();
        for i in 0..=last {
            let t = i as f32 / last as f32;
            let x = egui::lerp(rect.x_range(), t);
            let color = self.color(t);
            mesh.colored_vertex(egui::pos2(x, rect.top()), color);
            mesh.colored_vertex(egui::pos2(x, rect.bottom()), color);
        }
        for i in (0..66 - 2).step_by(2) {
            mesh.add_triangle(i, i + 1, i + 2);
            mesh.add_triangle(i + 1, i + 2, i + 3);
        }
        mesh
    }
}

#[expect(clippy::unreadable_literal, reason = "colours, 0xRRGGBB")]
const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b,
    0x375a8d, 0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b,
    0x1f9f88, 0x21a685, 0x28ae80, 0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c,
    0x96d83f, 0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a, 0xfde725,
];
#[expect(clippy::unreadable_literal, reason = "colours, 0xRRGGBB")]
const CIVIDIS: [u32; 33] = [
    0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c,
    0x4b546c, 0x52596d, 0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x757676, 0x7c7b78, 0x848179,
    0x8b8778, 0x938d78, 0x9b9376, 0xa39a75, 0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64,
    0xd4c15f, 0xddc958, 0xe6d051, 0xefd748, 0xf8df3c, 0xfee838,
];
#[expect(clippy::unreadable_literal, reason = "colours, 0xRRGGBB")]
const BLUE_ORANGE: [u32; 33] = [
    0x01478e, 0x0052a2, 0x005db6, 0x0168ca, 0x0173de, 0x177fec, 0x2e8bf7, 0x4297ff, 0x5ba4ff,
    0x72b0ff, 0x87bcff, 0x9bc7ff, 0xaed1ff, 0xc0dbfe, 0xd0e5ff, 0xe1edfc, 0xf3f3f3, 0xf7e9db,
    0xfaddc2, 0xfad0a8, 0xfac28e, 0xf7b373, 0xf4a458, 0xef953b, 0xe98610, 0xdb7b03, 0xcc7102,
    0xbd6701, 0xae5d02, 0x9f5301, 0x8f4a01, 0x804101, 0x713701,
];

#[cfg(test)]
mod tests {
    use super::ColorMap;

    #[test]
    fn maps_match_their_published_colours() {
        // matplotlib 3.11: cm.viridis(0), (85), (170), (255); the same of cm.cividis.
        for (map, colors) in [
            (ColorMap::Viridis, VIRIDIS_4),
            (ColorMap::Cividis, CIVIDIS_4),
        ] {
            for (t, expected) in [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0].into_iter().zip(colors) {
                let got = map.rgb8(t);
                for (got, expected) in got.into_iter().zip(expected) {
                    assert!(
                        got.abs_diff(expected) <= 2,
                        "{map:?} at {t}: {got} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn beyond_the_ends_and_nan_do_not_panic() {
        for map in ColorMap::ALL {
            assert_eq!(map.rgb8(-3.0), map.rgb8(0.0));
            assert_eq!(map.rgb8(f32::INFINITY), map.rgb8(1.0));
            let _ = map.rgb8(f32::NAN);
        }
    }

    #[test]
    fn lightness_rises_or_mirrors() {
        // Relative luminance, ITU-R BT.709, of gamma-encoded values: enough for order.
        let light = |map: ColorMap, t: f32| {
            let [r, g, b] = map.rgb8(t).map(f32::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for i in 0..32_u8 {
            let (t, next) = (f32::from(i) / 32.0, f32::from(i + 1) / 32.0);
            for map in [ColorMap::Viridis, ColorMap::Cividis] {
                assert!(light(map, t) < light(map, next), "{map:?} at {t}");
            }
            let rises = light(ColorMap::BlueOrange, t) < light(ColorMap::BlueOrange, next);
            assert_eq!(rises, i < 16, "blue-orange at {t}");
        }
    }

    const VIRIDIS_4: [[u8; 3]; 4] = [[68, 1, 84], [49, 104, 142], [53, 183, 121], [253, 231, 37]];

    const CIVIDIS_4: [[u8; 3]; 4] = [[0, 34, 78], [87, 93, 109], [165, 156, 116], [254, 232, 56]];
}
