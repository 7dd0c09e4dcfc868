// One triangle over the whole viewport.
//
// Fragments find their place from `@builtin(position)`, in pixels of the window, not from
// interpolated coordinates: egui cuts the viewport at the window's edge, which would squeeze them.
#import "lib/target.wgsl"

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    // (-1, -1), (3, -1), (-1, 3): covers the square without a seam along its diagonal.
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}
