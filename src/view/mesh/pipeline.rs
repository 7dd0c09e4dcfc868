//! The render pipelines that draw a figure beside egui's pass, which has no depth buffer.

use egui_wgpu::wgpu;

use super::scene::Vertex;
use crate::Result;
use crate::view::pipeline::unless_refused;
use crate::view::shader::{self, Sources};

/// Samples in a pixel.
pub(super) const SAMPLES: u32 = 4;
pub(super) const COLOR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

const PATH: &str = "mesh.wgsl";
const CORNERS: wgpu::VertexBufferLayout<'static> = wgpu::VertexBufferLayout {
    array_stride: size_of::<Vertex>() as wgpu::BufferAddress,
    step_mode: wgpu::VertexStepMode::Vertex,
    attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3, 2 => Float32x2],
};

/// What the pipelines read.
pub(in super::super) struct Layouts {
    /// Group 0: how the figure is seen and lit.
    pub(super) frame: wgpu::BindGroupLayout,
    /// Group 1: a mesh's look.
    pub(super) look: wgpu::BindGroupLayout,
    /// Group 2: the shadow map and the nearness of what is seen.
    pub(super) maps: wgpu::BindGroupLayout,
    depth_only: wgpu::PipelineLayout,
    color: wgpu::PipelineLayout,
    pub(super) sampler: wgpu::Sampler,
}

/// One pipeline for every way a mesh is drawn.
pub(in super::super) struct Passes {
    /// What the key light sees.
    pub(super) shadow: wgpu::RenderPipeline,
    /// How near it is: solid meshes, and those that let light through.
    pub(super) near: [wgpu::RenderPipeline; 2],
    /// Its colours, likewise.
    pub(super) color: [wgpu::RenderPipeline; 2],
}

impl Layouts {
    pub(in super::super) fn new(device: &wgpu::Device) -> Self {
        let group = |label, entries: &[wgpu::BindGroupLayoutEntry]| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(label),
                entries,
            })
        };
        let texture = |binding, sample_type| {
            let ty = wgpu::BindingType::Texture {
                sample_type,
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            };
            entry(binding, ty)
        };
        let color = wgpu::TextureSampleType::Float { filterable: true };
        let depth = wgpu::TextureSampleType::Depth;
        let filtering = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
        let frame = group("mesh frame", &[uniforms()]);
        let look = group(
            "mesh look",
            &[uniforms(), texture(1, color), entry(2, filtering)],
        );
        let maps = group("mesh maps", &[texture(0, depth), texture(1, depth)]);
        let layout = |groups: &[Option<&wgpu::BindGroupLayout>]| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("mesh"),
                bind_group_layouts: groups,
                immediate_size: 0,
            })
        };
        let depth_only = layout(&[Some(&frame), Some(&look)]);
        let color = layout(&[Some(&frame), Some(&look), Some(&maps)]);
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("mesh"),
            address_mode_u: wgpu::AddressMode::Repeat,
            address_mode_v: wgpu::AddressMode::Repeat,
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            mipmap_filter: wgpu::MipmapFilterMode::Linear,
            ..Default::default()
        });
        Self {
            frame,
            look,
            maps,
            depth_only,
            color,
            sampler,
        }
    }
}

fn entry(binding: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty,
        count: None,
    }
}

fn uniforms() -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    entry(0, ty)
}

impl Passes {
    /// Compiles them.
    ///
    /// # Errors
    /// When the shader is not sound or does not suit the graphics adapter.
    pub(in super::super) fn new(
        device: &wgpu::Device,
        layouts: &Layouts,
        sources: &Sources,
    ) -> Result<Self> {
        let source = shader::resolve(sources, PATH)?;
        shader::validate(&source)?;
        unless_refused(device, PATH, || {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(PATH),
                source: wgpu::ShaderSource::Wgsl(source.text.as_str().into()),
            });
            let compiler = Compiler {
                device,
                layouts,
                module: &module,
            };
            Self {
                shadow: compiler.pass(["vs_light", "fs_shadow"], false, 1),
                near: [true, false].map(|solid| compiler.pass(["vs_camera", "fs_near"], solid, 1)),
                color: [
                    compiler.pass(["vs_camera", "fs_solid"], true, SAMPLES),
                    compiler.pass(["vs_camera", "fs_cutout"], false, SAMPLES),
                ],
            }
        })
    }
}

struct Compiler<'a> {
    device: &'a wgpu::Device,
    layouts: &'a Layouts,
    module: &'a wgpu::ShaderModule,
}

impl Compiler<'_> {
    /// A pipeline; solid meshes are seen from outside only. One sample means depth alone.
    fn pass(
        &self,
        [vertex, fragment]: [&str; 2],
        solid: bool,
        samples: u32,
    ) -> wgpu::RenderPipeline {
        let colored = samples > 1;
        let layout = if colored {
            &self.layouts.color
        } else {
            &self.layouts.depth_only
        };
        let target = Some(wgpu::ColorTargetState {
            format: COLOR,
            blend: None,
            write_mask: wgpu::ColorWrites::ALL,
        });
        self.device
            .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(fragment),
                layout: Some(layout),
                vertex: wgpu::VertexState {
                    module: self.module,
                    entry_point: Some(vertex),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[Some(CORNERS)],
                },
                primitive: wgpu::PrimitiveState {
                    cull_mode: solid.then_some(wgpu::Face::Back),
                    ..Default::default()
                },
                depth_stencil: Some(wgpu::DepthStencilState {
                    format: DEPTH,
                    depth_write_enabled: Some(true),
                    // Nearness, not distance; of two alike the first is kept.
                    depth_compare: Some(wgpu::CompareFunction::Greater),
                    stencil: wgpu::StencilState::default(),
                    bias: wgpu::DepthBiasState::default(),
                }),
                multisample: wgpu::MultisampleState {
                    count: samples,
                    ..Default::default()
                },
                fragment: Some(wgpu::FragmentState {
                    module: self.module,
                    entry_point: Some(fragment),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets: if colored {
                        std::slice::from_ref(&target)
                    } else {
                        &[]
                    },
                }),
                multiview_mask: None,
                cache: None,
            })
    }
}
