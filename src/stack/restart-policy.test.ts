import { expect, test } from 'vitest';
import { parseRestartPolicy, spellRestartPolicy } from './restart-policy.ts';

test.each(['no', 'always', 'unless-stopped', 'on-failure', 'on-failure:3'])(
  '%s is read and spelled as Compose does',
  (written) => {
    expect(spellRestartPolicy(parseRestartPolicy(written)!)).toBe(written);
  },
);

test.each(['', 'never', 'always:3', 'on-failure:', 'on-failure:x'])('%j is none', (written) => {
  expect(parseRestartPolicy(written)).toBeUndefined();
});
