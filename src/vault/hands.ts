/**
 * The port to more rights than this process has, for files that belong to another user: root's, in a user's home. Nothing is ever
 * written over; what is made belongs to the owner of the vault and is readable by this process.
 */
export interface Hands {
  /** Gives the regular file `from` the further name `to`, which is new. False where the file system can't: another mount, no such links. */
  link(from: string, to: string): Promise<boolean>;
  /** Copies the regular file `from`, without following a link at its end, to the new name `to`. */
  copy(from: string, to: string): Promise<void>;
}
