//! Everything a person can ask of the window, in one list.
//!
//! Menus, shortcuts and the palette are all made from [`Command::ALL`]. Drawing code never acts:
//! it pushes a command, and the app carries it out after the frame.

use egui::{Key, KeyboardShortcut, Modifiers};

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin the tab's work.
    Run,
    /// Hold the work, or let it go on.
    Pause,
    /// Do one step of it.
    Step,
    /// Stop it and keep what was done.
    Stop,
    /// Another seed.
    NewSeed,
    /// Take the last change back.
    Undo,
    /// Do it again.
    Redo,
    /// Copy the tab's result.
    CopyResult,
    /// Give the tab a file.
    OpenFile,
    /// Write the tab's result into a file.
    Export,
    /// Write all tabs into a session file.
    SaveSession,
    /// Read a session file.
    OpenSession,
    /// Read the session that was open when the window was last closed.
    ReopenLastSession,
    /// Find a command by its name.
    Palette,
    /// Show or hide the help card.
    Help,
    /// Show or hide the log.
    Log,
    /// Show the settings.
    Settings,
    /// The tab to the right.
    NextTab,
    /// The tab to the left.
    PreviousTab,
    /// The tab with this number, from 0.
    Tab(u8),
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// Original size.
    ZoomReset,
    /// Fill the screen, or stop doing so.
    FullScreen,
    /// Dark colours.
    DarkTheme,
    /// Light colours.
    LightTheme,
    /// The desktop's choice of colours.
    SystemTheme,
    /// Close the window.
    Quit,
}

impl Command {
    /// All of them, in the palette's order.
    pub const ALL: &[Self] = &[
        Self::Run,
        Self::Pause,
        Self::Step,
        Self::Stop,
        Self::NewSeed,
        Self::Undo,
        Self::Redo,
        Self::CopyResult,
        Self::OpenFile,
        Self::Export,
        Self::SaveSession,
        Self::OpenSession,
        Self::ReopenLastSession,
        Self::Palette,
        Self::Help,
        Self::Log,
        Self::Settings,
        Self::NextTab,
        Self::PreviousTab,
        Self::Tab(0),
        Self::Tab(1),
        Self::Tab(2),
        Self::Tab(3),
        Self::Tab(4),
        Self::Tab(5),
        Self::Tab(6),
        Self::Tab(7),
        Self::ZoomIn,
        Self::ZoomOut,
        Self::ZoomReset,
        Self::FullScreen,
        Self::DarkTheme,
        Self::LightTheme,
        Self::SystemTheme,
        Self::Quit,
    ];

