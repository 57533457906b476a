//! A trained network as WGSL: shaders, weights, a manifest of dispatches, and two small programs that run them without Cellwright
//! (Rust with wgpu, and a page for a browser with WebGPU).
//!
//! What is written is the recording of one image's forward pass: the order of dispatches, the parameters of each, and which
//! buffers it is given. A host makes the buffers, writes an image, runs the dispatches and reads the scores.

mod page;

use crate::device::{Class, Error, Plan, PlannedStep};
use crate::estimate::{EstimateError, Inference};
use crate::run::Model;
use serde_json::{Value, json};

/// A file of the bundle: its path in it, and what it holds.
pub type BundleFile = (String, Vec<u8>);

/// All files of the bundle: `manifest.json`, `weights.bin`, `shaders/…`, `index.html`, `host/…`.
///
/// `name` is what the network is called, `sample` are the pixels of an image (channel by channel) on which a host can be tried.
///
/// # Errors
/// An error of the device; a buffer or a dispatch beyond the limits that WebGPU has unless it is asked for more.
pub async fn bundle(
    inference: &mut Inference,
    model: &Model,
    name: &str,
    sample: &[u8],
) -> Result<Vec<BundleFile>, EstimateError> {
    let [channels, height, width] = model.shape();
    let logits = inference.logits(1, &model.normalised(sample)).await?;
    let (plan, [input, output]) = inference.plan(1, Class::Hardware).await?;
    check(&plan)?;
    let mut weights: Vec<u8> = Vec::new();
    let buffers: Vec<Value> = (plan.buffers.iter().enumerate())
        .map(|(number, buffer)| match &buffer.contents {
            // The image is written before each run, the scores are what comes of it.
            Some(contents) if number != input[0] && number != output[0] && contents.iter().any(|word| *word != 0) => {
                let at = weights.len();
                contents.iter().for_each(|word| weights.extend(word.to_le_bytes()));
                json!({ "words": buffer.words, "contents": { "byte": at, "bytes": weights.len() - at } })
            }
            _ => json!({ "words": buffer.words }),
        })
        .collect();
    let file = |number: usize, name: &str| format!("shaders/{number:02}_{name}.wgsl");
    let shaders: Vec<Value> = (plan.shaders.iter().enumerate())
        .map(|(number, shader)| {
            let overrides: serde_json::Map<String, Value> =
                shader.overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            json!({ "file": file(number, shader.name), "overrides": overrides, "inputs": shader.inputs, "outputs": shader.outputs })
        })
        .collect();
    let manifest = json!({
        "format": 1,
        "name": name,
        "classes": model.classes,
        "input": { "buffer": input[0], "word": input[1], "shape": [1, channels, height, width] },
        "output": { "buffer": output[0], "word": output[1], "shape": [1, model.classes.len()] },
        "mean": model.mean,
        "std": model.std,
        "shaders": shaders,
        "buffers": buffers,
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "sample": { "pixels": sample, "logits": logits },
    });
    let mut text = serde_json::to_vec(&manifest).map_err(|error| EstimateError::Settings(error.to_string()))?;
    text.push(b'\n');
    let sources: Vec<&str> = plan.shaders.iter().map(|shader| shader.source.as_str()).collect();
    let mut files = vec![
        ("index.html".to_owned(), page::page(name, &manifest, &sources, &weights).into_bytes()),
        ("manifest.json".to_owned(), text),
        ("weights.bin".to_owned(), weights),
        ("README.md".to_owned(), include_bytes!("readme.md").to_vec()),
        ("host/Cargo.toml".to_owned(), include_bytes!("host.toml").to_vec()),
        ("host/src/main.rs".to_owned(), include_bytes!("host.rs.txt").to_vec()),
    ];
    let named = plan.shaders.iter().enumerate();
    files.extend(named.map(|(number, shader)| (file(number, shader.name), shader.source.clone().into_bytes())));
    Ok(files)
}

/// A step as the manifest has it.
fn step(step: &PlannedStep) -> Value {
    match step {
        PlannedStep::Dispatch { shader, params, buffers, groups } => {
            let words: Vec<u32> = params.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            json!({ "shader": shader, "parameters": words, "buffers": buffers, "workgroups": groups })
        }
        PlannedStep::Copy { from, to, words } => json!({ "copy": { "from": from, "to": to, "words": words } }),
        PlannedStep::Clear { at, words } => json!({ "clear": { "at": at, "words": words } }),
        PlannedStep::Upload { at, data } => json!({ "upload": { "at": at, "data": data } }),
    }
}

/// Storage buffers of one dispatch, and bytes of one binding, that every WebGPU device has.
const BINDINGS: usize = 8;
const BINDING_BYTES: u64 = 128 << 20;

fn check(plan: &Plan) -> Result<(), EstimateError> {
    for step in &plan.steps {
        let PlannedStep::Dispatch { buffers, .. } = step else { continue };
        let limit = |what, asked, limit| Err(crate::tensor::Error::from(Error::Limit { what, asked, limit }).into());
        if buffers.len() > BINDINGS {
            return limit("storage buffers of one dispatch", buffers.len() as u64, BINDINGS as u64);
        }
        if let Some(buffer) = buffers.iter().find(|&&buffer| 4 * plan.buffers[buffer].words as u64 > BINDING_BYTES) {
            return limit("bytes of one binding", 4 * plan.buffers[*buffer].words as u64, BINDING_BYTES);
        }
    }
    Ok(())
}
