//! Colours and spacing. The only place where colours are made; everything else asks for a token.
//!
//! The pairs of colours that carry meaning (likely and unlikely, good and bad) differ in
//! lightness and along blue to orange, which colour-blind people tell apart.
#![expect(
    clippy::disallowed_methods,
    reason = "the theme is the place where colours are made"
)]

mod boards;
mod sheet;

use egui::{Color32, Context, CornerRadius, Stroke, Ui, Visuals};

pub use self::boards::{boards, grid, tree};
pub use self::sheet::{SheetColors, sheet};

use crate::store;
use crate::view::ColorMap;

/// Colours by meaning, for one of the two themes.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    /// What can be acted on, and what is selected.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// It worked.
    pub good: Color32,
    /// It went on, but.
    pub warning: Color32,
    /// It failed.
    pub bad: Color32,
    /// Text that is edited, pressed or selected.
    pub text: Color32,
    /// Text that is read.
    body: Color32,
    /// Text that explains.
    pub faint: Color32,
    /// Text that a model wrote.
    pub generated: Color32,
    /// The stage's ground.
    pub stage: Color32,
    /// A raised card on the stage.
    pub card: Color32,
    /// Behind an expected token.
    likely: Color32,
    /// Behind a surprising one.
    unlikely: Color32,
    /// Lines of a plot, see [`Self::line`].
    lines: [Color32; 8],
    /// The part of a colour map that shows on the stage, see [`Self::ladder`].
    ladder: [f32; 2],
}

const DARK: Tokens = Tokens {
    accent: Color32::from_rgb(86, 156, 240),
    on_accent: Color32::from_rgb(10, 18, 32),
    good: Color32::from_rgb(110, 190, 180),
    warning: Color32::from_rgb(232, 186, 92),
    bad: Color32::from_rgb(240, 130, 96),
    text: Color32::from_rgb(236, 239, 244),
    body: Color32::from_rgb(200, 206, 216),
    faint: Color32::from_rgb(152, 160, 174),
    generated: Color32::from_rgb(156, 208, 255),
    stage: Color32::from_rgb(21, 24, 30),
    card: Color32::from_rgb(30, 34, 42),
    likely: Color32::from_rgb(32, 70, 126),
    unlikely: Color32::from_rgb(124, 60, 10),
    lines: [
        Color32::from_rgb(86, 180, 233),
        Color32::from_rgb(240, 164, 32),
        Color32::from_rgb(52, 196, 150),
        Color32::from_rgb(236, 150, 200),
        Color32::from_rgb(240, 228, 90),
        Color32::from_rgb(246, 122, 72),
        Color32::from_rgb(178, 188, 255),
        Color32::from_rgb(206, 210, 218),
    ],
    ladder: [0.32, 1.0],
};

const LIGHT: Tokens = Tokens {
    accent: Color32::from_rgb(24, 98, 196),
    on_accent: Color32::from_rgb(255, 255, 255),
    good: Color32::from_rgb(0, 112, 108),
    warning: Color32::from_rgb(142, 92, 0),
    bad: Color32::from_rgb(182, 62, 16),
    text: Color32::from_rgb(20, 24, 32),
    body: Color32::from_rgb(50, 56, 66),
    faint: Color32::from_rgb(92, 100, 114),
    generated: Color32::from_rgb(0, 70, 150),
    stage: Color32::from_rgb(255, 255, 255),
    card: Color32::from_rgb(246, 247, 249),
    likely: Color32::from_rgb(186, 212, 250),
    unlikely: Color32::from_rgb(255, 196, 128),
    lines: [
        Color32::from_rgb(0, 104, 170),
        Color32::from_rgb(200, 84, 0),
        Color32::from_rgb(0, 122, 88),
        Color32::from_rgb(164, 64, 126),
        Color32::from_rgb(134, 104, 0),
        Color32::from_rgb(150, 40, 20),
        Color32::from_rgb(88, 84, 190),
        Color32::from_rgb(84, 90, 102),
    ],
    ladder: [0.0, 0.72],
};

/// The tokens of the theme in use.
#[must_use]
pub fn tokens(ui: &Ui) -> &'static Tokens {
    for_visuals(ui.visuals())
}

/// The tokens that go with egui's own colours.
#[must_use]
pub fn for_visuals(visuals: &Visuals) -> &'static Tokens {
    if visuals.dark_mode { &DARK } else { &LIGHT }
}

impl Tokens {
    /// The colour of a plot's line by its number, after Okabe and Ito (2008), whose colours look
    /// different to everybody; lighter on dark ground, darker on light ground.
    #[must_use]
    pub fn line(&self, number: usize) -> Color32 {
        self.lines[number % self.lines.len()]
    }

    /// The colour of a step of a ladder, from the first at 0 to the last at 1: the lines of one
    /// family, ordered by lightness.
    #[must_use]
    pub fn ladder(&self, at: f32) -> Color32 {
        let [low, high] = self.ladder;
        ColorMap::Viridis.color(egui::lerp(low..=high, at.clamp(0.0, 1.0)))
    }

