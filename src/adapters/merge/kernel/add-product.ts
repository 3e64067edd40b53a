import { type Code, f32x4, get, i32, i32x4, set, v128, type WasmFunction, whileLoop } from './assembler.ts';

/**
 * `addProduct(wide, stride, rows, right, rank, left, from, to)` adds left · right to the rows of `wide`, in the columns from `from` on, four at
 * a time as long as they end by `to`. All are F32 and lie row by row: `wide` and `right` in rows of `stride` numbers, `left` in rows of `rank`.
 *
 * Four rows by eight columns are summed at once, in registers, so that what is read of `right` serves four rows. The sum is added at the end:
 * rounding is that of the product's size, not of the weights'.
 */
export const addProduct = (): WasmFunction => ({
  name: 'addProduct',
  parameters: 8,
  answers: false,
  locals: { i32: 9, v128: 11 },
  body: [
    ...set(8, i32.const(0)),
    ...set(16, i32.shl(get(1), i32.const(2))),
    ...whileLoop(i32.lessOrEqual(i32.add(get(8), i32.const(4)), get(2)), rowsAtOnce(4)),
    ...whileLoop(i32.lessOrEqual(i32.add(get(8), i32.const(1)), get(2)), rowsAtOnce(1)),
  ],
});

const parameter = { wide: 0, stride: 1, right: 3, rank: 4, left: 5, from: 6, to: 7 } as const;
const local = { row: 8, column: 9, a: 10, step: 11, factors: [12, 13, 14, 15], strideBytes: 16 } as const;
const vector = { firstSum: 17, a: [25, 26], factor: 27 } as const;

function rowsAtOnce(rows: 1 | 4): Code {
  return [
    ...set(local.column, get(parameter.from)),
    ...columnsWhileTheyFit(rows, 2),
    ...columnsWhileTheyFit(rows, 1),
    ...set(local.row, i32.add(get(local.row), i32.const(rows))),
  ];
}

function columnsWhileTheyFit(rows: 1 | 4, vectors: 1 | 2): Code {
  const next = i32.add(get(local.column), i32.const(4 * vectors));
  return whileLoop(i32.lessOrEqual(next, get(parameter.to)), [
    ...tile(rows, vectors),
    ...set(local.column, next),
  ]);
}

function tile(rows: 1 | 4, vectors: 1 | 2): Code {
  const eachRow = Array.from({ length: rows }, (_, row) => row);
  const eachVector = Array.from({ length: vectors }, (_, index) => index);
  const sum = (row: number, index: number) => vector.firstSum + 2 * row + index;
  const bytes = (count: Code) => i32.shl(count, i32.const(2));
  const factor = (row: number) => local.factors[row] as number;
  const a = (index: number) => vector.a[index] as number;
  const ofColumn = (start: number) => i32.add(get(start), bytes(get(local.column)));
  return [
    ...eachRow.flatMap((row) => eachVector.flatMap((index) => set(sum(row, index), i32x4.splat(0)))),
    ...set(local.a, ofColumn(parameter.right)),
    ...eachRow.flatMap((row) =>
      set(
        factor(row),
        i32.add(
          get(parameter.left),
          bytes(i32.mul(i32.add(get(local.row), i32.const(row)), get(parameter.rank))),
        ),
      ),
    ),
    ...set(local.step, get(parameter.rank)),
    ...whileLoop(get(local.step), [
      ...eachVector.flatMap((index) => set(a(index), v128.load(get(local.a), 16 * index))),
      ...eachRow.flatMap((row) => [
        ...set(vector.factor, v128.loadSplat(get(factor(row)))),
        ...eachVector.flatMap((index) =>
          set(sum(row, index), f32x4.add(get(sum(row, index)), f32x4.mul(get(vector.factor), get(a(index))))),
        ),
        ...set(factor(row), i32.add(get(factor(row)), i32.const(4))),
      ]),
      ...set(local.a, i32.add(get(local.a), get(local.strideBytes))),
      ...set(local.step, i32.sub(get(local.step), i32.const(1))),
    ]),
    ...set(local.a, i32.add(ofColumn(parameter.wide), i32.mul(get(local.row), get(local.strideBytes)))),
    ...eachRow.flatMap((row) => [
      ...eachVector.flatMap((index) =>
        v128.store(
          get(local.a),
          f32x4.add(v128.load(get(local.a), 16 * index), get(sum(row, index))),
          16 * index,
        ),
      ),
      ...set(local.a, i32.add(get(local.a), get(local.strideBytes))),
    ]),
  ];
}
