import { expect, onTestFinished, test, vi } from 'vitest';
import { networkBytesCame } from './young-garbage.ts';

test('what came is looked for in what is young, every 4 MiB', () => {
  const gc = vi.fn();
  vi.stubGlobal('gc', gc);
  onTestFinished(() => void vi.unstubAllGlobals());
  for (let chunk = 0; chunk < 160; chunk += 1) networkBytesCame(2 ** 16);
  expect(gc.mock.calls).toEqual([[{ type: 'minor' }], [{ type: 'minor' }]]);
});
