import type { ServiceStatus } from '../stack/status.ts';
import type { VolumeStatus } from '../stack/volumes/volume-status.ts';

/**
 * All that the checks need to know of this machine, the engine and the home: plain data, read side by side before anything is judged. A part
 * that could not be looked at is undefined, and stands in `unexamined`.
 */
export interface Examined {
  readonly now: Date;
  /** AIXCL_HOME. */
  readonly home: string;
  readonly engine: EngineExamined;
  /** Why the definition of the stack does not load; null: it does. */
  readonly definition: Trouble | null;
  /** Homes other than this one that have containers or volumes on this engine. */
  readonly otherHomes: readonly OtherHome[] | undefined;
  readonly folders: readonly FolderExamined[] | undefined;
  readonly disks: readonly DiskExamined[] | undefined;
  /** True: one failing disk takes models and vault. Null: there are no models. */
  readonly vaultSharesDisk: boolean | null | undefined;
  /** What keeps services from the ports that they are to have. */
  readonly ports: readonly (Trouble & { readonly service: string })[] | undefined;
  /** What is lost of a GPU, and how to mend it; null: nothing. */
  readonly gpu: { readonly message: string; readonly mend: string } | null | undefined;
  /** Volumes of the definition. */
  readonly volumes: readonly VolumeStatus[] | undefined;
  /** Any other volumes that models were seen in. */
  readonly otherVolumes: readonly OtherVolume[] | undefined;
  /** Stores of an Ollama that runs, or ran, on this machine itself. */
  readonly hostStores: readonly HostStore[] | undefined;
  readonly store: StoreExamined | undefined;
  readonly vault: VaultExamined | undefined;
  readonly backups: BackupsExamined | undefined;
  readonly leftovers: LeftoversExamined | undefined;
  readonly services: readonly ServiceExamined[] | undefined;
  readonly images: ImagesExamined | undefined;
  readonly unexamined: readonly Unexamined[];
}

/** Something wrong that was put into words where it was found. */
export interface Trouble {
  readonly what: string;
  /** What to type, or to do, next. */
  readonly command: string | null;
}

export interface Unexamined extends Trouble {
  /** For people: `the ports of the stack`. */
  readonly part: string;
}

export type EngineExamined =
  | {
      readonly answers: true;
      readonly address: string;
      readonly version: string;
      /** As both sides speak it: `1.41`. */
      readonly apiVersion: string;
      /** Where plain `docker` looks in a new shell, where that is another engine. */
      readonly dockerElsewhere: { readonly context: string; readonly address: string } | null;
    }
  | (Trouble & {
      readonly answers: false;
      /** True where it may well run, and this user may not speak to it. */
      readonly rights: boolean;
    });

export interface OtherHome {
  readonly home: string;
  /** For people: `the container ollama`. */
  readonly seenAt: string;
}

export interface FolderExamined {
  readonly path: string;
  /** For people: `the models directory`. */
  readonly what: string;
  /** `closed`: this user may not read, or not write it. */
  readonly state: 'usable' | 'missing' | 'closed' | 'no folder';
  /** User who owns it, by name or number; null where it is missing. */
  readonly owner: string | null;
  /** This user, likewise. */
  readonly user: string;
  /** A volume or container that mounts it, and can't start without it. */
  readonly neededBy: string | null;
}

export interface DiskExamined {
  /** What lies on it: `models`, `the vault`, `the engine's data`. */
  readonly holds: readonly string[];
  /** A folder on it. */
  readonly path: string;
  /** Bytes, for this user. */
  readonly free: number;
  readonly total: number;
}