    /// The ground behind a token of this probability (natural logarithm): blue where the model
    /// expected it, none at about one in five, orange where it came as a surprise.
    #[must_use]
    pub fn surprise(&self, logprob: f32) -> Color32 {
        const NEUTRAL: f32 = 1.6;
        const FULL: f32 = 8.0;
        let nats = (-logprob).clamp(0.0, FULL);
        if nats < NEUTRAL {
            self.likely.gamma_multiply(1.0 - nats / NEUTRAL)
        } else {
            self.unlikely
                .gamma_multiply(((nats - NEUTRAL) / (FULL - NEUTRAL)).sqrt())
        }
    }
}

/// The tokens of the light theme, in which figures are exported.
#[must_use]
pub fn for_paper() -> &'static Tokens {
    &LIGHT
}

/// Sets both themes' visuals and the spacing; call once.
pub fn install(ctx: &Context) {
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(8.0, 6.0);
        style.spacing.button_padding = egui::vec2(8.0, 4.0);
        style.spacing.slider_width = 120.0;
        style.url_in_tooltip = true;
        style
            .text_styles
            .insert(egui::TextStyle::Small, egui::FontId::proportional(11.5));
        style.interaction.tooltip_delay = 0.3;
    });
    for (theme, tokens) in [(egui::Theme::Dark, &DARK), (egui::Theme::Light, &LIGHT)] {
        let mut visuals = match theme {
            egui::Theme::Dark => Visuals::dark(),
            egui::Theme::Light => Visuals::light(),
        };
        visuals.hyperlink_color = tokens.accent;
        visuals.selection.bg_fill = tokens.accent.gamma_multiply(0.45);
        visuals.selection.stroke = Stroke::new(1.0, tokens.text);
        visuals.widgets.noninteractive.fg_stroke.color = tokens.body;
        visuals.widgets.inactive.fg_stroke.color = tokens.text;
        // A blinking cursor would draw two frames a second for ever.
        visuals.text_cursor.blink = false;
        visuals.warn_fg_color = tokens.warning;
        visuals.error_fg_color = tokens.bad;
        visuals.extreme_bg_color = tokens.stage;
        visuals.panel_fill = if theme == egui::Theme::Dark {
            Color32::from_rgb(26, 29, 36)
        } else {
            Color32::from_rgb(240, 242, 245)
        };
        visuals.window_fill = tokens.card;
        visuals.faint_bg_color = tokens.card;
        let radius = CornerRadius::same(5);
        let widgets = &mut visuals.widgets;
        for widget in [
            &mut widgets.noninteractive,
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
            &mut widgets.open,
        ] {
            widget.corner_radius = radius;
        }
        ctx.set_visuals_of(theme, visuals);
    }
}

/// Follows the user's choice.
pub fn apply_choice(ctx: &Context, choice: store::Theme) {
    ctx.set_theme(match choice {
        store::Theme::Dark => egui::ThemePreference::Dark,
        store::Theme::Light => egui::ThemePreference::Light,
        store::Theme::System => egui::ThemePreference::System,
    });
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::{DARK, LIGHT, Tokens};

    /// WCAG 2's contrast of two opaque colours.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |c: Color32| {
            let [r, g, b] = [c.r(), c.g(), c.b()].map(|v| {
                let v = f32::from(v) / 255.0;
                if v <= 0.04 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        let check = |tokens: &Tokens, name: &str| {
            for (what, text) in [
                ("accent", tokens.accent),
                ("good", tokens.good),
                ("warning", tokens.warning),
                ("bad", tokens.bad),
                ("faint", tokens.faint),
                ("generated", tokens.generated),
            ] {
                for ground in [tokens.stage, tokens.card] {
                    let ratio = contrast(text, ground);
                    assert!(ratio >= 4.5, "{name} {what}: {ratio:.2}");
                }
            }
            for ground in [tokens.likely, tokens.unlikely] {
                for text in [tokens.text, tokens.generated] {
                    let ratio = contrast(text, ground);
                    assert!(ratio >= 4.5, "{name} text on a coloured ground: {ratio:.2}");
                }
            }
            for line in tokens.lines {
                let ratio = contrast(line, tokens.stage);
                assert!(ratio >= 3.0, "{name} line of a plot: {ratio:.2}");
            }
            for at in [0.0, 0.25, 0.5, 0.75, 1.0] {
                let ratio = contrast(tokens.ladder(at), tokens.stage);
                assert!(ratio >= 2.0, "{name} ladder at {at}: {ratio:.2}");
            }
            assert!(
                contrast(tokens.on_accent, tokens.accent) >= 4.5,
                "{name} on accent"
            );
        };
        check(&DARK, "dark");
        check(&LIGHT, "light");
    }

    #[test]
    fn surprise_goes_from_blue_over_nothing_to_orange() {
        let likely = DARK.surprise(-0.01);
        assert!(likely.b() > likely.r());
        assert!(DARK.surprise(-1.6).a() < 8);
        let unlikely = DARK.surprise(-9.0);
        assert!(unlikely.r() > unlikely.b());
        assert!(DARK.surprise(f32::NEG_INFINITY).a() > 200);
    }
}
