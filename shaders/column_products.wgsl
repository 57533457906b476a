// Of two flat buffers a and b, for each column of each tensor in them: Σab, Σa², Σb² along dimension 0. A column is three words:
// its first element, its length, and the distance from one element to the next. One column an invocation: neighbours read
// neighbouring elements.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = linear(group, groups) * WORKGROUP + lane;
    if (column >= p.count) { return; }
    let first = columns[p.columns + 3u * column];
    let length = columns[p.columns + 3u * column + 1u];
    let distance = columns[p.columns + 3u * column + 2u];
    var sums = vec3<f32>(0.0);
    for (var i = 0u; i < length; i += 1u) {
        let at = first + i * distance;
        let u = a[p.a + at];
        let v = b[p.b + at];
        sums += vec3<f32>(u * v, u * u, v * v);
    }
    products[p.products + 3u * column] = sums.x;
    products[p.products + 3u * column + 1u] = sums.y;
    products[p.products + 3u * column + 2u] = sums.z;
}
