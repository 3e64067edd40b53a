import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { variables } from './variables.ts';

/** An AIXCL_HOME of one test, gone at the end of its `await using` scope. */
export interface TestHome extends AsyncDisposable {
  readonly root: string;
  readonly models: string;
  /** What the volume `ollama` is a name for. */
  readonly ollama: string;
  readonly ports: { readonly llamaServer: number; readonly ollama: number; readonly openWebui: number };
  /** Names the home, free ports, and the images that the private engine has. */
  readonly env: Readonly<Record<string, string>>;
}

export interface HomeWish {
  /** The image of that service (`ollamaImage`); without one it is Ollama's own, which can't be had. */
  readonly ollama?: string;
  /** Folder to make it in; absent: that for temporary files. */
  readonly under?: string;
}

export async function makeHome({ ollama: ollamaImage, under = tmpdir() }: HomeWish = {}): Promise<TestHome> {
  const root = await mkdtemp(join(under, 'aixcl-home-'));
  const [llamaServer = 0, ollama = 0, openWebui = 0] = await freePorts(3);
  const image = process.env[variables.llamaImage];
  return {
    root,
    models: join(root, 'models'),
    ollama: join(root, 'ollama'),
    ports: { llamaServer, ollama, openWebui },
    env: {
      AIXCL_HOME: root,
      LLAMA_SERVER_PORT: String(llamaServer),
      OLLAMA_PORT: String(ollama),
      OPEN_WEBUI_PORT: String(openWebui),
      ...(image && { LLAMA_SERVER_IMAGE: image }),
      ...(ollamaImage && { OLLAMA_IMAGE: ollamaImage }),
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
