import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Text of dist/THIRD_PARTY_LICENSES: name, version and licence of each package that has bytes in the bundle. */
export function thirdPartyLicences(root, metafile) {
  const folders = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
      if (bytesInOutput > 0 && /(^|\/)node_modules\//.test(file))
        folders.add(packageFolder(join(root, file)));
    }
  }
  // One version may lie in several folders.
  const texts = new Map([...folders].map(describe));
  const titles = [...texts.keys()].sort();
  return titles.map((title) => `${title}\n${'-'.repeat(title.length)}\n${texts.get(title)}\n`).join('\n\n');
}

/** Nearest folder above with a package.json that has a name: some packages put nameless ones in their dist folders. */
function packageFolder(file) {
  for (let folder = dirname(file); folder.includes(`${sep}node_modules${sep}`); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version) return folder;
  }
  throw new Error(`${file} belongs to no package`);
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const text = texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
  return [`${name} ${version} (${license ?? 'see below'})`, text || `Licence: ${license}`];
}
