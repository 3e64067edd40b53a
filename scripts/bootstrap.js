/** Brings a clone to where it can run: node_modules as the lock file says, then dist/. Node's standard library only. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Exits when npm or the bundler fails; their own words are then on stderr. */
export async function bootstrap() {
  installDependencies();
  const { build, failed } = await import('./build.js');
  const { built } = await build().catch(failed);
  if (built) process.stderr.write('built dist/\n');
}

/** Runs a program of node_modules/.bin or PATH with inherited output; answers its exit code (130, 143 for a signal's). */
export function run(program, args, { env = {}, input = 'ignore' } = {}) {
  const local = join(root, 'node_modules', '.bin', program);
  const child = spawn(existsSync(local) ? local : program, args, {
    cwd: root,
    stdio: [input, 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  // Ctrl-C reaches the child too, which cleans up; this process must live on to report its exit code.
  const forward = (signal) => child.kill(signal);
  const ignore = () => {};
  process.on('SIGTERM', forward).on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward).off('SIGINT', ignore);
      resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1));
    });
  });
}

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.aixcl-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  if (matchesLock()) return writeFileSync(stamp, lock);
  process.stderr.write('installing dependencies (npm ci)\n');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, lock);
}

/** True when npm itself put exactly the lock file's packages there: it notes what it installed in a file of its own. */
function matchesLock() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const { packages: have } = JSON.parse(readFileSync(installed, 'utf8'));
  const { packages: want } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(want).every(
    ([path, { version, optional }]) =>
      path === '' || have[path]?.version === version || (optional && !have[path]),
  );
}
