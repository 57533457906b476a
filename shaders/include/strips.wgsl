// Invocations that each work down STRIP rows of ACROSS neighbouring columns of a plane, so that neighbouring windows
// share what they loaded.
struct Strip { plane: u32, column: u32, first: u32, end: u32 }

fn strip(unit: u32, height: u32, width: u32) -> Strip {
    let strips = (height + STRIP - 1u) / STRIP;
    let columns = (width + ACROSS - 1u) / ACROSS;
    let line = unit / columns;
    let plane = line / strips;
    let first = (line - plane * strips) * STRIP;
    return Strip(plane, (unit - line * columns) * ACROSS, first, min(first + STRIP, height));
}
