import { open } from 'node:fs/promises';
import { ggufInfo } from './gguf.js';
import {
  blobPath,
  digestsOf,
  noPrune,
  readManifest,
  removeUnused,
  takeIn,
  touch,
  writeManifest,
} from './store.js';

const media = (kind) => `application/vnd.ollama.image.${kind}`;

/** Makes a model of blobs that are there (`files`) or of another model (`from`). Yields Ollama's lines. */
export async function* create(name, { from, files, template, system, license, parameters }, spelled) {
  const before = await readManifest(name).then(digestsOf, () => []);
  const base = from ? (await readManifest(await spelled(from))).layers : [];
  const layers = [...base];
  for (const digest of Object.values(files ?? {})) layers.push(await modelLayer(digest));
  if (layers.length === 0) throw new Error("neither 'from' or 'files' was specified");
  const texts = [
    ['template', template],
    ['system', system],
    ['license', license],
    ['params', parameters && JSON.stringify(parameters)],
  ];
  for (const [kind, text] of texts) {
    if (!text) continue;
    const { digest, size } = await takeIn(Buffer.from(text));
    layers.push({ mediaType: media(kind), digest, size });
    yield { status: `creating new layer ${digest}` };
  }
  const model = layers.find(({ mediaType }) => mediaType === media('model'));
  const info = await ggufInfo(blobPath(model.digest));
  const config = {
    model_format: 'gguf',
    model_family: info['general.architecture'],
    model_families: [info['general.architecture']],
    model_type: `${info['general.parameter_count']}`,
    file_type: 'F32',
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
  const { digest, size } = await takeIn(Buffer.from(JSON.stringify(config)));
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest, size },
    layers,
  };
  yield { status: 'writing manifest' };
  await writeManifest(name, `${JSON.stringify(manifest)}\n`);
  if (!noPrune) await removeUnused(before);
  yield { status: 'success' };
}

async function modelLayer(digest) {
  const file = await open(blobPath(digest));
  try {
    const { size } = await file.stat();
    await touch(digest);
    return { mediaType: media('model'), digest, size };
  } finally {
    await file.close();
  }
}
