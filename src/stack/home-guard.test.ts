import { expect, test } from 'vitest';
import { resolveHome } from '../home.ts';
import { labels } from '../labels.ts';
import { refuseOtherHome } from './home-guard.ts';
import { container } from './test-stack.ts';

const mine = resolveHome({ AIXCL_HOME: '/home/x/aixcl' });
const of = (root: string) => container('ollama', { labels: { [labels.home]: root } });

test('containers of this home, and those of nobody, are no obstacle', () => {
  expect(() => refuseOtherHome([container('web'), of('/home/x/aixcl')], mine)).not.toThrow();
});

test('a container of another home refuses, and names the home to use', () => {
  expect(() => refuseOtherHome([of('/home/x/aixcl'), of('/root/aixcl')], mine)).toThrow(
    expect.objectContaining({
      code: 'refused',
      message:
        'the container ollama on this engine belongs to the home /root/aixcl, and this command would use /home/x/aixcl',
      hint: 'AIXCL_HOME=/root/aixcl aixcl …',
    }),
  );
});
