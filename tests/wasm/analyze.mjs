// SPDX-License-Identifier: Apache-2.0

/*
 * Runs mien.wasm as a page would and prints the faces of a picture as one JSON object.
 *
 *   node analyze.mjs JOB
 *
 * JOB is JSON: { folder, picture, detector, detectorSidecar, model, modelSidecar, runs }. folder has
 * mien.mjs and mien.wasm; picture is a PPM (P6); a model or sidecar may be null. medianMs is taken
 * over the runs.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

function readPpm(path) {
  const bytes = readFileSync(path);
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.subarray(0, 40).toString('latin1'));
  return {
    width: Number(header[1]),
    height: Number(header[2]),
    data: bytes.subarray(header[0].length),
    format: 'rgb',
  };
}

function readText(path) {
  return path === null ? null : readFileSync(path, 'utf8');
}

/* What opening or running must refuse, with the words that the message must have. */
function checkRefusals(mien, MienError, analyzer) {
  const cases = [
    [() => mien.openModel(new Uint8Array(9), { name: 'nine.onnx' }), 'nine.onnx'],
    [() => mien.openDetector(new Uint8Array(9), 'face.txt'), 'face.txt'],
    [() => analyzer.run({ data: new Uint8Array(5), width: 4, height: 4 }), '5 bytes'],
    [() => analyzer.run({ data: new Uint8Array(5), width: 1, height: 1, format: 'cmyk' }), 'cmyk'],
  ];
  for (const [call, words] of cases) {
    let message = 'nothing';
    try {
      call();
    } catch (error) {
      message = error instanceof MienError ? error.message : `a stranger: ${error}`;
    }
    if (!message.includes(words))
      throw new Error(`the error does not name '${words}': ${message}`);
  }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function main(job) {
  const { Mien, MienError } = await import(pathToFileURL(`${job.folder}/mien.mjs`));
  const mien = await Mien.load(readFileSync(`${job.folder}/mien.wasm`));
  const detector = mien.openDetector(readFileSync(job.detector), job.detector,
    { sidecar: readText(job.detectorSidecar) });
  const model = job.model === null ? null : mien.openModel(readFileSync(job.model),
    { sidecar: readText(job.modelSidecar), name: job.model });
  const analyzer = mien.createAnalyzer(model, detector);
  const picture = readPpm(job.picture);
  checkRefusals(mien, MienError, analyzer);
  const times = [];
  let faces = [];
  for (let run = 0; run < job.runs; run++) {
    const begin = performance.now();
    faces = analyzer.run(picture);
    times.push(performance.now() - begin);
  }
  faces.forEach((face) => { face.probabilities = Array.from(face.probabilities); });
  console.log(JSON.stringify({ classes: model?.classes ?? [], faces, medianMs: median(times) }));
  analyzer.free();
  model?.free();
  detector.free();
}

await main(JSON.parse(process.argv[2]));
