import { expect } from 'vitest';
import { parseOllamaName } from '../../../src/models/ollama/name.ts';
import { engineTest, seedStore } from '../../setup/engine-test.ts';
import { describeOllama } from './ollama.ts';

const long = 'a'.repeat(80);
const texts = [
  ...[
    'tea',
    'tea:v1',
    'llama3.2:1b',
    'someone/tea',
    'TEA:V1',
    '_a/_b:_c',
    'a-b.c_d',
    `${long}/${long}:${long}`,
  ],
  ...[
    'hf.co/user/repo.name-GGUF:Q4_K_M',
    '10.0.0.1:5000/library/tea:v1',
    'http://localhost:5000/someone/tea',
  ],
  ...['ftp://host/someone/tea', 'tea:local', 'tea:cloud'],
  ...[':', 'tea:', ':v1', '/tea', 'tea/', 'a//tea', 'a/b/c/tea', 'https://tea', 'https://someone/tea'],
  ...[
    'tea:v1:v2',
    'tea@sha256',
    '-tea',
    '.tea',
    '..',
    '../tea',
    'a/../tea',
    'some.one/tea',
    'tea cup',
    'tea\n',
  ],
  ...['tëa', 'tea:v/1', '.host/a/tea', 'a:b/c/tea', 'a/b:c/tea', `${long}a`, `tea:${long}a`],
  ...[`${'a'.repeat(350)}/b/c`, `${'a'.repeat(351)}/b/c`, 'tea%2e', 'tea\\a', '~/tea', 'ſtea'],
];

describeOllama('Ollama takes for names', (run) => {
  engineTest('what we take for names, and nothing else', async () => {
    await using ollama = await run({});
    const taken = async (source: string) => {
      const { status } = await ollama.raw('POST', '/api/copy', { source, destination: 'copy' });
      // 500 for a host that no file name has room for.
      return status !== 400;
    };
    const differing: string[] = [];
    for (const text of texts) {
      if ((await taken(text)) !== isName(text)) differing.push(text);
    }
    expect(differing).toEqual([]);
  });

  engineTest('the spelling in its list', async () => {
    await using ollama = await run({});
    const names = ['tea:latest', 'Someone/Tea:V1', 'hf.co/user/repo:Q4', '10.0.0.1:5000/library/tea:v1'];
    for (const name of names) await seedStore(ollama.directory, name);
    await seedStore(ollama.directory, 'registry.ollama.ai/library/mug:v1');
    expect((await ollama.api.names()).toSorted()).toEqual([...names, 'mug:v1'].toSorted());
  });
});

function isName(text: string): boolean {
  try {
    parseOllamaName(text);
    return true;
  } catch {
    return false;
  }
}
