// dlogits (+)= (probabilities − t)·dloss/batch, with t = (1 − s)·[k = label] + s/classes.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.batch * p.classes);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let own = labels[p.labels + i / p.classes] == i % p.classes;
        let t = select(0.0, 1.0 - p.smoothing, own) + p.smoothing / f32(p.classes);
        let d = (probabilities[p.probabilities + i] - t) * (dloss[p.dloss] / f32(p.batch));
        if (p.accumulate != 0u) { dlogits[p.dlogits + i] += d; } else { dlogits[p.dlogits + i] = d; }
    }
}
