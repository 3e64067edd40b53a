import type { PageModel, PageState, PageUpload } from '../api.ts';

/** What tests of the page are about: a state with nothing in it but what they say. */
export function stateWith(more: Partial<PageState> = {}): PageState {
  return {
    version: '1.0.0',
    models: [],
    unusable: [],
    activation: {
      active: null,
      phase: 'waiting',
      loading: null,
      wanted: null,
      result: null,
      reason: null,
      log: [],
    },
    services: [],
    space: { models: { free: 100e9, total: 500e9 }, vault: { free: 100e9, total: 500e9 }, oneDisk: true },
    uploads: [],
    snapshots: [],
    jobs: [],
    undo: null,
    busy: null,
    warnings: [],
    ...more,
  };
}

export function modelWith(more: Partial<PageModel> = {}): PageModel {
  return {
    name: 'tea.gguf',
    runtime: 'llama-server',
    architecture: 'llama',
    parameters: 1e9,
    quantization: 'Q4_K_M',
    contextLength: 4096,
    size: 1e9,
    files: ['tea.gguf'],
    digest: null,
    fileDigests: [null],
    modified: '2026-01-01T00:00:00Z',
    active: false,
    standing: null,
    role: 'model',
    source: null,
    lastBackup: null,
    damage: null,
    notActivatable: null,
    notRemovable: null,
    commands: [],
    ...more,
  };
}

export function uploadWith(more: Partial<PageUpload> = {}): PageUpload {
  return {
    id: 'u1',
    file: 'tea.gguf',
    model: 'tea.gguf',
    parts: null,
    size: 100,
    received: 40,
    phase: 'receiving',
    checked: 0,
    sha256: null,
    created: '2026-01-01T00:00:00Z',
    touched: '2026-01-01T00:00:00Z',
    problem: null,
    ...more,
  };
}
