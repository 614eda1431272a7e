// Run from the top of the repository, see package.json.

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-properties": ["error",
        { property: "innerHTML", message: "Text is never parsed as HTML." },
        { property: "outerHTML", message: "Text is never parsed as HTML." },
        { property: "insertAdjacentHTML", message: "Text is never parsed as HTML." }],
      "max-lines": ["error", 400],
      "max-len": ["error", 120],
      curly: ["error", "multi-line"],
    },
  },
  { files: ["bertcli/output/page/script/**"], languageOptions: { globals: globals.browser } },
  { files: ["tools/page/**"], languageOptions: { globals: globals.node } },
];
