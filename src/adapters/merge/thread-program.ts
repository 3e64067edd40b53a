/**
 * What a thread of a merge runs, as CommonJS; as text, since everything is bundled into one script. It does one `Job` after the other, and
 * answers how many numbers of it were infinite or none before and after. It reads and writes files that are open in this process, by descriptor.
 *
 * Memory is one block of the kernel's, divided as `ThreadMemory` says: bytes as they lie in the file, numbers, factors.
 */
export const threadProgram = `
const { parentPort, workerData } = require('node:worker_threads');
const { readSync, writeSync } = require('node:fs');
const { kernel, base, adapter, output, sizes } = workerData;

// A row's end may be read and written a little beyond, four numbers at a time.
const slack = 64;
let end = 0;
const region = (size) => {
  const start = end;
  end += Math.ceil(size / 16) * 16 + slack;
  return start;
};
const at = { raw: region(sizes.raw), wide: region(sizes.wide), left: region(sizes.left), right: region(sizes.right) };
const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536) });
const { exports: run } = new WebAssembly.Instance(new WebAssembly.Module(kernel), { env: { memory } });
const bytes = new Uint8Array(memory.buffer);
const floats = new Float32Array(memory.buffer);

function read(file, from, to, length) {
  for (let done = 0; done < length; ) {
    const got = tell(file, () => readSync(file.descriptor, bytes, to + done, length - done, from + done));
    if (got === 0) throw Object.assign(new Error('the file ends early'), { code: 'SHORT', file: file.name });
    done += got;
  }
}

function write(from, to, length) {
  for (let done = 0; done < length; ) {
    done += tell(output, () => writeSync(output.descriptor, bytes, from + done, length - done, to + done));
  }
}

function tell(file, work) {
  try {
    return work();
  } catch (error) {
    throw Object.assign(error, { file: file.name });
  }
}

// Reads 'count' numbers as F32; answers how many are infinite or none.
function load(file, from, type, count, to) {
  if (type === 'F32') {
    read(file, from, to, 4 * count);
    bytes.fill(0, to + 4 * count, to + 4 * count + 16);
    return run.countF32(to, count);
  }
  if (type === 'Q8_0') return loadQ8(file, from, count, to);
  read(file, from, at.raw, 2 * count);
  bytes.fill(0, at.raw + 2 * count, at.raw + 2 * count + 8);
  return run['decode' + type](at.raw, to, count);
}

// Blocks of 32: a scale in F16, then signed bytes.
function loadQ8(file, from, count, to) {
  const blocks = count / 32;
  read(file, from, at.raw, 34 * blocks);
  const view = new DataView(memory.buffer, at.raw);
  for (let block = 0; block < blocks; block++) {
    const scale = half(view.getUint16(34 * block, true));
    for (let each = 0; each < 32; each++) {
      floats[to / 4 + 32 * block + each] = scale * view.getInt8(34 * block + 2 + each);
    }
  }
  return run.countF32(to, count);
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 31 ? (fraction ? NaN : Infinity) : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

function store(to, type, count) {
  if (type === 'F32') {
    const after = run.countF32(at.wide, count);
    write(at.wide, to, 4 * count);
    return after;
  }
  const after = run['encode' + type](at.wide, at.raw, count);
  write(at.raw, to, 2 * count);
  return after;
}

let loaded;
function loadRight(right, rank, columns) {
  if (loaded === right.at) return;
  loaded = undefined;
  load(adapter, right.at, right.type, rank * columns, at.right);
  if (right.transposed) {
    const first = at.right / 4;
    const lying = floats.slice(first, first + rank * columns);
    for (let k = 0; k < rank; k++) {
      for (let column = 0; column < columns; column++) floats[first + k * columns + column] = lying[column * rank + k];
    }
  }
  loaded = right.at;
}

// So much of 'right' at a time stays in a core's cache, for all rows of the block.
const tileBytes = 256 * 1024;

function addProduct({ rows, columns, product: { rank, scale, left, right } }) {
  loadRight(right, rank, columns);
  load(adapter, left.at, left.type, rows * rank, at.left);
  const [wide, factors, others] = [at.wide / 4, at.left / 4, at.right / 4];
  for (let each = 0; each < rows * rank; each++) floats[factors + each] *= scale;
  const whole = columns - (columns % 4);
  const tile = Math.max(8, Math.floor(tileBytes / (4 * rank) / 8) * 8);
  for (let from = 0; from < whole; from += tile) {
    run.addProduct(at.wide, columns, rows, at.right, rank, at.left, from, Math.min(whole, from + tile));
  }
  for (let column = whole; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += floats[factors + row * rank + k] * floats[others + k * columns + column];
      floats[wide + row * columns + column] += sum;
    }
  }
}

function work(job) {
  const from = base[job.file];
  if (job.kind === 'copy') {
    read(from, job.from, at.raw, job.bytes);
    write(at.raw, job.to, job.bytes);
    return { before: 0, after: 0 };
  }
  const count = job.rows * job.columns;
  const before = load(from, job.from, job.read, count, at.wide);
  if (job.product) addProduct(job);
  return { before, after: store(job.to, job.write, count) };
}

parentPort.on('message', ({ call, job }) => {
  try {
    parentPort.postMessage({ call, answer: work(job) });
  } catch (error) {
    parentPort.postMessage({ call, failure: error.message, code: error.code, file: error.file });
  }
});
`;
