//! Which classes are answered, and what is counted of it.

use super::*;
use crate::data::{DataError, Images, Resident};
use crate::device::Workspace;
use crate::network::Network;

#[test]
fn what_is_answered_to_each_image_is_counted_by_its_class() {
    const CLASSES: usize = 5;
    for device in devices() {
        let mut graph = Graph::new(&[Features::new(2, 3, 3)]);
        let logits = graph.push("logits", Op::Linear { outputs: CLASSES, bias: true }, &[0]).unwrap();
        graph.output("logits", logits);
        let pixels = noise(18 * 23, 3).iter().map(|value| (127.0 + 100.0 * value) as u8).collect();
        let labels: Vec<u32> = (0..23).map(|image| [0, 1, 1, 4][image % 4]).collect();
        let names = (0..CLASSES).map(|class| format!("{class}")).collect();
        let images = Images::new([2, 3, 3], pixels, labels.clone(), names).unwrap();
        let data = Resident::new(&device, &images, &[0.5; 2], &[0.1; 2]).unwrap();
        let network = Network::new(&device, graph, 3).unwrap();
        let score = |images: Vec<u32>, batch: usize| {
            let workspace = Workspace::default();
            let evaluation = Evaluation::new(&network, &data, images, batch, Choices::None, &workspace).unwrap();
            let first = wait(evaluation.score()).unwrap();
            assert_eq!(wait(evaluation.score()).unwrap(), first, "the second time");
            first
        };
        // Each image alone has one answer; those of several are the same, whatever their order and batches.
        let answer = |image: u32| match score(vec![image], 1).confusion.counts() {
            &[(class, answer, 1)] if class == labels[image as usize] => answer,
            other => panic!("image {image}: {other:?}"),
        };
        let answers: Vec<u32> = (0..23).map(answer).collect();
        assert!((0..CLASSES as u32).filter(|class| answers.contains(class)).count() > 2, "{answers:?}");
        let chosen: Vec<u32> = (0..23).rev().chain([4, 4, 7]).collect();
        let pairs: Vec<(u32, u32)> =
            chosen.iter().map(|&image| (labels[image as usize], answers[image as usize])).collect();
        let expected = Confusion::new(CLASSES, pairs.clone());
        for batch in [1, 4, 26, 100] {
            let got = score(chosen.clone(), batch);
            assert_eq!(got.confusion, expected, "in batches of {batch} on {}", device.name());
            let right = pairs.iter().filter(|(class, answer)| class == answer).count();
            assert_eq!(got.accuracy, right as f64 / 26.0);
        }
    }
}

#[test]
fn an_image_that_is_not_there_is_refused() {
    let device = Device::cpu();
    let mut graph = Graph::new(&[Features::new(1, 1, 1)]);
    let logits = graph.push("logits", Op::Linear { outputs: 2, bias: true }, &[0]).unwrap();
    graph.output("logits", logits);
    let images = Images::new([1, 1, 1], vec![7; 3], vec![0; 3], vec!["a".into(), "b".into()]).unwrap();
    let data = Resident::new(&device, &images, &[0.0], &[1.0]).unwrap();
    let network = Network::new(&device, graph, 3).unwrap();
    let made = Evaluation::new(&network, &data, vec![2, 3], 2, Choices::None, &Workspace::default());
    assert!(matches!(made.unwrap_err(), EstimateError::Data(DataError::Index { index: 3, count: 3 })));
}
