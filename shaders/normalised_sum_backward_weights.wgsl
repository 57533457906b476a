// dweights[weight] += Σ_c Σ dy·x̂ for each term with a weight: an invocation a term.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let t = linear(group, groups) * WORKGROUP + lane;
    if (t >= p.terms) { return; }
    let row = p.table + t * 8u;
    let weight = table[row + 4u];
    if (weight == 0xffffffffu) { return; }
    let at = table[row + 7u];
    var total = 0.0;
    for (var first = 0u; first < p.channels; first += 16u) {
        var sum = 0.0;
        let end = min(first + 16u, p.channels);
        for (var c = first; c < end; c += 1u) { sum += sums[at + c]; }
        total += sum;
    }
    dweights[p.dweights + weight] += total;
}
