//! The paint callback of mesh views.

use std::sync::Arc;

use egui::mutex::Mutex;
use egui_wgpu::wgpu;

use super::resources::Resources;
use super::scene::Scene;
use super::uniforms::{Frame, Show};
use crate::human::raster::Camera;
use crate::view::Views;
use crate::view::pipeline::{Pipelines, Program};

/// Where a view keeps its resources; empty until it is drawn.
pub(super) type Slot = Arc<Mutex<Option<Resources>>>;

/// Draws a figure beside egui's pass and shows it in it.
pub(super) struct PaintMesh {
    pub(super) views: Views,
    pub(super) slot: Slot,
    pub(super) scene: Arc<Scene>,
    pub(super) camera: Camera,
    /// Where it is shown, in pixels of the window.
    pub(super) origin_px: [f32; 2],
    pub(super) size_px: [u32; 2],
    /// Texels of the figure in a pixel's side.
    pub(super) detail: u32,
}

impl PaintMesh {
    fn show(&self) -> Show {
        let backdrop = &self.scene.backdrop;
        let wide = |[r, g, b]: [f32; 3]| [r, g, b, 1.0];
        let (sin, cos) = backdrop.angle.sin_cos();
        Show {
            origin_px: self.origin_px,
            size_px: self.size_px.map(|n| n as f32),
            from_color: wide(backdrop.from),
            to_color: wide(backdrop.to),
            along: [cos, sin],
            detail: self.detail,
            pad: 0,
        }
    }
}

impl egui_wgpu::CallbackTrait for PaintMesh {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &egui_wgpu::ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(pipelines) = resources.get_mut::<Pipelines>() else {
            self.views.report_missing_pipelines();
            return Vec::new();
        };
        pipelines.follow_sources(device);
        // The view says so where figures cannot be drawn, and asks for none.
        let Some((layouts, ..)) = pipelines.meshes() else {
            return Vec::new();
        };
        let mut slot = self.slot.lock();
        let own = match slot
            .take()
            .filter(|own| own.suits(&self.views, &self.scene))
        {
            Some(own) => own,
            None => Resources::new(device, queue, layouts, &self.views, &self.scene),
        };
        let size = self.size_px.map(|n| n * self.detail);
        let side_px = self.size_px[0].min(self.size_px[1]);
        let frame = Frame::new(&self.scene, &self.camera, size, side_px);
        slot.insert(own).prepare(
            (device, queue),
            encoder,
            pipelines,
            (frame, size, side_px),
            &self.show(),
        );
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &egui_wgpu::CallbackResources,
    ) {
        // What is missing was reported by `prepare`.
        let pipeline = resources
            .get::<Pipelines>()
            .and_then(|pipelines| pipelines.get(Program::Mesh));
        let slot = self.slot.lock();
        let group = slot.as_ref().and_then(Resources::shown);
        let (Some(pipeline), Some(group)) = (pipeline, group) else {
            return;
        };
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.draw(0..3, 0..1);
    }
}
