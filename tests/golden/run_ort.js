// SPDX-License-Identifier: Apache-2.0
// Runs models in ONNX Runtime (npm onnxruntime-node) and writes what they compute.
//
//   node run_ort.js operators CASES OUT     called by make_goldens.py, which documents OUT
//   node run_ort.js networks FOLDER OUT     makes networks.txt, which documents itself
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

// onnx_writer.numbers
function numbers(seed, count, scale) {
  const values = new Float32Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = ((state >>> 8) / 8388608 - 1) * scale;
  }
  return values;
}

const product = (dims) => dims.reduce((a, b) => a * b, 1);

function readCase(data, start) {
  let at = start;
  const nameLength = data.readUInt8(at++);
  const name = data.toString('utf8', at, at + nameLength);
  at += nameLength;
  const size = data.readUInt32LE(at);
  const model = data.subarray(at + 4, at + 4 + size);
  at += 4 + size;
  const scale = data.readFloatLE(at);
  const count = data.readUInt8(at + 4);
  at += 5;
  const shapes = [];
  for (let i = 0; i < count; i++) {
    const rank = data.readUInt8(at++);
    shapes.push(Array.from({ length: rank }, (_, d) => data.readUInt32LE(at + 4 * d)));
    at += 4 * rank;
  }
  return { name, model, scale, shapes, bytes: data.subarray(start, at), end: at };
}

function encodeOutput(tensor) {
  const head = Buffer.alloc(1 + 4 * tensor.dims.length);
  head.writeUInt8(tensor.dims.length, 0);
  tensor.dims.forEach((dim, d) => head.writeUInt32LE(dim, 1 + 4 * d));
  const body = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  return Buffer.concat([head, body]);
}

// optimisation: off, so that each operator is computed as it is written.
async function run(model, shapes, scale, optimisation) {
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: optimisation, intraOpNumThreads: 1, logSeverityLevel: 3,
  });
  const feeds = {};
  session.inputNames.forEach((name, i) => {
    const data = numbers(100 + i, product(shapes[i]), scale);
    feeds[name] = new ort.Tensor('float32', data, shapes[i]);
  });
  const results = await session.run(feeds);
  return session.outputNames.map((name) => ({ name, tensor: results[name] }));
}

async function operators(from, to) {
  const data = fs.readFileSync(from);
  const parts = [Buffer.from('MIENGOLD')];
  let cases = 0;
  for (let at = 0; at < data.length; cases++) {
    const c = readCase(data, at);
    at = c.end;
    let outputs;
    try {
      outputs = await run(new Uint8Array(c.model), c.shapes, c.scale, 'disabled');
    } catch (error) {
      console.log(`refused by ONNX Runtime: ${c.name}: ${error.message.slice(0, 300)}`);
      continue;
    }
    parts.push(c.bytes, Buffer.from([outputs.length]));
    outputs.forEach((output) => parts.push(encodeOutput(output.tensor)));
  }
  fs.writeFileSync(to, Buffer.concat(parts));
  console.log(`${cases} cases`);
}

const NETWORKS = [
  ['mini_xception_fer2013', [1, 64, 64], 1, true],
  ['mobilenet_v2_imagenet', [3, 224, 224], 1, true],
  ['mobilenet_v1_imagenet', [3, 224, 224], 1, true],
  ['mobilenet_v1_face', [3, 224, 224], 128, true],
  ['face_api_expression', [3, 112, 112], 0.5, true],
  ['face_api_landmark68', [3, 112, 112], 0.5, true],
  ['face_api_tiny_detector', [3, 224, 160], 0.5, true],
  ['face_detection_yunet_2023mar', [3, 640, 640], 128, false],
];

function describe(name, data) {
  let low = Infinity, high = -Infinity, sum = 0;
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
  }
  const samples = Math.min(64, data.length);
  const at = Array.from({ length: samples }, (_, i) => Math.floor((i * data.length) / samples));
  const short = (value) => Number(value.toPrecision(9)).toString();
  return `output ${name} ${data.length} ${short(low)} ${short(high)} ${sum.toPrecision(12)} ` +
    `${samples} ${at.map((i) => short(data[i])).join(' ')}\n`;
}

async function networks(folder, to) {
  let text = '# Outputs of networks in ONNX Runtime ' + ort.env.versions.node + ' (CPU).\n' +
    '# network FILE BATCH CHANNELS HEIGHT WIDTH SCALE: its input is numbers(100, ..., SCALE).\n' +
    '# output NAME COUNT LOWEST HIGHEST SUM SAMPLES s...: sample i is number i * COUNT / SAMPLES.\n';
  for (const [name, dims, scale, dynamic] of NETWORKS)
    for (const batch of dynamic ? [1, 3] : [1]) {
      const model = path.join(folder, name + '.onnx');
      const outputs = await run(model, [[batch, ...dims]], scale, 'all');
      text += `network ${name}.onnx ${batch} ${dims.join(' ')} ${scale}\n`;
      outputs.forEach((output) => { text += describe(output.name, output.tensor.data); });
    }
  fs.writeFileSync(to, text);
}

const [, , what, from, to] = process.argv;
(what === 'networks' ? networks : operators)(from, to).catch((error) => {
  console.error(error);
  process.exit(1);
});
