// SPDX-License-Identifier: Apache-2.0
// face-api's tiny detector and expressions on pictures, on one thread in WebAssembly;
// frame_vs_face_api.py runs it.
//
//     node face_api.cjs FOLDER INPUT_SIDE WIDTH HEIGHT
//
// FOLDER is where the packages were installed. Each line read is a number of frames and a file of
// bytes (HEIGHT, WIDTH, RGB); the answer is the number of faces and the median milliseconds of a
// frame: of processor time, which counts the engine's own threads, and on the wall.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function openFaceApi(packages) {
  const need = (name) => require(path.join(packages, 'node_modules', name));
  const tf = need('@tensorflow/tfjs');
  const wasm = need('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(path.join(packages, 'node_modules/@tensorflow/tfjs-backend-wasm/dist/'));
  wasm.setThreadsCount(1);
  const faceApi = need('@vladmandic/face-api/dist/face-api.node-wasm.js');
  await tf.setBackend('wasm');
  await tf.ready();
  const models = path.join(packages, 'node_modules/@vladmandic/face-api/model');
  await faceApi.nets.tinyFaceDetector.loadFromDisk(models);
  await faceApi.nets.faceExpressionNet.loadFromDisk(models);
  return { tf, faceApi };
}

async function runFrames({ tf, faceApi }, options, pixels, frames) {
  const processor = [], wall = [];
  let faces = 0;
  for (let frame = 0; frame < frames; frame++) {
    const used = process.cpuUsage(), start = performance.now();
    const found = await faceApi.detectAllFaces(pixels, options).withFaceExpressions();
    wall.push(performance.now() - start);
    const spent = process.cpuUsage(used);
    processor.push((spent.user + spent.system) / 1000);
    faces = found.length;
  }
  return [faces, median(processor), median(wall)];
}

async function main() {
  const [packages, side, width, height] = process.argv.slice(2);
  const opened = await openFaceApi(packages);
  const options = new opened.faceApi.TinyFaceDetectorOptions({
    inputSize: Number(side), scoreThreshold: 0.5 });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const split = line.indexOf(' ');
    const bytes = new Int32Array(fs.readFileSync(line.slice(split + 1)));
    const pixels = opened.tf.tensor3d(bytes, [Number(height), Number(width), 3], 'int32');
    console.log((await runFrames(opened, options, pixels, Number(line.slice(0, split)))).join(' '));
    pixels.dispose();
  }
}

main().catch((error) => {
  console.error(`face_api.cjs: ${error.message}`);
  process.exit(1);
});
