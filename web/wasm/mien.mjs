// SPDX-License-Identifier: Apache-2.0

/*
 * mien in JavaScript: faces and their apparent expressions, computed where this runs (a page, a
 * worker, Node). docs/WEBASSEMBLY.md shows how it is used. The functions that mien.wasm exports
 * are described in mien_wasm.h.
 *
 * What is opened here lies in the module's memory, which no garbage collector sees: free() every
 * analyzer, then its model and detector.
 */

const FACE_FLOATS = 84;

/* Pixel formats by their number in mien/image.h. */
const FORMATS = {
  gray: { code: 1, bytes: 1 },
  rgb: { code: 2, bytes: 3 },
  bgr: { code: 3, bytes: 3 },
  rgba: { code: 4, bytes: 4 },
  bgra: { code: 5, bytes: 4 },
};

/* What a call that fails throws. kind: the short name of the status, such as "malformed data". */
export class MienError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = 'MienError';
    this.kind = kind;
  }
}

/* The module's memory. Views are made anew each time: they die when the memory grows. */
class Memory {
  constructor(exports) {
    this.exports = exports;
  }

  allocate(size) {
    const address = this.exports.malloc(size);
    if (address === 0)
      throw new MienError('out of memory', `out of memory for ${size} bytes`);
    return address;
  }

  free(address) {
    this.exports.free(address);
  }

  bytes(address, length) {
    return new Uint8Array(this.exports.memory.buffer, address, length);
  }

  floats(address, count) {
    return new Float32Array(this.exports.memory.buffer, address, count);
  }

  pointer(address) {
    return new Uint32Array(this.exports.memory.buffer, address, 1)[0];
  }

  text(address) {
    const bytes = new Uint8Array(this.exports.memory.buffer, address);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /* Calls back with the addresses of copies of the given byte arrays and texts (null: 0). */
  withCopies(values, use) {
    const addresses = [];
    try {
      for (const value of values)
        addresses.push(this.copy(value));
      return use(...addresses);
    } finally {
      addresses.forEach((address) => this.free(address));
    }
  }

  copy(value) {
    if (value === null || value === undefined)
      return 0;
    const bytes = typeof value === 'string' ? new TextEncoder().encode(`${value}\0`) : value;
    const address = this.allocate(bytes.length);
    this.bytes(address, bytes.length).set(bytes);
    return address;
  }
}

/* Something in the module's memory that is freed once. */
class Handle {
  #release;

  constructor(address, release) {
    this.address = address;
    this.#release = release;
  }

  free() {
    if (this.address !== 0)
      this.#release(this.address);
    this.address = 0;
  }
}

/* A loaded network. classes: the names of its classes, in their order. */
class Model extends Handle {
  constructor(address, release, classes) {
    super(address, release);
    this.classes = classes;
  }
}

/* Works through pictures one after another. */
class Analyzer {
  #mien;
  #handle;
  #model;
  #pixels = 0;
  #pixelRoom = 0;
  #faces; /* room for the address of the faces */
  #values; /* room for one face */

  constructor(mien, handle, model) {
    this.#mien = mien;
    this.#handle = handle;
    this.#model = model;
    this.#faces = mien.memory.allocate(4);
    this.#values = mien.memory.allocate(FACE_FLOATS * 4);
  }

