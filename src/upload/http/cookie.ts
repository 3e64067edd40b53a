const name = 'aixcl-session';

/** Values of the session's cookie in a `Cookie` header; several where other servers of this machine have set it too. */
export function sessionCookies(header: string | undefined): string[] {
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .slice(0, 4);
}

/** `Set-Cookie` of a session: for this server's own pages, and out of reach of any script. */
export function sessionCookie(secret: string, seconds: number): string {
  return `${name}=${secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
}