export interface OtherVolume {
  readonly name: string;
  /** Bytes of its models; null where that takes longer than a look. */
  readonly bytes: number | null;
  /** Models in it, likewise. */
  readonly models: number | null;
  /** Of these models, how many this home's Ollama has too, blob by blob; null where that is not known. */
  readonly here: number | null;
  /** Where that is not known: whether all of them were brought over, and no container has mounted it since. */
  readonly broughtOver: boolean;
  /** Bytes of the models in it that are not here; null where that is not known. */
  readonly missingBytes: number | null;
  /** Names of those that can't come, as another model has their name here. */
  readonly taken: readonly string[];
  /** Where all models are here: files in it that are not known to be here, as paths below it. Null: nobody could look. */
  readonly onlyThere: readonly string[] | null;
  /** Folder with all that is in it, where this user may look into it. */
  readonly path: string | null;
  /** Its bytes lie inside the engine, so that a guard can hold them. */
  readonly inEngine: boolean;
  /** Folder that it is a name for, and that is there; or a running container that mounts it. Null: nothing holds it. */
  readonly heldBy: string | null;
}

export interface HostStore {
  /** The folder `models` of that Ollama. */
  readonly path: string;
  /** Null: this user may not look. */
  readonly models: number | null;
  /** Of those that are not here, where that is known. */
  readonly bytes: number | null;
  /** As of a volume. */
  readonly here: number | null;
}

/** What is odd in this home's Ollama store, by names and sizes alone. */
export interface StoreExamined {
  /** For people: a path, or `volume ollama`. */
  readonly place: string;
  readonly unreadable: readonly { readonly model: string; readonly why: string }[];
  readonly incomplete: readonly { readonly model: string; readonly why: string }[];
  /** Blobs that no manifest names. Null: they can't be listed there. */
  readonly orphans: Amount | null;
  /** Downloads that did not come to an end. */
  readonly partials: (Amount & { readonly newest: Date }) | null;
}

export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

export interface DamagedSnapshot {
  readonly id: string;
  /** Of its model. */
  readonly name: string;
  readonly why: string;
}

export interface VaultExamined {
  readonly path: string;
  readonly broken: readonly { readonly name: string; readonly why: string }[];
  /** Snapshots of which the vault has other bytes by now than it took in. */
  readonly damaged: readonly DamagedSnapshot[];
  /** Snapshots that are what they were when they were saved: of models that were damaged then. */
  readonly damagedWhenSaved: readonly DamagedSnapshot[];
  readonly snapshots: number;
  /** How many were never hashed whole. */
  readonly unverified: number;
  /** The verification that is longest ago; null: none of any. */
  readonly oldestVerification: Date | null;
  readonly quarantine: Amount;
  /** What killed commands were writing; none while a command is at it. */
  readonly ingest: Amount;
  /** True when every snapshot lies in a second vault too. */
  readonly elsewhere: boolean;
}

export interface BackupsExamined {
  /** Models that no address is known for and that no good snapshot holds. */
  readonly uniqueWithout: readonly string[];
  /** Models without a snapshot that came, as far as their name tells, from a registry; nobody was asked. */
  readonly pulledWithout: readonly string[];
  readonly models: number;
  /** The newest good snapshot of any model. */
  readonly newest: Date | null;
}

export interface LeftoversExamined {
  /** Names of helper containers whose command is gone. */
  readonly helpers: readonly string[];
  /** True when a change of names was left half done. */
  readonly unfinishedNames: boolean;
  /** The last command of the journal, when it was killed. */
  readonly interrupted: { readonly operation: string; readonly command: string; readonly began: Date } | null;
  /** Uploads to the page that are no models yet. */
  readonly uploads: readonly UploadLeft[];
}

export interface UploadLeft {
  readonly file: string;
  /** That came so far. */
  readonly bytes: number;
  /** When the last of them came. */
  readonly touched: Date;
}

export interface ServiceExamined extends ServiceStatus {
  /** True where its container lost nothing but its name to an interrupted recreate. */
  readonly onlyRename: boolean;
}

export interface ImagesExamined {
  /** Services that run on another image than their definition names. */
  readonly drifted: readonly { readonly service: string; readonly runs: string; readonly named: string }[];
  /** Variables in the home's `.env` that stand in for an image that aixcl pins. */
  readonly overridden: readonly { readonly variable: string; readonly value: string; readonly pin: string }[];
}