  /*
   * Analyzes a picture: { data, width, height, format }, such as a canvas's ImageData. data: bytes,
   * top row first, without gaps; format: gray, rgb, bgr, rgba (when it is left out) or bgra.
   * Returns the faces from left to right: { x, y, width, height } of the box in pixels, score,
   * landmarks (five [x, y], or null), expression (its name, or null without a model), confidence,
   * unsure, probabilities (Float32Array, in the order of the model's classes).
   */
  run({ data, width, height, format = 'rgba' }) {
    if (this.#handle.address === 0)
      throw new MienError('invalid argument', 'the analyzer was freed');
    const { code, bytes } = this.#checkPicture(data, width, height, format);
    this.#takePixels(data, width * height * bytes);
    const { exports, memory } = this.#mien;
    const count = exports.mien_wasm_analyze(
      this.#handle.address, this.#pixels, width, height, code, this.#faces, this.#mien.error);
    if (count < 0)
      this.#mien.fail();
    const faces = memory.pointer(this.#faces);
    return Array.from({ length: count }, (_, index) => this.#readFace(faces, index));
  }

  free() {
    this.#handle.free();
    for (const address of [this.#pixels, this.#faces, this.#values])
      this.#mien.memory.free(address);
    this.#pixels = this.#faces = this.#values = this.#pixelRoom = 0;
  }

  #checkPicture(data, width, height, format) {
    const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : null;
    if (known === null)
      throw new MienError('invalid argument', `the pixel format is '${format}', not one of ` +
        Object.keys(FORMATS).join(', '));
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
      throw new MienError('invalid argument', `a picture cannot be ${width}x${height} pixels`);
    if (data.length < width * height * known.bytes)
      throw new MienError('invalid argument', `${data.length} bytes are too few for ` +
        `${width}x${height} pixels of ${format}`);
    return known;
  }

  #takePixels(data, size) {
    const { memory } = this.#mien;
    if (size > this.#pixelRoom) {
      memory.free(this.#pixels);
      this.#pixels = this.#pixelRoom = 0;
      this.#pixels = memory.allocate(size);
      this.#pixelRoom = size;
    }
    memory.bytes(this.#pixels, size).set(data.length > size ? data.subarray(0, size) : data);
  }

  #readFace(faces, index) {
    this.#mien.exports.mien_wasm_read_face(faces, index, this.#values);
    const [x, y, width, height, score, hasLandmarks, ...rest] =
      this.#mien.memory.floats(this.#values, FACE_FLOATS);
    const points = rest.slice(0, 10);
    const [hasExpression, top, confidence, unsure, ...probabilities] = rest.slice(10);
    const classes = hasExpression ? this.#model.classes : [];
    return {
      x, y, width, height, score,
      landmarks: hasLandmarks ? [0, 2, 4, 6, 8].map((i) => points.slice(i, i + 2)) : null,
      expression: hasExpression ? classes[top] : null,
      confidence,
      unsure: unsure !== 0,
      probabilities: Float32Array.from(probabilities.slice(0, classes.length)),
    };
  }
}

/* One loaded mien.wasm. Models, detectors and analyzers of one do not fit another. */
export class Mien {
  /* source: the bytes of mien.wasm, a WebAssembly.Module, or what fetch gives. */
  static async load(source) {
    let given = await source;
    if (typeof Response !== 'undefined' && given instanceof Response)
      given = await given.arrayBuffer();
    let memory = null;
    const noEnvironment = (count, size) => {
      new Uint32Array(memory.buffer, count, 1)[0] = 0;
      new Uint32Array(memory.buffer, size, 1)[0] = 0;
      return 0;
    };
    const loaded = await WebAssembly.instantiate(given, {
      env: { emscripten_notify_memory_growth: () => {} },
      wasi_snapshot_preview1: { environ_sizes_get: noEnvironment, environ_get: () => 0 },
    });
    const { exports } = loaded.instance ?? loaded;
    memory = exports.memory;
    exports._initialize();
    return new Mien(exports);
  }

  /* For load and Analyzer. */
  constructor(exports) {
    this.exports = exports;
    this.memory = new Memory(exports);
    this.error = exports.mien_wasm_error_create();
    if (this.error === 0)
      throw new MienError('out of memory', 'out of memory for the module');
  }

  /*
   * Opens a model. onnx: the bytes of the file. sidecar: the text of its sidecar file; name: what
   * messages call it; kernels: "reference" for the plain C operators.
   */
  openModel(onnx, { sidecar = null, name = 'model.onnx', kernels = null } = {}) {
    const address = this.memory.withCopies([onnx, name, sidecar, kernels], (...copies) =>
      this.exports.mien_wasm_model_open(
        copies[0], onnx.length, copies[1], copies[2], copies[3], this.error));
    if (address === 0)
      this.fail();
    const count = this.exports.mien_wasm_class_count(address);
    const classes = Array.from({ length: count }, (_, index) =>
      this.memory.text(this.exports.mien_wasm_class_name(address, index)));
    return new Model(address, this.exports.mien_wasm_model_free, classes);
  }

  /*
   * Opens a detector: a cascade (name ends in .xml) or a network (.onnx). What is left out or 0 is
   * as usual; the numbers are those of mien_detector_options in mien/detector.h.
   */
  openDetector(bytes, name, {
    sidecar = null, scaleFactor = 0, minNeighbours = 0, minSize = 0, maxSize = 0, minScore = 0,
  } = {}) {
    const address = this.memory.withCopies([bytes, name, sidecar], (...copies) =>
      this.exports.mien_wasm_detector_open(copies[0], bytes.length, copies[1], copies[2],
        scaleFactor, minNeighbours, minSize, maxSize, minScore, this.error));
    if (address === 0)
      this.fail();
    return new Handle(address, this.exports.mien_wasm_detector_free);
  }

  /* model null: faces only. detector null: each picture is one face as a whole. */
  createAnalyzer(model, detector) {
    if (model?.address === 0 || detector?.address === 0)
      throw new MienError('invalid argument', 'the model or the detector was freed');
    const address = this.exports.mien_wasm_analyzer_create(
      model?.address ?? 0, detector?.address ?? 0, this.error);
    if (address === 0)
      this.fail();
    return new Analyzer(this, new Handle(address, this.exports.mien_wasm_analyzer_free), model);
  }

  /* Throws the last failure. */
  fail() {
    throw new MienError(
      this.memory.text(this.exports.mien_wasm_error_name(this.error)),
      this.memory.text(this.exports.mien_wasm_error_message(this.error)));
  }
}
