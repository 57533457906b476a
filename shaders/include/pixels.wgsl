// The pixels of one invocation of a pointwise convolution: four of a group's, WORKGROUP apart, or eight if WIDE.

// Whether results are added to what is there: a constant, for what is stored twice is compiled twice.
override ACCUMULATE: u32 = 0;
override WORKGROUP: u32 = 64;

// Values of four pixels, or of eight.
struct Two { a: vec4<f32>, b: vec4<f32> }

fn grow(s: Two, weight: f32, v: Two) -> Two {
    var sum = s;
    sum.a = fma(vec4(weight), v.a, s.a);
    if (WIDE != 0u) { sum.b = fma(vec4(weight), v.b, s.b); }
    return sum;
}

// What is to be stored, a channel after the other: in a loop, because software drivers take long to compile stores.
var<private> kept: array<Two, CHANNELS>;

fn keep(channel: u32, v: Two) { kept[channel] = v; }

// Group of the batch and pixel of each, and whether it counts: those beyond the last column repeat it.
struct Pixels {
    image_a: vec4<u32>, image_b: vec4<u32>, pixel_a: vec4<u32>, pixel_b: vec4<u32>,
    a_inside: vec4<bool>, b_inside: vec4<bool>,
}

// Of tile number `tile` of group g.
fn pixels_of(tile: u32, lane: u32, g: u32) -> Pixels {
    let run = WORKGROUP * select(4u, 8u, WIDE != 0u);
    let columns = p.batch * p.pixels;
    let wanted = vec4(tile * run + lane) + vec4(0u, 1u, 2u, 3u) * WORKGROUP;
    let further = wanted + vec4(4u * WORKGROUP);
    let column = min(wanted, vec4(columns - 1u));
    let other = min(further, vec4(columns - 1u));
    // Where tiles never straddle two images, one division does for a workgroup.
    var n = vec4(tile * run / p.pixels);
    var m = n;
    if (p.pixels % run != 0u) {
        n = column / p.pixels;
        m = other / p.pixels;
    }
    return Pixels(n * p.groups + vec4(g), m * p.groups + vec4(g), column - n * p.pixels, other - m * p.pixels,
                  wanted < vec4(columns), further < vec4(columns));
}

// Where four of them lie in channel 0 of a tensor with so many channels a group.
fn places(offset: u32, channels: u32, image: vec4<u32>, pixel: vec4<u32>) -> vec4<u32> {
    return vec4(offset) + image * (channels * p.pixels) + pixel;
}
