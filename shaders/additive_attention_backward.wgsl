// With t = tanh(keys[j, m, u] + query[m, u]) and d = dscores[m, j] · v[u] · (1 − t²):
// dkeys[j, m, u] (+)= d,  dquery[m, u] = Σ_j d,  dvector[m, u] = Σ_j dscores[m, j] · t (to be summed over m).
// One unit of one row an element; ELEMENTS of them an invocation, WORKGROUP apart.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let count = p.rows * p.units;
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let asked = query[p.query + i];
        let factor = vector[p.vector + i % p.units];
        let scored = p.dscores + i / p.units * p.states;
        var to_query = 0.0;
        var to_vector = 0.0;
        for (var j = 0u; j < p.states; j += 1u) {
            let t = tanh(clamp(keys[p.keys + j * count + i] + asked, -20.0, 20.0));
            let ds = dscores[scored + j];
            var d = ds * factor * (1.0 - t * t);
            to_query += d;
            to_vector += ds * t;
            let to = p.dkeys + j * count + i;
            if (p.accumulate != 0u) { d += dkeys[to]; }
            dkeys[to] = d;
        }
        dquery[p.dquery + i] = to_query;
        dvector[p.dvector + i] = to_vector;
    }
}
