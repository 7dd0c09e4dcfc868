//! What a mesh view owns on the graphics card, and how a figure is drawn with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui_wgpu::wgpu;
use egui_wgpu::wgpu::util::DeviceExt as _;

use super::pipeline::{Layouts, Passes};
use super::scene::{Mesh, Scene};
use super::target::Target;
use super::uniforms::{Frame, Look, Show, shadow_side};
use crate::human::texture::Texture;
use crate::view::Views;
use crate::view::pipeline::Pipelines;

/// A scene's buffers and textures, and the picture drawn last.
pub(super) struct Resources {
    meshes: Vec<Uploaded>,
    frame: wgpu::Buffer,
    frame_group: wgpu::BindGroup,
    target: Option<(Target, wgpu::BindGroup)>,
    show: wgpu::Buffer,
    /// What the picture shows, with the number of its pipelines.
    drawn: Option<(Frame, u64)>,
    scene: Arc<Scene>,
    views: Views,
}

/// A mesh on the graphics card.
struct Uploaded {
    vertices: wgpu::Buffer,
    indices: wgpu::Buffer,
    count: u32,
    look: wgpu::BindGroup,
    is_cutout: bool,
    shadows: bool,
}

impl Drop for Resources {
    fn drop(&mut self) {
        self.views.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Resources {
    pub(super) fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        layouts: &Layouts,
        views: &Views,
        scene: &Arc<Scene>,
    ) -> Self {
        let buffer = |bytes: usize| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("mesh"),
                size: bytes as wgpu::BufferAddress,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let frame = buffer(size_of::<Frame>());
        let frame_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mesh frame"),
            layout: &layouts.frame,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: frame.as_entire_binding(),
            }],
        });
        let meshes = (0..)
            .zip(&scene.meshes)
            .filter(|(_, mesh)| !mesh.indices.is_empty())
            .map(|(number, mesh)| Uploaded::new(device, queue, layouts, mesh, number))
            .collect();
        views.0.live.fetch_add(1, Ordering::Relaxed);
        views.0.uploads.fetch_add(1, Ordering::Relaxed);
        Self {
            meshes,
            frame,
            frame_group,
            target: None,
            show: buffer(size_of::<Show>()),
            drawn: None,
            scene: Arc::clone(scene),
            views: views.clone(),
        }
    }

    /// Whether these resources belong to that window and show that scene.
    pub(super) fn suits(&self, views: &Views, scene: &Arc<Scene>) -> bool {
        Arc::ptr_eq(&self.views.0, &views.0) && Arc::ptr_eq(&self.scene, scene)
    }

    /// Makes the picture of `size` texels ready to be shown; draws it if anything changed.
    pub(super) fn prepare(
        &mut self,
        (device, queue): (&wgpu::Device, &wgpu::Queue),
        encoder: &mut wgpu::CommandEncoder,
        pipelines: &Pipelines,
        (frame, size, side_px): (Frame, [u32; 2], u32),
        show: &Show,
    ) {
        let Some((layouts, passes, number)) = pipelines.meshes() else {
            return;
        };
        let shadow = shadow_side(side_px);
        if !(self.target.as_ref()).is_some_and(|(target, _)| target.suits(size, shadow)) {
            let target = Target::new(device, layouts, size, shadow);
            let group = pipelines.bind(device, &self.show, &target.picture);
            self.target = Some((target, group));
            self.drawn = None;
        }
        queue.write_buffer(&self.show, 0, bytemuck::bytes_of(show));
        if self.drawn == Some((frame, number)) {
            return;
        }
        queue.write_buffer(&self.frame, 0, bytemuck::bytes_of(&frame));
        if let Some((target, _)) = &self.target {
            self.draw(encoder, passes, target);
        }
        self.drawn = Some((frame, number));
    }

    /// The group that the shown picture is read by.
    pub(super) fn shown(&self) -> Option<&wgpu::BindGroup> {
        self.target.as_ref().map(|(_, group)| group)
    }

    fn draw(&self, encoder: &mut wgpu::CommandEncoder, passes: &Passes, target: &Target) {
        let mut pass = depth_pass(encoder, &target.shadow, None);
        pass.set_bind_group(0, &self.frame_group, &[]);
        pass.set_pipeline(&passes.shadow);
        for mesh in self.meshes.iter().filter(|mesh| mesh.shadows) {
            mesh.draw(&mut pass);
        }
        drop(pass);
        let picture = target
            .picture
            .create_view(&wgpu::TextureViewDescriptor::default());
        let color = wgpu::RenderPassColorAttachment {
            view: &target.samples,
            depth_slice: None,
            resolve_target: Some(&picture),
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                store: wgpu::StoreOp::Discard,
            },
        };
        for (pipelines, depth, color) in [
            (&passes.near, &target.near, None),
            (&passes.color, &target.sample_depth, Some(color)),
        ] {
            let is_color = color.is_some();
            let mut pass = depth_pass(encoder, depth, color);
            pass.set_bind_group(0, &self.frame_group, &[]);
            if is_color {
                pass.set_bind_group(2, &target.maps, &[]);
            }
            for mesh in &self.meshes {
                pass.set_pipeline(&pipelines[usize::from(mesh.is_cutout)]);
                mesh.draw(&mut pass);
            }
        }
    }
}

