// Colours in the form that the target wants.

// Whether the target converts linear colours to sRGB itself. egui prefers one that does not.
override target_is_srgb: bool = false;

fn linear_from_gamma(gamma: vec3f) -> vec3f {
    let low = gamma / 12.92;
    let high = pow((gamma + 0.055) / 1.055, vec3f(2.4));
    return select(high, low, gamma <= vec3f(0.04045));
}

// An opaque fragment of a gamma-encoded colour.
fn to_target(gamma: vec3f) -> vec4f {
    return to_target_over(vec4f(gamma, 1.0));
}

// A fragment that lies over what is there: gamma-encoded, premultiplied, as egui's own shapes.
fn to_target_over(gamma: vec4f) -> vec4f {
    if target_is_srgb {
        return vec4f(linear_from_gamma(gamma.rgb), gamma.a);
    }
    return gamma;
}
