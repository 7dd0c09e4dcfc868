// Colour maps that colour-blind readers can tell apart. `ColorMap` in src/view/colormap.rs is the
// same in Rust, for legends; tests/view.rs compares the two.
//
// A map is 33 sRGB colours 0xRRGGBB, equally spaced, joined by straight lines in gamma space:
// within 2/255 (viridis) and 6/255 (cividis, at the kink in its red) of matplotlib's 256 entries.

const COLORMAP_VIRIDIS = 0u;
const COLORMAP_CIVIDIS = 1u;
const COLORMAP_BLUE_ORANGE = 2u;

// Variables, as indexing a constant by a variable copies it for each pixel: twice the time on lavapipe.
var<private> VIRIDIS: array<u32, 33> = array(
    0x440154u, 0x470d60u, 0x48186au, 0x482374u, 0x472d7bu, 0x453681u, 0x424086u, 0x3f4989u,
    0x3b528bu, 0x375a8du, 0x33638du, 0x2f6a8eu, 0x2c728eu, 0x297a8eu, 0x26818eu, 0x23898eu,
    0x21908cu, 0x1f988bu, 0x1f9f88u, 0x21a685u, 0x28ae80u, 0x31b57bu, 0x3ebc74u, 0x4cc26cu,
    0x5dc963u, 0x6ece58u, 0x82d34cu, 0x96d83fu, 0xabdc32u, 0xc0df24u, 0xd5e21au, 0xeae51au,
    0xfde725u,
);
var<private> CIVIDIS: array<u32, 33> = array(
    0x00224eu, 0x00285bu, 0x002e6au, 0x043371u, 0x1a386fu, 0x273e6eu, 0x32436du, 0x3b496cu,
    0x434e6cu, 0x4b546cu, 0x52596du, 0x5a5f6eu, 0x61656fu, 0x686a71u, 0x6f7073u, 0x757676u,
    0x7c7b78u, 0x848179u, 0x8b8778u, 0x938d78u, 0x9b9376u, 0xa39a75u, 0xaba072u, 0xb3a670u,
    0xbbad6cu, 0xc3b469u, 0xccba64u, 0xd4c15fu, 0xddc958u, 0xe6d051u, 0xefd748u, 0xf8df3cu,
    0xfee838u,
);
var<private> BLUE_ORANGE: array<u32, 33> = array(
    0x01478eu, 0x0052a2u, 0x005db6u, 0x0168cau, 0x0173deu, 0x177fecu, 0x2e8bf7u, 0x4297ffu,
    0x5ba4ffu, 0x72b0ffu, 0x87bcffu, 0x9bc7ffu, 0xaed1ffu, 0xc0dbfeu, 0xd0e5ffu, 0xe1edfcu,
    0xf3f3f3u, 0xf7e9dbu, 0xfaddc2u, 0xfad0a8u, 0xfac28eu, 0xf7b373u, 0xf4a458u, 0xef953bu,
    0xe98610u, 0xdb7b03u, 0xcc7102u, 0xbd6701u, 0xae5d02u, 0x9f5301u, 0x8f4a01u, 0x804101u,
    0x713701u,
);

// The colour, gamma-encoded, at `t` in [0, 1]; beyond the ends it stays at the end.
fn colormap(map: u32, t: f32) -> vec3f {
    let x = clamp(t, 0.0, 1.0) * 32.0;
    let i = min(u32(x), 31u);
    var low: u32;
    var high: u32;
    switch map {
        case COLORMAP_CIVIDIS: {
            low = CIVIDIS[i];
            high = CIVIDIS[i + 1u];
        }
        case COLORMAP_BLUE_ORANGE: {
            low = BLUE_ORANGE[i];
            high = BLUE_ORANGE[i + 1u];
        }
        default: {
            low = VIRIDIS[i];
            high = VIRIDIS[i + 1u];
        }
    }
    // The lowest byte comes first, and it is blue.
    return mix(unpack4x8unorm(low).zyx, unpack4x8unorm(high).zyx, x - f32(i));
}
