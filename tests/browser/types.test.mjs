/**
 * `mosaic.d.ts` as a compiler sees it: a page written with it, and the shape of the class itself.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const COMPILER = join(HERE, "node_modules", "typescript", "bin", "tsc");
const STRICT = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable"];

test("a page in TypeScript compiles, and its mistakes do not", async () => {
  const page = join(HERE, "types", "page.ts");

  const said = await promisify(execFile)(process.execPath, [COMPILER, ...STRICT, page])
    .then(({ stdout }) => stdout, ({ stdout }) => stdout);

  assert.equal(said, "");
});
