// A workgroup takes a run of a channel's batch × pixels elements, image after image however small they are;
// an invocation takes 4 · BLOCKS (1 or 2) of them, WORKGROUP apart, so that what belongs to the channel is loaded
// once for all of them.
// Element of a channel: image and pixel.
struct Place { n: u32, i: u32 }
// Four of them, WORKGROUP elements apart.
struct Four { n: vec4<u32>, i: vec4<u32> }

fn next(place: ptr<function, Place>) -> Place {
    let now = *place;
    // WORKGROUP elements further: no division.
    var n = now.n + WORKGROUP / p.pixels;
    var i = now.i + WORKGROUP % p.pixels;
    if (i >= p.pixels) {
        i -= p.pixels;
        n += 1u;
    }
    *place = Place(n, i);
    return now;
}

fn four(place: ptr<function, Place>) -> Four {
    let a = next(place);
    let b = next(place);
    let c = next(place);
    let d = next(place);
    return Four(vec4(a.n, b.n, c.n, d.n), vec4(a.i, b.i, c.i, d.i));
}

// Loads of what lies beyond the batch are of its last image.
fn clamped(f: Four) -> Four {
    return Four(min(f.n, vec4(p.batch - 1u)), f.i);
}
