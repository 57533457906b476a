// Walks the batch × pixels elements of a channel of [batch, channels, pixels] in steps of WORKGROUP,
// one division at the start and none on the way.
struct Walk { at: u32, pixel: u32, pixels: u32, step: u32, pixel_step: u32, skip: u32 }

fn walk(lane: u32, channel: u32, channels: u32, pixels: u32) -> Walk {
    let pixel_step = WORKGROUP % pixels;
    return Walk(
        (lane / pixels * channels + channel) * pixels + lane % pixels,
        lane % pixels,
        pixels,
        WORKGROUP / pixels * channels * pixels + pixel_step,
        pixel_step,
        (channels - 1u) * pixels,
    );
}

fn advance(w: ptr<function, Walk>) {
    (*w).at += (*w).step;
    (*w).pixel += (*w).pixel_step;
    if ((*w).pixel >= (*w).pixels) {
        (*w).pixel -= (*w).pixels;
        (*w).at += (*w).skip;
    }
}
