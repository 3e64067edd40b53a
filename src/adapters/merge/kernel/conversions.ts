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
  conversion('decodeF16', 2, 4, ({ all, bits, ofBits, special, ofSpecial, result }, read) => [
    ...bits(v128.loadWidened(read)),
    ...special(i32x4.equal(v128.and(ofBits, all(0x7c00)), all(0x7c00))),
    ...result(
      v128.or(
        v128.or(
          // The bits of the half, moved, are those of a float that is 2^112 too small; subnormal ones too.
          f32x4.mul(i32x4.shiftLeft(v128.and(ofBits, all(0x7fff)), 13), all(floatBits(2 ** 112))),
          v128.and(ofSpecial, all(0x7f800000)),
        ),
        i32x4.shiftLeft(v128.and(ofBits, all(0x8000)), 16),
      ),
    ),
  ]),
  conversion('decodeBF16', 2, 4, ({ all, special, result, ofResult }, read) => [
    ...result(i32x4.shiftLeft(v128.loadWidened(read), 16)),
    ...special(i32x4.equal(v128.and(ofResult, all(0x7f800000)), all(0x7f800000))),
  ]),
  conversion('encodeF16', 4, 2, ({ all, bits, ofBits, size, ofSize, special, result, ofResult }, read) => [
    ...bits(v128.load(read)),
    ...size(v128.and(ofBits, all(0x7fffffff))),
    ...result(
      v128.select(
        // Beyond what 16 bits can say, infinite or not a number.
        v128.select(all(0x7e00), all(0x7c00), i32x4.greaterThan(ofSize, all(0x7f800000))),
        v128.select(
          // Adding 1/2, whose last bit is the smallest half, has the adder round a subnormal one.
          i32x4.sub(f32x4.add(ofSize, all(floatBits(0.5))), all(floatBits(0.5))),
          i32x4.shiftRight(
            i32x4.add(
              i32x4.add(ofSize, all(0xfff - (112 << 23))),
              v128.and(i32x4.shiftRight(ofSize, 13), all(1)),
            ),
            13,
          ),
          i32x4.lessThan(ofSize, all(floatBits(2 ** -14))),
        ),
        i32x4.greaterThan(ofSize, all(floatBits(65536) - 1)),
      ),
    ),
    ...special(i32x4.equal(v128.and(ofResult, all(0x7c00)), all(0x7c00))),
    ...result(v128.or(ofResult, v128.and(i32x4.shiftRight(ofBits, 16), all(0x8000)))),
  ]),
  conversion('encodeBF16', 4, 2, ({ all, bits, ofBits, special, result, ofResult }, read) => [
    ...bits(v128.load(read)),
    ...result(
      v128.select(
        // Not a number stays so, whatever rounding would make of it.
        v128.or(i32x4.shiftRight(ofBits, 16), all(0x40)),
        i32x4.shiftRight(
          i32x4.add(i32x4.add(ofBits, all(0x7fff)), v128.and(i32x4.shiftRight(ofBits, 16), all(1))),
          16,
        ),
        i32x4.greaterThan(v128.and(ofBits, all(0x7fffffff)), all(0x7f800000)),
      ),
    ),
    ...special(i32x4.equal(v128.and(ofResult, all(0x7f80)), all(0x7f80))),
  ]),
  conversion('countF32', 4, 0, ({ all, special }, read) =>
    special(i32x4.equal(v128.and(v128.load(read), all(0x7f800000)), all(0x7f800000))),
  ),
];

/** What four numbers are made of: each setter has a local, which `of…` reads. */
interface Four {
  /** The 32-bit constant, four times. It is made once, before the loop. */
  all(value: number): Code;
  bits(value: Code): Code;
  readonly ofBits: Code;
  size(value: Code): Code;
  readonly ofSize: Code;
  /** A mask of the numbers that are infinite or none. */
  special(mask: Code): Code;
  readonly ofSpecial: Code;
  result(value: Code): Code;
  readonly ofResult: Code;
}

/** `readSize`, `writeSize`: bytes of a number before and after; without a `writeSize` it has no address to write to. */
function conversion(
  name: string,
  readSize: 2 | 4,
  writeSize: 0 | 2 | 4,
  body: (four: Four, read: Code) => Code,
): WasmFunction {
  const parameters = writeSize === 0 ? 2 : 3;
  const [read, write, count] = writeSize === 0 ? [0, -1, 1] : [0, 1, 2];
  const [bits, size, special, result, total, firstConstant] = [0, 1, 2, 3, 4, 5].map(
    (index) => parameters + index,
  ) as [number, number, number, number, number, number];
  const constants: number[] = [];
  const work = body(
    {
      all(value) {
        if (!constants.includes(value)) constants.push(value);
        return get(firstConstant + constants.indexOf(value));
      },
      bits: (value) => set(bits, value),
      ofBits: get(bits),
      size: (value) => set(size, value),
      ofSize: get(size),
      special: (mask) => set(special, mask),
      ofSpecial: get(special),
      result: (value) => set(result, value),
      ofResult: get(result),
    },
    get(read),
  );
  const store = {
    0: () => [],
    2: () => v128.storeHalf(get(write), i32x4.narrow(get(result))),
    4: () => v128.store(get(write), get(result)),
  }[writeSize];
  const forward = (local: number, step: number) => set(local, i32.add(get(local), i32.const(4 * step)));
  return {
    name,
    parameters,
    answers: true,
    locals: { i32: 0, v128: 5 + constants.length },
    body: [
      ...constants.flatMap((value, index) => set(firstConstant + index, i32x4.splat(value))),
      ...whileLoop(i32.lessOrEqual(i32.const(1), get(count)), [
        ...work,
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

function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}
