// answers[places[n]] = the class of row n's largest logit (the first of equals). A row an invocation; no two places are alike.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.batch);
    for (var n = first + lane; n < end; n += WORKGROUP) {
        let z = p.logits + n * p.classes;
        var best = 0u;
        var top = logits[z];
        for (var k = 1u; k < p.classes; k += 1u) {
            let v = logits[z + k];
            if (v > top) {
                top = v;
                best = k;
            }
        }
        answers[p.answers + places[p.places + n]] = best;
    }
}
