/** What the bundle changes about the libraries it takes in, and why; all of it for start-up time. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Left out: what dockerode loads at import (0.2 s) for engines on other machines and BuildKit sessions, and the external editor's tables of
 * character sets (half a megabyte). aixcl uses none of it.
 */
const absent = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|@inquirer\/external-editor)$/;

export const absentLibraries = {
  name: 'absent-libraries',
  setup(build) {
    build.onResolve({ filter: absent }, ({ path }) => ({ path, namespace: 'absent' }));
    build.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      // Whatever is asked of it at import is given: a function that throws when it is used.
      contents: `
        function absent() {
          throw new Error(${JSON.stringify(`${path} is not part of aixcl, which has no use for it`)});
        }
        module.exports = new Proxy(absent, { get: (_, name) => (name === '__esModule' ? undefined : absent) });`,
    }));
  },
};

/** Of this catalogue of the Hub's tasks (a quarter of a megabyte), the GGUF reader uses the names of quantizations. */
export const onlyQuantizations = {
  name: 'only-quantizations',
  setup(build) {
    build.onResolve({ filter: /^@huggingface\/tasks$/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData?.resolved) return undefined;
      const all = await build.resolve(path, { ...rest, pluginData: { resolved: true } });
      return { path: join(dirname(all.path), 'gguf.js') };
    });
  },
};

/** Work that libraries do on every start: how it stands in their sources, and what stands there in the bundle. */
const trims = [
  {
    // 20 ms each: loads the tables that split text into characters, which only tables and wrapped text ask for.
    file: /[\\/]string-width[\\/]index\.js$/,
    needs: 'Intl.Segmenter',
    from: 'const segmenter = new Intl.Segmenter();',
    to: 'let made; const segmenter = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };',
  },
  {
    // 18 ms: the set of all emoji is put together when the expression is made, not when it is asked.
    file: /[\\/]string-width[\\/]index\.js$/,
    needs: 'const rgiEmojiRegex',
    from: 'const rgiEmojiRegex = /^\\p{RGI_Emoji}$/v;',
    to: 'let emoji; const rgiEmojiRegex = { test: (text) => (emoji ??= /^\\p{RGI_Emoji}$/v).test(text) };',
  },
  {
    // 30 ms: composes the help of the command that has just run.
    file: /[\\/]yargs[\\/]build[\\/]lib[\\/]command\.js$/,
    needs: 'cacheHelpMessage',
    from: 'yargs.getInternalMethods().getUsageInstance().cacheHelpMessage();',
    to: '',
  },
  {
    // 1 ms a request: describes it in full, for a log that is off.
    file: /[\\/]docker-modem[\\/]lib[\\/]modem\.js$/,
    needs: "debug('Sending: ",
    from: /debug\('Sending: %s', util\.inspect\(options, \{[^}]*\}\)\);/,
    to: '',
  },
];

export const trimmedLibraries = {
  name: 'trimmed-libraries',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/].*\.js$/ }, ({ path }) => {
      const own = trims.filter(({ file }) => file.test(path));
      if (own.length === 0) return undefined;
      let contents = readFileSync(path, 'utf8');
      for (const { needs, from, to } of own) {
        if (!contents.includes(needs)) continue;
        const trimmed = contents.replace(from, () => to);
        if (trimmed === contents)
          throw new Error(`${path} has changed; see what its new version does at start`);
        contents = trimmed;
      }
      return { contents };
    });
  },
};

/** V8's code cache is for scripts, and a script can't wait at its top level: what follows the entry's imports goes into a function. */
export const entryAsScript = {
  name: 'entry-as-script',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]cli[\\/]main\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const [imports = ''] = /^(?:\s*import\s[^;]*;)*/.exec(source) ?? [];
      return {
        loader: 'ts',
        contents: `${imports}\nvoid (async () => {${source.slice(imports.length)}\n})();`,
      };
    });
  },
};
