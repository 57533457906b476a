// z = a + b, elementwise.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        z[p.z + i] = a[p.a + i] + b[p.b + i];
    }
}
