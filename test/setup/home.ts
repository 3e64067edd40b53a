import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  readonly ports: {
    readonly llamaServer: number;
    readonly ollama: number;
    readonly openWebui: number;
    readonly page: number;
  };
  /** Names the home, free ports, and the images that the private engine has. */
  readonly env: Readonly<Record<string, string>>;
}

export interface HomeWish {
  /** The image of that service (`ollamaImage`); without one it is Ollama's own, which can't be had. */
  readonly ollama?: string;
  /** The upload page's image (`pageImage`), or `pinned`: the stack builds it. Without either the page is no part of the stack (`withoutPage`). */
  readonly page?: string;
  /** Folder to make it in; absent: that for temporary files. */
  readonly under?: string;
}

/** A Compose file by which the page runs only where it is named: most tests are not about it, and each would wait for it. */
export const withoutPage = 'services:\n  upload-ui:\n    profiles: [page]\n';

export async function makeHome({
  ollama: ollamaImage,
  page: pageImage,
  under = tmpdir(),
}: HomeWish = {}): Promise<TestHome> {
  const root = await mkdtemp(join(under, 'aixcl-home-'));
  const [llamaServer = 0, ollama = 0, openWebui = 0, page = 0] = await freePorts(4);
  const image = process.env[variables.llamaImage];
  if (!pageImage) await writeFile(join(root, 'compose.override.yaml'), withoutPage);
  return {
    root,
    models: join(root, 'models'),
    ollama: join(root, 'ollama'),
    ports: { llamaServer, ollama, openWebui, page },
    env: {
      AIXCL_HOME: root,
      LLAMA_SERVER_PORT: String(llamaServer),
      OLLAMA_PORT: String(ollama),
      OPEN_WEBUI_PORT: String(openWebui),
      UPLOAD_UI_PORT: String(page),
      ...(image && { NODE_IMAGE: image }),
      ...(image && { LLAMA_SERVER_IMAGE: image }),
      ...(ollamaImage && { OLLAMA_IMAGE: ollamaImage }),
      ...(pageImage && pageImage !== 'pinned' && { UPLOAD_UI_IMAGE: pageImage }),
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
