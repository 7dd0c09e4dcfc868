//! The contract between the shell and a demo's tab.

use std::path::Path;

use egui::Ui;
use serde_json::Value;

use super::command::Command;
use super::controls::capitalised;
use super::toasts::Toasts;
use crate::compute::{Ending, Event, Run, Worker};
use crate::data::Image;
use crate::error::Result;
use crate::store::{Paths, Settings};

/// The line of a help card where [`Tab::help`] stands.
pub const LOADED: &str = "<!-- loaded -->";

/// A demo as the window sees it.
#[derive(Clone, Copy)]
pub struct DemoTab {
    /// Short and stable: sessions and settings use it.
    pub id: &'static str,
    /// On the tab.
    pub title: &'static str,
    /// The help card, in markdown.
    pub help: &'static str,
    /// Makes the tab with its stored result.
    pub open: fn() -> Box<dyn Tab>,
}

/// What a tab may use while it is drawn or asked to do something.
pub struct TabCx<'a> {
    /// The background thread.
    pub worker: &'a Worker,
    /// The user's folders.
    pub paths: &'a Paths,
    /// What is remembered for the next start.
    pub settings: &'a mut Settings,
    /// Short messages.
    pub toasts: &'a mut Toasts,
    /// Commands to carry out after this frame.
    pub commands: &'a mut Vec<Command>,
    /// Wakes the window, from any thread.
    pub wake: crate::compute::Wake,
    /// Nothing that depends on the clock or the machine may be drawn.
    pub still: bool,
}

impl TabCx<'_> {
    /// What a run has put out since the last frame. Its warnings and its failure become messages, and
    /// a run that has ended is put away. `None` when nothing has happened.
    pub fn heard<T>(&mut self, run: &mut Option<Run<T>>) -> Option<Vec<T>> {
        let polled = run.as_mut()?;
        let (mut happened, mut ended) = (false, false);
        let mut outputs = Vec::new();
        while let Some(event) = polled.poll() {
            happened = true;
            match event {
                Event::Output(output) => outputs.push(output),
                Event::Warning(text) => self.toasts.warning(capitalised(&text)),
                Event::Ended(ending) => {
                    ended = true;
                    if let Ending::Failed(error) = ending {
                        self.toasts.error(capitalised(&error.to_string()));
                    }
                }
            }
        }
        if ended {
            *run = None;
        }
        happened.then_some(outputs)
    }
}

/// One file format a tab can write its result in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// The file name's extension, without the dot.
    pub extension: &'static str,
    /// What is in it.
    pub about: &'static str,
}

/// A demo's tab. It owns its state; jobs run on the worker.
pub trait Tab {
    /// Takes in what its jobs report. Called every frame, also while another tab is shown.
    fn logic(&mut self, ctx: &egui::Context, cx: &mut TabCx<'_>);

    /// Draws the controls, into the panel on the left.
    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>);

    /// Draws the stage, in the middle.
    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>);

    /// Whether one of the tab's own commands (see [`Command::is_for_tab`]) can be done now.
    fn can(&self, command: Command) -> bool;

    /// Does one of the tab's own commands.
    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>);

    /// What the help card says of what is loaded now, in markdown; it stands where the card has
    /// `LOADED`.
    fn help(&mut self) -> Option<&str> {
        None
    }

    /// What it does with a file, such as `a GGUF model or a text file`.
    fn opens(&self) -> &'static str;

    /// Takes a file that was picked or dropped.
    ///
    /// # Errors
    /// When it is not one of those the tab can use.
    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()>;

    /// Takes a picture from the clipboard; `None` when the tab has no use for one.
    fn paste_picture(&mut self, image: Image, cx: &mut TabCx<'_>) -> Option<Result<()>> {
        let _ = (image, cx);
        None
    }

    /// What the copy command copies.
    fn copy_text(&self) -> Option<String>;

    /// Whether there is something to copy; asked for in every frame.
    fn can_copy(&self) -> bool {
        self.copy_text().is_some()
    }

    /// The formats it exports.
    fn exports(&self) -> &'static [Export];

    /// Its result in one of them.
    ///
    /// # Errors
    /// When there is nothing to export yet.
    fn export(&self, format: Export) -> Result<Vec<u8>>;

    /// What a session stores of it.
    fn save(&self) -> Value;

    /// Takes up what a session stored.
    ///
    /// # Errors
    /// When it cannot be understood; the tab stays as it was.
    fn restore(&mut self, state: Value) -> Result<()>;

    /// Changes whenever [`Self::save`] would give something else.
    fn revision(&self) -> u64;
}
