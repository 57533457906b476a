//! Partial channels and edge weights (PC-DARTS, equations 2 and 3) against plain float64.

use super::*;

const SHAPE: Features = Features::new(8, 4, 4);
const PARTS: usize = 4;

/// One edge: α₀·x + α₁·max pool of the first two channels, of the given step.
fn edge(stride: usize) -> Vec<Candidate> {
    let pool = Pool::new(3, stride, 1);
    let small = Pool::new(1, stride, 0);
    vec![
        candidate("take", SHAPE, vec![("", Op::MaxPool(small))]),
        candidate("pool", SHAPE, vec![("", Op::MaxPool(pool))]),
    ]
}

fn at(x: &[f32], n: usize, c: usize, i: usize, j: usize) -> f64 {
    x[((n * SHAPE.channels + c) * SHAPE.height + i) * SHAPE.width + j].into()
}

/// The largest of a window that may reach beyond the image.
fn largest(x: &[f32], n: usize, c: usize, rows: std::ops::Range<i32>, columns: std::ops::Range<i32>) -> f64 {
    let mut best = f64::NEG_INFINITY;
    for i in rows.filter(|i| (0..4).contains(i)) {
        for j in columns.clone().filter(|j| (0..4).contains(j)) {
            best = best.max(at(x, n, c, i as usize, j as usize));
        }
    }
    best
}

/// What an edge with weights w makes of x: the first quarter mixed, the rest bypassing, four groups shuffled.
fn by_hand(x: &[f32], w: [f64; 2], stride: usize) -> Vec<f64> {
    let size = 4 / stride;
    let mut y = vec![0.0; BATCH * 8 * size * size];
    for n in 0..BATCH {
        for c in 0..8 {
            // Channel c of what is joined goes to place (c mod 2)·4 + c/2.
            let to = c % 2 * PARTS + c / 2;
            for i in 0..size {
                for j in 0..size {
                    let (row, column) = ((i * stride) as i32, (j * stride) as i32);
                    let value = if c < 2 {
                        let taken = at(x, n, c, i * stride, j * stride);
                        w[0] * taken + w[1] * largest(x, n, c, row - 1..row + 2, column - 1..column + 2)
                    } else if stride == 2 {
                        largest(x, n, c, row..row + 2, column..column + 2)
                    } else {
                        at(x, n, c, i, j)
                    };
                    y[((n * 8 + to) * size + i) * size + j] = value;
                }
            }
        }
    }
    y
}

#[test]
fn a_quarter_is_mixed_the_rest_bypasses_and_edges_are_weighed() {
    for stride in [1, 2] {
        let mut graph = Graph::new(&[SHAPE]);
        let edges: Vec<usize> = (0..2)
            .map(|row| graph.push(format!("edge{row}"), choice("alphas", row, edge(stride)), &[0]).unwrap())
            .collect();
        let sum = graph.push("sum", Op::Add, &edges).unwrap();
        graph.output("", sum);
        let (partial, weights) = graph.partial(PARTS).unwrap();
        let (alphas, betas) = ([[0.3f32, 0.7], [0.9, 0.1]], [0.4f32, 0.6]);
        let x = noise(BATCH * SHAPE.count(), 3);
        let wanted: Vec<f64> = {
            let edge = |row: usize| by_hand(&x, alphas[row].map(f64::from), stride);
            let sum = |(a, b): (f64, f64)| f64::from(betas[0]) * a + f64::from(betas[1]) * b;
            edge(0).into_iter().zip(edge(1)).map(sum).collect()
        };
        for device in devices() {
            let network = Network::new(&device, partial.clone(), 0).unwrap();
            let tables = tables(&device, &[("alphas", &[&alphas[0], &alphas[1]]), (&weights[0].table, &[&betas])]);
            let images = Tensor::from_values(&device, &x, &[BATCH, 8, 4, 4]).unwrap();
            let mut tape = Tape::new(&device);
            let pass = Pass { training: true, choices: Choices::Mixed(&tables), ..Pass::evaluation() };
            let y = network.forward(&mut tape, &Var::constant(images), &pass).unwrap();
            device.run(&tape.finish()).unwrap();
            let got = wait(y[0].tensor().read(&device)).unwrap();
            assert_eq!(got.len(), wanted.len());
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!((f64::from(*got) - wanted).abs() < 1e-6, "stride {stride}: {got} {wanted}");
            }
        }
    }
}
