import { expect, test } from 'vitest';
import { givenBack } from './typed-name.ts';

const { signal } = new AbortController();
const how = { question: (name: string) => name, interactive: false, signal };

test('each name has to be given back, and no other counts', async () => {
  await givenBack(['a', 'b'], ['b', 'a'], how);
  await givenBack([], [], how);
  await expect(givenBack(['a', 'b'], ['a'], how)).rejects.toMatchObject({
    code: 'refused',
    hint: '--confirm b',
  });
  await expect(givenBack(['a'], ['A'], how)).rejects.toMatchObject({
    code: 'refused',
    message: '--confirm A is not a, so nothing was changed',
  });
  await expect(givenBack(['a'], [], how)).rejects.toMatchObject({ code: 'refused', hint: '--confirm a' });
});
