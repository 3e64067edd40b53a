import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import type { VolumeSummary } from '../engine.ts';
import type { VolumeContents } from './volume-contents.ts';

/** A volume that holds nothing which anybody would miss. `of` is the only way to one. */
export class DisposableVolume {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** Undefined for a volume that holds models, state or who knows what. */
  static of({ name }: VolumeSummary, contents: VolumeContents): DisposableVolume | undefined {
    return contents === 'disposable' ? new DisposableVolume(name) : undefined;
  }
}

/** A volume with the proof that all that is in it lies in the vault: a snapshot of the subject `{ runtime: 'volume', name }`. */
export interface SavedVolume {
  readonly name: string;
  readonly proof: VerifiedBackup;
}
