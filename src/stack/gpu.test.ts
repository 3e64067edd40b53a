import { expect, test } from 'vitest';
import type { EngineInfo } from './engine.ts';
import { chooseGpu } from './gpu.ts';

const plain: EngineInfo = {
  version: '28.0.0',
  apiVersion: '1.51',
  operatingSystem: 'Debian',
  runtimes: ['io.containerd.runc.v2', 'runc'],
  cdiDevices: [],
  dataRoot: '/var/lib/docker',
  rootless: false,
};
const engine =
  (own: Partial<EngineInfo> = {}) =>
  async () => ({ ...plain, ...own });
const neverAsked = async () => {
  throw new Error('the engine was asked');
};

test.each([
  ['by its runtime', { runtimes: ['runc', 'nvidia'] }],
  ['by CDI', { cdiDevices: ['nvidia.com/gpu=all'] }],
])('an NVIDIA GPU that the engine gives %s is given', async (_how, own) => {
  expect(await chooseGpu('auto', 'nvidia', engine(own))).toEqual({
    host: 'nvidia',
    given: 'nvidia',
    problem: undefined,
  });
});

test('a GPU that the engine does not give is said, with the mend, and the stack starts without', async () => {
  const gpu = await chooseGpu('auto', 'nvidia', engine({ cdiDevices: ['vendor.com/net=0'] }));
  expect(gpu).toMatchObject({ host: 'nvidia', given: undefined });
  expect(gpu.problem?.mend).toContain('nvidia-container-toolkit');
});

test('a GPU that was demanded and is not to be had is refused', async () => {
  await expect(chooseGpu('nvidia', 'nvidia', engine())).rejects.toMatchObject({ code: 'refused' });
  await expect(chooseGpu('nvidia', undefined, engine())).rejects.toMatchObject({ code: 'refused' });
  await expect(chooseGpu('amd', undefined, engine())).rejects.toMatchObject({
    code: 'refused',
    hint: expect.stringContaining('--gpu none'),
  });
});

test('an AMD GPU is given by its devices, and the engine is not asked', async () => {
  expect(await chooseGpu('auto', 'amd', neverAsked)).toMatchObject({ given: 'amd', problem: undefined });
});

test('without a GPU, or without the wish for one, the engine is not asked', async () => {
  expect(await chooseGpu('auto', undefined, neverAsked)).toMatchObject({ given: undefined });
  expect(await chooseGpu('none', 'nvidia', neverAsked)).toEqual({
    host: 'nvidia',
    given: undefined,
    problem: undefined,
  });
});
