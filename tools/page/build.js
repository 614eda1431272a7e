// Bundle the scripts of the attention page into one file, which bertcli/output/page/writer.py puts into the page.
//
//     npm ci && npm run build
//
// The first line of the bundle is a hash of everything it is made from. A test compares it, so the bundle cannot
// differ from its sources.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, "../../bertcli/output/page");
const sources = join(page, "script");

const names = readdirSync(sources, { recursive: true })
  .map((name) => relative(sources, join(sources, String(name))))
  .filter((name) => name.endsWith(".js"))
  .sort();
const hash = createHash("sha256");
for (const path of [...names.map((name) => join(sources, name)), join(here, "package-lock.json")]) {
  hash.update(readFileSync(path));
}

const { outputFiles } = await build({
  entryPoints: [join(sources, "main.js")],
  nodePaths: [join(here, "node_modules")],
  bundle: true,
  charset: "utf8",
  format: "iife",
  legalComments: "inline",
  minifySyntax: true,
  minifyWhitespace: true,
  target: "es2023",
  write: false,
});
// An HTML parser ends a script at "</script" and changes its mode at "<!--", wherever they are.
const content = outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
writeFileSync(join(page, "page.js"), `// sources: sha256-${hash.digest("hex")}\n${content}`);
