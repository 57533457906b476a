//! Networks with noise are measured the same each time.

use super::*;
use crate::data::{Images, Resident};
use crate::device::Workspace;
use crate::network::Network;

#[test]
fn noise_is_another_in_each_batch_of_an_evaluation_and_the_same_each_time() {
    for device in devices() {
        let mut graph = Graph::new(&[Features::new(1, 4, 4)]);
        let noise = graph.push("noise", Op::Noise { stride: 1 }, &[0]).unwrap();
        let logits = graph.push("logits", Op::Linear { outputs: 2, bias: true }, &[noise]).unwrap();
        graph.output("logits", logits);
        let images = Images::new([1, 4, 4], vec![7; 16], vec![0], vec!["a".into(), "b".into()]).unwrap();
        let data = Resident::new(&device, &images, &[0.0], &[1.0]).unwrap();
        let network = Network::new(&device, graph, 3).unwrap();
        let loss = |images: Vec<u32>, batch: usize| {
            let workspace = Workspace::default();
            let evaluation = Evaluation::new(&network, &data, images, batch, Choices::None, &workspace).unwrap();
            let [first, again] = [0, 1].map(|_| wait(evaluation.score()).unwrap().loss);
            assert_eq!(first, again);
            first
        };
        // The same image, alone and in several batches.
        assert_eq!(loss(vec![0], 1), loss(vec![0], 5));
        assert_ne!(loss(vec![0], 1), loss(vec![0, 0], 1));
        assert_ne!(loss(vec![0, 0], 1), loss(vec![0, 0], 2));
    }
}
