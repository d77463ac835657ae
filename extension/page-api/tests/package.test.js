// The package: its types are those of its code, its files are what a portal needs, its README knows every code.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const read = (/** @type {string} */ name) => readFileSync(join(here, name), "utf8");
const manifest = JSON.parse(read("package.json"));

/** The codes of the union `ErrorCode`. */
function codesOfTypes() {
  const union = /type ErrorCode = ([^;]+);/.exec(read("index.d.ts"))?.[1] ?? "";
  return [...union.matchAll(/"([a-z_]+)"/g)].map(([, code = ""]) => code).sort();
}

test("index.d.ts is what tsc makes of index.js", () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const out = mkdtempSync(join(tmpdir(), "page-api-"));
  try {
    const [, ...args] = manifest.scripts.types.split(" ");
    execFileSync(process.execPath, [tsc, ...args, "--outDir", out], { cwd: here, stdio: "pipe" });
    assert.equal(read("index.d.ts"), readFileSync(join(out, "index.d.ts"), "utf8"), "run `npm run types` in page-api");
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test("the package holds the library, its types, its README and its licence, and depends on nothing", () => {
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: here, encoding: "utf8", stdio: "pipe" }));
  assert.deepEqual(packed.files.map((/** @type {{ path: string }} */ { path }) => path).sort(), [
    "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "index.d.ts", "index.js", "package.json",
  ]);
  assert.deepEqual(Object.keys(manifest).filter((key) => /dependencies/i.test(key)), []);
  assert.doesNotMatch(read("index.js"), /^import|\bimport\(|\beval\b|\bfetch\(|XMLHttpRequest|WebSocket|innerHTML/m);
});

test("the licence's texts are those of the whole work", () => {
  for (const name of ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"]) {
    assert.equal(read(name), readFileSync(join(here, "../..", name), "utf8"), name);
  }
});

test("its version is the plugin's, in the code too", () => {
  const plugin = JSON.parse(readFileSync(join(here, "../manifest.json"), "utf8"));
  assert.equal(manifest.version, plugin.version);
  assert.match(read("index.js"), new RegExp(`VERSION = "${manifest.version.replaceAll(".", "\\.")}"`));
});

test("types, README and protocol name the same codes", () => {
  const types = codesOfTypes();
  const errors = read("README.md").split("\n## ").find((section) => section.startsWith("Errors")) ?? "";
  const readme = [...errors.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code = ""]) => code).sort();
  assert.deepEqual(readme, types);
  const protocol = readFileSync(join(here, "../../plugin-protocol/PROTOCOL.md"), "utf8");
  const operation = [...protocol.matchAll(/^\| `([a-z_]+)` \| \d{3} \| (?:yes|no) \| operation \|/gm)].map(([, code = ""]) => code);
  assert.ok(operation.length >= 15);
  assert.deepEqual(operation.filter((code) => !types.includes(code)), []);
});
