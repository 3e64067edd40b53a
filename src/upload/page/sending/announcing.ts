import type { PageUpload } from '../../api.ts';
import type { Sender, Sending } from './sender.ts';

type Announcing = Pick<Sender, 'id' | 'metadata'> & {
  readonly file: Pick<File, 'size'>;
  readonly view: { readonly value: Pick<Sending, 'phase'> };
};

/** `sender` asks the server for this upload: a state may show it before the answer tells its id. */
export function announces({ id, file, metadata, view }: Announcing, upload: PageUpload): boolean {
  const { phase } = view.value;
  return (
    id === null &&
    (phase === 'sending' || phase === 'retrying' || phase === 'paused') &&
    upload.received === 0 &&
    upload.file === metadata.filename &&
    upload.model === (metadata.model ?? metadata.filename) &&
    upload.size === file.size
  );
}
