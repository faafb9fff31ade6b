/**
 * `mosaic.d.ts` as a compiler sees it: a page written with it, and the client and our own page, whose
 * comments say what is what.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const COMPILER = join(HERE, "node_modules", "typescript", "bin", "tsc");
const STRICT = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"];
const OF_A_PAGE = ["--module", "nodenext"];
const OF_SCRIPTS = ["--module", "esnext", "--moduleResolution", "bundler", "--allowJs", "--checkJs"];

/** What the compiler has against these files. */
const compile = (...how) => promisify(execFile)(process.execPath, [COMPILER, ...STRICT, ...how])
  .then(({ stdout }) => stdout, ({ stdout, message }) => stdout || message);

test("a page in TypeScript compiles, and its mistakes do not", async () => {
  const said = await compile(...OF_A_PAGE, join(HERE, "types", "page.ts"));

  assert.equal(said, "");
});

test("the client is what is declared of it, and it and the page are what their comments say", async () => {
  const client = join(HERE, "types", "client.ts");
  const page = join(HERE, "..", "..", "src", "web", "app.js");

  const said = await compile(...OF_SCRIPTS, "--noUnusedLocals", "--noUnusedParameters", client, page);

  assert.equal(said, "");
});
