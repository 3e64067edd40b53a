/** Where the page listens, in its container and outside of one: there only on loopback, unless it is told otherwise. */
export function addressFor(env: NodeJS.ProcessEnv): { readonly host: string; readonly port: number } {
  return { host: env.HOST || '127.0.0.1', port: Number(env.PORT || 8081) };
}
