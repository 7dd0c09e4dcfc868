//! A face that can be turned: the same person as a mesh, drawn on the graphics card.

use std::sync::Arc;

use egui::{RichText, Ui, Vec2};

use crate::compute::{Flow, Job, Lane, Run, StepCx};
use crate::demos::pulse::upscale::Models;
use crate::error::Result;
use crate::gui::{TabCx, theme};
use crate::view::mesh::{MeshView, Scene};

/// Makes the scene of a vector.
struct SceneOf {
    z: Vec<f64>,
}

impl Job for SceneOf {
    type Output = Arc<Scene>;

    fn step(&mut self, cx: &mut StepCx<'_, Arc<Scene>>) -> Result<Flow> {
        let models = Models::of_worker(cx)?;
        let scene = models.studio().with_figure(&self.z, |portrait, figure| {
            let camera = portrait.view.of_head(figure);
            let surfaces = figure.surfaces();
            Scene::new(&surfaces, &camera, &portrait.lights, &portrait.backdrop)
        });
        cx.resources().put(models);
        cx.emit(Arc::new(scene));
        Ok(Flow::Finished)
    }
}

/// The face that is turned.
pub(super) struct Turn {
    view: MeshView,
    name: String,
    shown: bool,
    run: Option<Run<Arc<Scene>>>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            view: MeshView::new("A face that can be turned"),
            name: String::new(),
            shown: false,
            run: None,
        }
    }

    /// Asks for a face.
    pub(super) fn ask(&mut self, z: Vec<f64>, name: String, cx: &mut TabCx<'_>) {
        let lane = Lane::Interactive("pulse turn");
        self.run = Some(cx.worker.submit(lane, "PULSE: a mesh", SceneOf { z }));
        self.name = name;
    }

    pub(super) fn clear(&mut self) {
        self.view.clear();
        self.shown = false;
        self.run = None;
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        for scene in cx.heard(&mut self.run).into_iter().flatten() {
            self.view.set(&scene);
            self.shown = true;
        }
    }

    /// True when there is a face to turn.
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, side: f32) {
        ui.vertical(|ui| {
            ui.set_width(side.max(150.0));
            ui.label(RichText::new(&self.name).strong());
            self.view.show(ui, Vec2::splat(side));
            let faint = theme::tokens(ui).faint;
            let text = "Drag to turn, wheel to zoom";
            ui.label(RichText::new(text).small().color(faint));
        });
    }
}
