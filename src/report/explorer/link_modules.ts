/** The project's own modules and shaders as one script for a page, with nothing left to load. */
import { stripTypeScriptTypes } from "node:module";

/** A linked module: what it exports, and the name of its value in the script. */
interface Linked {
  name: string;
  exports: string[];
}

const IMPORT =
  /^import\s+(?:(\w+)|\*\s+as\s+(\w+)|\{([^}]*)\})\s+from\s+"([^"]+)"(?:\s+with\s+\{[^}]*\})?;/gm;
const EXPORT_ALL = /^export\s+\*\s+from\s+"([^"]+)";/gm;
const EXPORT = /^export\s+((?:async\s+)?(?:function\*?|const|let|class)\s+(\w+))/gm;

/**
 * Links a module and all that it imports into one script: TypeScript loses its types, other text files (shaders) become
 * strings, each module becomes a function that runs once. For modules in the house's style: named imports and exports at
 * the start of a line, static, without cycles.
 *
 * @param entry file: URL of a .ts or .js module, whose code runs last
 * @returns a script for `<script type="module">` that imports nothing
 * @throws Error `<file> imports itself by way of others: …`
 * @throws Error `<file>, line 3, cannot be linked: "export default …": …`
 */
export async function linkModules(entry: URL): Promise<string> {
  const linked = new Map<string, Linked | null>(), parts: string[] = [];

  async function link(url: URL): Promise<Linked> {
    const known = linked.get(url.href);
    if (known) return known;
    if (known === null) {
      throw new Error(
        `${fileName(url)} imports itself by way of others: move what both need to a third file.`,
      );
    }
    linked.set(url.href, null);
    const text = await Deno.readTextFile(url);
    const isModule = /\.(ts|js)$/.test(url.pathname);
    const body = isModule ? await moduleBody(url, text) : { code: "", exports: ["default"] };
    const name = `module${parts.length + 1}`;
    const code = isModule
      ? `(() => {\n${body.code}\nreturn { ${body.exports.join(", ")} };\n})()`
      : `{ default: ${JSON.stringify(text)} }`;
    parts.push(`// ${fileName(url)}\nconst ${name} = ${code};\n`);
    const module = { name, exports: body.exports };
    linked.set(url.href, module);
    return module;
  }

  async function moduleBody(url: URL, text: string): Promise<{ code: string; exports: string[] }> {
    let code = url.pathname.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
    const exports: string[] = [];
    const find = (specifier: string) => {
      if (specifier.startsWith(".")) return link(new URL(specifier, url));
      throw new Error(`${fileName(url)} imports the package "${specifier}": only files can be linked.`);
    };
    const imports = new Map<string, Linked>();
    for (const [statement, , , , specifier] of code.matchAll(IMPORT)) {
      imports.set(statement, await find(specifier));
    }
    code = code.replace(IMPORT, (statement, single, all, names) => {
      const { name } = imports.get(statement)!;
      if (all) return `const ${all} = ${name};`;
      if (single) return `const ${single} = ${name}.default;`;
      return `const {${names.replace(/\s+as\s+/g, ": ")}} = ${name};`;
    });
    for (const [statement, specifier] of [...code.matchAll(EXPORT_ALL)]) {
      const { name, exports: names } = await find(specifier);
      exports.push(...names);
      code = code.replace(statement, `const { ${names.join(", ")} } = ${name};`);
    }
    code = code.replace(EXPORT, (_, declaration, name) => {
      exports.push(name);
      return declaration;
    });
    const line = code.split("\n").findIndex((line) => /^(import|export)\b/.test(line));
    if (line < 0) return { code, exports };
    throw new Error(
      `${fileName(url)}, line ${line + 1}, cannot be linked: "${
        code.split("\n")[line].trim()
      }": use named imports and exports.`,
    );
  }

  await link(entry);
  return parts.join("\n");
}

function fileName(url: URL): string {
  return url.pathname.split("/").at(-1)!;
}
