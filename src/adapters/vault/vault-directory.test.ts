import { vaultObligations } from '../../../test/contract/vault/obligations.ts';
import { TestVault } from './test-vault.ts';

vaultObligations('on the file system of temporary files', () => TestVault.make());
