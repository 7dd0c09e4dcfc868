//! The colours of boards, grids of objects and search trees.
//!
//! A board keeps its own colours in both themes, a little deeper on dark ground: felt is green and
//! wood is brown. The two sides of every board differ in lightness, so that nobody confuses them.

use egui::{Color32, Visuals};

use super::for_visuals;
use crate::view::ColorMap;
use crate::view::board::{BoardColors, PieceColors, Surface};
use crate::view::grid::GridColors;
use crate::view::tree::TreeColors;

const fn rgb(red: u8, green: u8, blue: u8) -> Color32 {
    Color32::from_rgb(red, green, blue)
}

const fn piece(fill: Color32, edge: Color32) -> PieceColors {
    PieceColors { fill, edge }
}

/// Black and white stones, for felt and wood.
const STONES: [PieceColors; 2] = [
    piece(rgb(38, 40, 46), rgb(10, 11, 13)),
    piece(rgb(243, 242, 238), rgb(150, 148, 142)),
];
const DISCS: [PieceColors; 2] = [
    piece(rgb(222, 62, 54), rgb(158, 32, 32)),
    piece(rgb(250, 206, 70), rgb(204, 150, 24)),
];
const CHESSMEN: [PieceColors; 2] = [
    piece(rgb(252, 251, 247), rgb(44, 48, 58)),
    piece(rgb(66, 71, 84), rgb(12, 14, 18)),
];
/// A line that won, on boards with colours of their own.
const WIN: Color32 = rgb(112, 244, 176);
const INK: [Color32; 2] = [rgb(246, 248, 251), rgb(18, 22, 30)];

/// The colours of boards, for [`crate::view::board::BoardView`].
#[must_use]
pub fn boards(visuals: &Visuals) -> BoardColors {
    let tokens = for_visuals(visuals);
    let dark = visuals.dark_mode;
    let pick = |in_dark: Color32, in_light: Color32| if dark { in_dark } else { in_light };
    let shadow = Color32::from_black_alpha(if dark { 150 } else { 72 });
    BoardColors {
        tic_tac_toe: Surface {
            ground: tokens.stage,
            second: tokens.stage,
            line: pick(rgb(74, 82, 98), rgb(186, 194, 206)),
            rim: tokens.stage,
            win: tokens.text,
            heat: ColorMap::Viridis,
            heat_range: [0.22, 1.0],
            pieces: [
                piece(tokens.line(0), tokens.line(0)),
                piece(tokens.line(1), tokens.line(1)),
            ],
        },
        connect_four: Surface {
            ground: pick(rgb(42, 88, 174), rgb(50, 108, 206)),
            second: pick(rgb(20, 25, 36), rgb(232, 238, 248)),
            line: pick(rgb(88, 136, 218), rgb(122, 168, 240)),
            rim: pick(rgb(24, 56, 122), rgb(28, 72, 150)),
            win: WIN,
            heat: ColorMap::Viridis,
            // Beyond this it is as yellow as the discs.
            heat_range: [0.22, 0.74],
            pieces: DISCS,
        },
        othello: Surface {
            ground: pick(rgb(30, 110, 76), rgb(48, 138, 98)),
            second: pick(rgb(30, 110, 76), rgb(48, 138, 98)),
            line: pick(rgb(14, 66, 44), rgb(22, 88, 60)),
            rim: pick(rgb(46, 40, 38), rgb(70, 58, 52)),
            win: WIN,
            // Viridis passes through the felt's green.
            heat: ColorMap::Cividis,
            heat_range: [0.22, 1.0],
            pieces: STONES,
        },
        stones: Surface {
            ground: pick(rgb(206, 162, 100), rgb(230, 190, 128)),
            second: pick(rgb(206, 162, 100), rgb(230, 190, 128)),
            line: pick(rgb(74, 50, 24), rgb(96, 68, 36)),
            rim: pick(rgb(150, 108, 58), rgb(186, 142, 84)),
            win: WIN,
            heat: ColorMap::Viridis,
            heat_range: [0.22, 1.0],
            pieces: STONES,
        },
        chess: Surface {
            ground: pick(rgb(202, 208, 219), rgb(236, 240, 246)),
            second: pick(rgb(104, 122, 152), rgb(136, 158, 192)),
            line: pick(rgb(60, 70, 88), rgb(90, 104, 128)),
            rim: pick(rgb(60, 70, 88), rgb(120, 136, 164)),
            win: WIN,
            heat: ColorMap::Viridis,
            heat_range: [0.22, 1.0],
            pieces: CHESSMEN,
        },
        shadow,
        accent: tokens.accent,
        last: pick(rgb(248, 168, 50), rgb(236, 136, 20)),
        danger: pick(rgb(236, 66, 52), rgb(214, 48, 36)),
        label: tokens.faint,
        ink: INK,
    }
}

