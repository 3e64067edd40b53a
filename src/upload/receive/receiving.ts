import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import prettyBytes from 'pretty-bytes';
import { onDisk } from '../../adapters/models-directory/disk-errors.ts';
import { intakeInto } from '../../adapters/models-directory/intake.ts';
import { bootId, freshState, UploadFolder } from '../../adapters/models-directory/upload-folder.ts';
import { AixclError, reasonOf } from '../../errors.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { PageUpload } from '../api.ts';
import type { Receiving } from '../desk.ts';
import { parseAnnounced } from './announced.ts';
import { recoverUploads } from './recover.ts';
import { Settling } from './settling.ts';
import { Turns } from './turns.ts';
import { noSuchUpload, type TusUploads, tusServer } from './tus.ts';
import { Upload } from './upload.ts';

export interface ReceivingOptions {
  /** Told whenever `list` has something new to say. */
  readonly changed?: () => void;
}

/** Uploads that may lie around at once. */
const mostUploads = 200;
/** Uploads that became models, of which a client may not have heard yet. */
const rememberedDone = 1000;

/** Takes uploads into the models directory of `context`. What an earlier process left is taken up at once. */
export function receivingInto(context: Surroundings, options: ReceivingOptions = {}): Receiving {
  const { models } = context.home;
  const changed = options.changed ?? (() => {});
  const uploads = new Map<string, Upload>();
  /** Sizes by id. */
  const done = new Map<string, number>();
  const settling = new Settling(context, { all: () => [...uploads.values()], changed, done: becameModel });
  const turns = new Turns({
    lastByte: (id) => uploads.get(id)?.touched ?? 0,
    interrupt: (id) => uploads.get(id)?.interrupt(),
  });
  const boot = bootId();
  const { listed, recovered } = recoverUploads(context, boot, {
    add(upload) {
      uploads.set(upload.id, upload);
      changed();
    },
    has: ({ id }) => uploads.has(id),
    begin: (upload) => settling.begin(upload),
    done: becameModel,
  });

  /** What can't be cleared of it goes when the next process finds it. */
  async function becameModel(upload: Upload): Promise<void> {
    await upload
      .clear()
      .catch((error) => context.out.warn(`${upload.folder.path} stays: ${reasonOf(error)}`));
    uploads.delete(upload.id);
    done.set(upload.id, upload.about.size);
    for (const id of done.keys()) if (done.size > rememberedDone) done.delete(id);
    changed();
  }

  async function free(): Promise<number> {
    const { free } = await intakeInto(models).space();
    const coming = [...uploads.values()].map(({ about, received }) => about.size - received);
    return Math.max(0, free - coming.reduce((sum, bytes) => sum + bytes, 0));
  }

  const tus: TusUploads = {
    async create(id, metadata, size) {
      const announced = parseAnnounced(metadata, size);
      const known = await boot;
      await assertThere(models);
      const left = await onDisk(models, free);
      if (announced.size > left) throw noRoom(announced.size, left);
      if (uploads.size >= mostUploads) throw tooMany();
      const about = { ...announced, created: new Date().toISOString() };
      const state = freshState(about.agreed, known);
      const folder = new UploadFolder(models, id);
      const upload = new Upload(folder, { about, state, received: 0, touched: Date.now() }, known);
      // Before it is made: another that is announced meanwhile has to count it.
      uploads.set(id, upload);
      try {
        await onDisk(models, () => folder.make(about, state));
      } catch (error) {
        uploads.delete(id);
        await folder.clear().catch(() => {});
        throw error;
      }
      changed();
    },
    find(id) {
      const upload = uploads.get(id);
      if (upload) return { size: upload.about.size, received: upload.received };
      const size = done.get(id);
      return size === undefined ? undefined : { size, received: size };
    },
    async append(id, stream) {
      const upload = uploads.get(id);
      if (!upload) return done.get(id) ?? 0;
      if (upload.whole) return upload.received;
      try {
        await onDisk(models, () => upload.append(stream));
      } finally {
        changed();
        if (upload.whole && upload.phase === 'receiving' && uploads.has(id)) settling.begin(upload);
      }
      return upload.received;
    },
    async remove(id) {
      await recovered();
      const upload = uploads.get(id);
      done.delete(id);
      if (!upload) return;
      await settling.stop(upload);
      if (!uploads.delete(id)) return;
      for (const other of uploads.values()) {
        if (other.phase === 'exists' && other.about.model === upload.about.model) other.phase = 'parts';
      }
      changed();
      await onDisk(models, () => upload.clear());
    },
    room: free,
  };
  const server = tusServer(tus, turns, () => randomBytes(16).toString('hex'));

  async function decided(id: string, phase: 'exists' | 'refused', decide: (upload: Upload) => Promise<void>) {
    await recovered();
    const upload = uploads.get(id);
    if (!upload) throw noSuchUpload();
    if (upload.phase !== phase) {
      throw new AixclError(
        'refused',
        phase === 'exists'
          ? 'This upload does not ask whether to replace anything'
          : 'This upload was not refused, so there is nothing to check again',
        { hint: 'Look at the page again: it went on meanwhile.' },
      );
    }
    await onDisk(models, () => decide(upload));
    settling.begin(upload);
  }

  return {
    async handle(request: IncomingMessage, response: ServerResponse) {
      await listed;
      const id = /([0-9a-f]+)\/?$/.exec(new URL(request.url ?? '', 'http://localhost').pathname)?.[1];
      // Whoever clears an upload does not wait for him who sends it.
      if (request.method === 'DELETE' && id) await turns.interrupt(id);
      await server.handle(request, response);
    },
    async list() {
      await listed;
      const all = [...uploads.values()];
      return all.map((upload) => describe(upload, all)).sort((a, b) => (a.created < b.created ? -1 : 1));
    },
    replace: (id) => decided(id, 'exists', (upload) => upload.note({ agreed: true })),
    check: (id) => decided(id, 'refused', (upload) => upload.note({ problem: null, hashed: null })),
    async [Symbol.asyncDispose]() {
      await listed;
      await turns.interruptAll();
      await settling.stopAll();
      await Promise.allSettled([...uploads.values()].map((upload) => upload.sync()));
    },
  };
}

function describe(upload: Upload, all: readonly Upload[]): PageUpload {
  const { about, phase } = upload;
  const ofModel = all.filter(
    (other) => other.about.model === about.model && other.about.parts === about.parts,
  );
  const whole = new Set(ofModel.filter((other) => other.whole).map((other) => other.about.file));
  return {
    id: upload.id,
    file: about.file,
    model: about.model,
    parts: about.parts === null ? null : { count: about.parts, whole: whole.size },
    size: about.size,
    received: upload.received,
    phase,
    checked: upload.checked,
    sha256: about.sha256,
    created: about.created,
    touched: new Date(upload.touched).toISOString(),
    problem: upload.problem,
  };
}

/** Whoever makes it decides whose it is, and that is not the page. */
async function assertThere(models: string): Promise<void> {
  const there = await stat(models).catch(() => undefined);
  if (there?.isDirectory()) return;
  throw new AixclError('refused', `The models directory ${models} is not there`, {
    hint: 'aixcl stack start',
  });
}

function noRoom(size: number, left: number): AixclError {
  return new AixclError(
    'noSpace',
    `${prettyBytes(size)} are needed, and ${prettyBytes(left)} are free for it`,
    {
      hint: 'Clear uploads that nobody goes on with, or delete models.',
    },
  );
}

function tooMany(): AixclError {
  return new AixclError('refused', `${mostUploads} uploads are here already`, {
    hint: 'Clear those that nobody goes on with.',
  });
}
