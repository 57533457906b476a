// target (+)= Σ_e weights[table[row][e]] · dy_e for dx (with skip) and each of the targets in dz. An
// invocation loads 4 · BLOCKS (1 or 2) elements of each dy, WORKGROUP apart, and uses them for every target; what
// belongs to a target is loaded once for all of them.

const NONE = 0xffffffffu;

// Four elements of each dy: a column for each mixture.
fn load(at: vec4<u32>) -> mat4x4<f32> {
    // Loads beyond the end are of the last element.
    let i = min(at, vec4(p.count - 1u));
    var g = mat4x4<f32>();
    let a = i + p.dy0;
    g[0] = vec4(dy0[a.x], dy0[a.y], dy0[a.z], dy0[a.w]);
    if (p.edges > 1u) {
        let b = i + p.dy1;
        g[1] = vec4(dy1[b.x], dy1[b.y], dy1[b.z], dy1[b.w]);
    }
    if (p.edges > 2u) {
        let c = i + p.dy2;
        g[2] = vec4(dy2[c.x], dy2[c.y], dy2[c.z], dy2[c.w]);
    }
    if (p.edges > 3u) {
        let d = i + p.dy3;
        g[3] = vec4(dy3[d.x], dy3[d.y], dy3[d.z], dy3[d.w]);
    }
    return g;
}

fn weight(row: u32, edge: u32) -> f32 {
    if (edge >= p.edges) { return 0.0; }
    let index = table[p.table + row * 4u + edge];
    if (index == NONE) { return 0.0; }
    return weights[index];
}

fn row_of(row: u32) -> vec4<f32> { return vec4(weight(row, 0u), weight(row, 1u), weight(row, 2u), weight(row, 3u)); }

// What was there is read apart: what is stored twice is compiled twice.
fn put_x(i: u32, value: f32) {
    if (i < p.count) {
        var before = 0.0;
        if (p.accumulate_x != 0u) { before = dx[p.dx + i]; }
        dx[p.dx + i] = before + value;
    }
}

fn put_x4(i: vec4<u32>, v: vec4<f32>) {
    put_x(i.x, v.x);
    put_x(i.y, v.y);
    put_x(i.z, v.z);
    put_x(i.w, v.w);
}

fn put_z(at: u32, i: u32, value: f32) {
    if (i < p.count) {
        var before = 0.0;
        if (p.accumulate_z != 0u) { before = dz[at + i]; }
        dz[at + i] = before + value;
    }
}

fn put_z4(at: u32, i: vec4<u32>, v: vec4<f32>) {
    put_z(at, i.x, v.x);
    put_z(at, i.y, v.y);
    put_z(at, i.z, v.z);
    put_z(at, i.w, v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * 4u * BLOCKS);
    if (first >= p.count) { return; }
    let i0 = first + lane + vec4(0u, 1u, 2u, 3u) * WORKGROUP;
    let i1 = i0 + 4u * WORKGROUP;
    let g0 = load(i0);
    var g1 = mat4x4<f32>();
    if (BLOCKS > 1u) { g1 = load(i1); }
    if (p.skip != 0u) {
        let w = row_of(0u);
        put_x4(i0, g0 * w);
        if (BLOCKS > 1u) { put_x4(i1, g1 * w); }
    }
    for (var t = 0u; t < p.targets; t += 1u) {
        let w = row_of(p.skip + t);
        let at = p.dz + t * p.count;
        put_z4(at, i0, g0 * w);
        if (BLOCKS > 1u) { put_z4(at, i1, g1 * w); }
    }
}
