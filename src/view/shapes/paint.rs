//! The paint callback of shapes, and what they own on the graphics card.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::Vec2;
use egui::mutex::Mutex;
use egui_wgpu::wgpu;

use super::super::Views;
use super::super::pipeline::{Pipelines, Program};
use super::{Shape, figure};

/// How a [`Shape`] lies in the vertex buffer.
pub(in super::super) const INSTANCES: wgpu::VertexBufferLayout<'static> =
    wgpu::VertexBufferLayout {
        array_stride: size_of::<Shape>() as wgpu::BufferAddress,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Uint32x4],
    };

/// Room for this many shapes at least; a buffer grows by doubling.
const LEAST: usize = 256;

/// What is drawn, with a number that changes with it.
#[derive(Default)]
pub(super) struct Content {
    pub(super) shapes: Arc<Vec<Shape>>,
    revision: u64,
}

impl Content {
    pub(super) fn set(&mut self, shapes: Vec<Shape>) {
        if *self.shapes != shapes {
            self.shapes = Arc::new(shapes);
            self.revision += 1;
        }
    }
}

/// Where the resources are kept; empty until something is drawn.
pub(super) type Slot = Arc<Mutex<Option<Resources>>>;

/// The same fields as `View` in shaders/shapes.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Uniforms {
    origin_px: [f32; 2],
    screen_px: [f32; 2],
    px_per_point: f32,
    pad: f32,
}

/// The instance buffer, uniforms, and the figures if one of the shapes is one.
pub(super) struct Resources {
    instances: wgpu::Buffer,
    uniforms: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    has_figures: bool,
    /// The revision in the buffer.
    revision: Option<u64>,
    views: Views,
}

impl Drop for Resources {
    fn drop(&mut self) {
        self.views.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Resources {
    fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipelines: &Pipelines,
        views: &Views,
        shapes: &[Shape],
    ) -> Self {
        let has_figures = needs_figures(shapes);
        let figures = figures(device, queue, has_figures);
        let buffer = |size: usize, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("shapes"),
                size: size as wgpu::BufferAddress,
                usage: usage | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let room = shapes.len().next_power_of_two().max(LEAST);
        let instances = buffer(room * size_of::<Shape>(), wgpu::BufferUsages::VERTEX);
        let uniforms = buffer(size_of::<Uniforms>(), wgpu::BufferUsages::UNIFORM);
        let bind_group = pipelines.bind(device, &uniforms, &figures);
        views.0.live.fetch_add(1, Ordering::Relaxed);
        Self {
            instances,
            uniforms,
            bind_group,
            has_figures,
            revision: None,
            views: views.clone(),
        }
    }

    /// Whether these resources belong to that window and have room for these shapes.
    fn suits(&self, views: &Views, shapes: &[Shape]) -> bool {
        Arc::ptr_eq(&self.views.0, &views.0)
            && self.instances.size() >= size_of_val(shapes) as u64
            && (self.has_figures || !needs_figures(shapes))
    }
}

fn needs_figures(shapes: &[Shape]) -> bool {
    shapes
        .iter()
        .any(|shape| shape.kind == super::Kind::Figure as u32)
}

/// The texture of the figures' distances, or of one texel where none is drawn.
fn figures(device: &wgpu::Device, queue: &wgpu::Queue, wanted: bool) -> wgpu::Texture {
    let distances: &[f32] = if wanted { figure::distances() } else { &[1.0] };
    let width = if wanted { figure::SIDE } else { 1 };
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let size = wgpu::Extent3d {
        width: side(width),
        height: side(distances.len() / width),
        depth_or_array_layers: 1,
    };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("figures"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    queue.write_texture(
        texture.as_image_copy(),
        bytemuck::cast_slice(distances),
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(size.width * 4),
            rows_per_image: None,
        },
        size,
    );
    texture
}

/// Draws shapes into egui's render pass.
pub(super) struct PaintShapes {
    views: Views,
    slot: Slot,
    shapes: Arc<Vec<Shape>>,
    revision: u64,
    origin_px: Vec2,
    px_per_point: f32,
}

impl PaintShapes {
    pub(super) fn new(
        views: Views,
        slot: &Slot,
        content: &Content,
        origin_px: Vec2,
        px_per_point: f32,
    ) -> Self {
        Self {
            views,
            slot: Arc::clone(slot),
            shapes: Arc::clone(&content.shapes),
            revision: content.revision,
            origin_px,
            px_per_point,
        }
    }
}

impl egui_wgpu::CallbackTrait for PaintShapes {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &egui_wgpu::ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(pipelines) = resources.get_mut::<Pipelines>() else {
            self.views.report_missing_pipelines();
            return Vec::new();
        };
        pipelines.follow_sources(device);
        let mut slot = self.slot.lock();
        let own = match slot
            .take()
            .filter(|own| own.suits(&self.views, &self.shapes))
        {
            Some(own) => own,
            None => Resources::new(device, queue, pipelines, &self.views, &self.shapes),
        };
        let own = slot.insert(own);
        if own.revision != Some(self.revision) {
            queue.write_buffer(&own.instances, 0, bytemuck::cast_slice(&self.shapes));
            own.revision = Some(self.revision);
            self.views.0.uploads.fetch_add(1, Ordering::Relaxed);
        }
        let [width, height] = screen.size_in_pixels;
        #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^24")]
        let uniforms = Uniforms {
            origin_px: self.origin_px.into(),
            screen_px: [width as f32, height as f32],
            px_per_point: self.px_per_point,
            pad: 0.0,
        };
        queue.write_buffer(&own.uniforms, 0, bytemuck::bytes_of(&uniforms));
        Vec::new()
    }

    fn paint(
        &self,
        info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &egui_wgpu::CallbackResources,
    ) {
        // What is missing was reported by `prepare`.
        let pipeline = resources
            .get::<Pipelines>()
            .and_then(|pipelines| pipelines.get(Program::Shapes));
        let slot = self.slot.lock();
        let (Some(pipeline), Some(own)) = (pipeline, &*slot) else {
            return;
        };
        // Places count from the window's corner. egui's scissor cuts, and it sets its own viewport
        // again after a callback.
        #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^24")]
        let [width, height] = info.screen_size_px.map(|side| side as f32);
        pass.set_viewport(0.0, 0.0, width, height, 0.0, 1.0);
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &own.bind_group, &[]);
        pass.set_vertex_buffer(0, own.instances.slice(..));
        pass.draw(
            0..6,
            0..u32::try_from(self.shapes.len()).unwrap_or(u32::MAX),
        );
    }
}
