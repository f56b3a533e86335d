// Copies the three files that the console stands on out of node_modules, with their licences:
// `npm ci --ignore-scripts && node copy.mjs` in this directory. What is changed: imports by name become relative
// ones (a browser has no node_modules), and the reference to the source map, which is not here, goes.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const FILES = {
  "preact.js": ["preact", "dist/preact.mjs"],
  "hooks.js": ["preact", "hooks/dist/hooks.mjs"],
  "htm.js": ["htm", "dist/htm.module.js"],
};

for (const [file, [name, path]] of Object.entries(FILES)) {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const code = readFileSync(`node_modules/${name}/${path}`, "utf8")
    .replace(/from\s*["']preact["']/g, 'from"./preact.js"')
    .replace(/\n?\/\/# sourceMappingURL=.*\n?/g, "")
    .trimEnd();
  writeFileSync(file, `/* ${name} ${version}, ${path}; ${license}, see LICENSE-${name} */\n${code}\n`);
  copyFileSync(`node_modules/${name}/LICENSE`, `LICENSE-${name}`);
}