/// The colours of grids of objects, for [`crate::view::grid::GridView`].
#[must_use]
pub fn grid(visuals: &Visuals) -> GridColors {
    let tokens = for_visuals(visuals);
    let (ground, line, more) = if visuals.dark_mode {
        (
            rgb(28, 32, 40),
            rgb(15, 17, 22),
            [rgb(140, 222, 96), rgb(160, 112, 224)],
        )
    } else {
        (
            rgb(246, 247, 250),
            rgb(216, 221, 229),
            [rgb(84, 150, 20), rgb(112, 56, 180)],
        )
    };
    let channels = (0..tokens.lines.len()).map(|i| tokens.line(i));
    GridColors {
        ground,
        line,
        text: tokens.body,
        channels: channels.chain(more).collect(),
    }
}

/// The colours of search trees, for [`crate::view::tree::TreeView`].
#[must_use]
pub fn tree(visuals: &Visuals) -> TreeColors {
    let tokens = for_visuals(visuals);
    let (line, edge) = if visuals.dark_mode {
        (rgb(78, 87, 104), rgb(12, 14, 18))
    } else {
        (rgb(188, 196, 209), rgb(104, 114, 132))
    };
    TreeColors {
        ground: tokens.stage,
        line,
        edge,
        accent: tokens.accent,
        text: tokens.text,
        faint: tokens.faint,
        values: ColorMap::BlueOrange,
        reach: if visuals.dark_mode { 0.74 } else { 0.86 },
        ink: INK,
    }
}

#[cfg(test)]
mod tests {
    use egui::{Color32, Rgba, Visuals};

    use super::{boards, for_visuals, grid, tree};

    /// The luminance of an opaque colour by WCAG 2.
    fn luminance(color: Color32) -> f32 {
        let linear = Rgba::from(color);
        0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn pieces_stand_out_from_each_other_and_from_their_board() {
        for visuals in [Visuals::dark(), Visuals::light()] {
            let colors = boards(&visuals);
            let surfaces = [
                ("connect four", &colors.connect_four),
                ("othello", &colors.othello),
                ("stones", &colors.stones),
                ("chess", &colors.chess),
            ];
            for (name, surface) in surfaces {
                let [first, second] = surface.pieces;
                let apart = contrast(first.fill, second.fill);
                assert!(apart > 2.5, "{name}: the two sides, {apart:.2}");
                for piece in surface.pieces {
                    // By its body or by its outline; discs lie in holes, not on the frame.
                    let ground = match name {
                        "connect four" => surface.second,
                        _ => surface.ground,
                    };
                    let fill = contrast(piece.fill, ground);
                    let edge = contrast(piece.edge, ground);
                    assert!(fill.max(edge) > 1.6, "{name}: {fill:.2} and {edge:.2}");
                }
            }
            let label = contrast(colors.label, for_visuals(&visuals).stage);
            assert!(label > 4.5, "letters around a board: {label:.2}");
        }
    }

    #[test]
    fn cells_and_nodes_are_seen_on_their_ground() {
        for visuals in [Visuals::dark(), Visuals::light()] {
            let grid = grid(&visuals);
            assert_eq!(grid.channels.len(), 10);
            for channel in &grid.channels {
                let ratio = contrast(*channel, grid.ground);
                assert!(ratio > 2.5, "{channel:?}: {ratio:.2}");
            }
            let tree = tree(&visuals);
            for value in [-1.0, -0.5, 0.0, 0.5, 1.0] {
                let node = tree.values.color(0.5 + 0.5 * tree.reach * value);
                let ratio = contrast(node, tree.ground).max(contrast(tree.edge, tree.ground));
                assert!(ratio > 2.0, "a node of {value}: {ratio:.2}");
            }
        }
    }
}