    /// Its name.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Run => "Run",
            Self::Pause => "Pause or go on",
            Self::Step => "One step",
            Self::Stop => "Stop",
            Self::NewSeed => "New seed",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::CopyResult => "Copy the result",
            Self::OpenFile => "Open a file in this tab…",
            Self::Export => "Export the result…",
            Self::SaveSession => "Save the session…",
            Self::OpenSession => "Open a session…",
            Self::ReopenLastSession => "Reopen the last session",
            Self::Palette => "Find a command…",
            Self::Help => "Help card",
            Self::Log => "Log",
            Self::Settings => "Settings…",
            Self::NextTab => "Next tab",
            Self::PreviousTab => "Previous tab",
            Self::Tab(number) => return format!("Tab {}", number + 1),
            Self::ZoomIn => "Zoom in",
            Self::ZoomOut => "Zoom out",
            Self::ZoomReset => "Original zoom",
            Self::FullScreen => "Full screen",
            Self::DarkTheme => "Dark colours",
            Self::LightTheme => "Light colours",
            Self::SystemTheme => "The desktop's colours",
            Self::Quit => "Quit",
        }
        .into()
    }

    /// Its keys.
    #[must_use]
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        const SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
        let (modifiers, key) = match self {
            Self::Run => (Modifiers::COMMAND, Key::Enter),
            Self::Pause => (SHIFT, Key::P),
            Self::Step => (SHIFT, Key::Enter),
            Self::Stop => (Modifiers::NONE, Key::Escape),
            Self::Undo => (Modifiers::COMMAND, Key::Z),
            Self::Redo => (SHIFT, Key::Z),
            Self::CopyResult => (SHIFT, Key::C),
            Self::OpenFile => (Modifiers::COMMAND, Key::O),
            Self::Export => (Modifiers::COMMAND, Key::E),
            Self::SaveSession => (Modifiers::COMMAND, Key::S),
            Self::OpenSession => (SHIFT, Key::O),
            Self::Palette => (Modifiers::COMMAND, Key::P),
            Self::Help => (Modifiers::NONE, Key::F1),
            Self::Log => (SHIFT, Key::L),
            Self::Settings => (Modifiers::COMMAND, Key::Comma),
            Self::NextTab => (Modifiers::CTRL, Key::Tab),
            Self::PreviousTab => (Modifiers::CTRL.plus(Modifiers::SHIFT), Key::Tab),
            Self::Tab(number) => {
                const DIGITS: [Key; 8] = [
                    Key::Num1,
                    Key::Num2,
                    Key::Num3,
                    Key::Num4,
                    Key::Num5,
                    Key::Num6,
                    Key::Num7,
                    Key::Num8,
                ];
                (Modifiers::COMMAND, *DIGITS.get(usize::from(number))?)
            }
            Self::ZoomIn => (Modifiers::COMMAND, Key::Plus),
            Self::ZoomOut => (Modifiers::COMMAND, Key::Minus),
            Self::ZoomReset => (Modifiers::COMMAND, Key::Num0),
            Self::FullScreen => (Modifiers::NONE, Key::F11),
            Self::Quit => (Modifiers::COMMAND, Key::Q),
            Self::NewSeed
            | Self::ReopenLastSession
            | Self::DarkTheme
            | Self::LightTheme
            | Self::SystemTheme => {
                return None;
            }
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Another way to press it, where people expect two.
    fn other_shortcut(self) -> Option<KeyboardShortcut> {
        match self {
            Self::Redo => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::Y)),
            Self::Palette => Some(KeyboardShortcut::new(
                Modifiers::COMMAND.plus(Modifiers::SHIFT),
                Key::K,
            )),
            Self::ZoomIn => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::Equals)),
            _ => None,
        }
    }

    /// Whether the tab in front does it.
    #[must_use]
    pub fn is_for_tab(self) -> bool {
        matches!(
            self,
            Self::Run
                | Self::Pause
                | Self::Step
                | Self::Stop
                | Self::NewSeed
                | Self::Undo
                | Self::Redo
        )
    }

    /// Takes the commands whose keys were pressed out of this frame's input, before any widget
    /// sees them. Keys of commands that are not available are left to the widgets.
    pub fn pressed(ctx: &egui::Context, is_available: impl Fn(Self) -> bool) -> Vec<Self> {
        let mut keyed: Vec<(Self, KeyboardShortcut)> = Vec::new();
        for command in Self::ALL.iter().filter(|c| is_available(**c)) {
            keyed.extend(
                command
                    .shortcut()
                    .into_iter()
                    .chain(command.other_shortcut())
                    .map(|keys| (*command, keys)),
            );
        }
        // A shortcut with more modifiers goes first, else Ctrl+Z would swallow Ctrl+Shift+Z.
        keyed.sort_by_key(|(_, keys)| {
            std::cmp::Reverse((keys.modifiers.shift, keys.modifiers.any()))
        });
        ctx.input_mut(|input| {
            keyed
                .iter()
                .filter(|(_, keys)| input.consume_shortcut(keys))
                .map(|(command, _)| *command)
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn no_two_commands_share_their_keys() {
        let mut keys: Vec<_> = Command::ALL
            .iter()
            .flat_map(|c| c.shortcut().into_iter().chain(c.other_shortcut()))
            .map(|s| (s.modifiers, s.logical_key))
            .collect();
        let all = keys.len();
        keys.sort_by_key(|k| format!("{k:?}"));
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn every_command_has_a_name_of_its_own() {
        let mut names: Vec<_> = Command::ALL.iter().map(|c| c.text()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Command::ALL.len());
    }
}
