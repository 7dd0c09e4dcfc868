// One triangle over the whole viewport, and colours in the form that the target wants.
//
// Fragments find their place from `@builtin(position)`, in pixels of the window, not from
// interpolated coordinates: egui cuts the viewport at the window's edge, which would squeeze them.

// Whether the target converts linear colours to sRGB itself. egui prefers one that does not.
override target_is_srgb: bool = false;

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    // (-1, -1), (3, -1), (-1, 3): covers the square without a seam along its diagonal.
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn linear_from_gamma(gamma: vec3f) -> vec3f {
    let low = gamma / 12.92;
    let high = pow((gamma + 0.055) / 1.055, vec3f(2.4));
    return select(high, low, gamma <= vec3f(0.04045));
}

// An opaque fragment of a gamma-encoded colour.
fn to_target(gamma: vec3f) -> vec4f {
    if target_is_srgb {
        return vec4f(linear_from_gamma(gamma), 1.0);
    }
    return vec4f(gamma, 1.0);
}
