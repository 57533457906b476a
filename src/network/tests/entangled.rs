//! Options that share the kernels of the largest.

use super::*;

/// Two convolutions that differ in their windows, a skip, and zeros; the convolutions shared.
fn shared() -> Graph {
    let mut graph = Graph::new(&[IMAGE]);
    let conv = |size: usize| Op::Conv(Conv::square(2, 2, size, 1));
    let candidates = vec![
        candidate("conv_3", IMAGE, vec![("edge.3", conv(3))]),
        candidate("none", IMAGE, vec![("", Op::Zero { stride: 1 })]),
        candidate("skip", IMAGE, vec![("", Op::Identity)]),
        candidate("conv_5", IMAGE, vec![("edge.5", conv(5))]),
    ];
    let mixed = graph.push("edge", choice("alphas", 0, candidates), &[0]).unwrap();
    graph.output("", mixed);
    graph.entangled().unwrap()
}

fn along(device: &Device, network: &Network, taken: usize) -> Vec<f32> {
    let path: Path = [(("alphas".into(), 0), taken)].into_iter().collect();
    let used = network.used(&path).unwrap();
    let touched: usize = used.parameters.iter().map(|range| range.len()).sum();
    assert_eq!(touched, if [0, 3].contains(&taken) { 4 * 25 } else { 0 }, "{}", device.name());
    outputs(network, &Pass { choices: Choices::Path(&path), ..Pass::evaluation() }).remove(0)
}

#[test]
fn a_group_is_the_sum_of_the_middles_and_the_rest_is_weighed() {
    for device in devices() {
        let network = Network::new(&device, shared(), 5).unwrap();
        assert_eq!(network.parameters().values().count(), 4 * 25);
        // A convolution is linear in its kernel, so that the mixed one is the mixture of both.
        let [skip, small, large] = [2, 0, 3].map(|taken| along(&device, &network, taken));
        assert!(along(&device, &network, 1).iter().all(|y| *y == 0.0));
        let p = [0.1f32, 0.4, 0.3, 0.2];
        let given = tables(&device, &[("alphas", &[&p])]);
        let mixed = outputs(&network, &Pass { choices: Choices::Mixed(&given), ..Pass::evaluation() }).remove(0);
        let sum = |at: usize| p[2] * skip[at] + p[0] * small[at] + p[3] * large[at];
        let wanted: Vec<f32> = (0..mixed.len()).map(sum).collect();
        assert_close(&mixed, &wanted, device.name());
        // The small kernel is the middle of the large one.
        let mut middle = wait(network.parameters().read(&device)).unwrap();
        for (at, weight) in middle.iter_mut().enumerate() {
            let inside = |place: usize| (1..4).contains(&place);
            if !(inside(at / 5 % 5) && inside(at % 5)) {
                *weight = 0.0;
            }
        }
        network.parameters().values().write(&device, &middle).unwrap();
        assert_close(&along(&device, &network, 3), &small, device.name());
        let path: Path = [(("alphas".into(), 0), NOTHING)].into_iter().collect();
        let none = outputs(&network, &Pass { choices: Choices::Path(&path), ..Pass::evaluation() }).remove(0);
        assert!(none.len() == small.len() && none.iter().all(|y| *y == 0.0));
        // A sampled option alone.
        let path: Path = [(("alphas".into(), 0), 0)].into_iter().collect();
        let hot = tables(&device, &[("alphas", &[&[1.0, 0.0, 0.0, 0.0]])]);
        let choices = Choices::Sampled { tables: &hot, path: &path, others: false };
        let sampled = outputs(&network, &Pass { choices, ..Pass::evaluation() }).remove(0);
        assert_close(&sampled, &small, device.name());
        // Where all weights are 0 nothing is taken: zeros, not a member of the group, whose graph is zeros too.
        let nothing = TableWeights { name: "alphas".into(), rows: 1, options: 4, values: vec![0.0; 4] };
        assert_eq!(network.path(&[nothing]).unwrap()[&("alphas".to_owned(), 0)], 1);
    }
}
