/**
 * As much of WebAssembly's binary format (webassembly.github.io/spec, 128-bit SIMD included) as the kernels need, each instruction a function of
 * its operands' code.
 */
export type Code = readonly number[];

export interface WasmFunction {
  readonly name: string;
  /** All parameters are i32. */
  readonly parameters: number;
  /** Whether it answers an i32. */
  readonly answers: boolean;
  /** Further locals: their numbers go on from those of the parameters, the i32 first. */
  readonly locals: { readonly i32: number; readonly v128: number };
  readonly body: Code;
}

/** A module that imports its memory as `env.memory` and exports the functions. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters, answers }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [valueType.i32])),
    ...vector(answers ? [[valueType.i32]] : []),
  ]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, ...unsigned(1)];
  const bodies = functions.map(({ locals, body }) => {
    const groups = [
      [...unsigned(locals.i32), valueType.i32],
      [...unsigned(locals.v128), valueType.v128],
    ];
    const code = [...vector(groups), ...body, end];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, bodies),
  ]);
}

const valueType = { i32: 0x7f, v128: 0x7b };
const end = 0x0b;

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** Repeats `body` as long as `condition`, an i32, is not 0. */
export function whileLoop(condition: Code, body: Code): Code {
  const [block, loop, none, branch, branchIf, isZero] = [0x02, 0x03, 0x40, 0x0c, 0x0d, 0x45];
  return [block, none, loop, none, ...condition, isZero, branchIf, 1, ...body, branch, 0, end, end] as Code;
}

const binary =
  (...operation: readonly number[]) =>
  (a: Code, b: Code): Code => [...a, ...b, ...operation];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  shl: binary(0x74),
  /** As signed numbers. */
  lessOrEqual: binary(0x4c),
};

const simd = (operation: number): Code => [0xfd, ...unsigned(operation)];
/** Addresses need no alignment. */
const at = (offset: number): Code => [0, ...unsigned(offset)];

export const v128 = {
  load: (address: Code, offset = 0): Code => [...address, ...simd(0x00), ...at(offset)],
  /** Four unsigned 16-bit numbers, each to 32 bits. */
  loadWidened: (address: Code): Code => [...address, ...simd(0x04), ...at(0)],
  /** One 32-bit number, four times. */
  loadSplat: (address: Code): Code => [...address, ...simd(0x09), ...at(0)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    ...at(offset),
  ],
  /** The lower 64 bits. */
  storeHalf: (address: Code, value: Code): Code => [...address, ...value, ...simd(0x5b), ...at(0), 0],
  and: binary(...simd(0x4e)),
  or: binary(...simd(0x50)),
  /** Bit for bit `a` where `mask` is set, else `b`. */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
};

export const i32x4 = {
  splat: (value: number): Code => [...i32.const(value | 0), ...simd(0x11)],
  lane: (value: Code, lane: number): Code => [...value, ...simd(0x1b), lane],
  equal: binary(...simd(0x37)),
  lessThan: binary(...simd(0x39)),
  greaterThan: binary(...simd(0x3b)),
  shiftLeft: (value: Code, bits: number): Code => [...value, ...i32.const(bits), ...simd(0xab)],
  shiftRight: (value: Code, bits: number): Code => [...value, ...i32.const(bits), ...simd(0xad)],
  add: binary(...simd(0xae)),
  sub: binary(...simd(0xb1)),
  /** Eight 16-bit numbers, of which only the first four count; each has to fit. */
  narrow: (value: Code): Code => [...value, ...value, ...simd(0x86)],
};

export const f32x4 = {
  add: binary(...simd(0xe4)),
  sub: binary(...simd(0xe5)),
  mul: binary(...simd(0xe6)),
};

/** Sum of the four 32-bit numbers in a local. */
export function sumOf(local: number): Code {
  const lane = (number: number) => i32x4.lane(get(local), number);
  return i32.add(i32.add(lane(0), lane(1)), i32.add(lane(2), lane(3)));
}

function section(number: number, items: readonly Code[]): Code {
  const content = vector(items);
  return [number, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  return [...unsigned(value.length), ...Buffer.from(value)];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const [low, rest] = [value & 0x7f, value >> 7];
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
