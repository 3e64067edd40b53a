const part = {
  host: /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/,
  namespace: /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/,
  model: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/,
  tag: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/,
};
const kinds = ['host', 'namespace', 'model', 'tag'];
const defaults = { host: 'registry.ollama.ai', namespace: 'library', tag: 'latest' };

/** Undefined for what is no name. */
export function parseName(text) {
  let rest = text;
  const name = { ...defaults };
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    name.tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
  }
  const places = rest.split('/');
  name.model = places.pop();
  if (places.length > 0) name.namespace = places.pop();
  if (places.length > 0) name.host = places.join('/').replace(/^.*?:\/\//, '');
  return kinds.every((kind) => part[kind].test(name[kind])) ? name : undefined;
}

/** As a request names a model: the tag `local` says where it is, not which it is. */
export function parseReference(text) {
  return parseName(text.trim().replace(/:local$/i, ''));
}

export function nameFromPath(path) {
  const [host, namespace, model, tag] = path.split('/');
  const name = { host, namespace, model, tag };
  return kinds.every((kind) => part[kind].test(name[kind])) ? name : undefined;
}

export function pathOf(name) {
  return kinds.map((kind) => name[kind]).join('/');
}

export function shownName({ host, namespace, model, tag }) {
  const ordinary = same(host, defaults.host);
  const places = ordinary ? (same(namespace, defaults.namespace) ? [] : [namespace]) : [host, namespace];
  return `${[...places, model].join('/')}:${tag}`;
}

/** Each part takes the spelling of a part that is on the disk, if only its case differs. */
export function inKnownSpelling(name, known) {
  const spelled = { ...name };
  for (const kind of kinds) {
    const found = known.find((other) => same(other[kind], name[kind]));
    if (found) spelled[kind] = found[kind];
  }
  return spelled;
}

function same(a, b) {
  return a.toLowerCase() === b.toLowerCase();
}
