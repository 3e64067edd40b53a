import {
  type Code,
  f32x4,
  get,
  i32,
  i32x4,
  set,
  sumOf,
  v128,
  type WasmFunction,
  whileLoop,
} from './assembler.ts';

/**
 * Numbers of 16 bits to F32 and back, four at once. Each function takes addresses and a count, which it rounds up to a multiple of four, and
 * answers how many of its results are infinite or not a number. To 16 bits ties go to the even neighbour; what a type can't hold becomes
 * infinite.
 */
export const conversions = (): readonly WasmFunction[] => [
  conversion('decodeF16', 2, 4, (read, put) => [
    ...put.bits(v128.loadWidened(read)),
    ...put.special(exponentFull(get(put.bitsLocal), 0x7c00)),
    ...put.result(
      v128.or(
        v128.or(
          // The bits of the half, moved, are those of a float that is 2^112 too small; subnormal ones too.
          f32x4.mul(
            i32x4.shiftLeft(masked(get(put.bitsLocal), 0x7fff), 13),
            i32x4.splat(floatBits(2 ** 112)),
          ),
          masked(get(put.specialLocal), 0x7f800000),
        ),
        i32x4.shiftLeft(masked(get(put.bitsLocal), 0x8000), 16),
      ),
    ),
  ]),
  conversion('decodeBF16', 2, 4, (read, put) => [
    ...put.result(i32x4.shiftLeft(v128.loadWidened(read), 16)),
    ...put.special(exponentFull(get(put.resultLocal), 0x7f800000)),
  ]),
  conversion('encodeF16', 4, 2, (read, put) => [
    ...put.bits(v128.load(read)),
    ...put.result(
      v128.or(
        v128.select(
          // Beyond what 16 bits can say, infinite or not a number.
          v128.select(
            i32x4.splat(0x7e00),
            i32x4.splat(0x7c00),
            i32x4.greaterThan(magnitude(put), i32x4.splat(0x7f800000)),
          ),
          v128.select(
            // Adding 1/2, whose last bit is the smallest half, has the adder round a subnormal one.
            i32x4.sub(f32x4.add(magnitude(put), i32x4.splat(floatBits(0.5))), i32x4.splat(floatBits(0.5))),
            i32x4.shiftRight(
              i32x4.add(
                i32x4.add(magnitude(put), i32x4.splat(0xfff - (112 << 23))),
                masked(i32x4.shiftRight(magnitude(put), 13), 1),
              ),
              13,
            ),
            i32x4.lessThan(magnitude(put), i32x4.splat(floatBits(2 ** -14))),
          ),
          i32x4.greaterThan(magnitude(put), i32x4.splat(floatBits(65536) - 1)),
        ),
        masked(i32x4.shiftRight(get(put.bitsLocal), 16), 0x8000),
      ),
    ),
    ...put.special(exponentFull(get(put.resultLocal), 0x7c00)),
  ]),
  conversion('encodeBF16', 4, 2, (read, put) => [
    ...put.bits(v128.load(read)),
    ...put.result(
      v128.select(
        // Not a number stays so, whatever rounding would make of it.
        v128.or(i32x4.shiftRight(get(put.bitsLocal), 16), i32x4.splat(0x40)),
        i32x4.shiftRight(
          i32x4.add(
            i32x4.add(get(put.bitsLocal), i32x4.splat(0x7fff)),
            masked(i32x4.shiftRight(get(put.bitsLocal), 16), 1),
          ),
          16,
        ),
        i32x4.greaterThan(magnitude(put), i32x4.splat(0x7f800000)),
      ),
    ),
    ...put.special(exponentFull(get(put.resultLocal), 0x7f80)),
  ]),
  conversion('countF32', 4, 0, (read, put) => put.special(exponentFull(v128.load(read), 0x7f800000))),
];

interface Put {
  readonly bitsLocal: number;
  readonly resultLocal: number;
  readonly specialLocal: number;
  bits(value: Code): Code;
  result(value: Code): Code;
  special(mask: Code): Code;
}

/** `readSize`, `writeSize`: bytes of a number before and after; without a `writeSize` it has no address to write to. */
function conversion(
  name: string,
  readSize: 2 | 4,
  writeSize: 0 | 2 | 4,
  four: (read: Code, put: Put) => Code,
): WasmFunction {
  const parameters = writeSize === 0 ? 2 : 3;
  const [read, write, count] = writeSize === 0 ? [0, -1, 1] : [0, 1, 2];
  const [bits, result, special, total] = [0, 1, 2, 3].map((index) => parameters + index) as [
    number,
    number,
    number,
    number,
  ];
  const put: Put = {
    bitsLocal: bits,
    resultLocal: result,
    specialLocal: special,
    bits: (value) => set(bits, value),
    result: (value) => set(result, value),
    special: (mask) => set(special, mask),
  };
  const store = {
    0: () => [],
    2: () => v128.storeHalf(get(write), i32x4.narrow(get(result))),
    4: () => v128.store(get(write), get(result)),
  }[writeSize];
  const forward = (local: number, size: number) => set(local, i32.add(get(local), i32.const(4 * size)));
  return {
    name,
    parameters,
    answers: true,
    locals: { i32: 0, v128: 4 },
    body: [
      ...whileLoop(i32.lessOrEqual(i32.const(1), get(count)), [
        ...four(get(read), put),
        ...store(),
        // A lane of a mask is -1.
        ...set(total, i32x4.sub(get(total), get(special))),
        ...forward(read, readSize),
        ...(writeSize === 0 ? [] : forward(write, writeSize)),
        ...set(count, i32.sub(get(count), i32.const(4))),
      ]),
      ...sumOf(total),
    ],
  };
}

function masked(value: Code, mask: number): Code {
  return v128.and(value, i32x4.splat(mask));
}

function exponentFull(value: Code, exponent: number): Code {
  return i32x4.equal(masked(value, exponent), i32x4.splat(exponent));
}

function magnitude({ bitsLocal }: Put): Code {
  return masked(get(bitsLocal), 0x7fffffff);
}

function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}
