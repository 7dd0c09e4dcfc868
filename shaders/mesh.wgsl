// A figure as triangles: what its key light sees, how near it is, and its colours.
//
// Nearness is 1 / distance, as in the software rasteriser: linear in the picture, greater is nearer.
#import "lib/light.wgsl"

@group(1) @binding(0) var<uniform> look: Look;
@group(1) @binding(1) var picture: texture_2d<f32>;
@group(1) @binding(2) var picture_sampler: sampler;

struct Vertex {
    @builtin(vertex_index) index: u32,
    @location(0) point: vec3f,
    @location(1) normal: vec3f,
    @location(2) uv: vec2f,
}

struct Varying {
    @builtin(position) position: vec4f,
    // At the sample that is covered: the pixel's middle may lie beyond the triangle.
    @location(0) @interpolate(perspective, centroid) view: vec3f,
    @location(1) @interpolate(perspective, centroid) normal: vec3f,
    @location(2) @interpolate(perspective, centroid) uv: vec2f,
    @location(3) @interpolate(flat) index: u32,
}

fn turned(v: vec3f) -> vec3f {
    return vec3f(dot(frame.turn[0].xyz, v), dot(frame.turn[1].xyz, v), dot(frame.turn[2].xyz, v));
}

fn seen(vertex: Vertex) -> Varying {
    var out: Varying;
    let target_point = vec3f(frame.turn[0].w, frame.turn[1].w, frame.turn[2].w);
    out.view = turned(vertex.point - target_point);
    out.normal = turned(vertex.normal);
    out.uv = vec2f(vertex.uv.x, 1.0 - vertex.uv.y);
    out.index = vertex.index;
    return out;
}

@vertex
fn vs_camera(vertex: Vertex) -> Varying {
    var out = seen(vertex);
    let distance = frame.distance - out.view.z;
    // z / w is the nearness between the least and the most.
    let near = (1.0 - distance * frame.least_near) / (frame.most_near - frame.least_near);
    let place = frame.lens.xy * out.view.xy + frame.lens.zw * distance;
    out.position = vec4f(place, near, distance);
    return out;
}

@vertex
fn vs_light(vertex: Vertex) -> Varying {
    var out = seen(vertex);
    let place = vec3f(
        dot(frame.towards[0].xyz, out.view),
        dot(frame.towards[1].xyz, out.view),
        dot(frame.towards[2].xyz, out.view),
    );
    let scale = frame.shadow_scale * 2.0 / frame.shadow_side;
    out.position = vec4f(place.xy * scale, place.z / frame.height * 0.5 + 0.5, 1.0);
    return out;
}

// A number of 0 to 1 that depends on the sample and the triangle only (hash alpha).
fn chance(column: u32, row: u32, face: u32) -> f32 {
    var x = (row * 0x9e3779b1u) ^ (column * 0x85ebca77u) ^ (face * 0xc2b2ae3du);
    x ^= x >> 16u;
    x *= 0x7feb352du;
    x ^= x >> 15u;
    x *= 0x846ca68bu;
    x ^= x >> 16u;
    return f32(x >> 8u) / 16777216.0;
}

fn face_of(in: Varying) -> u32 {
    return in.index + look.number * 0x10000u;
}

// Hair and the like throw shadows as dense as their alpha.
@fragment
fn fs_shadow(in: Varying) {
    let alpha = textureSample(picture, picture_sampler, in.uv).a * look.tint.w;
    let at = vec2u(in.position.xy);
    if look.tint.w > 0.0 && alpha <= chance(at.x, at.y, face_of(in)) {
        discard;
    }
}

// For the darkness of corners a pixel has one depth: that of what most of it shows.
@fragment
fn fs_near(in: Varying) {
    let alpha = textureSample(picture, picture_sampler, in.uv).a * look.tint.w;
    if look.tint.w > 0.0 && alpha <= 0.5 {
        discard;
    }
}

// A cubic within 0.002 of the standard's curve, as in the software rasteriser.
fn linear_from_srgb(v: vec3f) -> vec3f {
    return v * (v * (v * 0.305306 + 0.6821711) + 0.0125229);
}

fn color_of(in: Varying, texel: vec4f) -> vec4f {
    let albedo = linear_from_srgb(texel.rgb) * look.tint.rgb;
    let light = shade(look, albedo, in.view, normalised(in.normal), in.position.xy);
    return vec4f(shoulder(light * frame.exposure), 1.0);
}

@fragment
fn fs_solid(in: Varying) -> @location(0) vec4f {
    return color_of(in, textureSample(picture, picture_sampler, in.uv));
}

struct Covered {
    @location(0) color: vec4f,
    @builtin(sample_mask) samples: u32,
}

// Each sample lets through at random by the alpha, which needs no order of triangles.
@fragment
fn fs_cutout(in: Varying) -> Covered {
    let texel = textureSample(picture, picture_sampler, in.uv);
    let alpha = texel.a * look.tint.w;
    let at = vec2u(in.position.xy) * 2u;
    var samples = 0u;
    for (var i = 0u; i < 4u; i++) {
        if alpha > chance(at.x + (i & 1u), at.y + (i >> 1u), face_of(in)) {
            samples |= 1u << i;
        }
    }
    if samples == 0u {
        discard;
    }
    return Covered(color_of(in, texel), samples);
}
