"use strict";
// Makes the buffers of a manifest, runs its dispatches, and shows what comes of it.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const state = (text) => { document.getElementById("state").textContent = text; };

function bytes(text) {
  const raw = atob(text);
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

async function load() {
  const manifest = read("manifest");
  const sources = read("shaders");
  const weights = bytes(document.getElementById("weights").textContent);
  if (!navigator.gpu) throw new Error("this browser has no WebGPU");
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("WebGPU finds no adapter here");
  const device = await adapter.requestDevice();
  const lost = device.lost.then((info) => { state(`the device was lost: ${info.message}`); });
  device.addEventListener("uncapturederror", (event) => state(`WebGPU: ${event.error.message}`));
  const { STORAGE, COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;
  const buffers = manifest.buffers.map(({ words, contents }) => {
    const buffer = device.createBuffer({ size: 4 * words, usage: STORAGE | COPY_SRC | COPY_DST });
    if (contents) device.queue.writeBuffer(buffer, 0, weights, contents.byte, contents.bytes);
    return buffer;
  });
  const layouts = manifest.shaders.map(({ inputs, outputs }) => device.createBindGroupLayout({
    entries: Array.from({ length: 1 + inputs + outputs }, (_, binding) => {
      const storage = binding <= inputs ? "read-only-storage" : "storage";
      return { binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: binding === 0 ? "uniform" : storage } };
    }),
  }));
  const pipelines = await Promise.all(manifest.shaders.map(({ overrides }, number) =>
    device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layouts[number]] }),
      compute: {
        module: device.createShaderModule({ code: sources[number] }),
        entryPoint: "main",
        constants: overrides,
      },
    })));
  // All parameters lie in one uniform buffer, each at a place that may be bound.
  const places = [];
  let length = 0;
  for (const step of manifest.steps) {
    places.push(length);
    if (step.parameters) length += Math.ceil(Math.max(4 * step.parameters.length, 16) / 256) * 256;
  }
  const parameters = device.createBuffer({ size: Math.max(length, 256), usage: UNIFORM | COPY_DST });
  manifest.steps.forEach((step, number) => {
    if (step.parameters) device.queue.writeBuffer(parameters, places[number], new Uint32Array(step.parameters));
  });
  const groups = manifest.steps.map((step, number) => step.parameters && device.createBindGroup({
    layout: layouts[step.shader],
    entries: [
      { binding: 0, resource: { buffer: parameters, offset: places[number], size: Math.max(4 * step.parameters.length, 16) } },
      ...step.buffers.map((buffer, at) => ({ binding: at + 1, resource: { buffer: buffers[buffer] } })),
    ],
  }));
  const { input, output } = manifest;
  const wanted = output.shape.reduce((a, b) => a * b);
  const result = device.createBuffer({ size: 4 * wanted, usage: MAP_READ | COPY_DST });
  // An image's values, normalised, channel by channel; gives the scores of the classes.
  const run = async (values) => {
    device.queue.writeBuffer(buffers[input.buffer], 4 * input.word, values);
    let encoder = device.createCommandEncoder();
    manifest.steps.forEach((step, number) => {
      if (step.parameters) {
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipelines[step.shader]);
        pass.setBindGroup(0, groups[number]);
        pass.dispatchWorkgroups(...step.workgroups);
        pass.end();
      } else if (step.copy) {
        const { from, to, words } = step.copy;
        encoder.copyBufferToBuffer(buffers[from[0]], 4 * from[1], buffers[to[0]], 4 * to[1], 4 * words);
      } else if (step.clear) {
        encoder.clearBuffer(buffers[step.clear.at[0]], 4 * step.clear.at[1], 4 * step.clear.words);
      } else {
        // What was encoded must run before this is written.
        device.queue.submit([encoder.finish()]);
        const { at, data } = step.upload;
        device.queue.writeBuffer(buffers[at[0]], 4 * at[1], new Uint32Array(data));
        encoder = device.createCommandEncoder();
      }
    });
    encoder.copyBufferToBuffer(buffers[output.buffer], 4 * output.word, result, 0, 4 * wanted);
    device.queue.submit([encoder.finish()]);
    await Promise.race([result.mapAsync(GPUMapMode.READ), lost]);
    const scores = new Float32Array(result.getMappedRange().slice(0));
    result.unmap();
    return scores;
  };
  return { manifest, run };
}

// Pixels from 0 to 255, channel by channel, as the network is given them.
function normalised({ input, mean, std }, pixels) {
  const plane = input.shape[2] * input.shape[3];
  return Float32Array.from(pixels, (pixel, at) => {
    const channel = Math.floor(at / plane);
    return (pixel / 255 - mean[channel]) / std[channel];
  });
}

function show({ manifest }, pixels, scores) {
  const [, channels, height, width] = manifest.input.shape;
  const canvas = document.getElementById("seen");
  [canvas.width, canvas.height] = [width, height];
  const picture = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) {
      picture.data[4 * at + channel] = pixels[(channel % channels) * width * height + at];
    }
    picture.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  const most = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  const order = powers.map((power, at) => [power / sum, at]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  document.getElementById("classes").replaceChildren(...order.slice(0, 10).map(([share, at]) => {
    const row = document.createElement("tr");
    for (const text of [manifest.classes[at], `${(100 * share).toFixed(1)} %`]) {
      row.appendChild(document.createElement("td")).textContent = text;
    }
    return row;
  }));
}

// A picture of any size, its middle cut out and brought to the network's size.
async function pixels({ input }, file, invert) {
  const [, channels, height, width] = input.shape;
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Uint8Array(channels * width * height);
  for (let at = 0; at < width * height; at++) {
    const [red, green, blue] = data.subarray(4 * at, 4 * at + 3);
    const all = channels === 1 ? [Math.floor((299 * red + 587 * green + 114 * blue + 500) / 1000)] : [red, green, blue];
    all.forEach((value, channel) => { values[channel * width * height + at] = invert ? 255 - value : value; });
  }
  return values;
}

load().then(async (network) => {
  const { manifest, run } = network;
  const { sample } = manifest;
  const scores = await run(normalised(manifest, sample.pixels));
  const apart = Math.max(...sample.logits.map((logit, at) => Math.abs(logit - scores[at])));
  show(network, sample.pixels, scores);
  state(`ready; the sample's scores differ from those of Cellwright by at most ${apart.toExponential(2)}`);
  document.body.dataset.apart = String(apart);
  const answer = async () => {
    const [file] = document.getElementById("file").files;
    if (!file) return;
    try {
      const given = await pixels(manifest, file, document.getElementById("invert").checked);
      show(network, given, await run(normalised(manifest, given)));
      state(file.name);
    } catch (error) {
      state(`${file.name}: ${error.message}`);
    }
  };
  for (const id of ["file", "invert"]) document.getElementById(id).addEventListener("change", answer);
}).catch((error) => state(`cannot run here: ${error.message}`));
