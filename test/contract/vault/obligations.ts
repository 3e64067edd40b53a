import { describe } from 'vitest';
import type { TestVault } from '../../../src/adapters/vault/test-vault.ts';
import { deletes } from './deleting.ts';
import { holds } from './holding.ts';
import { publishes } from './publishing.ts';
import { takesIn } from './taking-in.ts';
import { retires } from './versions.ts';

/** What every vault owes, on whatever file system its folder and the live files are: `make` says. */
export function vaultObligations(name: string, make: () => Promise<TestVault>): void {
  describe(`a vault ${name}`, () => {
    takesIn(make);
    publishes(make);
    deletes(make);
    retires(make);
    holds(make);
  });
}