/// A pass into an empty depth buffer.
fn depth_pass<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    depth: &wgpu::TextureView,
    color: Option<wgpu::RenderPassColorAttachment>,
) -> wgpu::RenderPass<'a> {
    let colors = color.map(|color| [Some(color)]);
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("mesh"),
        color_attachments: colors.as_ref().map_or(&[], |colors| colors.as_slice()),
        depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
            view: depth,
            depth_ops: Some(wgpu::Operations {
                load: wgpu::LoadOp::Clear(0.0),
                store: wgpu::StoreOp::Store,
            }),
            stencil_ops: None,
        }),
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    })
}

impl Uploaded {
    fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        layouts: &Layouts,
        mesh: &Mesh,
        number: u32,
    ) -> Self {
        let buffer = |contents: &[u8], usage| {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("mesh"),
                contents,
                usage,
            })
        };
        let look = Look::new(mesh, number);
        let uniforms = buffer(bytemuck::bytes_of(&look), wgpu::BufferUsages::UNIFORM);
        let texture =
            texture(device, queue, &mesh.mips).create_view(&wgpu::TextureViewDescriptor::default());
        let look = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mesh look"),
            layout: &layouts.look,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: uniforms.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&texture),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::Sampler(&layouts.sampler),
                },
            ],
        });
        Self {
            vertices: buffer(
                bytemuck::cast_slice(&mesh.vertices),
                wgpu::BufferUsages::VERTEX,
            ),
            indices: buffer(
                bytemuck::cast_slice(&mesh.indices),
                wgpu::BufferUsages::INDEX,
            ),
            count: mesh.indices.len() as u32,
            look,
            is_cutout: mesh.cutout.is_some(),
            shadows: mesh.shadows,
        }
    }

    fn draw(&self, pass: &mut wgpu::RenderPass) {
        pass.set_bind_group(1, &self.look, &[]);
        pass.set_vertex_buffer(0, self.vertices.slice(..));
        pass.set_index_buffer(self.indices.slice(..), wgpu::IndexFormat::Uint32);
        pass.draw_indexed(0..self.count, 0, 0..1);
    }
}

/// A texture with its smaller copies, or a white texel.
fn texture(device: &wgpu::Device, queue: &wgpu::Queue, mips: &[Texture]) -> wgpu::Texture {
    let white = [Texture {
        width: 1,
        height: 1,
        pixels: vec![[255; 4]],
    }];
    let mips = if mips.is_empty() { &white } else { mips };
    let size = |texture: &Texture| wgpu::Extent3d {
        width: texture.width as u32,
        height: texture.height as u32,
        depth_or_array_layers: 1,
    };
    let made = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("mesh"),
        size: size(&mips[0]),
        mip_level_count: mips.len() as u32,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        // Not `…Srgb`: the software rasteriser, too, makes linear light of what lies between texels.
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for (level, mip) in (0..).zip(mips) {
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &made,
                mip_level: level,
                origin: wgpu::Origin3d::ZERO,
                aspect: wgpu::TextureAspect::All,
            },
            mip.pixels.as_flattened(),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(mip.width as u32 * 4),
                rows_per_image: None,
            },
            size(mip),
        );
    }
    made
}
