// Workgroups that each work on up to WORKGROUP · ELEMENTS pixels of one plane.
struct Chunk { plane: u32, first: u32 }

fn chunk(index: u32, pixels: u32) -> Chunk {
    let size = WORKGROUP * ELEMENTS;
    let chunks = (pixels + size - 1u) / size;
    return Chunk(index / chunks, (index % chunks) * size);
}
