/**
 * A keys file for the daemon, and tokens signed with its key as any application would sign them.
 */
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** In seconds since 1970, so far from now. */
export const inSeconds = (seconds) => Math.floor(Date.now() / 1_000) + seconds;

/**
 * @returns {{file: string, sign: (claims: object, secret?: Buffer) => string, remove: () => void}} the file has the
 *   one key that signs, unless another secret is given
 */
export function makeKeys() {
  const folder = mkdtempSync(join(tmpdir(), "mosaicd-keys-"));
  const file = join(folder, "keys.json");
  const own = randomBytes(32);
  const key = { kty: "oct", kid: "test", alg: "HS256", k: own.toString("base64url") };
  writeFileSync(file, JSON.stringify({ keys: [key] }), { mode: 0o600 });
  const sign = (claims, secret = own) => {
    const content = `${base64url({ alg: "HS256", kid: "test" })}.${base64url(claims)}`;
    return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
  };
  return { file, sign, remove: () => rmSync(folder, { recursive: true }) };
}
