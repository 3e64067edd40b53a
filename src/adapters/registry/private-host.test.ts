import { expect, test } from 'vitest';
import { isPrivateHost } from './private-host.ts';

test('plain http is for hosts that can only be near', () => {
  for (const host of ['localhost:5000', '127.0.0.1', '10.1.2.3:80', '172.20.0.2:5000', '192.168.1.9', 'nas'])
    expect(isPrivateHost(host), host).toBe(true);
  for (const host of ['[::1]:5000', '[fd00::1]', 'nas.local:5000', 'a.localhost'])
    expect(isPrivateHost(host), host).toBe(true);
  for (const host of ['registry.ollama.ai', '172.32.0.1', '8.8.8.8:443', 'local.example', '[2001:db8::1]'])
    expect(isPrivateHost(host), host).toBe(false);
});
