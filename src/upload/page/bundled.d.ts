/** What the bundler takes besides TypeScript. */
declare module '*.css';

/** The same library as it was written; its main entry is rewritten for browsers of 2015, and twice the size. */
declare module 'tus-js-client/lib/browser/index.js' {
  export { DetailedError, Upload } from 'tus-js-client';
}
